/**
 * The time that starting an inference takes, in tokens: it takes as long as computing 16 more tokens.
 */
const batchOverhead = 16;

/**
 * Groups items into batches so that computing all of them takes the least time. A batch is padded to its longest item, so it
 * costs `batchOverhead` + longest x items. The items are sorted by length, because an optimal grouping never interleaves
 * lengths; dynamic programming then finds where to part them.
 */
export function planBatches<Item extends { tokens: number }>(items: readonly Item[]): Item[][] {
  const sorted = [...items].sort((a, b) => a.tokens - b.tokens);
  const cost = [0];
  const start = [0];
  for (let end = 1; end <= sorted.length; end++) {
    const longest = sorted[end - 1]?.tokens ?? 0;
    let best = Number.POSITIVE_INFINITY;
    for (let from = 0; from < end; from++) {
      const total = (cost[from] ?? 0) + batchOverhead + longest * (end - from);
      if (total < best) {
        best = total;
        start[end] = from;
      }
    }
    cost[end] = best;
  }
  const batches: Item[][] = [];
  for (let end = sorted.length; end > 0; end = start[end] ?? 0)
    batches.unshift(sorted.slice(start[end], end));
  return batches;
}
