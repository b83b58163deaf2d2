import type { SQL } from 'drizzle-orm';
import type { ChunkFilters, DocumentFilters, MemoryFilters, ToolFilters } from '../filters/filters.ts';
import type { ChunkRow, DocumentRow, MemoryRow, ToolRow } from '../store/rows.ts';
import type { Viewer } from '../viewer.ts';
import {
  chunkKind,
  documentKind,
  type Kind,
  type KindFilters,
  type KindName,
  kinds,
  memoryKind,
  type RecalledRow,
  toolKind,
} from './kinds.ts';
import type { Match } from './matches.ts';
import { type SearchPlan, type SearchSource, sourceOf } from './plan.ts';
import type { QueryBatch } from './query.ts';
import { documentStatement, recallStatement, rowStatement, type SearchStatement } from './sql/statement.ts';
import { chunkTable, memoryTable, type RowTable, toolTable } from './tables.ts';

/** What a search of one kind of row differs in from the others; or of several kinds, for a recall. */
export interface SearchDefinition<Filters, Found, Conditions> {
  /** Names the search in cursors. */
  name: string;
  /** Compiles the filters. @throws FunesError */
  compile(filters: Filters | undefined): Conditions;
  /** The kinds to search in, within what the viewer may see. */
  sources(viewer: Viewer, conditions: Conditions): SearchSource[];
  statement(plan: SearchPlan, viewer: Viewer, batch: QueryBatch): SearchStatement<Found>;
}

/** A document, with its nearest chunk. */
export interface DocumentMatch extends Match<DocumentRow> {
  chunk: ChunkRow;
}

/** Which kinds a recall searches in, and which rows of each. */
export interface RecallScope {
  kinds: readonly KindName[];
  filters: KindFilters;
}

export const memorySearch = rowSearch<MemoryFilters, MemoryRow>(memoryKind, memoryTable);
export const chunkSearch = rowSearch<ChunkFilters, ChunkRow>(chunkKind, chunkTable);
export const toolSearch = rowSearch<ToolFilters, ToolRow>(toolKind, toolTable);
export const documentSearch: SearchDefinition<
  DocumentFilters,
  { row: DocumentRow; chunk: ChunkRow },
  SQL | undefined
> = { ...searchOf(documentKind), statement: documentStatement };

export const recallSearch: SearchDefinition<
  RecallScope,
  { row: RecalledRow },
  Pick<SearchSource, 'kind' | 'filters'>[]
> = {
  name: 'recall',
  compile: (scope) =>
    (scope?.kinds ?? []).map((name) => {
      const kind = kinds[name];
      const given = scope?.filters[kind.filters] as never;
      return { kind, filters: kind.compile(given, `filters.${kind.filters}`) };
    }),
  sources: (viewer, sources) => sources.map(({ kind, filters }) => sourceOf(viewer, kind, filters)),
  statement: recallStatement,
};

function searchOf<Filters>(kind: Kind<Filters>) {
  return {
    name: kind.label,
    compile: (filters: Filters | undefined) => kind.compile(filters),
    sources: (viewer: Viewer, filters: SQL | undefined) => [sourceOf(viewer, kind, filters)],
  };
}

function rowSearch<Filters, Row>(
  kind: Kind<Filters>,
  table: RowTable<Row>,
): SearchDefinition<Filters, { row: Row }, SQL | undefined> {
  return {
    ...searchOf(kind),
    statement: (plan, viewer, batch) => rowStatement(plan, viewer, table, batch),
  };
}
