/**
 * What starting one inference costs, in tokens of the same time: a batch of one short text takes about as long as
 * one of 16 tokens more.
 */
const batchOverhead = 16;

/**
 * Groups items into batches so that the time to compute them all is least, given that a batch is padded to its
 * longest item: the sum over batches of `batchOverhead` + longest x items, by dynamic programming over the items in
 * order of length (a best grouping never interleaves lengths).
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
