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

// Each function returns the condition for a WHERE over the unaliased Drizzle table, in which every value is a bound
// parameter. It returns undefined for a whole filter without conditions. It throws FunesError BAD_USER_INPUT for an unknown
// field or operator, for an operand that the column cannot hold, and for a part that says nothing; LIMIT_EXCEEDED for a
// filter that exceeds one of `filterLimits`. The message begins with an input path, such as `filters.or[1].createdAt.gt`.
// The parameter `inputPath` is the input path of the whole filter.

/** Compiles a filter over `memories`. @throws FunesError */
export function compileMemoryFilters(
  filters: MemoryFilters | null | undefined,
  inputPath?: string,
): SQL | undefined {
  return compileFilters(memoryFields, filters, inputPath);
}

/** Compiles a filter over `documents`. @throws FunesError */
export function compileDocumentFilters(
  filters: DocumentFilters | null | undefined,
  inputPath?: string,
): SQL | undefined {
  return compileFilters(documentFields, filters, inputPath);
}

/** Compiles a filter over `document_chunks`. @throws FunesError */
export function compileChunkFilters(
  filters: ChunkFilters | null | undefined,
  inputPath?: string,
): SQL | undefined {
  return compileFilters(chunkFields, filters, inputPath);
}

/** Compiles a filter over `tool_embeddings`. @throws FunesError */
export function compileToolFilters(
  filters: ToolFilters | null | undefined,
  inputPath?: string,
): SQL | undefined {
  return compileFilters(toolFields, filters, inputPath);
}

function compileFilters(fields: Fields, filters: unknown, inputPath = 'filters'): SQL | undefined {
  return filters == null ? undefined : compileNesting(fields, filters, InputPath.root(inputPath));
}
