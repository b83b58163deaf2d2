import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { SearchTable } from '../tables.ts';

// Which embeddings a search compares: those of one model, because distances between vectors of different models mean nothing. Where a
// statement compares a stored embedding, it either has `isComparable` in its WHERE or takes `comparableEmbedding`.

type EmbeddingColumns = Pick<SearchTable, 'embedding' | 'embeddingModel'>;

/**
 * Condition: the row's embedding is of `model`. WHERE it holds, compare the bare column, as only that can use the vector index.
 *
 * The planner expects that nearly every expression is not NULL, and nearly all rows have the model. From `embedding_model = model` it
 * would expect one row in 200 in a table without statistics, and read the whole table instead of the vector index.
 */
export function isComparable({ embeddingModel }: EmbeddingColumns, model: SQLWrapper): SQL {
  return sql`(case when ${embeddingModel} = ${model} then 1 end) is not null`;
}

/**
 * Expression: the row's embedding, or NULL if it is not of `model`. A distance to NULL is NULL, and `avg` skips NULL.
 * @param alias the name of the row in the statement, if that is not the table's own.
 */
export function comparableEmbedding(
  { embedding, embeddingModel }: EmbeddingColumns,
  model: SQLWrapper,
  alias?: SQL,
): SQL {
  const [vector, itsModel] = [embedding, embeddingModel].map((column) =>
    alias === undefined ? sql`${column}` : sql`${alias}.${sql.raw(column.name)}`,
  );
  return sql`case when ${itsModel} = ${model} then ${vector} end`;
}
