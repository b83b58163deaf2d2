/** A measure of the answer to one question: a number from 0 to 1, where 1 is best. */
export interface Measure {
  name: string;
  /**
   * @param ranking the keys of the matches, best first.
   * @param relevant the keys of the right answers, with their gains.
   */
  of(ranking: readonly string[], relevant: ReadonlyMap<string, number>): number;
}

/**
 * Recall at k: the share of the right answers that are among the first k matches. (Manning, Raghavan, Schuetze:
 * Introduction to Information Retrieval, 2008, section 8.3; LoCoMo's own evaluation takes it over the evidence turns,
 * Maharana et al., ACL 2024, section 4.1.)
 */
export function recallAt(k: number, name = `R@${k}`): Measure {
  return {
    name,
    of: (ranking, relevant) => {
      const found = new Set(ranking.slice(0, k));
      return [...relevant.keys()].filter((key) => found.has(key)).length / relevant.size;
    },
  };
}

/** Hit at k (success at k): 1 if a right answer is among the first k matches, otherwise 0. */
export function hitAt(k: number): Measure {
  return {
    name: `hit@${k}`,
    of: (ranking, relevant) => (ranking.slice(0, k).some((key) => relevant.has(key)) ? 1 : 0),
  };
}

/**
 * Normalised discounted cumulative gain at k: the sum of gain / log2(1 + rank) over the first k matches, divided by the
 * sum for the best possible ranking. (Jaervelin and Kekaelaeinen, Cumulated gain-based evaluation of IR techniques, ACM
 * TOIS 20(4), 2002, in the form that trec_eval computes as ndcg_cut: the judgement itself is the gain.)
 */
export function ndcgAt(k: number): Measure {
  const dcg = (gains: readonly number[]) =>
    gains.slice(0, k).reduce((sum, gain, i) => sum + gain / Math.log2(i + 2), 0);
  return {
    name: `nDCG@${k}`,
    of: (ranking, relevant) => {
      const ideal = [...relevant.values()].sort((a, b) => b - a);
      return dcg(ranking.map((key) => relevant.get(key) ?? 0)) / dcg(ideal);
    },
  };
}
