import { and, ne, notInArray, type SQL, sql } from 'drizzle-orm';
import type { LocalSettings } from '../database/transaction.ts';
import { FunesError } from '../errors.ts';
import { type Viewer, visibleTo } from '../viewer.ts';
import type { Position } from './cursor.ts';
import type { Kind } from './kinds.ts';
import { INDEXED_METRIC, type Metric, type SearchOptions, type Weights } from './options.ts';
import type { QueryBatch } from './query.ts';
import type { ReportDraft } from './report.ts';
import { notNewer } from './sql/keyset.ts';
import { alias, column } from './sql/pipeline.ts';
import type { SearchTable } from './tables.ts';
import { transactionSettings } from './transaction-settings.ts';

/** What a search asks for, apart from what it is near to. */
export interface SearchRequest<Conditions = SQL | undefined> {
  k: number;
  /** The compiled filters, over the searched table's own columns. */
  conditions: Conditions;
  options: SearchOptions;
  /** Only rows behind this position of the list. */
  after?: Position | undefined;
  /** The list is read in pages: its matches have a `position`. */
  pages?: boolean | undefined;
  /** Somebody wants to know how the rows are found. */
  report?: ReportDraft | undefined;
}

/** One kind of row to search among. */
export interface SearchSource {
  kind: Kind;
  /** The rows that the viewer may see; undefined where that is all. */
  scope: SQL | undefined;
  /** The rows that the request's filters let through; undefined where that is all. */
  filters: SQL | undefined;
}

/** The rows of a kind that the viewer may see; undefined where that is all. */
export function scopeOf(viewer: Viewer, { table: { userId } }: Kind): SQL | undefined {
  return userId && visibleTo(viewer, userId);
}

/** How a search is carried out: all that depends on its options, decided once. What makes SQL only follows it. */
export interface SearchPlan {
  /** Matches for each query. */
  k: number;
  metric: Metric;
  /** Every row that passes the conditions is compared: there is no vector index to choose among them, or it may not. */
  exact: boolean;
  /** One, or those of a recall, in the order of their names in the request. */
  sources: readonly PlannedSource[];
  /** How rows are ranked by more than their distance; undefined where distance alone orders the list. */
  ranking: RankingPlan | undefined;
  /** Documents are compared by the means of their chunks, so many in a round, and so many on all pages up to this one. */
  means: { size: number; wanted: number } | undefined;
  /** How much likeness to the matches before counts against a match, 0 to 1; the list is then chosen as a whole. */
  diversity: number | undefined;
  /** Matches farther than this are left out. */
  maxDistance: number | undefined;
  after: Position | undefined;
  /** Matches have a position. */
  pages: boolean;
  /** Hits say of which round they are: on later pages of a list whose candidates come in rounds. */
  rounds: boolean;
  /** Hits say how they were found. */
  report: boolean;
  /** For the search's transaction. */
  settings: LocalSettings;
}

export interface PlannedSource extends SearchSource {
  table: SearchTable;
  /** Scope and filters, and the rows that are no matches: those asked with, and those stored after the first page was read. */
  conditions: SQL | undefined;
  /** Candidates of each list in a round of a ranked search. */
  candidates: number;
  /** Candidates of each list on all pages up to this one. */
  wanted: number;
  /** Rows lend their neighbours in the session a part of their scores. */
  lends: boolean;
}

export interface RankingPlan {
  /** Candidates are found by distance. */
  near: boolean;
  /** Candidates are found by words. */
  words: boolean;
  /**
   * What a row is worth by itself: its similarity, its BM25, both as standard scores over the candidates, or both by reciprocal
   * rank.
   */
  base: 'SIMILARITY' | 'BM25' | 'STANDARD' | 'RANK';
  /** What the words weigh, where meaning weighs 1. */
  keywordWeight: number;
  /** The share of its score that a row lends; undefined where none lends. */
  context: number | undefined;
  percentile: number | undefined;
  weights: Weights | undefined;
  /** What `weights` weighs is brought between 0 and 1 first: a similarity is there, as recency and importance are. */
  scaled: boolean;
  /** Each row says how alike it is to the others, for `diversity` to choose among them. */
  alike: boolean;
  /** Rows that the statement returns: more than k where `diversity` chooses among them. */
  rows: number;
}

/** What orders a list, and so how it is read in pages: one that is chosen for its diversity is chosen as a whole. */
export type ListOrder = 'DISTANCE' | 'SCORE' | 'DIVERSITY';

/** What orders the list of a search with these options. */
export function listOrder({ mode, context, percentile, weights, diversity }: SearchOptions): ListOrder {
  if (diversity !== undefined) return 'DIVERSITY';
  const scored = mode !== 'SEMANTIC' || context > 0 || percentile !== undefined || weights !== undefined;
  return scored ? 'SCORE' : 'DISTANCE';
}

/**
 * Candidates of each kind, at the least: with 200, LoCoMo's R@10 is .757 and Cranfield's nDCG@10 .406, with 100 they are
 * .753 and .405, and with every row they do not rise further. Of documents fewer do, as many chunks are read for each.
 */
const LEAST_CANDIDATES = 200;
const LEAST_GROUPS = 50;
const CANDIDATES_PER_MATCH = 4;

// Nearest chunks to read for k documents: the documents among them are the nearest ones, in order, as soon as there are
// k of them. Several chunks of one document are often near together.
const CHUNKS_PER_DOCUMENT = 10;
const LEAST_CHUNKS = 100;

// Documents whose means are compared to find the nearest k: the order by best chunk is not quite the order by mean.
const MEANS_PER_DOCUMENT = 4;
const LEAST_MEANS = 40;
const EVERY = 2_147_483_647;

/** Rows among which `diversity` chooses. */
const DIVERSE_PER_MATCH = 2;
const LEAST_DIVERSE = 50;
/** Each is compared with each, so the work grows with the square. */
const MOST_DIVERSE = 100;

/**
 * The plan of a search among `sources`.
 * @throws FunesError BAD_USER_INPUT for options that ask for what none of the sources has.
 */
export function planSearch(
  sources: readonly SearchSource[],
  batch: QueryBatch,
  { k, options, after, pages, report }: SearchRequest<unknown>,
): SearchPlan {
  const order = listOrder(options);
  const ranked = order !== 'DISTANCE';
  const indexed = !options.exact && options.metric === INDEXED_METRIC;
  const planned = sources.map((source, i) => planSource(source, i, batch, { k, options, after }));
  const byMeans =
    batch.by !== 'vectors' && options.mode === 'SEMANTIC' && planned.some(({ table }) => table.group);
  const means = byMeans ? planMeans(options, after?.k ?? k, after) : undefined;
  const shown = (after?.seen ?? 0) + k;
  const reaches = planned.map(({ table, wanted }) => {
    // A search by distance wants twice as many as it shows, on this page and those before it: the last rows of an index scan
    // are those that it misses most.
    const rows = means?.wanted ?? (ranked ? wanted : 2 * shown);
    return table.group ? chunksFor(rows) : rows;
  });
  return {
    k,
    metric: options.metric,
    exact: options.mode !== 'KEYWORD' && !indexed,
    sources: planned,
    ranking: ranked ? planRanking(options, planned, k) : undefined,
    means,
    diversity: options.diversity,
    maxDistance: options.maxDistance,
    after,
    pages: pages === true && order !== 'DIVERSITY',
    rounds: after !== undefined && (ranked || byMeans),
    report: report !== undefined,
    settings: transactionSettings(options, Math.max(...reaches), indexed),
  };
}

function planSource(
  { kind, scope, filters }: SearchSource,
  index: number,
  batch: QueryBatch,
  { k, options, after }: Pick<SearchRequest<unknown>, 'k' | 'options' | 'after'>,
): PlannedSource {
  const { table } = kind;
  const candidates = Math.max(
    (after?.k ?? k) * CANDIDATES_PER_MATCH,
    table.group ? LEAST_GROUPS : LEAST_CANDIDATES,
  );
  return {
    kind,
    table,
    scope,
    filters,
    conditions: and(
      and(and(scope, filters), notAsked(table, batch)),
      notNewer(table, after?.basis?.newest[index]),
    ),
    candidates,
    wanted: candidates * roundsUntil(after),
    lends: table.session !== undefined && options.context > 0,
  };
}

/** The condition that leaves out the rows that are asked with. */
function notAsked({ group, id }: SearchTable, batch: QueryBatch): SQL | undefined {
  const identity = group ?? id;
  switch (batch.by) {
    case 'vectors':
      return batch.queries.some(({ except }) => except)
        ? ne(identity, sql`${alias.query}.${column.excepted}`)
        : undefined;
    case 'rows':
      return ne(identity, sql`${alias.source}.${sql.raw(identity.name)}`);
    case 'examples':
      return notInArray(identity, [...batch.examples.like, ...batch.examples.unlike]);
  }
}

function planRanking(options: SearchOptions, sources: readonly PlannedSource[], k: number): RankingPlan {
  const { mode, fusion, keywordWeight, percentile, weights, diversity } = options;
  const context = sources.some(({ lends }) => lends) ? options.context : undefined;
  if (options.contextAsked && context === undefined) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'options.context is for memories: nothing else is said in sessions.',
    );
  }
  if (weights && !sources.every(({ table }) => table.worth)) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'options.weights is for memories: nothing else has an importance.',
    );
  }
  const byItself = mode === 'KEYWORD' ? 'BM25' : 'SIMILARITY';
  const several = mode === 'HYBRID' || context !== undefined;
  return {
    near: mode !== 'KEYWORD',
    words: mode !== 'SEMANTIC',
    base: fusion === 'RANK' ? 'RANK' : several ? 'STANDARD' : byItself,
    keywordWeight: mode === 'KEYWORD' ? 1 : keywordWeight,
    context,
    percentile,
    weights,
    scaled: weights !== undefined && (mode !== 'SEMANTIC' || options.context > 0),
    alike: diversity !== undefined,
    rows:
      diversity === undefined
        ? k
        : Math.max(k, Math.min(Math.max(k * DIVERSE_PER_MATCH, LEAST_DIVERSE), MOST_DIVERSE)),
  };
}

function planMeans({ exact }: SearchOptions, k: number, after: Position | undefined) {
  const size = exact ? EVERY : Math.max(k * MEANS_PER_DOCUMENT, LEAST_MEANS);
  return { size, wanted: Math.min(size * roundsUntil(after), EVERY) };
}

/** How many of the nearest chunks are read for so many documents. */
export function chunksFor(documents: number): number {
  return Math.max(documents * CHUNKS_PER_DOCUMENT, LEAST_CHUNKS);
}

/** Up to which round, exclusive, a page needs the candidates: a round that has begun may be at its end. */
function roundsUntil(after: Position | undefined): number {
  return after ? after.round + 2 : 1;
}
