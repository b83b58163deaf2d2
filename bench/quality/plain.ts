import type { Collection } from './data-set.ts';

/**
 * Ranks the items of a collection without the database, by the cosine of each stored vector with the vector of the
 * question. The vectors have length 1. The tie-break is the order in which the items were stored. A SEMANTIC search is
 * compared with this ranking.
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
