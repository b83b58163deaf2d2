import { and, type SQL, sql } from 'drizzle-orm';
import { documentChunks, documents } from '../../schema/index.ts';
import {
  type ChunkFilters,
  compileChunkFilters,
  compileDocumentFilters,
  compileMemoryFilters,
  compileToolFilters,
  type DocumentFilters,
  type MemoryFilters,
  type ToolFilters,
} from '../filters/filters.ts';
import { type Viewer, visibleTo } from '../viewer.ts';
import { chunkTable, documentChunkTable, memoryTable, type SearchTable, toolTable } from './tables.ts';

export const kindNames = ['MEMORY', 'CHUNK', 'DOCUMENT', 'TOOL'] as const;
export type KindName = (typeof kindNames)[number];

/** The filters of each kind, by the name that a recall has for them. */
export interface KindFilters {
  memories?: MemoryFilters | null | undefined;
  chunks?: ChunkFilters | null | undefined;
  documents?: DocumentFilters | null | undefined;
  tools?: ToolFilters | null | undefined;
}

/** A kind of row that can be searched for. */
export interface Kind<Filters = never> {
  name: KindName;
  /** What a row is called in messages and cursors. */
  label: string;
  /** The table whose rows are compared. */
  table: SearchTable;
  /** The name of its filters in `KindFilters`. */
  filters: keyof KindFilters;
  /** The filters as a condition. @throws FunesError that starts with the path, `filters` unless another is named. */
  compile: (filters: Filters | null | undefined, path?: string) => SQL | undefined;
  /** A compiled condition, over the rows of `table` that the viewer may see. */
  visible: (viewer: Viewer, condition: SQL | undefined) => SQL | undefined;
  /**
   * Columns `row_id`, `user_id` and `chunk_id` of a hit in a list of several kinds: the row that the hit stands for, and the
   * chunk that was compared. `grouped` of a hit that stands for its group already.
   */
  hit: { row: SQL; grouped?: SQL };
}

export const memoryKind: Kind<MemoryFilters> = {
  name: 'MEMORY',
  label: 'memory',
  table: memoryTable,
  filters: 'memories',
  compile: compileMemoryFilters,
  visible: visibleIn(memoryTable),
  hit: { row: sql`id as row_id, user_id, null::bigint as chunk_id` },
};

export const chunkKind: Kind<ChunkFilters> = {
  name: 'CHUNK',
  label: 'chunk',
  table: chunkTable,
  filters: 'chunks',
  compile: compileChunkFilters,
  visible: visibleIn(chunkTable),
  hit: { row: sql`id as row_id, user_id, id as chunk_id` },
};

export const documentKind: Kind<DocumentFilters> = {
  name: 'DOCUMENT',
  label: 'document',
  table: documentChunkTable,
  filters: 'documents',
  compile: compileDocumentFilters,
  visible: (viewer, condition) =>
    and(
      visibleTo(viewer, documentChunks.userId),
      condition &&
        sql`(${documentChunks.documentId}, ${documentChunks.userId}) in
      (select ${documents.id}, ${documents.userId} from ${documents} where ${condition})`,
    ),
  hit: {
    row: sql`document_id as row_id, user_id, id as chunk_id`,
    grouped: sql`document_id as row_id, user_id, chunk_id`,
  },
};

export const toolKind: Kind<ToolFilters> = {
  name: 'TOOL',
  label: 'tool',
  table: toolTable,
  filters: 'tools',
  compile: compileToolFilters,
  visible: visibleIn(toolTable),
  hit: { row: sql`id as row_id, null::varchar as user_id, null::bigint as chunk_id` },
};

/** Every kind by its name. */
export const kinds: Readonly<Record<KindName, Kind>> = {
  MEMORY: memoryKind,
  CHUNK: chunkKind,
  DOCUMENT: documentKind,
  TOOL: toolKind,
};

function visibleIn({ userId }: SearchTable) {
  return (viewer: Viewer, condition: SQL | undefined) => and(userId && visibleTo(viewer, userId), condition);
}
