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
import type { DocumentRow } from '../store/rows.ts';
import { searchByExamples, searchDocumentsByExamples } from './examples.ts';
import type { SearchKind } from './loader.ts';
import type { Match } from './matches.ts';
import {
  type Searchable,
  searchableChunks,
  searchableMemories,
  searchableTools,
  searchByRows,
  searchByVectors,
} from './search.ts';
import { type DocumentMatch, searchDocumentsByRows, searchDocumentsByVectors } from './sql/documents.ts';

function kindOf<Filters, Row extends { id: string }>(
  target: Searchable<Row>,
  name: string,
  compile: SearchKind<Filters, Match<Row>>['compile'],
): SearchKind<Filters, Match<Row>> {
  return {
    name,
    compile,
    byVectors: (database, viewer, targets, request) =>
      searchByVectors(database, viewer, target, targets, request),
    byRows: (database, viewer, ids, request) => searchByRows(database, viewer, target, ids, request),
    byExamples: (database, viewer, examples, request) =>
      searchByExamples(database, viewer, target, name, examples, request),
  };
}

/** How each kind of row is searched, by the name of its filters. */
export const memorySearch = kindOf(searchableMemories, 'memory', (filters: MemoryFilters | undefined) =>
  compileMemoryFilters(filters),
);
export const chunkSearch = kindOf(searchableChunks, 'chunk', (filters: ChunkFilters | undefined) =>
  compileChunkFilters(filters),
);
export const toolSearch = kindOf(searchableTools, 'tool', (filters: ToolFilters | undefined) =>
  compileToolFilters(filters),
);
export const documentSearch: SearchKind<DocumentFilters, DocumentMatch & Match<DocumentRow>> = {
  name: 'document',
  compile: (filters) => compileDocumentFilters(filters),
  byVectors: searchDocumentsByVectors,
  byRows: searchDocumentsByRows,
  byExamples: searchDocumentsByExamples,
};
