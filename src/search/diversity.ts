interface Scored {
  score?: number | undefined;
  /** Cosine similarity to each hit of the same list, in their order. */
  alike?: readonly number[] | null | undefined;
}

/**
 * The k best of `hits`, which come best first. With `diversity` by maximal marginal relevance (Carbonell and Goldstein,
 * SIGIR 1998): one after the other the hit with the largest (1 - diversity) * relevance - diversity * similarity to the
 * most similar one chosen before, relevance being the score scaled to 0..1 over the hits.
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
