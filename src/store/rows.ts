import { getTableColumns } from 'drizzle-orm';
import {
  apiKeys,
  documentChunks,
  documents,
  memories,
  memoriesArchive,
  toolEmbeddings,
} from '../../schema/index.ts';
import type { EmbeddingStatus } from '../filters/conditions.ts';
import { embeddingStatusOf } from '../filters/embedding-status.ts';

/** What the server keeps for itself, and an embedding, which has 1.5 kB and for which few requests ask. */
const unselected = [
  'embedding',
  'contentTsv',
  'contentLength',
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

const selectedMemoryColumns = () => selected(getTableColumns(memories));

export const memoryColumns = {
  ...selectedMemoryColumns(),
  embeddingStatus: embeddingStatusOf(memories),
};
export interface MemoryRow extends Omit<typeof memories.$inferSelect, Unselected>, Embedded {
  /** When it was archived. Live memories have none. */
  archivedAt?: Date | null | undefined;
}

const archivedColumns = getTableColumns(memoriesArchive);
/** The columns of an archived memory, in the order of `memoryColumns`, so that a UNION can have both. */
export const archivedMemoryColumns = {
  ...(Object.fromEntries(
    Object.keys(selectedMemoryColumns()).map((name) => [
      name,
      archivedColumns[name as keyof typeof archivedColumns],
    ]),
  ) as Pick<typeof archivedColumns, keyof ReturnType<typeof selectedMemoryColumns>>),
  embeddingStatus: embeddingStatusOf(memoriesArchive),
};

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
