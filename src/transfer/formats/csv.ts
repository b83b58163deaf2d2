import { Readable } from 'node:stream';
import { CsvError, type Info, parse } from 'csv-parse';
import { quote } from '../../errors.ts';
import { type Read, unreadable } from '../incoming.ts';
import { decodeParts } from '../json-list.ts';
import { type PlainMemory, type PlainOptions, toIncoming } from '../plain-memory.ts';
import { memoryOf } from './fields.ts';
import { lossIn } from './jsonl.ts';

interface CsvRow {
  record: Record<string, string>;
  info: Info;
}

/** Reads a CSV with a header. Columns that are no fields become metadata. */
export async function* readCsv(parts: AsyncIterable<Buffer>, options: PlainOptions): AsyncGenerator<Read> {
  const { name, map } = options;
  const parser = parse({
    bom: true,
    info: true,
    skip_empty_lines: true,
    max_record_size: 16 * 1024 * 1024,
    columns: (columns: string[]) => {
      checkColumns(columns, options);
      return columns;
    },
  });
  const source = Readable.from(decodeParts(parts, name));
  source.on('error', (error) => parser.destroy(error)).pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRow>) {
      const { bytes } = info;
      const memory = withMetadata(record, map);
      yield 'reason' in memory
        ? { kind: 'fault', line: info.lines, reason: memory.reason, bytes }
        : { ...toIncoming(memory, info.lines, options), bytes };
    }
  } catch (error) {
    if (error instanceof CsvError)
      throw unreadable(`${name} is not a CSV that can be read: ${error.message.replace(/\.?$/, '.')}`);
    throw error;
  }
}

/** A column of a CSV is a text, so its metadata are an object in JSON. */
function withMetadata(
  record: Record<string, string>,
  map: PlainOptions['map'],
): PlainMemory | { reason: string } {
  const column = map.metadata ?? 'metadata';
  const text = record[column];
  if (text === undefined || text === '')
    return memoryOf({ ...record, ...(text === '' && { [column]: null }) }, map);
  try {
    const loss = lossIn(text);
    if (loss !== undefined) return { reason: `metadata has ${loss.replace(/\.$/, '')}` };
    return memoryOf({ ...record, [column]: JSON.parse(text) }, map);
  } catch {
    return { reason: `metadata is ${quote(text)}, not an object in JSON` };
  }
}

function checkColumns(columns: readonly string[], { name, map }: PlainOptions): void {
  const list = columns.map((column) => quote(column)).join(', ');
  const missing = Object.values(map).find((column) => !columns.includes(column));
  if (missing !== undefined)
    throw unreadable(
      `--map names the column ${quote(missing)}, and ${name} has no such column. It has ${list}.`,
    );
  if (map.content === undefined && !columns.includes('content'))
    throw unreadable(
      `${name} has no column "content". Name the one that has the text, such as --map content=text. It has ${list}.`,
    );
}
