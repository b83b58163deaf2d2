import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';
import type { PDFDocumentProxy, TextItem } from 'pdfjs-dist/types/src/display/api.js';
import { type Extraction, TextBuilder, UnreadableFile } from './extraction.ts';
import { refuseInflation } from './pdf-inflation.ts';
import { layOutPages, type PdfPage } from './pdf-layout.ts';

const packageFolder = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'));

/**
 * Extracts the text of a PDF, with a part for each page.
 * @throws UnreadableFile for a file that is not a whole PDF, that needs a password, that has no text, or that holds too much.
 */
export async function extractPdf(bytes: Uint8Array): Promise<Extraction> {
  refuseIncomplete(bytes);
  refuseInflation(bytes);
  const pages = layOutPages(await readPages(bytes));
  if (pages.every((text) => text.trim() === '')) {
    throw new UnreadableFile(
      'has no text layer: its pages are pictures. Run text recognition on it, for example with ocrmypdf, and send the result.',
    );
  }
  const builder = new TextBuilder();
  for (const [index, text] of pages.entries()) {
    builder.begin({ page: index + 1 });
    builder.add(text);
  }
  return builder.finish('text');
}

/** The library reads what is left of a file that was cut off, and does not say that the rest is missing. */
function refuseIncomplete(bytes: Uint8Array): void {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!file.subarray(0, 1024).includes('%PDF-')) {
    throw new UnreadableFile('is not a PDF. Send it with the fileType that it has.');
  }
  let end = file.length;
  while (end > 0 && (file[end - 1] === 0 || file[end - 1] === 0x0a || file[end - 1] === 0x0d)) end -= 1;
  const tail = file.subarray(Math.max(0, end - 2048), end);
  if (!tail.includes('startxref') || !tail.includes('%%EOF')) {
    throw new UnreadableFile('is cut off: the end of the PDF is missing. Copy or download it again.');
  }
}

async function readPages(bytes: Uint8Array): Promise<PdfPage[]> {
  const loading = getDocument({
    data: Uint8Array.from(bytes),
    verbosity: 0,
    isEvalSupported: false,
    disableFontFace: true,
    useSystemFonts: false,
    cMapUrl: join(packageFolder, 'cmaps/'),
    cMapPacked: true,
    standardFontDataUrl: join(packageFolder, 'standard_fonts/'),
  });
  try {
    return await readAll(await loading.promise);
  } catch (error) {
    if (error instanceof Error && error.name === 'PasswordException') {
      throw new UnreadableFile(
        'is encrypted. Save it without a password, for example with qpdf, and send that.',
      );
    }
    throw new UnreadableFile(
      `is a broken PDF (${error instanceof Error ? error.message : String(error)}). Save it anew, and send that.`,
    );
  } finally {
    await loading.destroy();
  }
}

async function readAll(document: PDFDocumentProxy): Promise<PdfPage[]> {
  const pages: PdfPage[] = [];
  for (let number = 1; number <= document.numPages; number += 1) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent({ disableNormalization: true });
    const [, bottom = 0, , top = 0] = page.view;
    pages.push({
      height: top - bottom,
      runs: items.filter((item): item is TextItem => 'str' in item).map((item) => toRun(item, bottom)),
    });
    page.cleanup();
  }
  return pages;
}

function toRun({ str, transform, width }: TextItem, bottom: number) {
  const [a, b, c, d, x, y] = transform as [number, number, number, number, number, number];
  return {
    text: str,
    x,
    y: y - bottom,
    width,
    size: Math.hypot(c, d),
    angle: Math.round((Math.atan2(b, a) * 180) / Math.PI),
  };
}
