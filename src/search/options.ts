import { FunesError } from '../errors.ts';
import { checkLimit, checkRange } from '../input/checks.ts';
import { limits } from '../input/limits.ts';

export const metrics = ['COSINE', 'EUCLIDEAN', 'INNER_PRODUCT'] as const;
export type Metric = (typeof metrics)[number];

/** The only metric that the HNSW indexes serve: the migrations build them with the operator class `vector_cosine_ops`. */
export const INDEXED_METRIC: Metric = 'COSINE';

export const modes = ['SEMANTIC', 'KEYWORD', 'HYBRID'] as const;
export type Mode = (typeof modes)[number];

export const fusions = ['SCORE', 'RANK'] as const;
export type Fusion = (typeof fusions)[number];

/** The weights of the parts of a memory's score; only their proportions count. */
export interface Weights {
  similarity: number;
  recency: number;
  importance: number;
  /** Days after which recency is half of what it was. */
  halfLifeDays: number;
}

/** The checked options of a search, with defaults filled in. */
export interface SearchOptions {
  metric: Metric;
  /** Compare meaning (distance), words (BM25), or both. */
  mode: Mode;
  /** How HYBRID joins meaning and words: by their normalised scores, or by their ranks. */
  fusion: Fusion;
  /** The weight of the words in HYBRID; meaning has weight 1. */
  keywordWeight: number;
  /** The share of its score that a memory lends to its neighbours in the session, 0 to 1. */
  context: number;
  /** The client sent `context`. A search without sessions then refuses it and does not ignore it. */
  contextAsked?: true;
  /** Keep only candidates whose distance is at or below this percentile of the candidates' distances, 0 to 1. */
  percentile?: number;
  weights?: Weights;
  /** How much similarity to earlier matches counts against a match's own score, 0 to 1 (maximal marginal relevance). */
  diversity?: number;
  /** Leave out matches farther than this (in the metric's own distance). */
  maxDistance?: number;
  /** Compare every row that passes the filters, and do not use the vector index. */
  exact: boolean;
  /** How many candidates the HNSW scan keeps; more is slower and finds more. */
  efSearch?: number;
}

/** The options as a client sends them: any of them, or null. */
export type SearchOptionsInput = {
  [Name in Exclude<keyof SearchOptions, 'weights' | 'contextAsked'>]?: SearchOptions[Name] | null | undefined;
} & { weights?: { [Name in keyof Weights]?: number | null | undefined } | null | undefined };

export const defaultSearchOptions: SearchOptions = {
  metric: 'COSINE',
  mode: 'SEMANTIC',
  fusion: 'SCORE',
  keywordWeight: 0.7,
  context: 0,
  exact: false,
};

// Measured on LoCoMo and Cranfield (docs/decisions.md): the answer is often in the turn next to the one whose words match.
const HYBRID_CONTEXT = 0.4;
const defaultWeights: Weights = { similarity: 1, recency: 0, importance: 0, halfLifeDays: 30 };

/** Checks k. @throws FunesError BAD_USER_INPUT below 1, LIMIT_EXCEEDED above the limit. */
export function checkK(k: number): void {
  if (!Number.isInteger(k) || k < 1)
    throw new FunesError('BAD_USER_INPUT', `k is how many matches to return: at least 1, not ${k}.`);
  if (k > limits.k) throw new FunesError('LIMIT_EXCEEDED', `k may be at most ${limits.k}, not ${k}.`);
}

/** Fills in defaults and checks ranges. @throws FunesError BAD_USER_INPUT or LIMIT_EXCEEDED naming the option. */
export function parseSearchOptions(given: SearchOptionsInput | null | undefined): SearchOptions {
  if (!given) return defaultSearchOptions;
  const metric = given.metric ?? 'COSINE';
  const mode = given.mode ?? 'SEMANTIC';
  const exact = given.exact ?? false;
  const refuseUnless = (fine: boolean, message: string) => {
    if (!fine) throw new FunesError('BAD_USER_INPUT', message);
  };
  const within = (
    name: 'keywordWeight' | 'context' | 'percentile' | 'diversity',
    min: number,
    max: number,
  ) => {
    const value = given[name];
    return value == null ? {} : { [name]: checkRange(value, `options.${name}`, min, max) };
  };
  const { maxDistance } = given;
  refuseUnless(
    maxDistance == null || metric === 'INNER_PRODUCT' || maxDistance >= 0,
    `options.maxDistance must be 0 or more, not ${maxDistance}.`,
  );
  refuseUnless(
    !(exact && given.efSearch != null),
    'options.efSearch tunes the vector index, which options.exact does not use: leave one of them out.',
  );
  refuseUnless(
    given.efSearch == null || metric === INDEXED_METRIC,
    `options.efSearch tunes the vector index, which is for ${INDEXED_METRIC} only: leave it out with metric ${metric}.`,
  );
  refuseUnless(
    mode !== 'KEYWORD' || (!exact && given.efSearch == null),
    'options.exact and options.efSearch are about the vector index, which mode KEYWORD does not use: leave them out.',
  );
  refuseUnless(
    mode === 'HYBRID' || (given.fusion ?? given.keywordWeight) == null,
    `options.fusion and options.keywordWeight are for mode HYBRID, and the mode is ${mode}.`,
  );
  refuseUnless(
    given.fusion !== 'RANK' || given.context == null || given.context === 0,
    'options.context shares scores between memories, and fusion RANK has no scores to share: use fusion SCORE, or leave context out.',
  );
  const byRank = given.fusion === 'RANK';
  return {
    ...defaultSearchOptions,
    metric,
    mode,
    exact,
    ...(given.fusion && { fusion: given.fusion }),
    ...(mode === 'HYBRID' && !byRank && { context: HYBRID_CONTEXT }),
    ...within('keywordWeight', 0, 10),
    ...within('context', 0, 1),
    ...(given.context && { contextAsked: true as const }),
    ...within('percentile', 0, 1),
    ...within('diversity', 0, 1),
    ...(given.efSearch != null && {
      efSearch: checkLimit(given.efSearch, 'options.efSearch', 1, limits.efSearch),
    }),
    ...(maxDistance != null && { maxDistance }),
    ...(given.weights && { weights: parseWeights(given.weights) }),
  };
}

function parseWeights(given: NonNullable<SearchOptionsInput['weights']>): Weights {
  const weights = { ...defaultWeights };
  for (const name of ['similarity', 'recency', 'importance', 'halfLifeDays'] as const) {
    const value = given[name];
    if (value != null) weights[name] = checkRange(value, `options.weights.${name}`, 0, 1_000_000);
  }
  if (weights.similarity + weights.recency + weights.importance === 0) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'options.weights are all 0: one of similarity, recency and importance must weigh something.',
    );
  }
  if (weights.halfLifeDays === 0) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'options.weights.halfLifeDays must be above 0: it is the days after which recency is halved.',
    );
  }
  return weights;
}
