import type { Collection } from './data-set.ts';

/**
 * Ranks a collection's items without the database: cosine of each stored vector (they have length 1) with the question's,
 * all of them, greatest first, equal ones as they were stored. What a SEMANTIC search is measured against.
 */
export function plainRanking(
  { items }: Collection,
  vectors: readonly Float32Array[],
  question: Float32Array,
  k: number,
): string[] {
  return vectors
    .map((vector, i) => ({ i, cosine: vector.reduce((sum, x, j) => sum + x * (question[j] ?? 0), 0) }))
    .sort((a, b) => b.cosine - a.cosine || a.i - b.i)
    .slice(0, k)
    .map(({ i }) => items[i]?.key ?? '');
}
