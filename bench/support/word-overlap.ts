/** How well two texts agree. */
export interface Agreement {
  /** 2 x shared / (words of one + words of the other), so that missing and extra words both cost. */
  words: number;
  /** The same of pairs of words that follow one another. */
  pairs: number;
}

/** The words of a text: runs of letters and digits, in lower case. */
export function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}

/** Compares the words of two texts as multisets, and their pairs likewise. */
export function agreement(one: string, other: string): Agreement {
  const [a, b] = [wordsOf(one), wordsOf(other)];
  return { words: overlap(a, b), pairs: overlap(pairsOf(a), pairsOf(b)) };
}

/** Returns what is only in `one` (count above 0) and what is only in `other` (below 0), the most frequent first. */
export function differences(one: readonly string[], other: readonly string[]): [string, number][] {
  const counts = countsOf(one);
  for (const word of other) counts.set(word, (counts.get(word) ?? 0) - 1);
  return [...counts].filter(([, count]) => count !== 0).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
}

/** The pairs of neighbours in a list of words. */
export function pairsOf(words: readonly string[]): string[] {
  return words.slice(1).map((word, index) => `${words[index]} ${word}`);
}

function overlap(one: readonly string[], other: readonly string[]): number {
  const total = one.length + other.length;
  if (total === 0) return 1;
  const wrong = differences(one, other).reduce((sum, [, count]) => sum + Math.abs(count), 0);
  return (total - wrong) / total;
}

function countsOf(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
