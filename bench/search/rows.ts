import type { ReservedSql } from 'postgres';
import { vectorLiteral } from '../../schema/columns/vector.ts';
import { migrate } from '../../src/database/migrate.ts';
import { openPool, type Pool } from '../../src/database/pool.ts';
import { bundledModelName } from '../../src/embedding/model.ts';
import { clusteredVectors, storeVectors } from '../../testkit/vectors.ts';
import { type BenchDatabase, startIfEmbedded } from '../support/database.ts';
import { type Form, forms, k } from './forms.ts';
import { type BenchViewer, userIds, viewers } from './viewers.ts';

/** A vector to search for, and the right answers. */
export interface BenchQuery {
  vector: number[];
  /** By what a viewer `sees` and for each of the forms, ids of the rows that are truly nearest, found without an index. */
  truth: Record<string, string[][]>;
}

const queryCount = 100;

/** Runs `work` on a pool of this process. Starts the embedded database before, and closes it after. */
export async function withPool<T>(database: BenchDatabase, work: (pool: Pool) => Promise<T>): Promise<T> {
  const embedded = await startIfEmbedded(database);
  const pool = openPool({
    database: embedded ?? (database.url as string),
    poolSize: 1,
    statementTimeoutMs: 0,
  });
  try {
    return await work(pool);
  } finally {
    await pool.close();
    await embedded?.close();
  }
}

/** Fills a database that is empty with `rows` memories of ten users, and gives the queries that belong to them. */
export async function loadRows(pool: Pool, rows: number, say: (text: string) => void): Promise<BenchQuery[]> {
  await migrate(pool);
  const run = async (statement: string, parameters: string[] = []) => {
    const connection: ReservedSql = await pool.reserve();
    try {
      return [...(await connection.unsafe(statement, parameters))];
    } finally {
      connection.release();
    }
  };
  await run('create table if not exists bench_queries (n int primary key, of_rows int, query jsonb)');
  const kept = await run('select query::text from bench_queries where of_rows = $1 order by n', [
    String(rows),
  ]);
  if (kept.length > 0) return kept.map((row) => JSON.parse(row.query));

  say(`Making ${rows} vectors`);
  const vectors = clusteredVectors(rows + queryCount);
  say('Storing them and building the index');
  await run('truncate memories');
  await storeVectors(pool, vectors.slice(0, rows), { userIds, model: bundledModelName });
  await run('vacuum (analyze) memories');
  say('Searching for what is truly nearest');
  await run('delete from bench_queries');
  const queries: BenchQuery[] = [];
  for (const [n, vector] of vectors.slice(rows).entries()) {
    const truths = [...new Map(viewers.map((viewer) => [viewer.sees, viewer])).values()].map((viewer) => {
      const lists = forms.map((form) => `to_jsonb(${nearestOf(viewer, form)})`);
      return `'${viewer.sees}', array[${lists.join(', ')}]`;
    });
    const [row] = await run(
      `with candidate as materialized (
        select id, user_id, (metadata ->> 'bucket')::int as bucket, (embedding <=> $1::vector) + 0 as d from memories)
      select jsonb_build_object(${truths.join(', ')})::text as truth`,
      [vectorLiteral(vector)],
    );
    const query: BenchQuery = { vector: [...vector], truth: JSON.parse(row?.truth) };
    await run('insert into bench_queries values ($1, $2, $3)', [
      String(n),
      String(rows),
      JSON.stringify(query),
    ]);
    queries.push(query);
  }
  return queries;
}

/** Ids of the candidates nearest to the query that a viewer may see and a form's filter lets pass. */
function nearestOf({ viewer }: BenchViewer, { bucketsBelow }: Form): string {
  const conditions = [
    ...(viewer.role === 'admin' ? [] : [`user_id = '${viewer.userId}'`]),
    ...(bucketsBelow === undefined ? [] : [`bucket < ${bucketsBelow}`]),
  ];
  return `(select array_agg(id::text order by d, id) from (select id, d from candidate
    ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''} order by d, id limit ${k}) nearest)`;
}
