import { and, inArray, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Logger } from 'pino';
import { parseVector } from '../../schema/columns/vector.ts';
import { type Database, transaction } from '../database/transaction.ts';
import type { Embedder } from '../embedding/embedder.ts';
import type { Generations } from '../generations.ts';
import { type Viewer, visibleTo } from '../viewer.ts';

/** The columns of an embedding and of the next model's. A write sets all of them, because none may be of an earlier text. */
export interface EmbeddingColumns {
  embedding: Float32Array | null;
  embeddingModel: string | null;
  nextEmbedding: Float32Array | null;
  nextEmbeddingModel: string | null;
}

const noNext = { nextEmbedding: null, nextEmbeddingModel: null };

/**
 * Embeds the texts of rows that will be written, and returns the embeddings in the order of the texts. If the embedder
 * fails, the write must still succeed: the embedding of every text is then NULL, and its row is PENDING.
 */
export async function embedForWriting(
  embedder: Embedder,
  texts: readonly string[],
  log: Pick<Logger, 'warn'>,
  generations?: Generations,
): Promise<EmbeddingColumns[]> {
  if (texts.length === 0) return [];
  try {
    if (generations) return await embedForBoth(generations, texts, log);
    const vectors = await embedder.embed(texts);
    return vectors.map((embedding) => ({ embedding, embeddingModel: embedder.model, ...noNext }));
  } catch (error) {
    log.warn({ err: error, texts: texts.length }, 'embedding failed; the rows are stored without embeddings');
    return texts.map(() => ({ embedding: null, embeddingModel: null, ...noNext }));
  }
}

/** Embeds by the model that searches compare and, while the embeddings are being changed to the server's model, also by that. */
async function embedForBoth(
  generations: Generations,
  texts: readonly string[],
  log: Pick<Logger, 'warn'>,
): Promise<EmbeddingColumns[]> {
  const { own } = generations;
  const current = await generations.current().catch((error: unknown) => {
    log.warn(
      { err: error, texts: texts.length },
      'the rows are stored without the embeddings that searches compare',
    );
    return undefined;
  });
  const next = current !== own && (await generations.ownIsNext()) ? own : undefined;
  const [vectors, nextVectors] = await Promise.all([current?.embed(texts), next?.embed(texts)]);
  return texts.map((_, i) => ({
    embedding: vectors?.[i] ?? null,
    embeddingModel: vectors && current ? current.model : null,
    nextEmbedding: nextVectors?.[i] ?? null,
    nextEmbeddingModel: nextVectors ? own.model : null,
  }));
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
