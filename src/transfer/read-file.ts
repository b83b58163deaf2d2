import { readFunes } from './formats/funes.ts';
import type { Read } from './incoming.ts';
import { openText } from './read-lines.ts';

/** How to read a file. */
export interface ReadOptions {
  /** How messages name the file. */
  name: string;
  /** The user who gets all rows. */
  user: string | undefined;
}

/**
 * Opens a file to import.
 * @throws FunesError BAD_USER_INPUT for a file that is not there, is empty or is no text.
 */
export async function readFile(
  path: string,
  { name, user }: ReadOptions,
): Promise<{ size: number; rows: AsyncIterable<Read> }> {
  const { size, parts } = await openText(path, name);
  return { size, rows: readFunes(parts(), { name, user }) };
}
