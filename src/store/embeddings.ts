import { and, inArray, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Logger } from 'pino';
import { parseVector } from '../../schema/columns/vector.ts';
import { type Database, transaction } from '../database/transaction.ts';
import type { Embedder } from '../embedding/embedder.ts';
import { type Viewer, visibleTo } from '../viewer.ts';

/** The two columns that a write sets together. */
export interface EmbeddingColumns {
  embedding: Float32Array | null;
  embeddingModel: string | null;
}

/**
 * The embeddings of texts that are about to be written, in order. When the embedder fails the write must still succeed:
 * every text then gets NULL, and its row counts as PENDING.
 */
export async function embedForWriting(
  embedder: Embedder,
  texts: readonly string[],
  log: Pick<Logger, 'warn'>,
): Promise<EmbeddingColumns[]> {
  if (texts.length === 0) return [];
  try {
    const vectors = await embedder.embed(texts);
    return vectors.map((embedding) => ({ embedding, embeddingModel: embedder.model }));
  } catch (error) {
    log.warn({ err: error, texts: texts.length }, 'embedding failed; the rows are stored without embeddings');
    return texts.map(() => ({ embedding: null, embeddingModel: null }));
  }
}

/** A table whose rows have an embedding. */
export interface EmbeddedTable {
  table: PgTable;
  id: PgColumn;
  /** Owner of a row; undefined where rows are shared by all users. */
  userId: PgColumn | undefined;
  embedding: PgColumn;
}

/**
 * The stored embeddings of rows, in the order of `ids`; null for a row that has none, or that the viewer may not see.
 * One statement.
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
