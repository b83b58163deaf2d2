import { and, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { FunesError } from '../../errors.ts';
import { hasPages, type SearchOptions } from '../options.ts';
import { type Basis, behindInRounds, type Position } from '../paging.ts';
import { FARTHEST, similarityExpression } from './distance.ts';

/** What scores are made from, and how many rows are wanted. */
export interface ScoredQuery {
  /** Undefined for a search by vector alone, which can only be SEMANTIC. */
  text: SQLWrapper | undefined;
  k: number;
  options: SearchOptions;
  /** Only rows behind this place. */
  after?: Position | undefined;
  /** Also the `basis` of the scores, for the cursors of a list that is read in pages. */
  pages?: boolean | undefined;
  /** Also how the rows were found: `candidates` and `completed`, see `SearchReport`. */
  report?: boolean | undefined;
}

/** What `weights` weighs beside relevance. */
export interface Worth {
  importance: PgColumn;
  createdAt: PgColumn;
}

/** Parts of a score, as the statement gives them; null for what the search did not look at. */
export interface ScoreParts {
  keyword: number | null;
  context: number | null;
  recency: number | null;
  importance: number | null;
}

/** Reciprocal rank fusion's constant: Cormack, Clarke and Büttcher, SIGIR 2009. */
const RANK_CONSTANT = sql.raw('60');

/** Rows among which `diversity` chooses. */
const DIVERSE_PER_MATCH = 2;
const LEAST_DIVERSE = 50;
/** Each is compared with each, so the work grows with the square. */
const MOST_DIVERSE = 100;

/** Whether the words of the text count. */
export function usesWords({ options, text }: Pick<ScoredQuery, 'options' | 'text'>): boolean {
  return options.mode !== 'SEMANTIC' && text !== undefined;
}

/**
 * CTEs from `features` to `scored`: what each row is worth. They need, for fusion by rank, the lists `near` and `worded`
 * with the same `key`, and with `context` the `shares`.
 * @param member the column of `features` that `shares` tells rows by.
 * @param size how many candidates of `near` and of `worded` are in a round, where their places do not begin with those of
 *   earlier rounds.
 */
export function scoringSteps(
  target: { worth?: Worth },
  query: ScoredQuery,
  { key, context, size, member = sql`id` }: { key: SQL; context: boolean; size?: number; member?: SQL },
): SQL[] {
  const { options } = query;
  const words = usesWords(query);
  const byRank = options.fusion === 'RANK';
  const basis = query.after?.basis;
  if (options.contextAsked && !context) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'options.context is for memories: nothing else is said in sessions.',
    );
  }
  return [
    basis ? momentsOf(basis) : moments,
    sql`based as materialized (select features.*, ${baseScore(query, words, context, size)} as base from features cross join moments
      ${byRank && options.mode !== 'KEYWORD' ? sql`left join near using (${key})` : sql``}
      ${byRank && words ? sql`left join worded using (${key})` : sql``})`,
    context
      ? lent(query, member)
      : sql`relevant as materialized (select based.*, null::float8 as lent from based)`,
    sql`scored as materialized (select *, ${finalScore(target, options, basis)} as score from relevant
      where ${threshold(options, basis)})`,
  ];
}

const moments = sql`moments as materialized (select avg(distance) as mean, stddev_pop(distance) as spread,
      avg(bm25) as word_mean, stddev_pop(bm25) as word_spread from features where candidate)`;

function momentsOf({ moments: [mean, spread, wordMean, wordSpread] }: Basis): SQL {
  return sql`moments as materialized (select ${mean}::float8 as mean, ${spread}::float8 as spread,
      ${wordMean}::float8 as word_mean, ${wordSpread}::float8 as word_spread)`;
}

/** A list that is made of `scored`. */
interface ScoredList {
  /** What tells its rows apart, and whatever else a hit carries. */
  columns: SQL;
  /** A FROM item: the rows of `scored`, or the best of each group of them. */
  rows: SQL;
  /** The column by which rows of equal score are ordered. */
  place: SQL;
  /** The column and value by which rows behind a place are known, where that is not `place` and its id. */
  behind?: (after: Position) => { column: SQL; behind: SQL };
  /** The tables it comes from: the newest row of each, and where words count what is known of those. */
  sources: readonly { newest: SQL; words: SQL }[];
  /** Columns for reports: `candidates`, `completed` and `capped`, see `SearchReport`. */
  report: SQL;
  /** A select of all columns of `chosen`, which has those above, and the row's `embedding`. */
  embedded: SQL;
}

/**
 * A parenthesised subselect of the best rows in `scored`, best first, with `columns`, `distance`, `score` and `parts`; on
 * later pages `round`; `basis` and the report's columns as far as the query asks; for `diversity` also `alike`, the cosine
 * similarity to each of the rows in their order.
 * @param ctes those up to `scored`.
 */
export function bestRows(ctes: readonly SQL[], query: ScoredQuery, list: ScoredList): SQL {
  const { options, after, report, k } = query;
  const order = sql`order by ${after ? sql`round, ` : sql``}score desc, ${list.place}`;
  const ids = after && (list.behind?.(after) ?? { column: list.place, behind: sql`${after.id}::bigint` });
  const past = after && ids && behindInRounds(after, 'score', ids);
  const how = report ? sql`, ${list.report}` : sql``;
  const round = after ? sql`, round` : sql``;
  const rows = sql`select ${list.columns}${round}, ${scoreColumns(query)}${basisColumn(query, list, order)}${how}
    from ${list.rows}${past ? sql` where ${past}` : sql``} ${order} limit ${rankedRows(options, k)}`;
  const before = sql.join([...ctes], sql`, `);
  if (options.diversity === undefined) return sql`(with ${before} ${rows})`;
  return sql`(with ${before}, chosen as materialized (${rows}), placed as materialized (${list.embedded})
    select placed.*, ${alikeColumn(list.place)} from placed)`;
}

/** How many rows a ranked search returns for k matches: more than k where `diversity` chooses among them afterwards. */
function rankedRows({ diversity }: SearchOptions, k: number): number {
  return diversity === undefined
    ? k
    : Math.max(k, Math.min(Math.max(k * DIVERSE_PER_MATCH, LEAST_DIVERSE), MOST_DIVERSE));
}

/**
 * The column `basis` with a comma before it: a `Basis` in the first row of a list that is read in pages, and nothing where
 * there are none. A later page repeats what it was given.
 */
function basisColumn(query: ScoredQuery, { sources }: ScoredList, order: SQL): SQL {
  const { options, after } = query;
  if (!query.pages || !hasPages(options)) return sql``;
  const fromEach = (part: 'newest' | 'words') =>
    sql`jsonb_build_array(${sql.join(
      sources.map((source) => source[part]),
      sql`, `,
    )})`;
  const relevant = sql`from relevant where ${threshold(options, undefined)}`;
  const basis = after
    ? sql`${JSON.stringify(after.basis)}::jsonb`
    : sql`jsonb_build_object('at', now(), 'newest', ${fromEach('newest')},
      'words', ${usesWords(query) ? fromEach('words') : sql`null`},
      'moments', (select jsonb_build_array(mean, spread, word_mean, word_spread) from moments),
      'farthest', ${farthest(options) ?? sql`null`},
      'relevance', ${
        scalesRelevance(options)
          ? sql`(select jsonb_build_array(min(${relevance}), max(${relevance})) ${relevant})`
          : sql`'[null, null]'::jsonb`
      })`;
  return sql`, case when row_number() over (${order}) = 1 then ${basis} end as basis`;
}

function scoreColumns(query: ScoredQuery): SQL {
  const { weights } = query.options;
  return sql`${distanceOrFarthest(query.options)} as distance, score, jsonb_build_object(
    'keyword', ${usesWords(query) ? sql`bm25` : sql`null`}, 'context', lent,
    'recency', ${weights ? sql`recency` : sql`null`}, 'importance', ${weights ? sql`importance` : sql`null`}) as parts`;
}

/** The distance that a match shows: a row without an embedding, which was found by its words, counts as farthest. */
function distanceOrFarthest({ metric }: SearchOptions): SQL {
  return sql`coalesce(distance, ${FARTHEST[metric]})`;
}

/** The column `alike` of a row in `placed (score, embedding)`, whose order is by score, then `ids`. */
function alikeColumn(ids: SQL): SQL {
  const others = sql`other.score desc, other.${ids}`;
  return sql`(select array_agg(coalesce(1 - (placed.embedding <=> other.embedding), 0)
      order by ${others}) from placed other)::float8[] as alike`;
}

/** What a row is worth by itself: its similarity or BM25, or both as standard scores (z) over the candidates, added. */
function baseScore(
  { options, after }: ScoredQuery,
  words: boolean,
  standard: boolean,
  size: number | undefined,
): SQL {
  const { mode, metric, fusion, keywordWeight } = options;
  const weight = sql`${mode === 'KEYWORD' ? 1 : keywordWeight}::float8`;
  if (fusion === 'RANK') {
    // A place of a later round was no place when the row's own round was looked at.
    const place = (list: SQL) =>
      after && size !== undefined
        ? sql`case when ${list}.place <= ${sql.raw(String(size))} * (round + 1) then ${list}.place end`
        : sql`${list}.place`;
    const rank = (list: SQL) => sql`coalesce(1.0 / (${RANK_CONSTANT} + ${place(list)}), 0)`;
    const nearRank = mode === 'KEYWORD' ? sql`0` : rank(sql`near`);
    const wordRank = words ? sql`${weight} * ${rank(sql`worded`)}` : sql`0`;
    return sql`(${nearRank} + ${wordRank})::float8`;
  }
  if (!standard && mode === 'KEYWORD') return sql`bm25`;
  if (!standard && mode === 'SEMANTIC') return similarityExpression(metric, sql`distance`);
  const nearScore = mode === 'KEYWORD' ? sql`0` : sql`coalesce((mean - distance) / nullif(spread, 0), 0)`;
  const wordScore = words
    ? sql`${weight} * coalesce((bm25 - word_mean) / nullif(word_spread, 0), 0)`
    : sql`0`;
  return sql`(${nearScore} + ${wordScore})::float8`;
}

function lent({ options, after }: ScoredQuery, member: SQL): SQL {
  const known = after
    ? sql`join based borrower on borrower.${member} = shares.id where shares.round <= borrower.round`
    : sql``;
  // In a fixed order: a sum of floats in another one may differ in its last digit, and pages are cut by exact scores.
  return sql`loans as materialized (select shares.id,
        ${options.context}::float8 * sum(shares.share * lender.base order by shares.other) as lent
      from shares join based lender on lender.${member} = shares.other ${known} group by shares.id),
    relevant as materialized (select based.*, coalesce(loans.lent, 0) as lent from based left join loans on loans.id = based.${member})`;
}

/** The distance that `percentile` stands for among the candidates. */
function farthest({ percentile }: SearchOptions): SQL | undefined {
  return percentile === undefined
    ? undefined
    : sql`(select percentile_cont(${percentile}::float8) within group (order by distance) from features where candidate)`;
}

/** What passes `maxDistance` and `percentile`; the candidates' distances are what the percentile is of. */
function threshold(options: SearchOptions, basis: Basis | undefined): SQL {
  const { maxDistance, percentile } = options;
  const far = distanceOrFarthest(options);
  const within = maxDistance === undefined ? undefined : sql`${far} <= ${maxDistance}::float8`;
  const limit = basis && percentile !== undefined ? sql`${basis.farthest}::float8` : farthest(options);
  return and(within, limit && sql`${far} <= ${limit}`) ?? sql`true`;
}

const relevance = sql`(base + coalesce(lent, 0))`;

/** Whether relevance must be brought between 0 and 1 to be weighed: a similarity is there, as recency and importance are. */
function scalesRelevance({ weights, mode, context }: SearchOptions): boolean {
  return weights !== undefined && (mode !== 'SEMANTIC' || context > 0);
}

function finalScore(target: { worth?: Worth }, options: SearchOptions, basis: Basis | undefined): SQL {
  const { weights } = options;
  if (!weights) return relevance;
  if (!target.worth) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'options.weights is for memories: nothing else has an importance.',
    );
  }
  const [least, greatest] = basis
    ? [sql`${basis.relevance[0]}::float8`, sql`${basis.relevance[1]}::float8`]
    : [sql`min(${relevance}) over ()`, sql`max(${relevance}) over ()`];
  const scaled = scalesRelevance(options)
    ? sql`coalesce((${relevance} - ${least}) / nullif(${greatest} - ${least}, 0), 1)`
    : relevance;
  const { similarity, recency, importance } = weights;
  return sql`((${similarity}::float8 * ${scaled} + ${recency}::float8 * recency + ${importance}::float8 * importance)
    / ${similarity + recency + importance}::float8)`;
}
