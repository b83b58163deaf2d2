import { and, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { distanceTo } from './distance.ts';
import { bm25, byKeywords, type KeywordTable, keywordTerms, plainTsv, wordBasis } from './keyword.ts';
import { nearest, type VectorTable } from './nearest.ts';
import type { SearchOptions } from './options.ts';
import { bestRows, type ScoredQuery, scoringSteps, usesWords, type Worth } from './scoring.ts';

/** A table whose rows can be ranked by more than their distance. */
export interface RankedTable extends VectorTable, KeywordTable {
  /** A row's place in a conversation: rows of one user and session, in the order of their ids. */
  session?: { userId: PgColumn; sessionId: PgColumn };
  worth?: Worth;
  /** Only the best row of each group is a match: of each document, its best chunk. */
  group?: PgColumn;
}

export interface RankedQuery extends ScoredQuery {
  vector: SQLWrapper;
  conditions: SQL | undefined;
  filters: SQL | undefined;
}

/**
 * Candidates of each kind, at the least: with 200, LoCoMo's R@10 is .757 and Cranfield's nDCG@10 .406, with 100 they are
 * .753 and .405, and with every row they do not rise further.
 */
const LEAST_CANDIDATES = 200;
const CANDIDATES_PER_MATCH = 4;
const CHUNKS_PER_DOCUMENT = 10;

/** Turns before and after one that lend it part of their score, and the share of the second of them. */
const NEIGHBOURS = sql.raw('2');
const SECOND_SHARE = sql.raw('0.5');

/** How many candidates of each kind a ranked search looks at for k matches. */
export function candidatesFor(target: Pick<RankedTable, 'group'>, k: number): number {
  return Math.max(k * (target.group ? CHUNKS_PER_DOCUMENT : CANDIDATES_PER_MATCH), LEAST_CANDIDATES);
}

/**
 * A parenthesised subselect of the best rows by the options' mode, fusion, context and weights, with columns `hit`,
 * `distance`, `score`, `parts` and, for `diversity`, `alike` (cosine similarity to each of the rows, in their order).
 *
 * Candidates come from the vector index and from the words, in one statement; every candidate then gets both its
 * distance and its BM25, so that a row which only one of the lists found is judged by both.
 */
export function ranked(target: RankedTable, asked: RankedQuery): SQL {
  const { options, text, after } = asked;
  const query = { ...asked, conditions: and(asked.conditions, notNewer(target, after?.basis?.newest[0])) };
  const key = keyOf(target);
  const words = usesWords(query);
  const ctes = [
    ...(words && text ? [keywordTerms(target, text, query.conditions, after?.basis?.words?.[0])] : []),
    ...candidateSteps(target, query),
    ...scoringSteps(target, query, { key, context: lendsContext(target, options) }),
  ];
  const group = target.group && sql`${sql.identifier(target.group.name)}`;
  return bestRows(ctes, query, {
    columns: key,
    rows: group
      ? sql`(select distinct on (${group}) * from scored order by ${group}, score desc, id) best`
      : sql`scored best`,
    place: group ?? sql`id`,
    sources: [{ newest: newestOf(target), words: wordBasis }],
    candidates: sql`(select count(*) from pool where candidate)`,
    completed: completedOf(options),
    embedded: sql`select chosen.*, ${target.embedding} as embedding from chosen join ${target.table} using (${key})`,
  });
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
