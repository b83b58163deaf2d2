import { and, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { FunesError } from '../errors.ts';
import { distanceTo, FARTHEST, similarityExpression } from './distance.ts';
import { bm25, byKeywords, type KeywordTable, keywordTerms, plainTsv, wordBasis } from './keyword.ts';
import { nearest, type VectorTable } from './nearest.ts';
import type { SearchOptions } from './options.ts';
import { type Basis, behind, type Position } from './paging.ts';

/** A table whose rows can be ranked by more than their distance. */
export interface RankedTable extends VectorTable, KeywordTable {
  /** A row's place in a conversation: rows of one user and session, in the order of their ids. */
  session?: { userId: PgColumn; sessionId: PgColumn };
  /** What `weights` weighs beside relevance. */
  worth?: { importance: PgColumn; createdAt: PgColumn };
  /** Only the best row of each group is a match: of each document, its best chunk. */
  group?: PgColumn;
}

export interface RankedQuery {
  vector: SQLWrapper;
  /** Undefined for a search by vector alone, which can only be SEMANTIC. */
  text: SQLWrapper | undefined;
  k: number;
  conditions: SQL | undefined;
  filters: SQL | undefined;
  options: SearchOptions;
  /** Only rows behind this place. */
  after?: Position | undefined;
  /** Also the `basis` of the scores, for the cursors of a list that is read in pages. */
  pages?: boolean | undefined;
  /** Also how the rows were found: `candidates` and `completed`, see `SearchReport`. */
  report?: boolean | undefined;
}

/** Parts of a score, as the statement gives them; null for what the search did not look at. */
export interface ScoreParts {
  keyword: number | null;
  context: number | null;
  recency: number | null;
  importance: number | null;
}

/**
 * Candidates of each kind, at the least: with 200, LoCoMo's R@10 is .757 and Cranfield's nDCG@10 .406, with 100 they are
 * .753 and .405, and with every row they do not rise further.
 */
const LEAST_CANDIDATES = 200;
const CANDIDATES_PER_MATCH = 4;
const CHUNKS_PER_DOCUMENT = 10;

/** Rows among which `diversity` chooses. */
const DIVERSE_PER_MATCH = 2;
const LEAST_DIVERSE = 50;
/** Each is compared with each, so the work grows with the square. */
const MOST_DIVERSE = 100;

/** Reciprocal rank fusion's constant: Cormack, Clarke and Büttcher, SIGIR 2009. */
const RANK_CONSTANT = sql.raw('60');

/** Turns before and after one that lend it part of their score, and the share of the second of them. */
const NEIGHBOURS = sql.raw('2');
const SECOND_SHARE = sql.raw('0.5');

/** Whether distance alone does not order the matches of these options. */
export function isRanked(options: SearchOptions): boolean {
  const { mode, context, percentile, weights, diversity } = options;
  return (
    mode !== 'SEMANTIC' ||
    context > 0 ||
    percentile !== undefined ||
    weights !== undefined ||
    diversity !== undefined
  );
}

/** How many candidates of each kind a ranked search looks at for k matches. */
export function candidatesFor(target: Pick<RankedTable, 'group'>, k: number): number {
  return Math.max(k * (target.group ? CHUNKS_PER_DOCUMENT : CANDIDATES_PER_MATCH), LEAST_CANDIDATES);
}

/** Whether a list can be read in pages: one that was chosen for its diversity is chosen as a whole. */
export function hasPages({ diversity }: SearchOptions): boolean {
  return diversity === undefined;
}

/** How many rows a ranked search returns for k matches: more than k where `diversity` chooses among them afterwards. */
export function rankedRows({ diversity }: SearchOptions, k: number): number {
  return diversity === undefined
    ? k
    : Math.max(k, Math.min(Math.max(k * DIVERSE_PER_MATCH, LEAST_DIVERSE), MOST_DIVERSE));
}

/**
 * A parenthesised subselect of the best rows by the options' mode, fusion, context and weights, with columns `hit`,
 * `distance`, `score`, `parts` and, for `diversity`, `alike` (cosine similarity to each of the rows, in their order).
 *
 * Candidates come from the vector index and from the words, in one statement; every candidate then gets both its
 * distance and its BM25, so that a row which only one of the lists found is judged by both.
 */
export function ranked(target: RankedTable, asked: RankedQuery): SQL {
  const { k, options, text, after } = asked;
  const query = { ...asked, conditions: and(asked.conditions, notNewer(target, after?.basis?.newest[0])) };
  const key = keyOf(target);
  const words = usesWords(query);
  const ctes = [
    ...(words && text ? [keywordTerms(target, text, query.conditions, after?.basis?.words?.[0])] : []),
    ...candidateSteps(target, query),
    ...scoringSteps(target, query, { key, context: lendsContext(target, options) }),
  ];
  const place = target.group ? sql`${sql.identifier(target.group.name)}` : sql`id`;
  const best = target.group
    ? sql`(select distinct on (${place}) * from scored order by ${place}, score desc, id) best`
    : sql`scored best`;
  const past = after ? sql`where ${behind(after, { score: sql`score`, id: place })}` : sql``;
  const order = sql`order by score desc, ${place}`;
  const sources = [{ newest: newestOf(target), words: wordBasis }];
  const found = asked.report
    ? sql`, (select count(*) from pool where candidate) as candidates, ${completedOf(options)} as completed`
    : sql``;
  const rows = sql`select ${key}, ${scoreColumns(query)}${basisColumn(query, sources, order)}${found} from ${best} ${past}
    ${order} limit ${rankedRows(options, k)}`;
  if (options.diversity === undefined) return sql`(with ${sql.join(ctes, sql`, `)} ${rows})`;
  const how = asked.report ? sql`, candidates, completed` : sql``;
  return sql`(with ${sql.join(ctes, sql`, `)}, chosen as materialized (${rows}),
    placed as materialized (select chosen.*, ${target.embedding} as embedding from chosen join ${target.table} using (${key}))
    select ${key}, distance, score, parts, ${alikeColumn(place)}${how} from placed)`;
}

function keyOf(target: RankedTable): SQL {
  return sql.join(
    target.hit.map(({ name }) => sql.identifier(name)),
    sql`, `,
  );
}

/** The condition that leaves out rows which were added after the first page was read. */
export function notNewer({ id }: Pick<RankedTable, 'id'>, newest: string | undefined): SQL | undefined {
  return newest === undefined ? undefined : sql`${id} <= ${newest}::bigint`;
}

/** The id of a table's newest row, as text, "0" without rows. */
export function newestOf({ table, id }: Pick<RankedTable, 'table' | 'id'>): SQL {
  return sql`coalesce((select max(${id}) from ${table}), 0)::text`;
}

/** Whether the vector index had to be completed exactly for the candidates, for a report. */
export function completedOf({ mode }: SearchOptions): SQL {
  return mode === 'KEYWORD' ? sql`false` : sql`coalesce((select bool_or(completed) from near), false)`;
}

/** Whether the words of the text count. */
export function usesWords({ options, text }: Pick<RankedQuery, 'options' | 'text'>): boolean {
  return options.mode !== 'SEMANTIC' && text !== undefined;
}

/** Whether rows of the table lend each other part of their scores. */
export function lendsContext({ session }: RankedTable, { context }: SearchOptions): boolean {
  return session !== undefined && context > 0;
}

/**
 * CTEs up to `features`: the candidates, with `context` also their neighbours, each with its `distance` and `bm25`.
 * Where words count, `terms` and `corpus` come before them.
 */
export function candidateSteps(target: RankedTable, query: RankedQuery): SQL[] {
  const { k, conditions, options, after } = query;
  const wanted = candidatesFor(target, (after?.seen ?? 0) + k);
  const semantic = options.mode !== 'KEYWORD';
  const words = usesWords(query);
  const key = keyOf(target);
  const context = lendsContext(target, options) ? target.session : undefined;
  return [
    ...(semantic
      ? [
          sql`near as materialized (select *, row_number() over (order by distance, id) as place
      from ${nearest(target, { ...query, after: undefined, k: wanted, operand: query.vector })} near)`,
        ]
      : []),
    ...(words
      ? [
          sql`worded as materialized (select *, row_number() over (order by bm25 desc, id) as place
      from (${byKeywords(target, conditions, wanted)}) worded where bm25 > 0)`,
        ]
      : []),
    sql`candidates as materialized (${sql.join(
      [
        ...(semantic ? [sql`select ${key} from near`] : []),
        ...(words ? [sql`select ${key} from worded`] : []),
      ],
      sql` union `,
    )})`,
    ...(context ? [neighbours(target, context, conditions, key)] : []),
    sql`pool as materialized (select ${key}, true as candidate from candidates${
      context
        ? sql` union all (select ${key}, false from turns except select ${key}, false from candidates)`
        : sql``
    })`,
    features(target, query, key, words),
  ];
}

/**
 * CTEs from `features` to `scored`: what each row is worth. They need, for fusion by rank, the lists `near` and `worded`
 * with the same `key`, and with `context` the `shares`.
 */
export function scoringSteps(
  target: Pick<RankedTable, 'worth'>,
  query: RankedQuery,
  { key, context }: { key: SQL; context: boolean },
): SQL[] {
  const { options } = query;
  const words = usesWords(query);
  const byRank = options.fusion === 'RANK';
  const basis = query.after?.basis;
  return [
    basis ? momentsOf(basis) : moments,
    sql`based as materialized (select features.*, ${baseScore(query, words, context)} as base from features cross join moments
      ${byRank && options.mode !== 'KEYWORD' ? sql`left join near using (${key})` : sql``}
      ${byRank && words ? sql`left join worded using (${key})` : sql``})`,
    context ? lent(options) : sql`relevant as materialized (select based.*, null::float8 as lent from based)`,
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

/**
 * The column `basis` of a hit in `scored`, with a comma before it: a `Basis` in the first row of a list that is read in
 * pages, and nothing where there are none. A later page repeats what it was given.
 * @param sources the tables: their newest rows, and where words count what is known of those.
 * @param order the order of the list.
 */
export function basisColumn(
  query: Pick<RankedQuery, 'options' | 'text' | 'pages' | 'after'>,
  sources: readonly { newest: SQL; words: SQL }[],
  order: SQL,
): SQL {
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

/** The columns `distance`, `score` and `parts` of a hit in `scored`. */
export function scoreColumns(query: Pick<RankedQuery, 'options' | 'text'>): SQL {
  const { metric, weights } = query.options;
  return sql`coalesce(distance, ${FARTHEST[metric]}) as distance, score, jsonb_build_object(
    'keyword', ${usesWords(query) ? sql`bm25` : sql`null`}, 'context', lent,
    'recency', ${weights ? sql`recency` : sql`null`}, 'importance', ${weights ? sql`importance` : sql`null`}) as parts`;
}

/** The column `alike` of a row in `placed (score, embedding)`, whose order is by score, then `ids`. */
export function alikeColumn(ids: SQL): SQL {
  const others = sql`other.score desc, other.${ids}`;
  return sql`(select array_agg(coalesce(1 - (placed.embedding <=> other.embedding), 0)
      order by ${others}) from placed other)::float8[] as alike`;
}

/** Rows of the same session up to two before and two after each candidate, with how much of a score they exchange. */
function neighbours(
  target: RankedTable,
  session: NonNullable<RankedTable['session']>,
  conditions: SQL | undefined,
  key: SQL,
): SQL {
  const same = and(
    sql`${session.userId} = turn.user_id`,
    sql`${session.sessionId} = turn.session_id`,
    conditions,
  );
  const side = (
    beyond: SQL,
    order: SQL,
  ) => sql`(select ${target.id} as other, ${session.userId} as other_user,
      row_number() over (order by ${target.id} ${order}) as step
    from ${target.table} where ${and(same, sql`${target.id} ${beyond} turn.id`)} order by ${target.id} ${order} limit ${NEIGHBOURS})`;
  return sql`beside as materialized (
      select turn.id, side.other, side.other_user as user_id, case side.step when 1 then 1.0 else ${SECOND_SHARE} end as share
      from candidates join ${target.table} turn using (${key}) cross join lateral (
        ${side(sql`<`, sql`desc`)} union all ${side(sql`>`, sql`asc`)}) side),
    turns as materialized (select other as id, user_id from beside),
    shares as materialized (select id, other, share from beside union select other, id, share from beside)`;
}

function features(
  target: RankedTable,
  { vector, options, after }: RankedQuery,
  key: SQL,
  words: boolean,
): SQL {
  const worth =
    target.worth && options.weights
      ? sql`, ${recency(target.worth.createdAt, options.weights.halfLifeDays, after?.basis?.at)} as recency,
    ${target.worth.importance} as importance`
      : sql``;
  const text = words ? sql`, ${plainTsv(target)} as tsv, ${target.length} as length` : sql``;
  return sql`features as materialized (
    select row.*, ${words ? bm25(sql`row.tsv`, sql`row.length`) : sql`0::float8`} as bm25
    from (select ${key}, candidate, ${distanceTo(target.embedding, options.metric, vector)} as distance${text}${worth}
      from pool join ${target.table} using (${key}) offset 0) row)`;
}

/** 1 for a row of this moment, or of `at`, a half for each half-life that had passed then since it was stored. */
function recency(createdAt: PgColumn, halfLifeDays: number, at: string | undefined): SQL {
  const now = at === undefined ? sql`now()` : sql`${at}::timestamptz`;
  return sql`power(0.5::float8, greatest(extract(epoch from ${now} - ${createdAt})::float8, 0) / (86400 * ${halfLifeDays}::float8))`;
}

/** What a row is worth by itself: its similarity or BM25, or both as standard scores (z) over the candidates, added. */
function baseScore({ options }: RankedQuery, words: boolean, standard: boolean): SQL {
  const { mode, metric, fusion, keywordWeight } = options;
  const weight = sql`${mode === 'KEYWORD' ? 1 : keywordWeight}::float8`;
  if (fusion === 'RANK') {
    const nearRank = mode === 'KEYWORD' ? sql`0` : sql`coalesce(1.0 / (${RANK_CONSTANT} + near.place), 0)`;
    const wordRank = words ? sql`coalesce(${weight} / (${RANK_CONSTANT} + worded.place), 0)` : sql`0`;
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

function lent({ context }: SearchOptions): SQL {
  // In a fixed order: a sum of floats in another one may differ in its last digit, and pages are cut by exact scores.
  return sql`loans as materialized (select shares.id,
        ${context}::float8 * sum(shares.share * lender.base order by shares.other) as lent
      from shares join based lender on lender.id = shares.other group by shares.id),
    relevant as materialized (select based.*, coalesce(loans.lent, 0) as lent from based left join loans using (id))`;
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
  const within = maxDistance === undefined ? undefined : sql`distance <= ${maxDistance}::float8`;
  const limit = basis && percentile !== undefined ? sql`${basis.farthest}::float8` : farthest(options);
  return and(within, limit && sql`distance <= ${limit}`) ?? sql`true`;
}

const relevance = sql`(base + coalesce(lent, 0))`;

/** Whether relevance must be brought between 0 and 1 to be weighed: a similarity is there, as recency and importance are. */
function scalesRelevance({ weights, mode, context }: SearchOptions): boolean {
  return weights !== undefined && (mode !== 'SEMANTIC' || context > 0);
}

function finalScore(
  target: Pick<RankedTable, 'worth'>,
  options: SearchOptions,
  basis: Basis | undefined,
): SQL {
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
