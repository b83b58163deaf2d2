import { finished } from 'node:stream/promises';
import { CsvError, type InfoRecord, parse } from 'csv-parse';
import { quote } from '../../errors.ts';
import { type Read, unreadable } from '../incoming.ts';
import { decodeParts } from '../json-list.ts';
import { type PlainMemory, type PlainOptions, toIncoming } from '../plain-memory.ts';
import { memoryOf } from './fields.ts';
import { lossIn } from './jsonl.ts';

interface CsvRow {
  record: Record<string, string>;
  info: InfoRecord;
}

/**
 * Reads a CSV with a header. Columns that are no fields become metadata. Commas, semicolons, tabs or bars separate the cells, whichever
 * the header has.
 */
export async function* readCsv(parts: AsyncIterable<Buffer>, options: PlainOptions): AsyncGenerator<Read> {
  const { map } = options;
  for await (const { record, info } of rowsOf(parts, options)) {
    const { bytes } = info;
    const memory = info.error ? otherCells(info.error) : withMetadata(record, map);
    yield 'reason' in memory
      ? { kind: 'fault', line: info.lines, reason: memory.reason, bytes }
      : { ...toIncoming(memory, info.lines, options), bytes };
  }
}

/** What csv-parse says of a row that has other cells than the header. */
type OtherCells = CsvError & { record: unknown[]; columns: unknown[] };

const otherCells = (error: CsvError): { reason: string } => {
  const { record, columns } = error as OtherCells;
  return { reason: `it has ${record.length} cells, and the header has ${columns.length}` };
};

/** Parses rows. Those before an error are yielded first; the stream of the parser would drop them. */
async function* rowsOf(parts: AsyncIterable<Buffer>, options: PlainOptions): AsyncGenerator<CsvRow> {
  const { name } = options;
  const text = decodeParts(parts, name);
  let rows: CsvRow[] = [];
  let error: unknown;
  const check = () => {
    if (error instanceof CsvError)
      throw unreadable(`${name} is not a CSV that can be read: ${error.message.replace(/\.?$/, '.')}`);
    if (error !== undefined) throw error;
  };
  try {
    const { head, rest } = await withHeader(text);
    const parser = parse({
      bom: true,
      delimiter: delimiterOf(head),
      skip_empty_lines: true,
      // A row with other cells than the header is a fault of that row alone.
      relax_column_count: true,
      max_record_size: 16 * 1024 * 1024,
      columns: (columns: string[]) => {
        checkColumns(columns, options);
        return columns;
      },
      on_record: (record: Record<string, string>, info) => {
        rows.push({ record, info });
        return null;
      },
    });
    parser.on('error', (thrown) => {
      error = thrown;
    });
    parser.resume();
    for await (const part of rest) {
      await new Promise((resolve) => parser.write(part, resolve));
      yield* rows;
      rows = [];
      check();
    }
    parser.end();
    await finished(parser).catch(() => {}); // the handler above has the error
    yield* rows;
    check();
  } finally {
    await text.return(undefined);
  }
}

const lengthOfHeader = 64 * 1024;

/** Reads a file until its first line is there, and puts that back before the rest. */
async function withHeader(text: AsyncGenerator<string>) {
  let head = '';
  while (head.length < lengthOfHeader && !/\S.*\n/.test(head)) {
    const { done, value } = await text.next();
    if (done) break;
    head += value;
  }
  async function* rest() {
    yield head;
    yield* text;
  }
  return { head, rest: rest() };
}

const delimiters = [',', ';', '\t', '|'] as const;

/** The delimiter that the header has most often outside of quotes. The texts below it have commas that separate nothing. */
function delimiterOf(head: string): string {
  const header = /^\s*((?:"(?:[^"]|"")*"|[^"\r\n])*)/.exec(head)?.[1] ?? '';
  const unquoted = header.replace(/"(?:[^"]|"")*"/g, '');
  const count = (delimiter: string) => unquoted.split(delimiter).length;
  return delimiters.reduce<string>((best, one) => (count(one) > count(best) ? one : best), ',');
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
  const missing = Object.values(map).find((column) => column !== undefined && !columns.includes(column));
  if (missing !== undefined)
    throw unreadable(`${name} has no column ${quote(missing)}, which --map names. It has ${list}.`);
  if (map.content === undefined && !columns.includes('content'))
    throw unreadable(
      `${name} has no column "content". Name the one that has the text, such as --map content=text. It has ${list}.`,
    );
}
