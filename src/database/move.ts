import type { ReservedSql } from 'postgres';
import { FunesError } from '../errors.ts';
import { migrate } from './migrate.ts';
import type { Pool } from './pool.ts';
import { quoteIdentifier, setLocal } from './session-settings.ts';

/** Rows in each table, by its name. */
export type MovedRows = Record<string, number>;

/** Rows of this table are made by the migrations, and give way to those that are moved. */
const madeByMigrations = 'installation';
/** Chunks refer to the chunk before, so they come in their order. */
const orders: Readonly<Record<string, string>> = { document_chunks: 'document_id, chunk_index' };
const rowsOfFetch = 50;
/** Characters of rows in one statement. */
const longestStatement = 4_000_000;

interface Table {
  name: string;
  columns: string[];
  /** The type of each column, without its length, so that a cast cuts nothing off. */
  types: string[];
  /** The columns whose values come from a sequence. */
  identities: string[];
}

/** A connection in a transaction, and the schema of the tables. */
interface Side {
  connection: ReservedSql;
  schema: string;
}

/**
 * Copies all rows of one migrated database into another, which is migrated first: with their ids, times and vectors, and the ids that
 * come next. One transaction writes all of it or nothing. It compares what both databases have before it is committed.
 * @param from a database that nobody writes to.
 * @throws FunesError if there are rows in the other database, or if it does not get what there is.
 */
export async function moveRows(
  from: Pool,
  to: Pool,
  onProgress: (done: number, total: number) => void,
): Promise<MovedRows> {
  await inTransaction(to, refuseRows);
  await migrate(to);
  return inTransaction(from, async (source) => {
    return inTransaction(to, async (destination) => {
      const tables = await readTables(source);
      await refuseOtherTables(tables, destination);
      await destination.connection.unsafe(
        `lock table ${tables.map(({ name }) => tableIn(destination, name)).join(', ')} in exclusive mode`,
      );
      await refuseRows(destination);
      await destination.connection.unsafe(`delete from ${tableIn(destination, madeByMigrations)}`);
      const moved = await copyTables(source, destination, tables, onProgress);
      for (const table of tables) await compare(source, destination, table);
      // Last, because a rollback does not set sequences back.
      for (const table of tables) await continueIds(source, destination, table);
      return moved;
    });
  });
}

async function inTransaction<T>(pool: Pool, work: (side: Side) => Promise<T>): Promise<T> {
  const connection = await pool.reserve({ statementTimeoutMs: 0 });
  try {
    await connection.unsafe(
      ['begin', ...setLocal(pool.localSettings), 'set local statement_timeout = 0'].join('; '),
    );
    const [home] =
      await connection`select coalesce(${pool.schemas?.home ?? null}::text, current_schema()) as schema`;
    const result = await work({ connection, schema: String(home?.schema) });
    await connection.unsafe('commit');
    return result;
  } catch (error) {
    await connection.unsafe('rollback').catch(() => {});
    throw error;
  } finally {
    connection.release();
  }
}

const tableIn = ({ schema }: Side, name: string): string =>
  `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;

/** The tables, those that others refer to first. */
async function readTables({ connection, schema }: Side): Promise<Table[]> {
  const found = await connection<(Table & { refersTo: string[] })[]>`
    select relname as name, json_agg(attname order by attnum) as columns,
      json_agg(format_type(atttypid, null) order by attnum) as types,
      coalesce(json_agg(attname) filter (where attidentity <> ''), '[]') as identities,
      (select coalesce(json_agg(t.relname), '[]') from pg_constraint f join pg_class t on t.oid = confrelid
        where f.conrelid = c.oid and contype = 'f' and not condeferrable and confrelid <> conrelid) as "refersTo"
    from pg_class c join pg_attribute on attrelid = c.oid
    where relnamespace = quote_ident(${schema})::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped and attgenerated = ''
    group by c.oid, relname order by relname`;
  const tables: (typeof found)[number][] = [];
  for (let left = [...found]; left.length > 0; ) {
    const ready = left.filter(({ refersTo }) => !left.some(({ name }) => refersTo.includes(name)));
    if (ready.length === 0) throw new Error('Tables refer to each other in a circle.');
    tables.push(...ready);
    left = left.filter((table) => !ready.includes(table));
  }
  return tables;
}

/** The migrations make the same tables everywhere; a person may have changed them. */
async function refuseOtherTables(tables: readonly Table[], destination: Side): Promise<void> {
  const there = new Map((await readTables(destination)).map((table) => [table.name, table]));
  for (const { name, columns } of tables) {
    const missing = columns.filter((column) => !there.get(name)?.columns.includes(column));
    if (missing.length === 0) continue;
    throw new FunesError(
      'CONFLICT',
      `The table ${name} of the other database lacks ${missing.join(', ')}. Nothing was moved. Make an empty database for --to.`,
    );
  }
}

/** @throws FunesError CONFLICT if the tables of funes have a row. */
async function refuseRows(destination: Side): Promise<void> {
  for (const { name } of await readTables(destination)) {
    if (name === madeByMigrations) continue;
    const [row] = await destination.connection.unsafe(
      `select exists (select from ${tableIn(destination, name)}) as filled`,
    );
    if (row?.filled !== true) continue;
    throw new FunesError(
      'CONFLICT',
      `The database that --to names is not empty: there are rows in its table ${name}. Nothing was moved. Make an empty database for --to.`,
    );
  }
}

async function copyTables(
  source: Side,
  destination: Side,
  tables: readonly Table[],
  onProgress: (done: number, total: number) => void,
): Promise<MovedRows> {
  const counts = await Promise.all(
    tables.map(async ({ name }) => {
      const [row] = await source.connection.unsafe(`select count(*) as count from ${tableIn(source, name)}`);
      return [name, Number(row?.count)] as const;
    }),
  );
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  // An index of vectors is built much faster from all rows than row by row.
  const indexes = await dropVectorIndexes(destination);
  let done = 0;
  for (const table of tables) {
    for await (const lines of readLines(source, table)) {
      await insert(destination, table, lines);
      done += lines.length;
      onProgress(done, total);
    }
  }
  for (const index of indexes) await destination.connection.unsafe(index);
  return Object.fromEntries(counts);
}

/** @returns the statements that make them again. */
async function dropVectorIndexes({ connection, schema }: Side): Promise<string[]> {
  const found = await connection<{ name: string; definition: string }[]>`
    select i.relname as name, pg_get_indexdef(i.oid) as definition
    from pg_class i join pg_am am on am.oid = i.relam
    where i.relkind = 'i' and amname in ('hnsw', 'ivfflat') and relnamespace = quote_ident(${schema})::regnamespace`;
  for (const { name } of found)
    await connection.unsafe(`drop index ${quoteIdentifier(schema)}.${quoteIdentifier(name)}`);
  return found.map(({ definition }) => definition);
}

/** A row as JSON in which every value is the text that PostgreSQL writes of it. */
function linesOf(side: Side, { name, columns }: Table): string {
  const texts = columns.map((column) => `${quoteIdentifier(column)}::text`).join(', ');
  const order =
    orders[name] ??
    columns
      .filter((column) => column === 'id')
      .map(quoteIdentifier)
      .join('');
  const rows = `select ${texts} from ${tableIn(side, name)}${order === '' ? '' : ` order by ${order}`}`;
  return `select row_to_json(r)::text as line from (${rows}) as r(${columns.map(quoteIdentifier).join(', ')})`;
}

async function* readLines(source: Side, table: Table): AsyncGenerator<string[]> {
  await source.connection.unsafe(`declare moved no scroll cursor for ${linesOf(source, table)}`);
  let lines: string[] = [];
  let length = 0;
  for (;;) {
    const rows = await source.connection.unsafe<{ line: string }[]>(`fetch ${rowsOfFetch} from moved`);
    for (const { line } of rows) {
      if (lines.length > 0 && length + line.length > longestStatement) {
        yield lines;
        [lines, length] = [[], 0];
      }
      lines.push(line);
      length += line.length;
    }
    if (rows.length < rowsOfFetch) break;
  }
  if (lines.length > 0) yield lines;
  await source.connection.unsafe('close moved');
}

async function insert(destination: Side, table: Table, lines: readonly string[]): Promise<void> {
  const names = table.columns.map(quoteIdentifier);
  await destination.connection.unsafe(
    `insert into ${tableIn(destination, table.name)} (${names.join(', ')}) overriding system value
      select ${names.map((name, n) => `r.${name}::${table.types[n]}`).join(', ')}
      from json_to_recordset($1::text::json) as r(${names.map((name) => `${name} text`).join(', ')})`,
    [`[${lines.join(',')}]`],
  );
}

/** New rows get the ids that they would have got. An id that was given away once is not given again, even if its row is gone. */
async function continueIds(source: Side, destination: Side, { name, identities }: Table): Promise<void> {
  const sequenceOf = async (side: Side, column: string) => {
    const [found] =
      await side.connection`select pg_get_serial_sequence(${tableIn(side, name)}, ${column}) as sequence`;
    return String(found?.sequence);
  };
  for (const column of identities) {
    const [state] = await source.connection.unsafe(
      `select last_value::text as last, is_called as called from ${await sequenceOf(source, column)}`,
    );
    await destination.connection`
      select setval(${await sequenceOf(destination, column)}::text::regclass, ${state?.last}::text::bigint, ${state?.called}::boolean)`;
  }
}

/** Compares number and contents of the rows. */
async function compare(source: Side, destination: Side, table: Table): Promise<void> {
  const read = async (side: Side) => {
    const [found] = await side.connection.unsafe(
      `select count(*)::text || ' rows, ' || coalesce(sum(('x' || left(md5(line), 15))::bit(60)::bigint), 0)::text as sum
        from (${linesOf(side, table)}) as l`,
    );
    return found?.sum;
  };
  if ((await read(source)) === (await read(destination))) return;
  throw new FunesError(
    'INTERNAL_SERVER_ERROR',
    `The table ${table.name} would not be the same in the other database. Nothing was moved.`,
  );
}
