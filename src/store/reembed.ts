import type { ReservedSql } from 'postgres';
import { vectorLiteral } from '../../schema/columns/vector.ts';
import { causeWithCode } from '../database/errors.ts';
import type { Pool } from '../database/pool.ts';
import type { Embedder } from '../embedding/embedder.ts';
import { FunesError } from '../errors.ts';

// Changes the embeddings of all rows to another model, while servers go on. A row has room for two embeddings: `embedding`, of the model
// that searches compare, and `next_embedding`. When every row has both, one transaction swaps the names of the two columns: that changes
// the catalog alone, so it takes no longer for a million rows than for one, and each search sees either all old embeddings or all new
// ones. What was done before a crash is in `next_embedding` and is not done again.

/** A table whose rows are embedded, with the names of what changes places when the columns do. */
interface Generations {
  table: string;
  /** The text of a row that is embedded, in SQL. */
  text: string;
  /** The vector indexes of `embedding` and of `next_embedding`. */
  indexes?: readonly [string, string];
}

const generations: readonly Generations[] = [
  {
    table: 'memories',
    text: 'content',
    indexes: ['idx_memories_embedding_hnsw', 'idx_memories_next_embedding_hnsw'],
  },
  { table: 'memories_archive', text: 'content' },
  {
    table: 'document_chunks',
    // As `chunkText` makes it.
    text: `case when jsonb_typeof(metadata -> 'tableHeader') = 'string' and position(metadata ->> 'tableHeader' in content) = 0
      then (metadata ->> 'tableHeader') || chr(10) || content else content end`,
    indexes: ['idx_document_chunks_embedding_hnsw', 'idx_document_chunks_next_embedding_hnsw'],
  },
  {
    table: 'tool_embeddings',
    // As `toolText` makes it.
    text: "tool_name || ': ' || tool_description",
    indexes: ['idx_tool_embeddings_hnsw', 'idx_tool_embeddings_next_hnsw'],
  },
];

/** Rows that are embedded at once. */
const BATCH = 64;
/** Rows that are copied or emptied in one transaction. */
const COPIED = 1000;
/** The most rows that are embedded while writes wait for the switch. */
const LOCKED = 64;
/** How long the switch waits for a lock before it lets the others go on, and how often it tries. */
const LOCK_TIMEOUT = '2s';
const MOST_TRIES = 100;

/** How far a change of the model is. */
export interface ReembedProgress {
  done: number;
  total: number;
}

/** What a change of the model did. */
export interface Reembedded {
  model: string;
  /** The model before; null if there was none. */
  previousModel: string | null;
  /** How many rows were embedded by this run. */
  embedded: number;
}

/**
 * Embeds all rows by the model of `embedder` whose embeddings are the server's, and switches searches to that model. Embeddings of
 * clients stay as they are. A run that was ended goes on where it was.
 * @param pool connections of the owner of the tables.
 * @throws FunesError UNAVAILABLE if others hold a table for too long, or if the embedder stops.
 */
export async function reembed(
  pool: Pool,
  embedder: Pick<Embedder, 'embed' | 'model'>,
  onProgress: (progress: ReembedProgress) => void = () => {},
): Promise<Reembedded> {
  const { model } = embedder;
  const previousModel = await begin(pool, model);
  const progress = { done: 0, total: 0 };
  const tell = (rows: number) => {
    progress.done += rows;
    progress.total = Math.max(progress.total, progress.done);
    onProgress({ ...progress });
  };
  if (previousModel !== model) {
    progress.total = await inTransaction(pool, (tx) => countMissing(tx, model));
    onProgress({ ...progress });
    do {
      for (const one of generations) {
        await embedRows(pool, embedder, one, 'next', tell);
        while ((await inTransaction(pool, (tx) => copyRows(tx, one, model))) > 0);
      }
    } while (!(await switchOver(pool, embedder, tell)));
  }
  await finish(pool, embedder, tell);
  return { model, previousModel, embedded: progress.done };
}

/** Says that the embeddings are being changed to `model`. Returns the model that searches compare. */
function begin(pool: Pool, model: string): Promise<string | null> {
  return inTransaction(pool, async (tx) => {
    const [row] = await tx`
      update installation set next_embedding_model = nullif(${model}::text, coalesce(embedding_model, ''))
      returning embedding_model`;
    return (row?.embedding_model ?? null) as string | null;
  });
}

/**
 * Condition: the row waits for its embedding of `$1`. `in place` is for rows that were written by another model after the switch. A
 * row that can never be embedded waits for nothing.
 */
const missing = {
  next: `embedding_source = 'FUNES' and embedding_error is null
    and embedding_model is distinct from $1::text and next_embedding_model is distinct from $1::text`,
  'in place': `embedding_source = 'FUNES' and embedding_model <> $1::text`,
};

/** Condition: the row has an embedding that stays as it is. */
const kept = `embedding is not null and (embedding_source = 'CLIENT' or embedding_model = $1::text)
  and next_embedding_model is distinct from embedding_model`;

async function countMissing(tx: ReservedSql, model: string): Promise<number> {
  let count = 0;
  for (const { table } of generations) {
    const [row] = await tx.unsafe(`select count(*) from ${table} where ${missing.next}`, [model]);
    count += Number(row?.count);
  }
  return count;
}

interface Waiting {
  id: string;
  text: string;
}

/** Selects rows that wait, in the order of their ids. */
async function readWaiting(
  tx: ReservedSql,
  { table, text }: Generations,
  into: keyof typeof missing,
  model: string,
  { after = '0', limit = BATCH } = {},
): Promise<Waiting[]> {
  return tx.unsafe(
    `select id::text, ${text} as text from ${table} where ${missing[into]} and id > $2::bigint order by ${table}.id limit ${limit}`,
    [model, after],
  );
}

/** Stores embeddings, but not of rows whose text is another by now. */
async function storeEmbeddings(
  tx: ReservedSql,
  { table, text }: Generations,
  into: keyof typeof missing,
  model: string,
  rows: readonly Waiting[],
  vectors: readonly Float32Array[],
): Promise<void> {
  const set =
    into === 'next'
      ? 'next_embedding = made.vector, next_embedding_model = $1'
      : 'embedding = made.vector, embedding_model = $1, next_embedding = null, next_embedding_model = null';
  await tx.unsafe(
    `update ${table} set ${set}
      from unnest($2::bigint[], $3::text[], $4::vector[]) as made (made_id, made_of, vector)
      where id = made_id and (${text}) = made_of and ${missing[into]}`,
    [
      model,
      arrayOf(rows.map(({ id }) => id)),
      arrayOf(rows.map((row) => row.text)),
      arrayOf(vectors.map((vector) => vectorLiteral(vector))),
    ],
  );
}

/** PostgreSQL's text form of an array. postgres.js knows no type `vector`, and without the types of the server no arrays. */
function arrayOf(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

async function embedRows(
  pool: Pool,
  embedder: Pick<Embedder, 'embed' | 'model'>,
  one: Generations,
  into: keyof typeof missing,
  tell: (rows: number) => void,
): Promise<void> {
  const { model } = embedder;
  for (let after = '0'; ; ) {
    const rows = await inTransaction(pool, (tx) => readWaiting(tx, one, into, model, { after }));
    const last = rows.at(-1);
    if (last === undefined) return;
    // No transaction is open while the embedder works.
    const vectors = await embedder.embed(rows.map(({ text }) => text));
    await inTransaction(pool, (tx) => storeEmbeddings(tx, one, into, model, rows, vectors));
    tell(rows.length);
    after = last.id;
  }
}

/** Copies embeddings that stay as they are, so that they are in place after the switch. Returns how many it copied. */
async function copyRows(tx: ReservedSql, { table }: Generations, model: string): Promise<number> {
  const { count } = await tx.unsafe(
    `update ${table} set next_embedding = embedding, next_embedding_model = embedding_model
      where id in (select id from ${table} where ${kept} limit ${COPIED})`,
    [model],
  );
  return count;
}

/**
 * Switches to the new embeddings, if no row is without one. Writes wait meanwhile; searches wait for the change of the catalog alone.
 * @returns false if there are still too many rows to embed while writes wait.
 */
async function switchOver(
  pool: Pool,
  embedder: Pick<Embedder, 'embed' | 'model'>,
  tell: (rows: number) => void,
): Promise<boolean> {
  const { model } = embedder;
  const tables = generations.map(({ table }) => table).join(', ');
  for (let tries = 1; ; tries++) {
    try {
      return await inTransaction(pool, async (tx) => {
        await tx.unsafe(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
        await tx.unsafe(`lock table ${tables} in share row exclusive mode`);
        for (const one of generations) {
          const rows = await readWaiting(tx, one, 'next', model, { limit: LOCKED + 1 });
          if (rows.length > LOCKED) return false;
          if (rows.length > 0) {
            const vectors = await embedder.embed(rows.map(({ text }) => text));
            await storeEmbeddings(tx, one, 'next', model, rows, vectors);
            tell(rows.length);
          }
          while ((await copyRows(tx, one, model)) > 0);
          await tx.unsafe(
            `update ${one.table} set next_embedding = null, next_embedding_model = null where embedding_error is not null and next_embedding is not null`,
          );
        }
        await tx.unsafe(`lock table ${tables} in access exclusive mode`);
        for (const statement of generations.flatMap(swapStatements)) await tx.unsafe(statement);
        await tx`update installation set embedding_model = ${model}, next_embedding_model = null`;
        return true;
      });
    } catch (error) {
      // A lock that another holds, or a deadlock with another: both end, so try again.
      if (causeWithCode(error, '55P03') === undefined && causeWithCode(error, '40P01') === undefined)
        throw error;
      if (tries < MOST_TRIES) continue;
      throw new FunesError(
        'UNAVAILABLE',
        'The switch to the new embeddings found no moment without a long transaction on the tables. Nothing is lost: run the command again.',
        { cause: error },
      );
    }
  }
}

/** The statements that swap the two embeddings of a table, with everything that is named after them. */
function swapStatements({ table, indexes }: Generations): string[] {
  const swap = (kind: 'column' | 'constraint', one: string, other: string) => [
    `alter table ${table} rename ${kind} ${one} to funes_swapped`,
    `alter table ${table} rename ${kind} ${other} to ${one}`,
    `alter table ${table} rename ${kind} funes_swapped to ${other}`,
  ];
  const check = `${table}_embedding_error`;
  return [
    ...swap('column', 'embedding', 'next_embedding'),
    ...swap('column', 'embedding_model', 'next_embedding_model'),
    ...swap('constraint', `${table}_embedding_has_model`, `${table}_next_embedding_has_model`),
    // This constraint has one of the two columns, so it is made anew. The rows are checked after the switch.
    `alter table ${table} drop constraint ${check}`,
    `alter table ${table} add constraint ${check} check (embedding_error is null or embedding is null) not valid`,
    ...(indexes
      ? [
          `alter index ${indexes[0]} rename to funes_swapped`,
          `alter index ${indexes[1]} rename to ${indexes[0]}`,
          `alter index funes_swapped rename to ${indexes[1]}`,
        ]
      : []),
  ];
}

/** What can wait until after the switch: rows that a server wrote by the old model during it, and the old embeddings. */
async function finish(
  pool: Pool,
  embedder: Pick<Embedder, 'embed' | 'model'>,
  tell: (rows: number) => void,
): Promise<void> {
  for (const one of generations) {
    const { table } = one;
    await inTransaction(pool, (tx) =>
      tx.unsafe(`alter table ${table} validate constraint ${table}_embedding_error`),
    );
    await embedRows(pool, embedder, one, 'in place', tell);
    const empty = (tx: ReservedSql) =>
      tx.unsafe(`update ${table} set next_embedding = null, next_embedding_model = null
        where id in (select id from ${table} where next_embedding is not null limit ${COPIED})
          and (select next_embedding_model is null from installation)`);
    while ((await inTransaction(pool, empty)).count > 0);
  }
}

/** Runs `work` in a transaction of the owner of the tables, who has the rows of all users. */
async function inTransaction<T>(pool: Pool, work: (tx: ReservedSql) => PromiseLike<T>): Promise<T> {
  const connection = await pool.reserve({ statementTimeoutMs: 0 });
  try {
    await connection.unsafe('begin; set local statement_timeout = 0');
    const result = await work(connection);
    await connection.unsafe('commit');
    return result;
  } catch (error) {
    await connection.unsafe('rollback').catch(() => {});
    throw error;
  } finally {
    connection.release();
  }
}
