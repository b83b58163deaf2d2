interface Scored {
  score?: number | undefined;
  /** Cosine similarity to each hit of the same list, in the order of the list. */
  alike?: readonly number[] | null | undefined;
}

/**
 * Chooses k of `hits`, which are ordered best first. Without `diversity` these are the first k. With `diversity` it chooses by
 * maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): one hit after another, each time the one with the largest
 * (1 - diversity) * relevance - diversity * similarity to the most similar hit chosen before. Relevance is the score, scaled to
 * 0..1 over the hits.
 */
export function chooseDiverse<H extends Scored>(
  hits: readonly H[],
  k: number,
  diversity: number | undefined,
): H[] {
  if (diversity === undefined) return hits.slice(0, k);
  const scores = hits.map(({ score }) => score ?? 0);
  const [best, worst] = [Math.max(...scores), Math.min(...scores)];
  const relevance = scores.map((score) => (best === worst ? 1 : (score - worst) / (best - worst)));
  const closest = hits.map(() => 0);
  const left = new Set(hits.keys());
  const chosen: H[] = [];
  while (chosen.length < k && left.size > 0) {
    let next = -1;
    let highest = Number.NEGATIVE_INFINITY;
    for (const i of left) {
      const marginal = (1 - diversity) * (relevance[i] ?? 0) - diversity * (closest[i] ?? 0);
      if (marginal > highest) [next, highest] = [i, marginal];
    }
    const hit = hits[next] as H;
    left.delete(next);
    chosen.push(hit);
    for (const i of left) closest[i] = Math.max(closest[i] ?? 0, hit.alike?.[i] ?? 0);
  }
  return chosen;
}
