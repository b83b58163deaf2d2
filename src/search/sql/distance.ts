import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { Metric } from '../options.ts';

/**
 * pgvector's distance operators: all three grow with distance, so all are ordered ascending. `<#>` is the *negative*
 * inner product for exactly that reason.
 */
const operators: Record<Metric, SQL> = {
  COSINE: sql`<=>`,
  EUCLIDEAN: sql`<->`,
  INNER_PRODUCT: sql`<#>`,
};

/** The bare distance expression. Only an ascending ORDER BY on exactly this can use a vector index. */
export function distanceTo(column: SQLWrapper, metric: Metric, operand: SQLWrapper): SQL<number> {
  return sql<number>`${column} ${operators[metric]} ${operand}`;
}

/**
 * The distance of a row without an embedding, which only its words can find: as far as two unit vectors can be. A match always has a
 * distance.
 */
export const FARTHEST: Record<Metric, SQL> = {
  COSINE: sql.raw('2'),
  EUCLIDEAN: sql.raw('2'),
  INNER_PRODUCT: sql.raw('1'),
};

/** `similarityOf` in SQL. */
export function similarityExpression(metric: Metric, distance: SQL): SQL<number> {
  switch (metric) {
    case 'COSINE':
      return sql<number>`(1 - ${distance})`;
    case 'EUCLIDEAN':
      return sql<number>`(1 / (1 + ${distance}))`;
    case 'INNER_PRODUCT':
      return sql<number>`(-${distance})`;
  }
}

/** The similarity for pgvector's distance: 1 - d, 1 / (1 + d), and -d for the (negated) inner product. */
export function similarityOf(metric: Metric, distance: number): number {
  switch (metric) {
    case 'COSINE':
      return 1 - distance;
    case 'EUCLIDEAN':
      return 1 / (1 + distance);
    case 'INNER_PRODUCT':
      return -distance;
  }
}
