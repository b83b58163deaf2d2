import { and, isNotNull, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { SearchOptions } from '../options.ts';
import { roundOf, roundsUntil } from '../paging.ts';
import { distanceTo } from './distance.ts';
import {
  bm25,
  capped,
  type KeywordTable,
  keywordSteps,
  keywordTerms,
  plainTsv,
  wordBasis,
} from './keyword.ts';
import { type NearestQuery, nearest, type VectorTable } from './nearest.ts';
import { bestRows, type ScoredQuery, scoringSteps, usesWords, type Worth } from './scoring.ts';

/** A table whose rows can be ranked by more than their distance. */
export interface RankedTable extends VectorTable, KeywordTable {
  /** A row's place in a conversation: rows of one user and session, in the order of their ids. */
  session?: { userId: PgColumn; sessionId: PgColumn };
  worth?: Worth;
  /** Only the best row of each group is a match: of each document, its best chunk. */
  group?: PgColumn;
  /** The nearest of each group, in the columns of `hit`, as `nearest` gives the nearest rows. */
  nearest?: (query: NearestQuery) => SQL;
}

export interface RankedQuery extends ScoredQuery {
  vector: SQLWrapper;
  conditions: SQL | undefined;
  filters: SQL | undefined;
}

/**
 * Candidates of each kind, at the least: with 200, LoCoMo's R@10 is .757 and Cranfield's nDCG@10 .406, with 100 they are
 * .753 and .405, and with every row they do not rise further. Of documents fewer do, as many chunks are read for each.
 */
const LEAST_CANDIDATES = 200;
const LEAST_GROUPS = 50;
const CANDIDATES_PER_MATCH = 4;

/** Turns before and after one that lend it part of their score, and the share of the second of them. */
const NEIGHBOURS = sql.raw('2');
const SECOND_SHARE = sql.raw('0.5');

/** How many candidates of each kind are in a round of a ranked search for k matches; of a grouped table, groups. */
export function candidatesFor(target: Pick<RankedTable, 'group'>, k: number): number {
  return Math.max(k * CANDIDATES_PER_MATCH, target.group ? LEAST_GROUPS : LEAST_CANDIDATES);
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
    ...scoringSteps(target, query, {
      ...{ key, context: lendsContext(target, options) },
      size: candidatesFor(target, after?.k ?? query.k),
    }),
  ];
  const group = target.group && sql`${sql.identifier(target.group.name)}`;
  return bestRows(ctes, query, {
    columns: key,
    rows: group
      ? sql`(select distinct on (${group}) * from scored order by ${group}, round, score desc, id) best`
      : sql`scored best`,
    place: group ?? sql`id`,
    sources: [{ newest: newestOf(target), words: wordBasis }],
    report: candidateReport(options, words),
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
  // Nearly all rows pass: `+ 0` keeps the planner from reading them by the primary key instead of the vector index.
  return newest === undefined ? undefined : sql`${id} + 0 <= ${newest}::bigint`;
}

/** The id of a table's newest row, as text, "0" without rows. */
export function newestOf({ table, id }: Pick<RankedTable, 'table' | 'id'>): SQL {
  return sql`coalesce((select max(${id}) from ${table}), 0)::text`;
}

/** Columns that tell how the candidates were found, see `SearchReport`. */
export function candidateReport({ mode }: SearchOptions, words: boolean): SQL {
  const near = mode !== 'KEYWORD';
  const compared = [
    ...(near ? [sql`select id from near`] : []),
    ...(words ? [sql`select id from scored_words`] : []),
  ];
  return sql`(select count(*) from (${sql.join(compared, sql` union `)}) compared) as candidates,
    ${near ? sql`coalesce((select bool_or(completed) from near), false)` : sql`false`} as completed,
    ${words ? capped : sql`false`} as capped`;
}

/** Whether rows of the table lend each other part of their scores. */
export function lendsContext({ session }: RankedTable, { context }: SearchOptions): boolean {
  return session !== undefined && context > 0;
}

/**
 * CTEs up to `features`: the candidates, with `context` also their neighbours, each with its `round`, `distance` and `bm25`.
 * Where words count, `terms` and `corpus` come before them.
 */
export function candidateSteps(target: RankedTable, query: RankedQuery): SQL[] {
  const { conditions, options, after, k } = query;
  const size = candidatesFor(target, after?.k ?? k);
  const wanted = size * roundsUntil(after);
  const words = usesWords(query);
  const key = keyOf(target);
  const session = lendsContext(target, options) ? target.session : undefined;
  const search = { ...query, after: undefined, k: wanted, operand: query.vector };
  const lists = [
    ...(options.mode !== 'KEYWORD'
      ? [
          {
            name: sql`near`,
            steps: sql`near as materialized (select *, row_number() over (order by distance, id) as place
      from ${target.nearest ? target.nearest(search) : nearest(target, search)} near)`,
          },
        ]
      : []),
    ...(words ? [{ name: sql`worded`, steps: wordedSteps(target, conditions, wanted) }] : []),
  ];
  const found = lists.map(
    ({ name }) => sql`select ${key}, ${roundOf(sql`place`, size, after)} as round from ${name}`,
  );
  return [
    ...lists.map(({ steps }) => steps),
    sql`candidates as materialized (select ${key}, min(round) as round
      from (${sql.join(found, sql` union all `)}) found group by ${key})`,
    ...(session ? [neighbours(target, session, query)] : []),
    session
      ? sql`pool as materialized (select ${key}, bool_or(candidate) as candidate, min(round) as round from (
      select ${key}, true as candidate, round from candidates
      union all select ${key}, false, round from turns) seen group by ${key})`
      : sql`pool as materialized (select ${key}, true as candidate, round from candidates)`,
    features(target, query, words),
  ];
}

/** The CTE `worded` with what it is made of: the `wanted` best rows by BM25, of a group only the best. */
function wordedSteps(target: RankedTable, conditions: SQL | undefined, wanted: number): SQL {
  const group = target.group && sql`${sql.identifier(target.group.name)}`;
  const best = group
    ? sql`(select distinct on (${group}) * from scored_words order by ${group}, bm25 desc, id) best_words`
    : sql`scored_words`;
  return sql`${keywordSteps(target, conditions, { wanted, group })},
    worded as materialized (select *, row_number() over (order by bm25 desc, id) as place
      from ${best} where bm25 > 0 order by bm25 desc, id limit ${wanted})`;
}

/** Rows of the same session up to two before and two after each candidate, with how much of a score they exchange. */
function neighbours(
  target: RankedTable,
  session: NonNullable<RankedTable['session']>,
  { conditions, options }: RankedQuery,
): SQL {
  const same = and(
    sql`${session.userId} = turn.user_id`,
    sql`${session.sessionId} = turn.session_id`,
    options.mode === 'SEMANTIC' ? isNotNull(target.embedding) : undefined,
    conditions,
  );
  const side = (
    beyond: SQL,
    order: SQL,
  ) => sql`(select ${target.id} as other, ${session.userId} as other_user,
      row_number() over (order by ${target.id} ${order}) as step
    from ${target.table} where ${and(same, sql`${target.id} ${beyond} turn.id`)} order by ${target.id} ${order} limit ${NEIGHBOURS})`;
  return sql`beside as materialized (
      select turn.id, candidates.round, side.other, side.other_user as user_id,
        case side.step when 1 then 1.0 else ${SECOND_SHARE} end as share
      from ${withRow(target, sql`candidates`, sql`${target.id} as id, ${session.userId} as user_id, ${session.sessionId} as session_id`, sql`turn`)}
        cross join lateral (${side(sql`<`, sql`desc`)} union all ${side(sql`>`, sql`asc`)}) side),
    turns as materialized (select other as id, user_id, round from beside),
    shares as materialized (select id, other, share, min(round) as round from (
      select id, other, share, round from beside union all select other, id, share, round from beside) share
      group by id, other, share)`;
}

function features(target: RankedTable, { vector, options, after }: RankedQuery, words: boolean): SQL {
  const worth =
    target.worth && options.weights
      ? sql`, ${recency(target.worth.createdAt, options.weights.halfLifeDays, after?.basis?.at)} as recency,
    ${target.worth.importance} as importance`
      : sql``;
  const text = words ? sql`, ${plainTsv(target)} as tsv, ${target.length} as length` : sql``;
  const columns = sql`${distanceTo(target.embedding, options.metric, vector)} as distance${text}${worth}`;
  return sql`features as materialized (
    select pool.*, row.*, ${words ? bm25(sql`row.tsv`, sql`row.length`) : sql`0::float8`} as bm25
    from ${withRow(target, sql`pool`, columns, sql`row`)})`;
}

/**
 * A FROM item: each row of the CTE `name` with the stored row of the same key, of which `columns` are known as `alias`. It is a
 * join by the key in a form of which the planner knows that it finds one row each: it multiplies what it thinks of each
 * column of a key, expects one row in all, and joins what comes after by nested loops, which took ten times as long.
 */
function withRow(target: RankedTable, name: SQL, columns: SQL, alias: SQL): SQL {
  const same = target.hit.map((column) => sql`${column} = ${name}.${sql.identifier(column.name)}`);
  return sql`${name} cross join lateral (select ${columns} from ${target.table} where ${and(...same)} limit 1) ${alias}`;
}

/** 1 for a row of this moment, or of `at`, a half for each half-life that had passed then since it was stored. */
function recency(createdAt: PgColumn, halfLifeDays: number, at: string | undefined): SQL {
  const now = at === undefined ? sql`now()` : sql`${at}::timestamptz`;
  // After a thousand half-lives it is 0 for all that matters, and later PostgreSQL refuses to compute it (underflow).
  return sql`power(0.5::float8, least(greatest(extract(epoch from ${now} - ${createdAt})::float8, 0) / (86400 * ${halfLifeDays}::float8), 1000))`;
}
