import type { PartMetadata, TextPart } from './extract/extraction.ts';

/** What a chunk's metadata says about its position in the document. */
export interface ChunkMetadata extends PartMetadata {
  /** All pages of a chunk that has text of several. `page` is the first one. */
  pages?: number[];
  /** All slides of a chunk that has text of several. */
  slides?: number[];
  /** All sheets of a chunk that has text of several. */
  sheets?: string[];
}

/**
 * Finds the pages, slides and sheets of a chunk, and the headings above it: those of the section that most of it belongs to.
 * White space does not count.
 * @param parts of the text, in order.
 */
export function chunkMetadata(
  text: string,
  { startOffset, endOffset }: { startOffset: number; endOffset: number },
  parts: readonly TextPart[],
): ChunkMetadata {
  const shares: { metadata: PartMetadata; length: number }[] = [];
  for (let index = firstEndingAfter(parts, startOffset); index < parts.length; index += 1) {
    const { start, end, metadata } = parts[index] as TextPart;
    if (start >= endOffset) break;
    const { length } = text.slice(Math.max(start, startOffset), Math.min(end, endOffset)).trim();
    if (length > 0) shares.push({ metadata, length });
  }
  const all = <K extends keyof PartMetadata>(key: K) =>
    shares.flatMap(({ metadata }) => (metadata[key] === undefined ? [] : [metadata[key]]));
  const [page, ...pages] = all('page');
  const [slide, ...slides] = all('slide');
  const [sheet, ...sheets] = all('sheet');
  const [first, ...others] = shares;
  const most = others.reduce((best, one) => (best && one.length > best.length ? one : best), first);
  const headings = most?.metadata.headings;
  return {
    ...(page !== undefined && { page }),
    ...(page !== undefined && pages.length > 0 && { pages: [page, ...pages] }),
    ...(slide !== undefined && { slide }),
    ...(slide !== undefined && slides.length > 0 && { slides: [slide, ...slides] }),
    ...(sheet !== undefined && { sheet }),
    ...(sheet !== undefined && sheets.length > 0 && { sheets: [sheet, ...sheets] }),
    ...(headings && { headings }),
  };
}

/** Index of the first part that ends after `offset`. */
function firstEndingAfter(parts: readonly TextPart[], offset: number): number {
  let low = 0;
  let high = parts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((parts[middle]?.end ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
