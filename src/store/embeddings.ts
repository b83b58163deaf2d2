import { and, eq, inArray, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Logger } from 'pino';
import type { EMBEDDING_SOURCES } from '../../schema/columns/common.ts';
import { parseVector } from '../../schema/columns/vector.ts';
import { installation, type memories, type toolEmbeddings } from '../../schema/index.ts';
import { type Database, type Transaction, transaction } from '../database/transaction.ts';
import type { EmbeddingStatus } from '../filters/conditions.ts';
import { embeddingStatusOf } from '../filters/embedding-status.ts';
import { type RowModels, rowEmbedderOf, type TextVectors } from '../generations.ts';
import type { Services } from '../services.ts';
import { type Viewer, visibleTo } from '../viewer.ts';

/** Who made the embedding of a row, or will make it while the row is PENDING. */
export type EmbeddingSource = (typeof EMBEDDING_SOURCES)[number];

/**
 * The columns of an embedding, and of the next model's. A write of a text sets all, so that nothing stays of the text that the row had
 * before.
 */
export interface EmbeddingColumns {
  embedding: Float32Array | null;
  embeddingModel: string | null;
  embeddingSource: EmbeddingSource;
  embeddingError: null;
  embeddingAttempts: number;
  embeddingRetryAt: null;
  nextEmbedding: Float32Array | null;
  nextEmbeddingModel: string | null;
}

/** What was known about the embedding that another one replaces. */
export const forgottenEmbedding = {
  embeddingError: null,
  embeddingAttempts: 0,
  embeddingRetryAt: null,
  nextEmbedding: null,
  nextEmbeddingModel: null,
};

/** What embeds the texts of a write. */
export type EmbeddingServices = Pick<
  Services,
  'embedder' | 'generations' | 'log' | 'writeWaitMs' | 'filler' | 'embedsInBackground'
>;

/** How long a write waits for its embeddings, in milliseconds. */
export const writeWaitOf = ({ writeWaitMs = 60_000 }: EmbeddingServices): number => writeWaitMs;

/** The embedding columns of a row. Without a vector of the model that searches compare, the row is PENDING. */
export function embeddingColumns(
  { model, nextModel }: Partial<RowModels>,
  { vector, next }: Partial<TextVectors> = {},
): EmbeddingColumns {
  return {
    ...forgottenEmbedding,
    embedding: vector ?? null,
    embeddingModel: (vector && model) ?? null,
    embeddingSource: 'FUNES',
    nextEmbedding: next ?? null,
    nextEmbeddingModel: (next && nextModel) ?? null,
  };
}

/**
 * Embeds the texts of rows that will be written, and returns the embeddings in the order of the texts. What has no embedding when
 * the time is over or the embedder fails is written without one, because the write must still succeed. Its row is PENDING.
 * @param wait false to embed nothing now: all rows are PENDING.
 */
export async function embedForWriting(
  services: EmbeddingServices,
  texts: readonly string[],
  wait = true,
): Promise<EmbeddingColumns[]> {
  if (!wait || texts.length === 0) return texts.map(() => embeddingColumns({}));
  const made = new Map<number, TextVectors>();
  const signal = AbortSignal.timeout(writeWaitOf(services));
  const rowEmbedder = await rowEmbedderOf(services);
  const onVectors = (index: number, vectors: TextVectors) => {
    made.set(index, vectors);
  };
  await rowEmbedder
    .embed(texts, { background: services.embedsInBackground ?? false, signal, onVectors })
    .catch((error: unknown) => {
      const complete = [...made.values()].filter(({ vector }) => vector).length;
      warnOfPending(services.log, error, texts.length - complete, signal);
    });
  return texts.map((_, index) => embeddingColumns(rowEmbedder.models, made.get(index)));
}

/** Says in the log why rows are stored without embeddings. */
export function warnOfPending(
  log: Pick<Logger, 'warn'>,
  error: unknown,
  texts: number,
  { aborted }: AbortSignal,
): void {
  if (aborted) log.warn({ texts }, 'embedding took longer than FUNES_WRITE_WAIT; the rest is embedded later');
  else log.warn({ err: error, texts }, 'embedding failed; the rows are stored without embeddings');
}

/** Wakes the filler if one of the rows, which are committed, waits for its embedding. */
export function wakeFiller(
  { filler }: EmbeddingServices,
  rows: readonly { embeddingStatus: EmbeddingStatus }[],
): void {
  if (rows.some(({ embeddingStatus }) => embeddingStatus === 'PENDING')) filler?.wake();
}

/** The columns of a row that say how its embedding stands, as a write returns them. */
interface WrittenRow {
  id: string;
  embeddingModel: string | null;
  embeddingStatus: EmbeddingStatus;
}

/**
 * Takes the embeddings of another model than the installation's from rows that this transaction has written: the searches of all
 * servers may have been switched to another model while their texts were embedded. What a row has of that model stays; without it, the
 * row is PENDING. A switch waits for this transaction, because the transaction has written to the table. Returns the rows as they are then.
 */
export async function keepInstallationsModel<Row extends WrittenRow>(
  tx: Transaction,
  table: typeof memories | typeof toolEmbeddings,
  rows: readonly Row[],
): Promise<Row[]> {
  // While the model changes, rows of the model that searches compare are STALE, too.
  const stale = rows.filter(({ embeddingStatus }) => embeddingStatus === 'STALE').map(({ id }) => id);
  if (stale.length === 0) return [...rows];
  const installed = sql`(select embedding_model from ${installation})`;
  const ifNext = (column: PgColumn) =>
    sql`case when ${table.nextEmbeddingModel} = ${installed} then ${column} end`;
  const kept = await tx
    .update(table)
    .set({
      embedding: ifNext(table.nextEmbedding),
      embeddingModel: ifNext(table.nextEmbeddingModel),
      nextEmbedding: null,
      nextEmbeddingModel: null,
    })
    .where(
      and(
        inArray(table.id, stale),
        eq(table.embeddingSource, 'FUNES'),
        sql`${table.embeddingModel} <> ${installed}`,
      ),
    )
    .returning({
      id: table.id,
      embeddingModel: table.embeddingModel,
      embeddingStatus: embeddingStatusOf(table),
    });
  const byId = new Map(kept.map((row) => [row.id, row]));
  return rows.map((row) => ({ ...row, ...byId.get(row.id) }));
}

/** A table whose rows have an embedding. */
export interface EmbeddedTable {
  table: PgTable;
  id: PgColumn;
  /** The owner of a row. Undefined if all users share the rows. */
  userId: PgColumn | undefined;
  embedding: PgColumn;
}

/**
 * Reads the stored embeddings of rows in one statement. Returns them in the order of `ids`, null for a row without an
 * embedding and for a row that the viewer may not see.
 */
export async function readEmbeddings(
  database: Database,
  viewer: Viewer,
  source: EmbeddedTable,
  ids: readonly string[],
): Promise<(Float32Array | null)[]> {
  const condition = and(inArray(source.id, [...ids]), source.userId && visibleTo(viewer, source.userId));
  const rows = await transaction(database, viewer, { access: 'read' }, (tx) =>
    tx
      .select({ id: sql<string>`${source.id}`, embedding: sql<string | null>`${source.embedding}` })
      .from(source.table)
      .where(condition),
  );
  const found = new Map(rows.map(({ id, embedding }) => [id, embedding]));
  return ids.map((id) => {
    const text = found.get(id);
    return text == null ? null : parseVector(text);
  });
}
