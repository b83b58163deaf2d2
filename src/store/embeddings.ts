import { and, inArray, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Logger } from 'pino';
import type { EMBEDDING_SOURCES } from '../../schema/columns/common.ts';
import { parseVector } from '../../schema/columns/vector.ts';
import { type Database, transaction } from '../database/transaction.ts';
import type { EmbeddingStatus } from '../filters/conditions.ts';
import type { Services } from '../services.ts';
import { type Viewer, visibleTo } from '../viewer.ts';

/** Who made the embedding of a row, or will make it while the row is PENDING. */
export type EmbeddingSource = (typeof EMBEDDING_SOURCES)[number];

/** The columns of an embedding. A write of a text sets all, so that nothing stays of the text that the row had before. */
export interface EmbeddingColumns {
  embedding: Float32Array | null;
  embeddingModel: string | null;
  embeddingSource: EmbeddingSource;
  embeddingError: null;
  embeddingAttempts: number;
  embeddingRetryAt: null;
  nextEmbedding: null;
  nextEmbeddingModel: null;
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
export type EmbeddingServices = Pick<Services, 'embedder' | 'log' | 'writeWaitMs' | 'filler'>;

/** How long a write waits for its embeddings, in milliseconds. */
export const writeWaitOf = ({ writeWaitMs = 60_000 }: EmbeddingServices): number => writeWaitMs;

/** The embedding columns of a row. Without a vector, the row is PENDING. */
export function embeddingColumns(model: string, vector: Float32Array | undefined): EmbeddingColumns {
  return {
    embedding: vector ?? null,
    embeddingModel: vector ? model : null,
    embeddingSource: 'FUNES',
    ...forgottenEmbedding,
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
  const { embedder, log } = services;
  const vectors = new Map<number, Float32Array>();
  if (wait && texts.length > 0) {
    const signal = AbortSignal.timeout(writeWaitOf(services));
    const onVector = (index: number, vector: Float32Array) => {
      vectors.set(index, vector);
    };
    await embedder
      .embed(texts, { signal, onVector })
      .then((all) => {
        for (const [index, vector] of all.entries()) onVector(index, vector);
      })
      .catch((error: unknown) => warnOfPending(log, error, texts.length - vectors.size, signal));
  }
  return texts.map((_, index) => embeddingColumns(embedder.model, vectors.get(index)));
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
