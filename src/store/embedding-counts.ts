import { and, inArray, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { documentChunks, memories, memoriesArchive, toolEmbeddings } from '../../schema/index.ts';
import { type Database, transaction } from '../database/transaction.ts';
import type { EmbeddingStatus } from '../filters/conditions.ts';
import { type EmbeddingState, embeddingStatusOf, embeddingStatusTests } from '../filters/embedding-status.ts';
import { type Viewer, visibleTo } from '../viewer.ts';

/** The kinds of rows that have embeddings. */
export const EmbeddingKind = {
  MEMORY: 'MEMORY',
  ARCHIVED_MEMORY: 'ARCHIVED_MEMORY',
  CHUNK: 'CHUNK',
  TOOL: 'TOOL',
} as const;
export type EmbeddingKind = (typeof EmbeddingKind)[keyof typeof EmbeddingKind];

/** How many rows of a kind have a status and a model. */
export interface EmbeddingCount {
  kind: EmbeddingKind;
  status: EmbeddingStatus;
  /** Null for rows without an embedding. */
  model: string | null;
  count: number;
}

const countedTables: Readonly<Record<EmbeddingKind, EmbeddingState & { userId?: PgColumn }>> = {
  MEMORY: memories,
  ARCHIVED_MEMORY: memoriesArchive,
  CHUNK: documentChunks,
  TOOL: toolEmbeddings,
};

/** Counts the embeddings of all rows that the viewer may see, by kind, status and model, in one statement. */
export async function countEmbeddings(database: Database, viewer: Viewer): Promise<EmbeddingCount[]> {
  const kinds = Object.entries(countedTables).map(([kind, table], position) => {
    const condition = table.userId && visibleTo(viewer, table.userId);
    return sql`select ${position}::int as position, ${kind} as kind, ${embeddingStatusOf(table)} as status,
      ${table.embeddingModel} as model, count(*) as count
      from ${table.embedding.table} ${condition ? sql`where ${condition}` : sql``} group by 3, 4`;
  });
  const rows = await transaction(database, viewer, { access: 'read', single: true }, (tx) =>
    tx.execute<Omit<EmbeddingCount, 'count'> & { count: string }>(sql`
      select kind, status, model, count from (${sql.join(kinds, sql` union all `)}) as counted
      order by position, status, model collate "C" nulls last`),
  );
  return rows.map(({ kind, status, model, count }) => ({ kind, status, model, count: Number(count) }));
}

/**
 * Reads the statuses of documents, in the order of `ids`, in one statement. A document is PENDING while one of its chunks is; then
 * FAILED or STALE if one of its chunks is, else READY.
 */
export async function readDocumentStatuses(
  database: Database,
  viewer: Viewer,
  ids: readonly string[],
): Promise<EmbeddingStatus[]> {
  const { PENDING, FAILED, STALE } = embeddingStatusTests(documentChunks);
  const rows = await transaction(database, viewer, { access: 'read', single: true }, (tx) =>
    tx
      .select({
        id: documentChunks.documentId,
        status: sql<EmbeddingStatus>`case when bool_or(${PENDING}) then 'PENDING' when bool_or(${FAILED}) then 'FAILED'
          when bool_or(${STALE}) then 'STALE' else 'READY' end`,
      })
      .from(documentChunks)
      .where(and(inArray(documentChunks.documentId, [...ids]), visibleTo(viewer, documentChunks.userId)))
      .groupBy(documentChunks.documentId),
  );
  const found = new Map(rows.map(({ id, status }) => [id, status]));
  return ids.map((id) => found.get(id) ?? 'READY');
}
