import { FunesError, quote } from '../errors.ts';
import { checkText } from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import type { Services } from '../services.ts';
import type { ChunkValues } from '../store/written-chunks.ts';
import { chunkMetadata } from './chunk-metadata.ts';
import type { ChunkSizes } from './chunker-packing.ts';
import type { DocumentFormat } from './formats.ts';

/** The characters of words that a search can find. Pictographs are words in chats. */
export const words = /[\p{L}\p{N}\p{Extended_Pictographic}]/u;

/** A file, of which a document is made. */
export interface File {
  filename: string;
  format: DocumentFormat;
  bytes: Uint8Array;
}

/**
 * Extracts the text of a file, and cuts it into chunks.
 * @throws FunesError BAD_USER_INPUT for a file that cannot be read or has no words, LIMIT_EXCEEDED for its length.
 */
export async function cut(
  { extractor, chunker }: Pick<Services, 'extractor' | 'chunker'>,
  { filename, format, bytes }: File,
  sizes: ChunkSizes,
): Promise<ChunkValues[]> {
  const extraction = await extractor.extract(filename, format, bytes);
  const text = checkText(extraction.text, `The text of the file ${quote(filename)}`, limits.documentLength);
  if (!words.test(text)) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `No search could find this document, because its text has no letter, number or pictograph: ${quote(text)}. ` +
        'Send a document that has words.',
    );
  }
  const pieces = await chunker.chunk(text, { format: extraction.structure, ...sizes });
  if (pieces.length === 0) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `No search could find this document, because its text has no token of the embedding model: ${quote(text)}.`,
    );
  }
  return pieces.map(({ content, tokens, overlapTokens, startOffset, endOffset, tableHeader }) => ({
    content,
    chunkSize: tokens,
    overlapSize: overlapTokens,
    startOffset,
    endOffset,
    metadata: {
      ...chunkMetadata(text, { startOffset, endOffset }, extraction.parts),
      ...(tableHeader !== undefined && { tableHeader }),
    },
  }));
}
