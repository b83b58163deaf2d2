import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReservedSql } from 'postgres';
import type { Pool } from '../../src/database/pool.ts';

/** The folder of each dump is named after the last migration that its database had. */
export const dumpsFolder = fileURLToPath(new URL('dumps', import.meta.url));
const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

export const dumpNames = (): string[] => readdirSync(dumpsFolder).sort();

export const dumpFile = (name: string): string => join(dumpsFolder, name, 'dump.sql');
export const answersFile = (name: string): string => join(dumpsFolder, name, 'answers.json');

export interface CommittedMigration {
  tag: string;
  when: number;
  sql: string;
  /** What Drizzle notes of the file when it applies it. */
  hash: string;
}

export function committedMigrations(): CommittedMigration[] {
  const journal = readFileSync(join(migrationsFolder, 'meta/_journal.json'), 'utf8');
  const { entries } = JSON.parse(journal) as { entries: { tag: string; when: number }[] };
  return entries.map(({ tag, when }) => {
    const sql = readFileSync(join(migrationsFolder, `${tag}.sql`), 'utf8');
    return { tag, when, sql, hash: createHash('sha256').update(sql).digest('hex') };
  });
}

export async function withConnection<T>(
  pool: Pool,
  work: (connection: ReservedSql) => Promise<T>,
): Promise<T> {
  const connection = await pool.reserve({ statementTimeoutMs: 0 });
  try {
    return await work(connection);
  } finally {
    connection.release();
  }
}

/** Loads a dump into an empty database: the schema, the rows, and which migrations were applied. */
export function loadDump(pool: Pool, name: string): Promise<void> {
  return withConnection(pool, async (connection) => {
    await connection.unsafe(readFileSync(dumpFile(name), 'utf8'));
  });
}

/** A column of a table of the API, as the catalog has it. */
export interface StoredColumn {
  table: string;
  column: string;
  type: string;
}

/** The columns whose values are stored and not computed by the database, in their order, of the tables with an `id`. */
export async function storedColumns(connection: ReservedSql): Promise<StoredColumn[]> {
  const rows = await connection.unsafe<StoredColumn[]>(`
    select table_name as table, column_name as column, data_type as type
    from information_schema.columns join information_schema.tables using (table_schema, table_name)
    where table_schema = 'public' and table_type = 'BASE TABLE' and is_generated = 'NEVER'
      and exists (select from information_schema.columns as id where id.table_schema = 'public'
        and id.table_name = columns.table_name and id.column_name = 'id')
    order by table_name, ordinal_position`);
  return [...rows];
}

/** The number of values of each column and a hash over them in the order of the ids: equal when the columns are. */
export async function contentsOfColumns(
  connection: ReservedSql,
  columns: readonly StoredColumn[],
): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for (const { table, column } of columns) {
    const [row] = await connection.unsafe<{ contents: string }[]>(`
      select count(*) || ' rows ' || md5(coalesce(string_agg(coalesce("${column}"::text, 'NULL'), '|' order by id), ''))
        as contents from "${table}"`);
    contents[`${table}.${column}`] = row?.contents ?? '';
  }
  return contents;
}
