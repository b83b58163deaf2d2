import { finished } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { parse as parseText } from 'csv-parse/sync';
import { FunesError, quote } from '../../errors.ts';
import { otherFormat } from './json-values.ts';
import { badFile, badRecord, type FileRecord, recordOr } from './records.ts';
import { parseTime } from './times.ts';
import { utf8Of } from './utf8.ts';

const fields = ['content', 'createdAt', 'sessionId', 'source', 'userId', 'importanceScore'] as const;

type Field = (typeof fields)[number] | `metadata.${string}`;

/** Which column has which field. */
export type CsvMap = ReadonlyMap<Field, string>;

/** Characters of a row. A quote that is never closed ends here, and not with the memory. */
const longestRow = 4 * 2 ** 20;

/** How much of a file is read to find its header. */
const headLength = 64 * 1024;

/**
 * Parses what `--map` says: `content=text,createdAt=date,metadata.topic=topic`. A pair whose column has a comma stands in quotes.
 * @throws FunesError for a field that is unknown or said twice.
 */
export function parseCsvMap(text: string): CsvMap {
  const map = new Map<Field, string>();
  for (const pair of pairsOf(text)) {
    const [, field, column] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/s.exec(pair) ?? [];
    if (field === undefined || column === undefined || column === '')
      throw badMap(`${quote(pair)} is not FIELD=COLUMN, such as content=text.`);
    if (!isField(field))
      throw badMap(`there is no field ${quote(field)}. Fields are ${fields.join(', ')} and metadata.NAME.`);
    if (map.has(field)) throw badMap(`it says ${field} twice.`);
    map.set(field, column);
  }
  return map;
}

function pairsOf(text: string): string[] {
  try {
    return (parseText(text, { relax_quotes: true }) as string[][]).flat();
  } catch (error) {
    throw badMap(error instanceof Error ? error.message : String(error));
  }
}

function badMap(problem: string): FunesError {
  return new FunesError('BAD_USER_INPUT', `--map: ${problem}`);
}

function isField(name: string): name is Field {
  return (fields as readonly string[]).includes(name) || /^metadata\../s.test(name);
}

/**
 * Reads a CSV file with a header: each row becomes a memory. A column whose name is that of a field has that field; all other
 * columns go into the metadata under their names. Commas, semicolons, tabs or bars separate the cells.
 * @param map columns with other names.
 */
export async function* readCsv(
  bytes: AsyncIterable<Uint8Array>,
  map: CsvMap = new Map(),
): AsyncGenerator<FileRecord> {
  const text = utf8Of(bytes);
  try {
    const { head, parts } = await withHead(text);
    if (/^\s*[[{]/.test(head))
      throw badFile(
        `The file is not CSV: it begins like JSON.${otherFormat(head) || ' Try another --from.'}`,
      );
    let columns: readonly Column[] | undefined;
    for await (const { cells, inputPath } of rowsOf(parts, delimiterOf(head))) {
      if (columns === undefined) columns = columnsOf(cells, map);
      else {
        const known = columns;
        yield recordOr(inputPath, () => memoryOf(cells, known, inputPath));
      }
    }
    if (columns === undefined) throw badFile('The file is empty: it has no header.');
  } finally {
    // Who stops reading early has not come to the end of the head either.
    await text.return(undefined);
  }
}

interface Row {
  cells: string[];
  inputPath: string;
}

/** Parses the rows of a file. Rows before an error are yielded before it is thrown, which the parser's own stream would not do. */
async function* rowsOf(parts: AsyncIterable<Uint8Array>, delimiter: string): AsyncGenerator<Row> {
  let rows: Row[] = [];
  let line = 1;
  const parser = parse({
    delimiter,
    relax_column_count: true,
    max_record_size: longestRow,
    on_record: (cells: string[], { lines }) => {
      const inputPath = `line ${line}`;
      line = lines + 1;
      const isBlank = cells.length === 1 && cells[0] === '';
      if (!isBlank) rows.push({ cells, inputPath });
      return null;
    },
  });
  let error: unknown;
  parser.on('error', (thrown) => {
    error = thrown;
  });
  parser.resume();
  const take = () => {
    const taken = rows;
    rows = [];
    return taken;
  };
  const check = () => {
    if (error instanceof CsvError)
      throw badFile(`The file is not valid CSV, at line ${line}: ${error.message}`);
    if (error !== undefined) throw error;
  };
  for await (const part of parts) {
    await new Promise((resolve) => parser.write(part, resolve));
    yield* take();
    check();
  }
  parser.end();
  await finished(parser).catch(() => {});
  yield* take();
  check();
}

/** Reads the beginning of a stream, and puts it back before the rest. */
async function withHead(bytes: AsyncGenerator<Uint8Array>) {
  const first: Uint8Array[] = [];
  let length = 0;
  while (length < headLength) {
    const { done, value } = await bytes.next();
    if (done) break;
    first.push(value);
    length += value.length;
  }
  async function* parts() {
    yield* first;
    yield* bytes;
  }
  return { head: Buffer.concat(first).toString('utf8'), parts: parts() };
}

const delimiters = [',', ';', '\t', '|'] as const;

/** The delimiter of the header. Texts in the rows below have many commas that separate nothing. */
function delimiterOf(head: string): string {
  const header = /^\s*((?:"(?:[^"]|"")*"|[^"\r\n])*)/.exec(head)?.[1] ?? '';
  const unquoted = header.replace(/"(?:[^"]|"")*"/g, '');
  const count = (delimiter: string) => unquoted.split(delimiter).length;
  return delimiters.reduce<string>((best, one) => (count(one) > count(best) ? one : best), ',');
}

interface Column {
  name: string;
  /** A column may have several fields. */
  fields: Field[];
}

/** Says which fields each column of the header has. */
function columnsOf(header: readonly string[], map: CsvMap): Column[] {
  const names = header.map((name, i) => name.trim() || `column ${i + 1}`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw badFile(`The file has two columns ${quote(twice)}. Rename one of them.`);
  for (const column of map.values())
    if (!names.includes(column))
      throw badFile(`The file has no column ${quote(column)}, which --map names. ${listOf(names)}`);
  const mapped = [...map];
  const columns = names.map((name): Column => {
    const said = mapped.flatMap(([field, column]) => (column === name ? [field] : []));
    if (said.length > 0) return { name, fields: said };
    const field = fields.find((one) => simple(one) === simple(name));
    return { name, fields: [field === undefined || map.has(field) ? `metadata.${name}` : field] };
  });
  const taken = new Map<Field, string>();
  for (const { name, fields: own } of columns)
    for (const field of own) {
      const other = taken.get(field);
      if (other !== undefined)
        throw badFile(
          `Two columns of the file are ${field}: ${quote(other)} and ${quote(name)}. Say by --map which one is meant.`,
        );
      taken.set(field, name);
    }
  if (!taken.has('content'))
    throw badFile(
      `The file has no column "content". Say which column has the text: --map content=COLUMN. ${listOf(names)}`,
    );
  return columns;
}

function listOf(names: readonly string[]): string {
  return `Its columns are ${names.map((name) => quote(name)).join(', ')}.`;
}

/** A name without what people write differently: created_at, Created At, createdAt. */
function simple(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}

function memoryOf(row: readonly string[], columns: readonly Column[], inputPath: string): FileRecord {
  if (row.length !== columns.length)
    throw badRecord(inputPath, `has ${row.length} cells, and the header has ${columns.length}.`);
  const cells = new Map<Field, string>();
  for (const [i, column] of columns.entries())
    for (const field of column.fields) if (row[i] !== '') cells.set(field, row[i] ?? '');
  const content = cells.get('content');
  if (content === undefined || !/\S/.test(content))
    return { kind: 'leftOut', inputPath, reason: 'has no text' };
  const nameOf = (field: Field) => columns.find((column) => column.fields.includes(field))?.name ?? field;
  const createdAt = parseTime(cells.get('createdAt'), `${inputPath}, column ${quote(nameOf('createdAt'))},`);
  const importance = cells.get('importanceScore');
  const importanceScore =
    importance === undefined ? undefined : importance.trim() === '' ? NaN : Number(importance);
  if (importanceScore !== undefined && !(importanceScore >= 0 && importanceScore <= 1))
    throw badRecord(
      `${inputPath}, column ${quote(nameOf('importanceScore'))},`,
      `is no number from 0 to 1: ${quote(importance)}.`,
    );
  const [sessionId, source, userId] = [cells.get('sessionId'), cells.get('source'), cells.get('userId')];
  return {
    kind: 'memory',
    inputPath,
    ...(userId !== undefined && { userId }),
    content,
    ...(createdAt !== undefined && { createdAt }),
    ...(sessionId !== undefined && { sessionId }),
    ...(source !== undefined && { source }),
    ...(importanceScore !== undefined && { importanceScore }),
    metadata: Object.fromEntries(
      [...cells].flatMap(([field, cell]) =>
        field.startsWith('metadata.') ? [[field.slice('metadata.'.length), cell]] : [],
      ),
    ),
  };
}
