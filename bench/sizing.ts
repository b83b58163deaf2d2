import { parseArgs } from 'node:util';
import type { ReservedSql } from 'postgres';
import { EMBEDDING_DIMENSIONS } from '../schema/columns/vector.ts';
import { withConnection } from '../src/database/connection.ts';
import { migrate } from '../src/database/migrate.ts';
import { openPool } from '../src/database/pool.ts';
import { awaitDatabase } from '../src/database/readiness.ts';
import { openBenchDatabase, startIfEmbedded } from './support/database.ts';
import { run } from './support/run.ts';

// How much disk a memory takes, and how much of it is the index of vectors, which should fit in memory. Run:
//   npm run bench:sizing -- [--rows 20000] [--characters 500]
// on the embedded database, or with DATABASE_URL on a server.

const rowsOfStatement = 500;

await run(async () => {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: '20000' },
      characters: { type: 'string', default: '500' },
    },
  });
  const [count, characters] = [Number(values.rows), Number(values.characters)];
  const database = await openBenchDatabase('sizing', false);
  const embedded = await startIfEmbedded(database);
  const pool = openPool({ database: embedded ?? String(database.url), poolSize: 1, statementTimeoutMs: 0 });
  try {
    await awaitDatabase(pool, { where: 'the database', withinMs: 10_000 });
    await migrate(pool);
    const began = performance.now();
    for (let from = 1; from <= count; from += rowsOfStatement) {
      const to = Math.min(count, from + rowsOfStatement - 1);
      await withConnection(pool, (connection) => store(connection, from, to, characters));
      process.stderr.write(`\r${to} of ${count} rows`);
    }
    const seconds = (performance.now() - began) / 1000;
    await withConnection(pool, (connection) => connection.unsafe('vacuum analyze memories'));
    const [sizes] = await withConnection(
      pool,
      (connection) => connection<{ all: string; table: string; vectors: string }[]>`
        select pg_total_relation_size('memories') as all, pg_table_size('memories') as table,
          pg_relation_size('idx_memories_embedding_hnsw') as vectors`,
    );
    const [all, table, vectors] = [sizes?.all, sizes?.table, sizes?.vectors].map(Number);
    const kB = (bytes = 0) => (bytes / count / 1000).toFixed(1);
    process.stderr.write('\n');
    console.log(
      '| database | rows | characters | disk a row | of it the table | index of vectors | other indexes | rows/s |',
    );
    console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
    console.log(
      `| ${embedded ? 'embedded' : 'PostgreSQL'} | ${count} | ${characters} | ${kB(all)} kB | ${kB(table)} kB | ${kB(vectors)} kB | ` +
        `${kB((all ?? 0) - (table ?? 0) - (vectors ?? 0))} kB | ${Math.round(count / seconds)} |`,
    );
  } finally {
    await pool.close();
    await embedded?.close();
    await database.close();
  }
});

/** Memories of different words, with random vectors of length 1. */
async function store(connection: ReservedSql, from: number, to: number, characters: number): Promise<void> {
  await connection.unsafe(`
    insert into memories (user_id, content, session_id, metadata, embedding, embedding_model)
    select 'user ' || n % 100, left(words, ${characters}), 'session ' || n / 20, jsonb_build_object('n', n), vector, 'bench'
    from generate_series(${from}, ${to}) n
    cross join lateral (select string_agg(chr(97 + (random() * 25)::int) || md5((random() * 5000)::int::text)::char(6), ' ') as words
      from generate_series(1, ${Math.ceil(characters / 8) + 1}) where n > 0) w
    cross join lateral (select l2_normalize(array_agg(random() - .5)::real[]::vector) as vector
      from generate_series(1, ${EMBEDDING_DIMENSIONS}) where n > 0) v`);
}
