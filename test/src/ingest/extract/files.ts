import { readFileSync } from 'node:fs';
import { extractors } from '../../../../src/ingest/extract/extract.ts';
import { type Extraction, UnreadableFile } from '../../../../src/ingest/extract/extraction.ts';
import type { FormatName } from '../../../../src/ingest/formats.ts';

/** Reads a file of `files/`, whose README says how each was made. */
export function readTestFile(name: string): Buffer {
  return readFileSync(new URL(`../files/${name}`, import.meta.url));
}

/** Extracts the text of a file on this thread. */
export async function extract(format: FormatName, bytes: Uint8Array): Promise<Extraction> {
  const extractText = await extractors[format]();
  return extractText(bytes);
}

/** The texts of the parts, with what is known of each. */
export function partsOf({ text, parts }: Extraction): [object, string][] {
  return parts.map(({ start, end, metadata }) => [metadata, text.slice(start, end).trim()]);
}

/** Why the text of a file cannot be read. */
export async function problemOf(
  extraction: Promise<Extraction>,
): Promise<Pick<UnreadableFile, 'code' | 'problem'>> {
  try {
    await extraction;
  } catch (error) {
    if (error instanceof UnreadableFile) return { code: error.code, problem: error.problem };
    throw error;
  }
  throw new Error('the file was read');
}
