import { setTimeout as delay } from 'node:timers/promises';
import { type SQL, sql } from 'drizzle-orm';
import { getTableConfig, makePgArray } from 'drizzle-orm/pg-core';
import { vectorLiteral } from '../../schema/columns/vector.ts';
import { installation } from '../../schema/index.ts';
import { causeWithCode } from '../database/errors.ts';
import type { Pool } from '../database/pool.ts';
import { setLocal } from '../database/session-settings.ts';
import { type Transaction, transactionOver } from '../database/transaction.ts';
import type { Embedder } from '../embedding/embedder.ts';
import { FunesError } from '../errors.ts';
import { type EmbeddedKind, embeddedKinds, sources, type TextParts } from './pending.ts';

// Changes the embeddings of all rows to another model, while servers go on. A row has room for two embeddings: `embedding`, of the model
// that searches compare, and `next_embedding`. When every row has both, one transaction swaps the names of the two columns: that changes
// the catalog alone, so it takes no longer for a million rows than for one, and each search sees either all old embeddings or all new
// ones. What was done before a crash is in `next_embedding` and is not done again.

/** The indexes of each table that are named after a column of the two. */
const indexes: Readonly<Record<EmbeddedKind, { pending: string; hnsw?: readonly [string, string] }>> = {
  memories: {
    pending: 'idx_memories_pending',
    hnsw: ['idx_memories_embedding_hnsw', 'idx_memories_next_embedding_hnsw'],
  },
  archive: { pending: 'idx_memories_archive_pending' },
  chunks: {
    pending: 'idx_document_chunks_pending',
    hnsw: ['idx_document_chunks_embedding_hnsw', 'idx_document_chunks_next_embedding_hnsw'],
  },
  tools: {
    pending: 'idx_tool_embeddings_pending',
    hnsw: ['idx_tool_embeddings_hnsw', 'idx_tool_embeddings_next_hnsw'],
  },
};

/** Rows that are embedded at once. */
const BATCH = 64;
/** Rows that are copied or emptied in one transaction. */
const COPIED = 500;
/** The most rows of a table that are embedded while writes wait for the switch. */
const LOCKED = 16;
/** How long the switch waits for a lock before it lets the others go on, how long it then pauses, and how often it tries. */
const LOCK_TIMEOUT = '1s';
const PAUSE_MS = 500;
const MOST_TRIES = 200;
/** A text that every model can embed. If it fails, the fault is not a row's. */
const PROBE = 'funes';

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
  /** How many rows the model refused to embed. They are PENDING after the switch. */
  refused: number;
}

type RowEmbedder = Pick<Embedder, 'embed' | 'model'>;

/**
 * Embeds all rows by the model of `embedder` whose embeddings are the server's, and switches searches to that model. Embeddings of
 * clients stay as they are. A run that was ended goes on where it was.
 * @param pool connections of the owner of the tables.
 * @throws FunesError UNAVAILABLE if others hold a table for too long, if the embedder stops, or behind a pooler. CONFLICT if another run changes the
 *   embeddings to another model.
 */
export async function reembed(
  pool: Pool,
  embedder: RowEmbedder,
  onProgress: (progress: ReembedProgress) => void = () => {},
): Promise<Reembedded> {
  if (pool.isPooled) {
    throw new FunesError(
      'UNAVAILABLE',
      'The indexes of the new embeddings are built in a session of their own, and the connection leads through a pooler that gives ' +
        'each transaction another session. Set FUNES_MIGRATE_URL to a direct connection of the owner of the tables.',
    );
  }
  return new Change(pool, embedder, onProgress).run();
}

/** Where the new embeddings of some rows go. `in place` is for rows that were written by another model after the switch. */
type Into = 'next' | 'in place';

interface Outdated {
  id: string;
  userId: string;
  /** All that the embedding is made of, as the database writes it. */
  parts: string;
  text: string;
}

class Change {
  private readonly model: string;
  private readonly progress = { done: 0, total: 0 };
  /** Ids of rows that the model refused. */
  private readonly refused: Record<EmbeddedKind, string[]> = {
    memories: [],
    chunks: [],
    tools: [],
    archive: [],
  };

  constructor(
    private readonly pool: Pool,
    private readonly embedder: RowEmbedder,
    private readonly onProgress: (progress: ReembedProgress) => void,
  ) {
    this.model = embedder.model;
  }

  async run(): Promise<Reembedded> {
    const { model, pool, progress } = this;
    const previousModel = await this.begin();
    if (previousModel !== model) {
      progress.total = await inTransaction(pool, (tx) => this.count(tx));
      this.onProgress({ ...progress });
      do {
        await this.fillNext();
        for (const kind of embeddedKinds) await this.indexNextPending(kind);
      } while (!(await this.switchOver()));
      await this.retryFailed();
    }
    await this.finish();
    const refused = Object.values(this.refused).reduce((sum, ids) => sum + ids.length, 0);
    return { model, previousModel, embedded: progress.done, refused };
  }

  /** Notes that the embeddings are being changed to `model`. Returns the model that searches compare. */
  private begin(): Promise<string | null> {
    return inTransaction(this.pool, async (tx) => {
      const [row] = await tx.execute<{ current: string | null }>(sql`
        update ${installation} set next_embedding_model = nullif(${this.model}::varchar, embedding_model)
        returning embedding_model as current`);
      return row?.current ?? null;
    });
  }

  private async fillNext(): Promise<void> {
    for (const kind of embeddedKinds) {
      await this.embedRows(kind, 'next');
      await this.inParts((tx, after) => this.copyKept(tx, kind, after));
    }
  }

  /** Condition: the row `t` waits for its embedding of the model. A row that can never be embedded waits for nothing. */
  private outdated(into: Into): SQL {
    return into === 'next'
      ? sql`t.embedding_source = 'FUNES' and t.embedding_error is null
        and t.embedding_model is distinct from ${this.model} and t.next_embedding_model is distinct from ${this.model}`
      : sql`t.embedding_source = 'FUNES' and t.embedding_model <> ${this.model}`;
  }

  private async count(tx: Transaction): Promise<number> {
    let count = 0;
    for (const kind of embeddedKinds) {
      const [row] = await tx.execute<{ count: string }>(
        sql`select count(*) from ${sources[kind].table} as t where ${this.outdated('next')}`,
      );
      count += Number(row?.count);
    }
    return count;
  }

  /** Reads rows in the order of their ids, without those that the model refused. */
  private async read(
    tx: Transaction,
    kind: EmbeddedKind,
    condition: SQL,
    { after = '0', limit = BATCH } = {},
  ): Promise<Outdated[]> {
    const { table, owner, parts, textOf } = sources[kind];
    const rows = await tx.execute<Omit<Outdated, 'text'> & Record<string, unknown>>(sql`
      select t.id::text as id, ${owner} as "userId", ${parts}::text as parts from ${table} as t
      where ${condition} and t.id > ${after}::bigint and t.id <> all (${makePgArray(this.refused[kind])}::bigint[])
      order by t.id limit ${limit}`);
    return rows.map((row) => ({ ...row, text: textOf(JSON.parse(row.parts) as TextParts) }));
  }

  /** Embeds rows batch by batch. No transaction is open while the embedder works. */
  private async embedRows(kind: EmbeddedKind, into: Into): Promise<void> {
    for (let after = '0'; ; ) {
      const rows = await inTransaction(this.pool, (tx) =>
        this.read(tx, kind, this.outdated(into), { after }),
      );
      const last = rows.at(-1);
      if (last === undefined) return;
      const embedded = await this.embed(kind, rows);
      await inTransaction(this.pool, (tx) => this.store(tx, kind, into, embedded, sql`skip locked`));
      this.tell(embedded.length);
      after = last.id;
    }
  }

  private tell(rows: number): void {
    this.progress.done += rows;
    this.progress.total = Math.max(this.progress.total, this.progress.done);
    this.onProgress({ ...this.progress });
  }

  /** Embeds rows. Splits a batch that fails, so that a row which the model refuses stops no other. */
  private async embed(
    kind: EmbeddedKind,
    rows: readonly Outdated[],
  ): Promise<{ row: Outdated; vector: string }[]> {
    try {
      const vectors = await this.embedder.embed(
        rows.map(({ text }) => text),
        { background: true },
      );
      return rows.map((row, i) => ({ row, vector: vectorLiteral(vectors[i] ?? []) }));
    } catch (error) {
      await this.embedder.embed([PROBE], { background: true }).catch(() => {
        throw error;
      });
      const [only] = rows;
      if (only && rows.length === 1) {
        this.refused[kind].push(only.id);
        return [];
      }
      const middle = Math.ceil(rows.length / 2);
      return [
        ...(await this.embed(kind, rows.slice(0, middle))),
        ...(await this.embed(kind, rows.slice(middle))),
      ];
    }
  }

  /**
   * Stores embeddings, but not of rows whose text is another by now.
   * @param locked what to do with rows that another transaction has locked.
   */
  private async store(
    tx: Transaction,
    kind: EmbeddedKind,
    into: Into,
    embedded: readonly { row: Outdated; vector: string }[],
    locked: SQL = sql``,
  ): Promise<void> {
    const { table, owner, parts } = sources[kind];
    const list = (values: string[], type: SQL) => sql`${makePgArray(values)}::${type}[]`;
    const text = sql`text`;
    const columns = (name: 'id' | 'userId' | 'parts') => embedded.map(({ row }) => row[name]);
    const vectors = embedded.map(({ vector }) => vector);
    const set =
      into === 'next'
        ? sql`next_embedding = free.vector::vector, next_embedding_model = ${this.model}`
        : sql`embedding = free.vector::vector, embedding_model = ${this.model}, next_embedding = null, next_embedding_model = null`;
    await tx.execute(sql`
      with free as materialized (
        select t.id, ${owner} as owner, done.vector from ${table} as t
        join unnest(${list(columns('id'), sql`bigint`)}, ${list(columns('userId'), text)}, ${list(columns('parts'), text)}, ${list(vectors, text)})
          as done (id, owner, parts, vector) on t.id = done.id and ${owner} = done.owner
        where ${this.outdated(into)} and ${parts}::text = done.parts
        order by t.id for update of t ${locked}
      )
      update ${table} as t set ${set} from free where t.id = free.id and ${owner} = free.owner`);
  }

  /** Copies embeddings that stay as they are, so that they are in place after the switch. */
  private copyKept(tx: Transaction, kind: EmbeddedKind, after: string): Promise<string | undefined> {
    return updateSome(tx, kind, after, {
      where: sql`t.embedding is not null and (t.embedding_source = 'CLIENT' or t.embedding_model = ${this.model})
        and t.next_embedding_model is distinct from t.embedding_model`,
      set: sql`next_embedding = t.embedding, next_embedding_model = t.embedding_model`,
    });
  }

  /** Runs `step` on one part of the rows after the other, each in a transaction of its own. */
  private async inParts(
    step: (tx: Transaction, after: string) => Promise<string | undefined>,
  ): Promise<void> {
    for (let after: string | undefined = '0'; after !== undefined; ) {
      const from: string = after;
      after = await inTransaction(this.pool, (tx) => step(tx, from));
    }
  }

  /**
   * Makes the index of rows that will be PENDING after the switch: the condition of an index is not renamed with the columns. Before
   * the switch, it finds the rows that still lack their next embedding.
   */
  private async indexNextPending(kind: EmbeddedKind): Promise<void> {
    const name = nextPending(kind);
    for (let tries = 1; !(await inTransaction(this.pool, (tx) => isValid(tx, name))); tries++) {
      try {
        // A run that was killed leaves an index that is not valid.
        await this.outsideTransaction(
          `drop index concurrently if exists ${name}`,
          `create index concurrently if not exists ${name} on ${tableName(kind)} (id)
            where next_embedding is null and embedding_error is null`,
        );
      } catch (error) {
        // Another run makes it at this moment.
        if (causeWithCode(error, '40P01') === undefined || tries === MOST_TRIES) throw error;
      }
    }
  }

  /** Runs statements that are possible only outside a transaction, however long they take. */
  private async outsideTransaction(...statements: string[]): Promise<void> {
    const connection = await this.pool.reserve({ statementTimeoutMs: 0 });
    try {
      await connection.unsafe('set statement_timeout = 0');
      for (const statement of statements) await connection.unsafe(statement);
    } finally {
      await connection.unsafe('reset statement_timeout').catch(() => {});
      connection.release();
    }
  }

  /**
   * Switches to the new embeddings, if no row is without one. Writes wait meanwhile; searches wait for the change of the catalog alone.
   * @returns false if there are still too many rows to embed while writes wait, or if an index is missing.
   */
  private async switchOver(): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      try {
        return await inTransaction(this.pool, (tx) => this.trySwitch(tx));
      } catch (error) {
        // A lock that another holds, or a deadlock with another: both end, so try again.
        if (causeWithCode(error, '55P03') === undefined && causeWithCode(error, '40P01') === undefined)
          throw error;
        if (tries === MOST_TRIES) {
          throw new FunesError(
            'UNAVAILABLE',
            'The switch to the new embeddings found no moment without a long transaction on the tables. Nothing is lost: run the ' +
              'command again.',
            { cause: error },
          );
        }
        await delay(PAUSE_MS);
      }
    }
  }

  private async trySwitch(tx: Transaction): Promise<boolean> {
    const { model } = this;
    const run = (statement: string) => tx.execute(sql.raw(statement));
    await run(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
    // With little left to do, the planner may have numbers of a time when all rows were without their next embedding.
    await run('set local enable_seqscan = off');
    // Locked before the tables, so that two runs come here one after the other, and a server that starts does not wait in a circle.
    const [models] = await tx.execute<{ current: string | null; next: string | null }>(
      sql`select embedding_model as current, next_embedding_model as next from ${installation} for update`,
    );
    if (models?.current === model) return true;
    if (models?.next !== model) {
      throw new FunesError(
        'CONFLICT',
        `Another run changes the embeddings to the model ${models?.next ?? models?.current}. Let only one run.`,
      );
    }
    const tables = embeddedKinds.map(tableName).join(', ');
    await run(`lock table ${tables} in share row exclusive mode`);
    for (const kind of embeddedKinds) {
      if (!(await isValid(tx, nextPending(kind)))) return false;
      const lacking = sql`t.next_embedding is null and t.embedding_error is null and ${this.outdated('next')}`;
      const rows = await this.read(tx, kind, lacking, { limit: LOCKED + 1 });
      if (rows.length > LOCKED) return false;
      if (rows.length > 0) {
        const embedded = await this.embed(kind, rows);
        await this.store(tx, kind, 'next', embedded);
        this.tell(embedded.length);
      }
      const { table } = sources[kind];
      await tx.execute(sql`update ${table} set next_embedding = embedding, next_embedding_model = embedding_model
        where next_embedding is null and embedding_error is null and embedding is not null
          and (embedding_source = 'CLIENT' or embedding_model = ${model})`);
    }
    await run(`lock table ${tables} in access exclusive mode`);
    for (const statement of embeddedKinds.flatMap(swapStatements)) await run(statement);
    await tx.execute(sql`update ${installation} set embedding_model = ${model}, next_embedding_model = null`);
    return true;
  }

  /** Lets rows that the model before could not embed wait for the new one. */
  private async retryFailed(): Promise<void> {
    for (const kind of embeddedKinds) {
      await this.inParts((tx, after) =>
        updateSome(tx, kind, after, {
          where: sql`t.embedding_error is not null`,
          set: sql`embedding_error = null, embedding_attempts = 0, embedding_retry_at = null`,
        }),
      );
    }
  }

  /** What can wait until after the switch: rows that a server wrote by the old model during it, and the old embeddings. */
  private async finish(): Promise<void> {
    for (const kind of embeddedKinds) {
      const table = tableName(kind);
      await inTransaction(this.pool, (tx) =>
        tx.execute(sql.raw(`alter table ${table} validate constraint ${table}_embedding_error`)),
      );
      await this.embedRows(kind, 'in place');
      await this.inParts((tx, after) =>
        updateSome(tx, kind, after, {
          where: sql`t.next_embedding is not null and (select next_embedding_model is null from ${installation})`,
          set: sql`next_embedding = null, next_embedding_model = null`,
        }),
      );
      // Of a run that was given up, or that came second.
      const [row] = await inTransaction(this.pool, (tx) =>
        tx.execute(sql`select from pg_class where oid = to_regclass(${nextPending(kind)})`),
      );
      if (row) await this.outsideTransaction(`drop index concurrently if exists ${nextPending(kind)}`);
    }
  }
}

/** Updates some rows in the order of their ids. Returns the last id, or undefined if there were none. */
async function updateSome(
  tx: Transaction,
  kind: EmbeddedKind,
  after: string,
  { where, set }: { where: SQL; set: SQL },
): Promise<string | undefined> {
  const { table, owner } = sources[kind];
  const [row] = await tx.execute<{ last: string | null }>(sql`
    with part as materialized (
      select t.id, ${owner} as owner from ${table} as t where ${where} and t.id > ${after}::bigint
      order by t.id limit ${COPIED} for update of t skip locked
    ), changed as (
      update ${table} as t set ${set} from part where t.id = part.id and ${owner} = part.owner
    )
    select max(id)::text as last from part`);
  return row?.last ?? undefined;
}

const tableName = (kind: EmbeddedKind): string => getTableConfig(sources[kind].table).name;

/** The name of the index of pending rows until the switch. */
const nextPending = (kind: EmbeddedKind): string => `${indexes[kind].pending}_next`;

/** Whether there is an index of this name, and it is complete. */
async function isValid(tx: Transaction, index: string): Promise<boolean> {
  const rows = await tx.execute(
    sql`select from pg_index where indexrelid = to_regclass(${index}) and indisvalid`,
  );
  return rows.length > 0;
}

/** The statements that swap the two embeddings of a table, with everything that is named after them. */
function swapStatements(kind: EmbeddedKind): string[] {
  const table = tableName(kind);
  const { hnsw, pending } = indexes[kind];
  const swap = (rename: (from: string, to: string) => string, [one, other]: readonly [string, string]) => [
    rename(one, 'funes_swapped'),
    rename(other, one),
    rename('funes_swapped', other),
  ];
  const inTable = (what: 'column' | 'constraint') => (from: string, to: string) =>
    `alter table ${table} rename ${what} ${from} to ${to}`;
  const index = (from: string, to: string) => `alter index ${from} rename to ${to}`;
  const check = `${table}_embedding_error`;
  return [
    ...swap(inTable('column'), ['embedding', 'next_embedding']),
    ...swap(inTable('column'), ['embedding_model', 'next_embedding_model']),
    ...swap(inTable('constraint'), [`${table}_embedding_has_model`, `${table}_next_embedding_has_model`]),
    // This constraint has one of the two columns, so it is made anew. The rows are checked after the switch.
    `alter table ${table} drop constraint ${check}`,
    `alter table ${table} add constraint ${check} check (embedding_error is null or embedding is null) not valid`,
    ...(hnsw ? swap(index, hnsw) : []),
    `drop index ${pending}`,
    index(nextPending(kind), pending),
  ];
}

/** Runs `work` in a transaction of the owner of the tables, who has the rows of all users. */
async function inTransaction<T>(pool: Pool, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const connection = await pool.reserve({ statementTimeoutMs: 0 });
  try {
    await connection.unsafe(
      ['begin', ...setLocal(pool.localSettings), 'set local statement_timeout = 0'].join('; '),
    );
    const result = await work(transactionOver((query, parameters) => connection.unsafe(query, parameters)));
    await connection.unsafe('commit');
    return result;
  } catch (error) {
    await connection.unsafe('rollback').catch(() => {});
    throw error;
  } finally {
    connection.release();
  }
}
