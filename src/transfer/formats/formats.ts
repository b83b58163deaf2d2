import { FunesError, quote } from '../../errors.ts';
import { suggestion } from '../../suggestion.ts';
import { readChatgpt } from './chatgpt.ts';
import { readClaude } from './claude.ts';
import { parseCsvMap, readCsv } from './csv.ts';
import { readLangchain } from './langchain.ts';
import { readMem0 } from './mem0.ts';
import type { FileRecord } from './records.ts';

/** Reads a file of another program from its bytes. It throws a FunesError where the file cannot be read any further. */
export type FormatReader = (bytes: AsyncIterable<Uint8Array>) => AsyncGenerator<FileRecord>;

const readers = {
  chatgpt: readChatgpt,
  claude: readClaude,
  mem0: readMem0,
  langchain: readLangchain,
  csv: readCsv,
} as const satisfies Record<string, FormatReader>;

/** What `--from` can be. */
export const formatNames = Object.keys(readers) as readonly (keyof typeof readers)[];

/**
 * Returns what reads the files of a format.
 * @param from the name of the format.
 * @param map which columns of CSV have which fields.
 * @throws FunesError for an unknown format, and for a map that is wrong or of a format without columns.
 */
export function readerOf(from: string, map?: string): FormatReader {
  const format = formatNames.find((name) => name === from);
  if (format === undefined)
    throw new FunesError(
      'BAD_USER_INPUT',
      `--from: there is no format ${quote(from)}. Formats are ${formatNames.join(', ')}.${suggestion(from, formatNames)}`,
    );
  if (map === undefined) return readers[format];
  if (format !== 'csv')
    throw new FunesError('BAD_USER_INPUT', `--map names columns, which only csv has, and not ${format}.`);
  const columns = parseCsvMap(map);
  return (bytes) => readCsv(bytes, columns);
}
