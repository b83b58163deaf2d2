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
// when the filter says nothing. The errors are FunesErrors: BAD_USER_INPUT for something that can never be right (an
// unknown field or operator, an operand that the column cannot hold), LIMIT_EXCEEDED past a bound of `filterLimits`;
// the message starts with the inputPath, like `filters.or[1].createdAt.gt`,
// where `name` is what the client calls the whole filter.

/** Condition over `memories`. @throws FunesError */
export function compileMemoryFilters(
  filters: MemoryFilters | null | undefined,
  inputPath?: string,
): SQL | undefined {
  return compileFilters(memoryFields, filters, inputPath);
}

/** Condition over `documents`. @throws FunesError */
export function compileDocumentFilters(
  filters: DocumentFilters | null | undefined,
  inputPath?: string,
): SQL | undefined {
  return compileFilters(documentFields, filters, inputPath);
}

/** Condition over `document_chunks`. @throws FunesError */
export function compileChunkFilters(
  filters: ChunkFilters | null | undefined,
  inputPath?: string,
): SQL | undefined {
  return compileFilters(chunkFields, filters, inputPath);
}

/** Condition over `tool_embeddings`. @throws FunesError */
export function compileToolFilters(
  filters: ToolFilters | null | undefined,
  inputPath?: string,
): SQL | undefined {
  return compileFilters(toolFields, filters, inputPath);
}

function compileFilters(fields: Fields, filters: unknown, inputPath = 'filters'): SQL | undefined {
  return filters == null ? undefined : compileNesting(fields, filters, InputPath.root(inputPath));
}
