import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { apiKeys, documentChunks, documents, memories, toolEmbeddings } from '../../schema/index.ts';
import type { EmbeddingStatus } from '../filters/conditions.ts';

function statusOf(embedding: PgColumn): SQL<EmbeddingStatus> {
  return sql<EmbeddingStatus>`case when ${embedding} is null then 'PENDING' else 'READY' end`;
}

type Computed = 'embedding' | 'contentTsv' | 'contentLength';
interface Embedded {
  embeddingStatus: EmbeddingStatus;
}

// The columns that a query selects. An embedding has 1.5 kB and few requests ask for it, so it is not among them.

const {
  embedding: memoryEmbedding,
  contentTsv: _memoryTsv,
  contentLength: _memoryLength,
  ...storedMemoryColumns
} = getTableColumns(memories);
export const memoryColumns = { ...storedMemoryColumns, embeddingStatus: statusOf(memoryEmbedding) };
export type MemoryRow = Omit<typeof memories.$inferSelect, Computed> & Embedded;

const { lastChunkIndex: _last, ...storedDocumentColumns } = getTableColumns(documents);
export const documentColumns = storedDocumentColumns;
export type DocumentRow = Omit<typeof documents.$inferSelect, 'lastChunkIndex'>;

const {
  embedding: chunkEmbedding,
  contentTsv: _chunkTsv,
  contentLength: _chunkLength,
  previousChunkIndex: _previous,
  ...storedChunkColumns
} = getTableColumns(documentChunks);
export const chunkColumns = { ...storedChunkColumns, embeddingStatus: statusOf(chunkEmbedding) };
export type ChunkRow = Omit<typeof documentChunks.$inferSelect, Computed | 'previousChunkIndex'> & Embedded;

const {
  embedding: toolEmbedding,
  contentTsv: _toolTsv,
  contentLength: _toolLength,
  ...storedToolColumns
} = getTableColumns(toolEmbeddings);
export const toolColumns = { ...storedToolColumns, embeddingStatus: statusOf(toolEmbedding) };
export type ToolRow = Omit<typeof toolEmbeddings.$inferSelect, Computed> & Embedded;

const { hash: _hash, ...shownKeyColumns } = getTableColumns(apiKeys);
export const keyColumns = shownKeyColumns;
/** A key as people may see it: without its hash. */
export type KeyRow = Omit<typeof apiKeys.$inferSelect, 'hash'>;
