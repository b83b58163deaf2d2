import { getTableColumns } from 'drizzle-orm';
import { apiKeys, documentChunks, documents, memories, toolEmbeddings } from '../../schema/index.ts';
import type { EmbeddingStatus } from '../filters/conditions.ts';
import { embeddingStatusOf } from '../filters/embedding-status.ts';

/** What the server keeps for itself, and an embedding, which has 1.5 kB and for which few requests ask. */
const unselected = [
  'embedding',
  'contentTsv',
  'contentLength',
  'embeddingSource',
  'embeddingAttempts',
  'embeddingRetryAt',
  'nextEmbedding',
  'nextEmbeddingModel',
  'idempotencyFields',
  'origin',
  'previousChunkIndex',
  'lastChunkIndex',
] as const;
type Unselected = (typeof unselected)[number];

function selected<Columns extends object>(columns: Columns): Omit<Columns, Unselected> {
  const isSelected = ([name]: [string, unknown]) => !unselected.some((other) => other === name);
  return Object.fromEntries(Object.entries(columns).filter(isSelected)) as Omit<Columns, Unselected>;
}

interface Embedded {
  embeddingStatus: EmbeddingStatus;
}

export const memoryColumns = {
  ...selected(getTableColumns(memories)),
  embeddingStatus: embeddingStatusOf(memories),
};
export type MemoryRow = Omit<typeof memories.$inferSelect, Unselected> & Embedded;

export const documentColumns = selected(getTableColumns(documents));
export type DocumentRow = Omit<typeof documents.$inferSelect, Unselected>;

export const chunkColumns = {
  ...selected(getTableColumns(documentChunks)),
  embeddingStatus: embeddingStatusOf(documentChunks),
};
export type ChunkRow = Omit<typeof documentChunks.$inferSelect, Unselected> & Embedded;

export const toolColumns = {
  ...selected(getTableColumns(toolEmbeddings)),
  embeddingStatus: embeddingStatusOf(toolEmbeddings),
};
export type ToolRow = Omit<typeof toolEmbeddings.$inferSelect, Unselected> & Embedded;

const { hash: _hash, ...shownKeyColumns } = getTableColumns(apiKeys);
export const keyColumns = shownKeyColumns;
/** A key as people may see it: without its hash. */
export type KeyRow = Omit<typeof apiKeys.$inferSelect, 'hash'>;
