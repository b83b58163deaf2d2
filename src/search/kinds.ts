import type { SQL } from 'drizzle-orm';
import { documentChunks } from '../../schema/index.ts';
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
import { allOf, DocumentCondition, Ownership, splitOwner } from '../filters/parts.ts';
import type { ChunkRow, DocumentRow, MemoryRow, ToolRow } from '../store/rows.ts';
import { column } from './sql/pipeline.ts';
import { chunkTable, documentChunkTable, memoryTable, type SearchTable, toolTable } from './tables.ts';

export const kindNames = ['MEMORY', 'CHUNK', 'DOCUMENT', 'TOOL'] as const;
export type KindName = (typeof kindNames)[number];

/** A row of one of the kinds; a document has its nearest chunk with it. */
export type RecalledRow = { id: string } & (
  | { kind: 'MEMORY'; memory: MemoryRow }
  | { kind: 'CHUNK'; chunk: ChunkRow }
  | { kind: 'DOCUMENT'; document: DocumentRow; chunk: ChunkRow }
  | { kind: 'TOOL'; tool: ToolRow }
);

/** The filters of each kind, as `recall` takes them. */
export interface KindFilters {
  memories?: MemoryFilters | null | undefined;
  chunks?: ChunkFilters | null | undefined;
  documents?: DocumentFilters | null | undefined;
  tools?: ToolFilters | null | undefined;
}

/**
 * A kind of row that a search can find. Another kind begins here, with its table in `tables.ts`, its filters in `src/filters/fields.ts`
 * and its search in `searches.ts`. `recallStatement` joins its rows, and `RecalledRow` has its fields.
 */
export interface Kind<Filters = never> {
  name: KindName;
  /** What messages and cursors call a row. */
  label: string;
  /** The table to search in. */
  table: SearchTable;
  /** The name of its filters in `KindFilters`. */
  filters: keyof KindFilters;
  /** Compiles filters to a condition on `table`. @throws FunesError whose message begins with `path`, or with `filters`. */
  compile: (filters: Filters | null | undefined, path?: string) => SQL | undefined;
  /**
   * Columns of `table` for a list of several kinds: the row that a hit stands for, the owner of that row, and the chunk that was
   * compared. Undefined where the kind has none.
   */
  hit: { rowId: SQL; userId?: SQL; chunkId?: SQL };
}

export const memoryKind: Kind<MemoryFilters> = {
  name: 'MEMORY',
  label: 'memory',
  table: memoryTable,
  filters: 'memories',
  compile: compileMemoryFilters,
  hit: { rowId: column.id, userId: column.userId },
};

export const chunkKind: Kind<ChunkFilters> = {
  name: 'CHUNK',
  label: 'chunk',
  table: chunkTable,
  filters: 'chunks',
  compile: compileChunkFilters,
  hit: { rowId: column.id, userId: column.userId, chunkId: column.id },
};

export const documentKind: Kind<DocumentFilters> = {
  name: 'DOCUMENT',
  label: 'document',
  table: documentChunkTable,
  filters: 'documents',
  compile: (filters, path) => {
    // The owner of a document owns its chunks.
    const { owner, rest } = splitOwner(compileDocumentFilters(filters, path));
    return allOf(
      owner === undefined ? undefined : new Ownership(documentChunks.userId, owner),
      rest && new DocumentCondition(rest),
    );
  },
  hit: { rowId: column.documentId, userId: column.userId, chunkId: column.id },
};

export const toolKind: Kind<ToolFilters> = {
  name: 'TOOL',
  label: 'tool',
  table: toolTable,
  filters: 'tools',
  compile: compileToolFilters,
  hit: { rowId: column.id },
};

/** Every kind by its name. */
export const kinds: Readonly<Record<KindName, Kind>> = {
  MEMORY: memoryKind,
  CHUNK: chunkKind,
  DOCUMENT: documentKind,
  TOOL: toolKind,
};
