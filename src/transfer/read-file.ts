import { FunesError, quote } from '../errors.ts';
import { readChatGpt } from './formats/chatgpt.ts';
import { readClaude } from './formats/claude.ts';
import { readCsv } from './formats/csv.ts';
import type { FieldMap } from './formats/fields.ts';
import { readFunes } from './formats/funes.ts';
import { readJsonLines } from './formats/jsonl.ts';
import { readLangChain } from './formats/langchain.ts';
import { readMem0 } from './formats/mem0.ts';
import { OriginsOfContent, type Read } from './incoming.ts';
import type { PlainOptions } from './plain-memory.ts';
import { openText } from './read-lines.ts';

/** The formats of other programs. `unit` is what a fault names by its number. */
const formats = {
  chatgpt: { read: readChatGpt, unit: 'conversation', hasMap: false },
  claude: { read: readClaude, unit: 'conversation', hasMap: false },
  mem0: { read: readMem0, unit: 'entry', hasMap: false },
  langchain: { read: readLangChain, unit: 'entry', hasMap: false },
  csv: { read: readCsv, unit: 'line', hasMap: true },
  jsonl: { read: readJsonLines, unit: 'line', hasMap: true },
} satisfies Record<
  string,
  {
    read(parts: AsyncIterable<Buffer>, options: PlainOptions): AsyncIterable<Read>;
    unit: string;
    hasMap: boolean;
  }
>;
export type ForeignFormat = keyof typeof formats;
export const foreignFormats = Object.keys(formats) as ForeignFormat[];

/** How to read a file. */
export interface ReadOptions {
  /** How messages name the file. */
  name: string;
  /** The user who gets all rows. */
  user: string | undefined;
  /** The user of rows of other programs that name none. */
  defaultUser: string;
  /** The program that the file comes from; otherwise it is an export of funes. */
  from: ForeignFormat | undefined;
  map: FieldMap | undefined;
}

/** A file that can be read. */
export interface OpenFile {
  size: number;
  rows: AsyncIterable<Read>;
  /** What faults name by their number. */
  unit: string;
}

/**
 * Opens a file to import.
 * @throws FunesError BAD_USER_INPUT for a file that is not there, is empty or is no text, and for a map of a format without columns.
 */
export async function readFile(path: string, options: ReadOptions): Promise<OpenFile> {
  const { name, user, defaultUser, from, map = {} } = options;
  const format = from && formats[from];
  if (options.map && !format?.hasMap) {
    const which = from === undefined ? 'an export of funes' : `the format ${quote(from)}`;
    throw new FunesError('BAD_USER_INPUT', `--map is for csv and jsonl; the fields of ${which} are known.`);
  }
  const { size, parts } = await openText(path, name);
  if (format === undefined) return { size, rows: readFunes(parts(), { name, user }), unit: 'line' };
  const origins = new OriginsOfContent();
  return {
    size,
    rows: format.read(parts(), { name, user, defaultUser, origins, map }),
    unit: format.unit,
  };
}
