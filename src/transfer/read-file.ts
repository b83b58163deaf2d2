import type { Services } from '../services.ts';
import type { FormatReader } from './formats/formats.ts';
import { readFunes } from './formats/funes.ts';
import type { Read } from './incoming.ts';
import { readForeign } from './read-foreign.ts';
import { openText } from './read-lines.ts';

/** How to read a file. */
export interface ReadOptions {
  /** How messages name the file. */
  name: string;
  /** The user who gets all rows. */
  user: string | undefined;
  /** What reads the file of another program. Without it, the file is an export of funes. */
  foreign?: ForeignFile | undefined;
}

/** How to read a file of another program. */
export interface ForeignFile {
  reader: FormatReader;
  /** Returns what counts the tokens of chunks. It is asked for only if the file has documents. */
  chunker(): Promise<Services['chunker']>;
}

/**
 * Opens a file to import.
 * @throws FunesError BAD_USER_INPUT for a file that is not there, is empty or is no text.
 */
export async function readFile(
  path: string,
  { name, user, foreign }: ReadOptions,
): Promise<{ size: number; rows: AsyncIterable<Read> }> {
  const { size, parts, bytes } = await openText(path, name);
  if (foreign) return { size, rows: readForeign(bytes(), { user, ...foreign }) };
  return { size, rows: readFunes(parts(), { name, user }) };
}
