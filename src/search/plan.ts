import { and, eq, ne, notInArray, type SQL, sql } from 'drizzle-orm';
import { hasOwnRowsOnly } from '../database/identity.ts';
import type { LocalSettings } from '../database/transaction.ts';
import { FunesError } from '../errors.ts';
import { allOf, splitOwner, withoutIndexes } from '../filters/parts.ts';
import { type Viewer, visibleTo } from '../viewer.ts';
import type { Position } from './cursor.ts';
import type { Kind } from './kinds.ts';
import { INDEXED_METRIC, type Metric, type SearchOptions, type Weights } from './options.ts';
import type { QueryBatch } from './query.ts';
import type { ReportDraft } from './report.ts';
import { notNewer } from './sql/keyset.ts';
import { ownIdsContaining } from './sql/own-rows.ts';
import { alias, column } from './sql/pipeline.ts';
import { sourceModel } from './sql/queries.ts';
import type { SearchTable } from './tables.ts';
import { transactionSettings } from './transaction-settings.ts';

/** What a search asks for, apart from its query. */
export interface SearchRequest<Conditions = SQL | undefined> {
  k: number;
  /** The compiled filters: conditions on columns of the search table. */
  conditions: Conditions;
  options: SearchOptions;
  /** Only rows behind this position of the list. */
  after?: Position | undefined;
  /** The client reads the list in pages: each match has a `position`. */
  pages?: boolean | undefined;
  /** Gets the numbers of the search, if a client asked for a report. */
  report?: ReportDraft | undefined;
}

/** One kind of row to search in. */
export interface SearchSource {
  kind: Kind;
  /** Condition: the row belongs to the one user whose rows are searched. Undefined if the rows of all users are. */
  scope: SQL | undefined;
  /** Condition: the row passes the request's filters. Undefined if there are none. */
  filters: SQL | undefined;
  /** A policy of the database leaves the viewer only the rows of the scope. */
  behindPolicy: boolean;
}

/**
 * Returns the source of a search in the rows of a kind that the viewer may see. If an administrator filters by one owner, that owner's
 * rows are the scope.
 */
export function sourceOf(viewer: Viewer, kind: Kind, filters: SQL | undefined): SearchSource {
  const { userId } = kind.table;
  if (userId === undefined) return { kind, scope: undefined, filters, behindPolicy: false };
  const scope = visibleTo(viewer, userId);
  if (scope) return { kind, scope, filters, behindPolicy: hasOwnRowsOnly(viewer) };
  const { owner, rest } = splitOwner(filters);
  return {
    kind,
    scope: owner === undefined ? undefined : eq(userId, owner),
    filters: rest,
    behindPolicy: false,
  };
}

/** The conditions on the rows that a search may find. A row must meet all of them. */
export interface RowConditions {
  scope: SQL | undefined;
  filters: SQL | undefined;
  /** The filters once more, for a scan of the vector index: no other index can answer them. */
  checked: SQL | undefined;
  /** Behind a policy: a row that passes the filters has one of these ids, which a function finds by an index. */
  among: SQL | undefined;
  /** Leaves out the rows that are the query, and rows that were stored after the first page was read. */
  others: SQL | undefined;
}

/** The condition that a row meets all conditions. */
export function passing({ scope, filters, others }: RowConditions): SQL | undefined {
  return and(scope, filters, others);
}

/** `passing`, for a statement that reads all rows that pass: behind a policy it finds them by an index. */
export function passingByIndex({ scope, among, filters, others }: RowConditions): SQL | undefined {
  return and(scope, among, filters, others);
}

/** Every decision that depends on the options of a search, taken once by `planSearch`. The files that compile SQL follow it. */
export interface SearchPlan {
  /** Matches for each query. */
  k: number;
  metric: Metric;
  /** The model whose embeddings are compared: an expression over a row of the queries. */
  model: SQL;
  /** The search is for this model only as long as it is the model of the installation. */
  current: SQL | undefined;
  /**
   * The search compares every row that passes the conditions and does not use the vector index: the client asked for that, or the
   * metric has no index.
   */
  exact: boolean;
  /** One source; for a recall one for each kind, in the order of the request. */
  sources: readonly PlannedSource[];
  /** How rows are scored; undefined if distance alone orders the list. */
  ranking: RankingPlan | undefined;
  /**
   * Set if documents are compared by the means of their chunks: how many are compared in one round, and on all pages up to this
   * one.
   */
  means: { size: number; wanted: number } | undefined;
  /** How much similarity to earlier matches counts against a match, 0 to 1. Such a list is chosen as a whole. */
  diversity: number | undefined;
  /** Matches farther than this are left out. */
  maxDistance: number | undefined;
  after: Position | undefined;
  /** Each match has a position. */
  pages: boolean;
  /** Each hit has a `round`: on later pages of a list whose candidates come in rounds, see `cursor.ts`. */
  rounds: boolean;
  /** Hits have the columns of a report. */
  report: boolean;
  /** The settings of the search's transaction. */
  settings: LocalSettings;
}

export interface PlannedSource extends Pick<SearchSource, 'kind' | 'behindPolicy'> {
  table: SearchTable;
  rows: RowConditions;
  /** How many candidates each list has in one round of a scored search. */
  candidates: number;
  /** How many candidates each list has on all pages up to this one. */
  wanted: number;
  /** Rows lend a part of their scores to their neighbours in the session. */
  lends: boolean;
}

export interface RankingPlan {
  /** Candidates are found by distance. */
  near: boolean;
  /** Candidates are found by words. */
  words: boolean;
  /**
   * What a row is worth by itself: its similarity, its BM25, the sum of both as standard scores over the candidates, or the sum of
   * both reciprocal ranks.
   */
  base: 'SIMILARITY' | 'BM25' | 'STANDARD' | 'RANK';
  /** The weight of the words; meaning has weight 1. */
  keywordWeight: number;
  /** The share of its score that a row lends; undefined if no row lends. */
  context: number | undefined;
  percentile: number | undefined;
  weights: Weights | undefined;
  /** `weights` needs relevance scaled to 0..1, where recency and importance are. A similarity needs no scaling. */
  scaled: boolean;
  /** Each row has its similarity to the others, by which `diversity` chooses. */
  alike: boolean;
  /** How many rows the statement returns: more than k if `diversity` chooses among them. */
  rows: number;
}

/** What orders a list. A list that is chosen for its diversity is chosen as a whole and has no pages. */
export type ListOrder = 'DISTANCE' | 'SCORE' | 'DIVERSITY';

/** What orders the list of a search with these options. */
export function listOrder({ mode, context, percentile, weights, diversity }: SearchOptions): ListOrder {
  if (diversity !== undefined) return 'DIVERSITY';
  const scored = mode !== 'SEMANTIC' || context > 0 || percentile !== undefined || weights !== undefined;
  return scored ? 'SCORE' : 'DISTANCE';
}

/**
 * The least number of candidates of each kind. With 200, LoCoMo's R@10 is .757 and Cranfield's nDCG@10 is .406. With 100 they
 * are .753 and .405. With every row they are no higher than with 200. Fewer documents are enough, because many chunks are read for
 * each.
 */
const LEAST_CANDIDATES = 200;
const LEAST_GROUPS = 50;
const CANDIDATES_PER_MATCH = 4;

// How many of the nearest chunks to read for one document. As soon as these chunks belong to k documents, those are the k nearest,
// in order. Several chunks of one document are often near each other.
const CHUNKS_PER_DOCUMENT = 10;
const LEAST_CHUNKS = 100;

// How many documents to compare by their means for one match: the order by best chunk is not quite the order by mean.
const MEANS_PER_DOCUMENT = 4;
const LEAST_MEANS = 40;
const EVERY = 2_147_483_647;

/** How many rows `diversity` chooses among, for one match. */
const DIVERSE_PER_MATCH = 2;
const LEAST_DIVERSE = 50;
/** Each row is compared with each other row, so the work grows with the square. */
const MOST_DIVERSE = 100;

/**
 * Plans a search in `sources`.
 * @throws FunesError BAD_USER_INPUT for options that need something that none of the sources has.
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
    // A search by distance wants twice as many rows as it shows on all pages up to this one: an index scan misses rows mostly at
    // its end.
    const rows = means?.wanted ?? (ranked ? wanted : 2 * shown);
    return table.group ? chunksFor(rows) : rows;
  });
  return {
    k,
    metric: options.metric,
    model: batch.by === 'vectors' ? sql`${batch.model.name}` : sourceModel,
    current: batch.by === 'vectors' && batch.model.isCurrent ? sql`${batch.model.name}` : undefined,
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
  { kind, scope, filters: given, behindPolicy }: SearchSource,
  index: number,
  batch: QueryBatch,
  { k, options, after }: Pick<SearchRequest<unknown>, 'k' | 'options' | 'after'>,
): PlannedSource {
  const { table } = kind;
  const filters = allOf(given, ofRareModel(table, batch));
  const candidates = Math.max(
    (after?.k ?? k) * CANDIDATES_PER_MATCH,
    table.group ? LEAST_GROUPS : LEAST_CANDIDATES,
  );
  return {
    kind,
    behindPolicy,
    table,
    rows: {
      scope,
      filters,
      checked: filters && withoutIndexes(filters),
      among: behindPolicy ? ownIdsContaining(filters) : undefined,
      others: and(notTheQuery(table, batch), notNewer(table, after?.basis?.newest[index])),
    },
    candidates,
    wanted: candidates * roundsUntil(after),
    lends: table.session !== undefined && options.context > 0,
  };
}

/**
 * The condition on the model, once more, for a search in a model that few rows may have: as a filter it is among those that decide
 * whether the vector index is tried.
 */
function ofRareModel({ embeddingModel }: SearchTable, batch: QueryBatch): SQL | undefined {
  return batch.by === 'vectors' && batch.model.isNamed ? eq(embeddingModel, batch.model.name) : undefined;
}

/** The condition that leaves out the rows that are the query. */
function notTheQuery({ group, id }: SearchTable, batch: QueryBatch): SQL | undefined {
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
    throw new FunesError('BAD_USER_INPUT', 'options.context is for memories: nothing else has a session.');
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

/** How many of the nearest chunks to read to find this many documents. */
export function chunksFor(documents: number): number {
  return Math.max(documents * CHUNKS_PER_DOCUMENT, LEAST_CHUNKS);
}

/** How many rounds of candidates a page needs. One more than the cursor's round: that round may have no rows left. */
function roundsUntil(after: Position | undefined): number {
  return after ? after.round + 2 : 1;
}
