import { decodeText } from './encoding.ts';
import type { Extraction } from './extraction.ts';

/** Extracts a text file: its text as it is. */
export async function extractText(bytes: Uint8Array): Promise<Extraction> {
  return { text: decodeText(bytes), structure: 'text', parts: [] };
}
