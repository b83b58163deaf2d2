import { type SQL, sql } from 'drizzle-orm';
import type { SearchTable } from '../tables.ts';

/**
 * The tsvector of a row, read once. PostgreSQL stores a long one out of line, and each function that reads it would fetch and
 * decompress it again. This helps only in a subselect that the planner cannot flatten (OFFSET 0).
 */
export function plainTsv({ tsv }: SearchTable): SQL {
  return sql`${tsv} || ''::tsvector`;
}
