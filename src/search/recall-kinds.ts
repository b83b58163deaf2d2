import { and, type SQL, sql } from 'drizzle-orm';
import { documentChunks, memories } from '../../schema/index.ts';
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
import { queryOf, type SearchRequest } from './request.ts';
import { searchableChunks, searchableMemories, searchableTools } from './search.ts';
import type { RankedTable } from './sql/candidates.ts';
import { byBestChunk, chunkConditions, documentChunkTable } from './sql/documents.ts';
import { nearest } from './sql/nearest.ts';

export const recallKinds = ['MEMORY', 'CHUNK', 'DOCUMENT', 'TOOL'] as const;
export type RecallKind = (typeof recallKinds)[number];

/** Filters for each kind. */
export interface RecallFilters {
  memories?: MemoryFilters | null | undefined;
  chunks?: ChunkFilters | null | undefined;
  documents?: DocumentFilters | null | undefined;
  tools?: ToolFilters | null | undefined;
}

/** How one kind takes part in a recall. */
export interface RecallPart {
  /** The name of its filters in `RecallFilters`. */
  filters: keyof RecallFilters;
  /** The table whose rows are compared. */
  target: RankedTable;
  /** Columns `row_id`, `user_id` and `chunk_id` of a hit: the row that it stands for, and the chunk that was compared. */
  columns: SQL;
  /** The compiled filters, over the table of `target`. @throws FunesError */
  compile: (filters: RecallFilters) => SQL | undefined;
  /** Those within what the viewer may see. */
  visible: (viewer: Viewer, conditions: SQL | undefined) => SQL | undefined;
  /** A subselect of the k nearest rows to `query.vector`, with `distance` and what `columns` are made of. */
  nearest: (request: SearchRequest) => SQL;
}

const operand = sql`query.vector`;

const nearestIn = (target: RankedTable) => (request: SearchRequest) =>
  nearest(target, { ...queryOf(request, request.conditions, request.conditions), operand });

export const recallParts: Record<RecallKind, RecallPart> = {
  MEMORY: {
    filters: 'memories',
    target: searchableMemories,
    columns: sql`id as row_id, user_id, null::bigint as chunk_id`,
    compile: (filters) => compileMemoryFilters(filters.memories, 'filters.memories'),
    visible: (viewer, conditions) => and(visibleTo(viewer, memories.userId), conditions),
    nearest: nearestIn(searchableMemories),
  },
  CHUNK: {
    filters: 'chunks',
    target: searchableChunks,
    columns: sql`id as row_id, user_id, id as chunk_id`,
    compile: (filters) => compileChunkFilters(filters.chunks, 'filters.chunks'),
    visible: (viewer, conditions) => and(visibleTo(viewer, documentChunks.userId), conditions),
    nearest: nearestIn(searchableChunks),
  },
  DOCUMENT: {
    filters: 'documents',
    target: documentChunkTable,
    columns: sql`document_id as row_id, user_id, chunk_id`,
    compile: (filters) => compileDocumentFilters(filters.documents, 'filters.documents'),
    visible: chunkConditions,
    nearest: (request) =>
      byBestChunk({ ...queryOf(request, request.conditions, request.conditions), operand }),
  },
  TOOL: {
    filters: 'tools',
    target: searchableTools,
    columns: sql`id as row_id, null::varchar as user_id, null::bigint as chunk_id`,
    compile: (filters) => compileToolFilters(filters.tools, 'filters.tools'),
    visible: (_viewer, conditions) => conditions,
    nearest: nearestIn(searchableTools),
  },
};

/** A kind that is asked for, with its conditions. */
export interface RecallSource {
  kind: RecallKind;
  conditions: SQL | undefined;
}
