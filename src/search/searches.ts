import type { SQL } from 'drizzle-orm';
import type { ChunkFilters, DocumentFilters, MemoryFilters, ToolFilters } from '../filters/filters.ts';
import type { ChunkRow, DocumentRow, MemoryRow, ToolRow } from '../store/rows.ts';
import type { Searched } from './execute.ts';
import { chunkKind, documentKind, type Kind, memoryKind, toolKind } from './kinds.ts';
import type { Match } from './matches.ts';
import { documentStatement, rowStatement } from './sql/statement.ts';
import { chunkTable, memoryTable, type RowTable, toolTable } from './tables.ts';

/** A document that was found, with the chunk of it that is nearest. */
export interface DocumentMatch extends Match<DocumentRow> {
  chunk: ChunkRow;
}

// The search of each kind alone. `recall.ts` has that of several together.

export const memorySearch = rowSearch<MemoryFilters, MemoryRow>(memoryKind, memoryTable);
export const chunkSearch = rowSearch<ChunkFilters, ChunkRow>(chunkKind, chunkTable);
export const toolSearch = rowSearch<ToolFilters, ToolRow>(toolKind, toolTable);
export const documentSearch: Searched<
  DocumentFilters,
  { row: DocumentRow; chunk: ChunkRow },
  SQL | undefined
> = { ...searchOf(documentKind), statement: documentStatement };

function searchOf<Filters>(kind: Kind<Filters>) {
  return {
    name: kind.label,
    compile: (filters: Filters | undefined) => kind.compile(filters),
    sources: (viewer: Parameters<typeof kind.visible>[0], condition: SQL | undefined) => [
      { kind, filters: kind.visible(viewer, condition) },
    ],
  };
}

function rowSearch<Filters, Row>(
  kind: Kind<Filters>,
  table: RowTable<Row>,
): Searched<Filters, { row: Row }, SQL | undefined> {
  return {
    ...searchOf(kind),
    statement: (plan, viewer, batch) => rowStatement(plan, viewer, table, batch),
  };
}
