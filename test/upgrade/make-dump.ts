import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ReservedSql } from 'postgres';
import { startApi } from '../../src/composition.ts';
import { loadConfig } from '../../src/config.ts';
import { startEmbeddedDatabase } from '../../src/database/embedded/embedded-database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { openPool, type Pool } from '../../src/database/pool.ts';
import type { Embedder } from '../../src/embedding/embedder.ts';
import { FunesError } from '../../src/errors.ts';
import { Chunker } from '../../src/ingest/chunker.ts';
import { Extractor } from '../../src/ingest/extractor.ts';
import { createLogger } from '../../src/log.ts';
import { loadRealEmbedder, testModelCache } from '../support/real-embedder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import {
  answersFile,
  committedMigrations,
  contentsOfColumns,
  dumpFile,
  dumpNames,
  loadDump,
  type StoredColumn,
  storedColumns,
  withConnection,
} from './dump.ts';
import { ask, type Post, questions } from './questions.ts';
import { documentRows, memoryRows, toArchive, toolRows, unembedded } from './rows.ts';

/*
 * npx tsx test/upgrade/make-dump.ts             writes the dump of today's schema, and the answers on it
 * npx tsx test/upgrade/make-dump.ts --answers   writes the answers on every dump anew
 *
 * Run the first form once for a schema that is released, with the code of that release, and commit what it writes. On one
 * machine it writes the same bytes each time. A dump that is committed is never made anew: it stands for databases that
 * people have. Run the second form when answers change on purpose, because a search ranks otherwise or questions were
 * added; then read what changed.
 */

/** The tables in an order in which rows refer only to earlier ones, but for references that are checked at COMMIT. */
const tables = ['documents', 'document_chunks', 'memories', 'memories_archive', 'tool_embeddings'];

async function withDatabase<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
  const dataDir = mkdtempSync(join(temporaryFolder(), 'funes-make-dump-'));
  const database = await startEmbeddedDatabase({ dataDir });
  const pool = openPool({ database });
  try {
    return await work(pool);
  } finally {
    await pool.close();
    await database.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function withApi<T>(pool: Pool, embedder: Embedder, work: (post: Post) => Promise<T>): Promise<T> {
  const extractor = new Extractor();
  const chunker = new Chunker({ cacheDir: testModelCache });
  const log = createLogger({ level: 'error', stream: process.stderr });
  const config = loadConfig({ env: { PORT: '0' }, envFile: '/nowhere/.env' });
  const http = await startApi(config, { database: pool, embedder, extractor, chunker, log });
  try {
    return await work(async (query, variables) => {
      const response = await fetch(`${http.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      return (await response.json()) as { data?: unknown; errors?: unknown };
    });
  } finally {
    await http.close({ graceMs: 0 });
    await Promise.all([extractor.close(), chunker.close()]);
  }
}

/** The embedder, but for the texts that are to be stored without an embedding. */
const failingAtTimes = (embedder: Embedder): Embedder => ({
  model: embedder.model,
  dimensions: embedder.dimensions,
  embedQuery: (text, userId) => embedder.embedQuery(text, userId),
  forget: (userId) => embedder.forget(userId),
  close: () => embedder.close(),
  embed: async (texts) => {
    if (texts.some((text) => text.includes(unembedded)))
      throw new FunesError('UNAVAILABLE', 'This text is to be stored without an embedding.');
    return embedder.embed(texts);
  },
});

async function store(post: Post): Promise<void> {
  const send = async (query: string, variables: Record<string, unknown>) => {
    const { errors } = await post(query, variables);
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
  };
  for (const input of memoryRows())
    await send('mutation ($input: CreateMemoryInput!) { createMemory(input: $input) { id } }', { input });
  for (const input of documentRows())
    await send('mutation ($input: IngestDocumentInput!) { ingestDocument(input: $input) { created } }', {
      input,
    });
  for (const [i, input] of toolRows().entries()) {
    await send('mutation ($input: RegisterToolInput!) { registerTools(inputs: [$input]) { id } }', { input });
    for (let use = 0; use < i % 5; use++)
      await send('mutation ($name: String!) { recordToolUse(name: $name) { id } }', { name: input.toolName });
  }
  // Some rows are gone again, so that ids have gaps.
  await send('mutation { deleteDocument(id: "60") deleteTool(name: "archive.parking.space") }', {});
  await send(
    'mutation ($filters: MemoryFilters) { archiveMemories(input: { dryRun: false, filters: $filters }) { count } }',
    { filters: { metadata: { contains: toArchive } } },
  );
}

/** Sets the times that the database's clock has made to ones that are always the same, with their microseconds. */
async function settleTimes(connection: ReservedSql): Promise<void> {
  const at = (minutes: string) =>
    `timestamptz '2026-01-01 08:30:00.123456+00' + (${minutes}) * interval '1 minute'`;
  await connection.unsafe(`
    update memories set created_at = ${at('id * 173')}, updated_at = ${at('id * 173 + id % 7 * 11')};
    update memories_archive set created_at = ${at('id * 173')}, updated_at = ${at('id * 173 + id % 7 * 11')},
      archived_at = ${at('100000 + id % 3')};
    update documents set processed_at = ${at('id * 1009')}, updated_at = ${at('id * 1009 + id % 5 * 13')};
    update document_chunks set created_at = ${at('document_id * 1009')};
    update tool_embeddings set created_at = ${at('id * 307')}, updated_at = ${at('id * 307 + id % 3 * 17')},
      last_used = case when last_used is not null then ${at('200000 - id')} end`);
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Three digits leave of a distance what a search needs, and half of the bytes. */
const rounded = (vector: string): string =>
  `[${JSON.parse(vector)
    .map((x: number) =>
      x
        .toFixed(3)
        .replace(/\.?0+$/, '')
        .replace(/^(-?)0\./, '$1.')
        .replace(/^-0$/, '0'),
    )
    .join(',')}]`;

function literal(value: string | null, { column, type }: StoredColumn): string {
  if (value === null) return 'NULL';
  if (['bigint', 'integer', 'double precision'].includes(type)) return value;
  return quoted(column === 'embedding' ? rounded(value) : value);
}

async function rowsOf(
  connection: ReservedSql,
  table: string,
  columns: readonly StoredColumn[],
): Promise<string> {
  const names = columns.map(({ column }) => `"${column}"`);
  const rows = await connection.unsafe<Record<string, string | null>[]>(
    `select ${names.map((name) => `${name}::text`).join(', ')} from "${table}" order by id`,
  );
  if (rows.length === 0) throw new Error(`There is nothing in ${table}.`);
  const lines = rows.map((row) => `(${columns.map((c) => literal(row[c.column] ?? null, c)).join(',')})`);
  // OVERRIDING is for the tables whose ids are identities, and means nothing to the others.
  return `INSERT INTO "${table}" (${names.join(', ')}) OVERRIDING SYSTEM VALUE VALUES\n${lines.join(',\n')};\n`;
}

/** The next ids, which are greater than those of rows that are gone. */
async function sequences(connection: ReservedSql): Promise<string[]> {
  const rows = await connection.unsafe<{ name: string; last: string }[]>(
    `select sequencename as name, last_value::text as last from pg_sequences where schemaname = 'public' order by 1`,
  );
  return rows.map(({ name, last }) => `SELECT setval('public.${name}', ${last});\n`);
}

async function dumpOf(connection: ReservedSql): Promise<string> {
  await connection.unsafe(`set timezone = 'UTC'`);
  const columns = await storedColumns(connection);
  const unknown = Object.keys(await contentsOfColumns(connection, columns)).filter(
    (name) => !tables.includes(name.split('.')[0] ?? ''),
  );
  if (unknown.length > 0) throw new Error(`Name the tables of these columns in make-dump.ts: ${unknown}`);
  const migrations = committedMigrations();
  const applied = migrations.map(({ hash, when }) => `(${quoted(hash)}, ${when})`);
  const parts = [
    `-- A database of the schema ${migrations.at(-1)?.tag}. Written by test/upgrade/make-dump.ts.\nBEGIN;\n`,
    ...migrations.map(({ tag, sql }) => `-- ${tag}\n${sql.trim().replace(/([^;])$/, '$1;')}\n`),
    '-- What Drizzle notes of the migrations that it has applied.\nCREATE SCHEMA drizzle;\n',
    'CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint);\n',
    `INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES\n${applied.join(',\n')};\n`,
  ];
  for (const table of tables)
    parts.push(
      await rowsOf(
        connection,
        table,
        columns.filter((column) => column.table === table),
      ),
    );
  return [...parts, ...(await sequences(connection)), 'COMMIT;\n'].join('');
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`${file}: ${Math.ceil(text.length / 1000)} kB`);
}

async function writeAnswers(name: string, embedder: Embedder): Promise<void> {
  const answers = await withDatabase(async (pool) => {
    await loadDump(pool, name);
    await migrate(pool);
    return withApi(pool, embedder, async (post) => {
      const given: string[] = [];
      for (const question of questions) {
        const answer = await ask(post, question);
        if (JSON.stringify(answer).includes('"errors"'))
          throw new Error(`${question.name}: ${JSON.stringify(answer)}`);
        given.push(`${JSON.stringify(question.name)}: ${JSON.stringify(answer)}`);
      }
      return given;
    });
  });
  write(answersFile(name), `{\n${answers.join(',\n')}\n}\n`);
}

const embedder = await loadRealEmbedder();
try {
  if (!process.argv.includes('--answers')) {
    const dump = await withDatabase(async (pool) => {
      await migrate(pool);
      await withApi(pool, failingAtTimes(embedder), store);
      return withConnection(pool, async (connection) => {
        await settleTimes(connection);
        return dumpOf(connection);
      });
    });
    const name = committedMigrations().at(-1)?.tag ?? '';
    write(dumpFile(name), dump);
    await writeAnswers(name, embedder);
  } else {
    for (const name of dumpNames()) await writeAnswers(name, embedder);
  }
} finally {
  await embedder.close();
}
