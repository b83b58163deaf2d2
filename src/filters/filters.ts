import type { SQL } from 'drizzle-orm';
import {
  type ChunkFilters,
  chunkFields,
  type DocumentFilters,
  documentFields,
  type MemoryFilters,
  memoryFields,
  type ToolFilters,
  toolFields,
} from './fields.ts';
import { InputPath } from './input-path.ts';
import { compileNesting, type Fields } from './nesting.ts';

export type { ChunkFilters, DocumentFilters, MemoryFilters, ToolFilters };

// Each gives the condition for a WHERE over the unaliased Drizzle table, with every value a bound parameter, or undefined
// when the whole filter says nothing. The errors are FunesErrors: BAD_USER_INPUT for something that can never be right (an
// unknown field or operator, an operand that the column cannot hold, a condition that says nothing), LIMIT_EXCEEDED past a
// bound of `filterLimits`; the message starts with the inputPath, like `filters.or[1].createdAt.gt`, where `name` is what
// the client calls the whole filter.

/** Condition over `memories`. @throws FunesError */
export function compileMemoryFilters(
  filters: MemoryFilters | null | undefined,
  name?: string,
): SQL | undefined {
  return compileFilters(memoryFields, filters, name);
}

/** Condition over `documents`. @throws FunesError */
export function compileDocumentFilters(
  filters: DocumentFilters | null | undefined,
  name?: string,
): SQL | undefined {
  return compileFilters(documentFields, filters, name);
}

/** Condition over `document_chunks`. @throws FunesError */
export function compileChunkFilters(
  filters: ChunkFilters | null | undefined,
  name?: string,
): SQL | undefined {
  return compileFilters(chunkFields, filters, name);
}

/** Condition over `tool_embeddings`. @throws FunesError */
export function compileToolFilters(filters: ToolFilters | null | undefined, name?: string): SQL | undefined {
  return compileFilters(toolFields, filters, name);
}

function compileFilters(fields: Fields, filters: unknown, name = 'filters'): SQL | undefined {
  return filters == null ? undefined : compileNesting(fields, filters, InputPath.root(name));
}
