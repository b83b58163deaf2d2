import { type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { isPending } from '../../schema/columns/common.ts';
import { documentChunks, documents, installation } from '../../schema/index.ts';
import type { EmbeddingStatus } from './conditions.ts';

/** The columns that say how a row stands with its embedding. */
export interface EmbeddingState {
  embedding: PgColumn;
  embeddingModel: PgColumn;
  embeddingSource: PgColumn;
  embeddingError: PgColumn;
}

/** The model of the server: while the model changes, the one to which it changes. NULL before the first server has started. */
const serverModel = sql`(select coalesce(generation.next_embedding_model, generation.embedding_model) from ${installation} as generation where generation.only)`;

/** A condition for each status. A row meets exactly one of them; STALE may be NULL instead of false. */
export function embeddingStatusTests(row: EmbeddingState): Record<EmbeddingStatus, SQL> {
  const isStale = sql`(${row.embeddingSource} = 'FUNES' and ${row.embeddingModel} <> ${serverModel})`;
  return {
    READY: sql`(${row.embedding} is not null and ${isStale} is not true)`,
    STALE: isStale,
    PENDING: sql`(${isPending(row)})`,
    FAILED: sql`${row.embeddingError} is not null`,
  };
}

/** The status of a row. */
export function embeddingStatusOf(row: EmbeddingState): SQL<EmbeddingStatus> {
  const { STALE, FAILED } = embeddingStatusTests(row);
  return sql<EmbeddingStatus>`case when ${FAILED} then 'FAILED' when ${row.embedding} is null then 'PENDING' when ${STALE} then 'STALE' else 'READY' end`;
}

/**
 * A condition for each status of a document, which follows from its chunks: PENDING while one of them is; then FAILED or STALE if one
 * of them is, else READY.
 */
export function documentStatusTests(): Record<EmbeddingStatus, SQL> {
  const ofChunk = embeddingStatusTests(documentChunks);
  const has = (test: SQL) =>
    sql`exists (select from ${documentChunks} where ${documentChunks.documentId} = ${documents.id}
      and ${documentChunks.userId} = ${documents.userId} and ${test})`;
  const [pending, failed, stale] = [has(ofChunk.PENDING), has(ofChunk.FAILED), has(ofChunk.STALE)];
  return {
    PENDING: pending,
    FAILED: sql`(${failed} and not ${pending})`,
    STALE: sql`(${stale} and not ${failed} and not ${pending})`,
    READY: sql`(not ${stale} and not ${failed} and not ${pending})`,
  };
}
