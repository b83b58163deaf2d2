import { withConnection } from '../database/connection.ts';
import type { Pool } from '../database/pool.ts';
import { expectedCatalog } from '../doctor/catalog.ts';
import { ident, literal } from '../doctor/finding.ts';
import { type IndexInfo, readIndexes } from '../doctor/indexes.ts';
import { readMigrationState } from '../doctor/migrations.ts';
import { FunesError, quote } from '../errors.ts';
import { transactionSettings } from '../search/transaction-settings.ts';
import { suggestion } from '../suggestion.ts';
import { runAlone, type UpkeepProgress } from './connection.ts';

/** The tables that searches read by vector. */
export const vectorTables = ['memories', 'document_chunks', 'tool_embeddings'] as const;
export const indexKinds = ['hnsw', 'ivfflat'] as const;
export type IndexKind = (typeof indexKinds)[number];

/** The operator class of each metric. */
const operatorClasses = {
  cosine: 'vector_cosine_ops',
  euclidean: 'vector_l2_ops',
  inner_product: 'vector_ip_ops',
} as const;
export type IndexMetric = keyof typeof operatorClasses;
export const indexMetrics = Object.keys(operatorClasses) as IndexMetric[];

/** The metric whose index searches read. Searches by another compare every row. */
export const searchedMetric: IndexMetric = 'cosine';

/** What an index must find of the nearest rows to be kept. */
const leastRecall = 0.98;
const sampledRows = 100;
const neighbours = 10;

/** What `buildIndex` is to build. Numbers that are left out are pgvector's, or fit the number of rows. */
export interface IndexRequest {
  table: string;
  kind: IndexKind;
  metric: IndexMetric;
  m?: number | undefined;
  efConstruction?: number | undefined;
  lists?: number | undefined;
  name?: string | undefined;
}

/** What was built. */
export interface BuiltIndex {
  name: string;
  table: string;
  definition: string;
  /** False if there was such an index already. */
  built: boolean;
  bytes: number;
  milliseconds: number;
  /** The share of the ten nearest rows that searches find with the indexes there are; null for a metric that searches do not read by index. */
  recall: number | null;
}

/** Reads the indexes on vectors, or all, by table and name. */
export async function listIndexes(pool: Pool, all = false): Promise<IndexInfo[]> {
  const indexes = await readIndexes((work) =>
    withConnection(pool, (connection) => work(async (text) => [...(await connection.unsafe(text))] as never)),
  );
  return all ? indexes : indexes.filter(isVectorIndex);
}

const isVectorIndex = ({ method }: IndexInfo) => (indexKinds as readonly string[]).includes(method);

/**
 * Builds an index beside running writes. An index that an earlier build left incomplete is built anew.
 *
 * The planner may take any index of the metric that searches use. So such an index is dropped again if the search finds too few of the
 * nearest rows with it.
 * @throws FunesError BAD_USER_INPUT for a table or numbers that cannot be; CONFLICT if the name belongs to another index, or if recall
 *   is too low.
 */
export async function buildIndex(
  pool: Pool,
  request: IndexRequest,
  onProgress: (progress: UpkeepProgress) => void = () => {},
): Promise<BuiltIndex> {
  const { table, kind, metric } = request;
  if (!(vectorTables as readonly string[]).includes(table)) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `There is no table ${quote(table)} with vectors.${suggestion(table, vectorTables)} The tables are ${vectorTables.join(', ')}.`,
    );
  }
  const parameters = await parametersOf(pool, request);
  const suffix = Object.values(parameters).join('_');
  const name = request.name ?? `idx_${table}_${kind}_${metric}_${suffix}`;
  const operatorClass = operatorClasses[metric];
  const written = Object.entries(parameters).map(([key, value]) => `${key}='${value}'`);
  const definition = `${kind} (embedding ${operatorClass}) WITH (${written.join(', ')})`;
  const known = (await listIndexes(pool, true)).find((index) => index.name === name);
  if (known && !isThat(known, request, operatorClass, parameters)) {
    throw new FunesError(
      'CONFLICT',
      `There is an index ${name} with other parameters: ${known.definition} of ${known.table}. Choose another --name, or drop it first.`,
    );
  }
  const describe = async (built: boolean, milliseconds: number, recall: number | null) => {
    const index = await findIndex(pool, name);
    return { name, table, definition: index.definition, built, bytes: index.bytes, milliseconds, recall };
  };
  const searched = metric === searchedMetric;
  if (known?.valid) return describe(false, 0, searched ? (await measureRecall(pool, table)).recall : null);
  const concurrently = pool.isEmbedded ? '' : 'concurrently ';
  if (known) await runAlone(pool, [`drop index ${concurrently}if exists ${ident(name)}`]);
  const milliseconds = await runAlone(
    pool,
    [`create index ${concurrently}${ident(name)} on ${ident(table)} using ${definition}`],
    onProgress,
  );
  if (!searched) return describe(true, milliseconds, null);
  const { recall, plan } = await measureRecall(pool, table);
  if (recall < leastRecall && plan.includes(name)) {
    await runAlone(pool, [`drop index ${concurrently}${ident(name)}`]);
    throw new FunesError(
      'CONFLICT',
      `With the index ${name}, searches find ${(100 * recall).toFixed(1)} % of the ${neighbours} nearest rows, and ${100 * leastRecall} % are ` +
        'needed, so it was dropped again. Build it with a higher --m and --ef-construction, or with fewer --lists.',
    );
  }
  return describe(true, milliseconds, recall);
}

/** Builds an index anew beside running writes. Returns how long that took, in milliseconds. @throws FunesError NOT_FOUND */
export async function rebuildIndex(
  pool: Pool,
  name: string,
  onProgress: (progress: UpkeepProgress) => void = () => {},
): Promise<number> {
  await findIndex(pool, name);
  const concurrently = pool.isEmbedded ? '' : 'concurrently ';
  return runAlone(pool, [`reindex index ${concurrently}${ident(name)}`], onProgress);
}

/**
 * Drops an index on vectors that does not belong to this version of funes.
 * @throws FunesError NOT_FOUND; CONFLICT for an index that searches rely on.
 */
export async function dropIndex(pool: Pool, name: string): Promise<void> {
  const index = await findIndex(pool, name);
  const applied = await withConnection(pool, async (connection) => {
    const state = await readMigrationState(async (text) => [...(await connection.unsafe(text))] as never);
    return state.applied;
  });
  const isOwn = expectedCatalog(applied).some((entry) => entry.kind === 'index' && entry.name === name);
  if (isOwn || !isVectorIndex(index)) {
    throw new FunesError(
      'CONFLICT',
      `The index ${name} belongs to the tables of funes, and requests rely on it. Only indexes on vectors that "funes index build" made can be dropped.`,
    );
  }
  await runAlone(pool, [`drop index ${pool.isEmbedded ? '' : 'concurrently '}${ident(name)}`]);
}

async function findIndex(pool: Pool, name: string): Promise<IndexInfo> {
  const indexes = await listIndexes(pool, true);
  const index = indexes.find((one) => one.name === name);
  if (index) return index;
  throw new FunesError(
    'NOT_FOUND',
    `There is no index ${quote(name)}.${suggestion(
      name,
      indexes.map((one) => one.name),
    )} "funes index list --all" lists them.`,
  );
}

const isThat = (
  { table, method, operatorClasses: found, parameters, definition }: IndexInfo,
  request: IndexRequest,
  operatorClass: string,
  wanted: Readonly<Record<string, number>>,
) =>
  table === request.table &&
  method === request.kind &&
  found.length === 1 &&
  found[0] === operatorClass &&
  /\(embedding[ )]/.test(definition) && // the default operator class is not written
  !definition.includes(' WHERE ') &&
  [...parameters].sort().join() ===
    Object.entries(wanted)
      .map(([key, value]) => `${key}=${value}`)
      .sort()
      .join();

/** The storage parameters of an index, checked. */
async function parametersOf(
  pool: Pool,
  { table, kind, m, efConstruction, lists }: IndexRequest,
): Promise<Record<string, number>> {
  const foreign = kind === 'hnsw' ? { '--lists': lists } : { '--m': m, '--ef-construction': efConstruction };
  for (const [option, value] of Object.entries(foreign))
    if (value !== undefined)
      throw new FunesError('BAD_USER_INPUT', `${option} is not for an index of the kind ${kind}.`);
  if (kind === 'hnsw') {
    const made = {
      m: within('--m', m ?? 16, 2, 100),
      ef_construction: within('--ef-construction', efConstruction ?? 64, 4, 1000),
    };
    if (made.ef_construction < 2 * made.m)
      throw new FunesError('BAD_USER_INPUT', '--ef-construction must be at least twice --m.');
    return made;
  }
  if (lists !== undefined) return { lists: within('--lists', lists, 1, 32_768) };
  const [row] = await withConnection(pool, (connection) =>
    connection.unsafe<{ rows: string }[]>(
      `select count(*) as rows from ${ident(table)} where embedding is not null`,
    ),
  );
  const rows = Number(row?.rows ?? 0);
  // As pgvector recommends.
  return {
    lists: Math.max(1, Math.min(32_768, Math.round(rows > 1_000_000 ? Math.sqrt(rows) : rows / 1000))),
  };
}

function within(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new FunesError(
    'BAD_USER_INPUT',
    `${option} must be a whole number from ${least} to ${most}, not ${value}.`,
  );
}

/**
 * Measures which share of the nearest rows a search by the index finds, for stored rows as queries. Equal distances count as found.
 * @returns also the plan, which names the index that the planner takes.
 */
export async function measureRecall(pool: Pool, table: string): Promise<{ recall: number; plan: string }> {
  const settings = { ...transactionSettings({}, 2 * neighbours, true), enable_seqscan: 'off' };
  const set = Object.entries(settings).map(
    ([name, value]) => `set local ${name} = ${literal(String(value))}`,
  );
  const connection = await pool.reserve({ statementTimeoutMs: 0 });
  try {
    await connection.unsafe(['begin read only', ...set, 'set local statement_timeout = 0'].join('; '));
    const rows = await connection.unsafe<{ id: string }[]>(
      `select id::text as id from ${ident(table)} where embedding is not null order by hashint8(id), id limit ${sampledRows}`,
    );
    let found = 0;
    let wanted = 0;
    let plan = '';
    for (const { id } of rows) {
      const vector = `(select embedding from ${ident(table)} where id = ${id})`;
      const near = `select embedding <=> ${vector} as distance from ${ident(table)} where embedding is not null order by embedding <=> ${vector} limit ${neighbours}`;
      plan ||= JSON.stringify(await connection.unsafe(`explain (format json) ${near}`));
      const [count] = await connection.unsafe<{ found: string; wanted: string }[]>(`
        with near as materialized (${near}), exact as materialized (
          select embedding <=> ${vector} as distance from ${ident(table)} where embedding is not null
          order by (embedding <=> ${vector}) + 0 limit ${neighbours})
        select (select count(*) from near where distance <= (select max(distance) from exact) + 1e-9) as found, (select count(*) from exact) as wanted`);
      found += Number(count?.found ?? 0);
      wanted += Number(count?.wanted ?? 0);
    }
    return { recall: wanted === 0 ? 1 : found / wanted, plan };
  } finally {
    await connection.unsafe('rollback').catch(() => {});
    connection.release();
  }
}
