import { isNotNull, type SQL, sql } from 'drizzle-orm';
import type { SearchTable } from '../tables.ts';

// Which embeddings a search compares: all that a row has already. A condition on the model that made them would go here. Where a
// statement compares a stored embedding, it either has `isComparable` in its WHERE or takes `comparableEmbedding`.

type EmbeddingColumn = Pick<SearchTable, 'embedding'>;

/**
 * Condition: a search may compare the row's embedding. WHERE it holds, compare the bare column, as only that can use the vector
 * index.
 * @param alias the name of the row in the statement, if that is not the table's own.
 */
export function isComparable({ embedding }: EmbeddingColumn, alias?: SQL): SQL {
  return alias === undefined ? isNotNull(embedding) : sql`${aliased(embedding, alias)} is not null`;
}

/**
 * Expression: the row's embedding, or NULL if a search may not compare it. A distance to NULL is NULL, and `avg` skips NULL.
 * @param alias the name of the row in the statement, if that is not the table's own.
 */
export function comparableEmbedding({ embedding }: EmbeddingColumn, alias?: SQL): SQL {
  return alias === undefined ? sql`${embedding}` : aliased(embedding, alias);
}

function aliased({ name }: SearchTable['embedding'], alias: SQL): SQL {
  return sql`${alias}.${sql.raw(name)}`;
}
