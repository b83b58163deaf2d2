import { extractors } from './extract/extract.ts';
import { type Extraction, UnreadableFile } from './extract/extraction.ts';
import type { FormatName } from './formats.ts';

/** A file to extract the text of. */
export interface ExtractTask {
  bytes: Uint8Array;
  format: FormatName;
}

/** An error is a value here, because only an error's message survives the way to another thread. */
export type ExtractResult = Extraction | Pick<UnreadableFile, 'problem' | 'code'>;

/** Extracts the text of a file; see `Extractor.extract`. */
export default async function extract({ bytes, format }: ExtractTask): Promise<ExtractResult> {
  const extractText = await extractors[format]();
  try {
    return await extractText(bytes);
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    return { problem: error.problem, code: error.code };
  }
}
