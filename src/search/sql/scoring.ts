import { and, type SQL, sql } from 'drizzle-orm';
import type { Basis, Position } from '../cursor.ts';
import type { RankingPlan, SearchPlan } from '../plan.ts';
import { FARTHEST } from './distance.ts';
import { fusionSteps } from './fusion.ts';
import { behindInRounds } from './keyset.ts';
import { column, cte } from './pipeline.ts';
import { relevantSteps } from './session-context.ts';

/**
 * The CTEs behind `features`, up to `scored`. Fusion by rank needs the lists `near` and `worded` with the same `key`; `context` needs
 * `shares`.
 * @param member the column of `features` by which `shares` names rows.
 * @param size how many candidates of `near` and of `worded` are in a round, where their ranks do not begin with those of
 *   earlier rounds.
 */
export function scoringSteps(
  plan: SearchPlan,
  ranking: RankingPlan,
  { key, size, member = column.id }: { key: SQL; size?: number; member?: SQL },
): SQL[] {
  const basis = plan.after?.basis;
  return [
    ...fusionSteps(plan, ranking, key, size),
    ...relevantSteps(ranking.context, plan.after, member),
    sql`${cte.scored} as materialized (select *, ${finalScore(ranking, basis)} as ${column.score} from ${cte.relevant}
      where ${threshold(plan, ranking, basis)})`,
  ];
}

/** What a list that is made of `scored` consists of. */
interface ScoredList {
  /** The columns that identify a row, and whatever else a hit has. */
  columns: SQL;
  /** A FROM item: the rows of `scored`, or the best of each group of them. */
  rows: SQL;
  /** The column by which rows of equal score are ordered. */
  tieBreak: SQL;
  /** The column and value that replace `tieBreak` and the position's id in the condition for a later page. */
  behind?: (after: Position) => { column: SQL; behind: SQL };
  /** For each table of the list: its newest row and, if words count, its `WordBasis`. */
  sources: readonly { newest: SQL; words: SQL }[];
  /** Columns for reports: `candidates`, `completed` and `capped`, see `SearchReport`. */
  report: SQL;
  /** A select of all columns of `chosen`, which has those above, and the row's `embedding`. */
  embedded: SQL;
}

/**
 * A parenthesised subselect of the best rows in `scored`, best first, with `columns`, `distance`, `score` and `parts`; on
 * later pages `round`; `basis` and the report's columns if the plan has them; for `diversity` also `alike`, the cosine similarity to
 * each of the rows in their order.
 * @param ctes the CTEs up to `scored`.
 */
export function bestRows(
  ctes: readonly SQL[],
  plan: SearchPlan,
  ranking: RankingPlan,
  list: ScoredList,
): SQL {
  const { after, report } = plan;
  const order = sql`order by ${after ? sql`${column.round}, ` : sql``}${column.score} desc, ${list.tieBreak}`;
  const ids = after && (list.behind?.(after) ?? { column: list.tieBreak, behind: sql`${after.id}::bigint` });
  const past = after && ids && behindInRounds(after, 'score', ids);
  const how = report ? sql`, ${list.report}` : sql``;
  const round = after ? sql`, ${column.round}` : sql``;
  const rows = sql`select ${list.columns}${round}, ${scoreColumns(plan, ranking)}${basisColumn(plan, ranking, list, order)}${how}
    from ${list.rows}${past ? sql` where ${past}` : sql``} ${order} limit ${ranking.rows}`;
  const before = sql.join([...ctes], sql`, `);
  if (!ranking.alike) return sql`(with ${before} ${rows})`;
  return sql`(with ${before}, ${cte.chosen} as materialized (${rows}), placed as materialized (${list.embedded})
    select placed.*, ${alikeColumn(list.tieBreak)} from placed)`;
}

/**
 * The column `basis` with a comma before it, or nothing for a list without pages. The first row has a `Basis`: the first page computes
 * it, later pages repeat it.
 */
function basisColumn(plan: SearchPlan, ranking: RankingPlan, { sources }: ScoredList, order: SQL): SQL {
  const { after } = plan;
  if (!plan.pages) return sql``;
  const fromEach = (part: 'newest' | 'words') =>
    sql`jsonb_build_array(${sql.join(
      sources.map((source) => source[part]),
      sql`, `,
    )})`;
  const relevant = sql`from ${cte.relevant} where ${threshold(plan, ranking, undefined)}`;
  const basis = after
    ? sql`${JSON.stringify(after.basis)}::jsonb`
    : sql`jsonb_build_object('at', now(), 'newest', ${fromEach('newest')},
      'words', ${ranking.words ? fromEach('words') : sql`null`},
      'moments', (select jsonb_build_array(${column.mean}, ${column.spread}, ${column.wordMean}, ${column.wordSpread}) from ${cte.moments}),
      'farthest', ${farthest(ranking) ?? sql`null`},
      'relevance', ${
        ranking.scaled
          ? sql`(select jsonb_build_array(min(${relevance}), max(${relevance})) ${relevant})`
          : sql`'[null, null]'::jsonb`
      })`;
  return sql`, case when row_number() over (${order}) = 1 then ${basis} end as ${column.basis}`;
}

function scoreColumns(plan: SearchPlan, { words, weights }: RankingPlan): SQL {
  return sql`${distanceOrFarthest(plan)} as ${column.distance}, ${column.score}, jsonb_build_object(
    'keyword', ${words ? column.bm25 : sql`null`}, 'context', ${column.lent},
    'recency', ${weights ? column.recency : sql`null`}, 'importance', ${weights ? column.importance : sql`null`}) as ${column.parts}`;
}

/** The distance that a match shows. A row without an embedding, which only its words can find, counts as farthest. */
function distanceOrFarthest({ metric }: SearchPlan): SQL {
  return sql`coalesce(${column.distance}, ${FARTHEST[metric]})`;
}

/** The column `alike` of a row in `placed (score, embedding)`, whose order is by score, then `ids`. */
function alikeColumn(ids: SQL): SQL {
  const others = sql`other.${column.score} desc, other.${ids}`;
  return sql`(select array_agg(coalesce(1 - (placed.${column.embedding} <=> other.${column.embedding}), 0)
      order by ${others}) from placed other)::float8[] as ${column.alike}`;
}

/** The distance that `percentile` stands for among the candidates. */
function farthest({ percentile }: RankingPlan): SQL | undefined {
  return percentile === undefined
    ? undefined
    : sql`(select percentile_cont(${percentile}::float8) within group (order by ${column.distance}) from ${cte.features} where ${column.candidate})`;
}

/** The condition for `maxDistance` and `percentile`. The percentile is that of the candidates' distances. */
function threshold(plan: SearchPlan, ranking: RankingPlan, basis: Basis | undefined): SQL {
  const { maxDistance } = plan;
  const far = distanceOrFarthest(plan);
  const within = maxDistance === undefined ? undefined : sql`${far} <= ${maxDistance}::float8`;
  const limit =
    basis && ranking.percentile !== undefined ? sql`${basis.farthest}::float8` : farthest(ranking);
  return and(within, limit && sql`${far} <= ${limit}`) ?? sql`true`;
}

const relevance = sql`(${column.base} + coalesce(${column.lent}, 0))`;

function finalScore({ weights, scaled }: RankingPlan, basis: Basis | undefined): SQL {
  if (!weights) return relevance;
  const [least, greatest] = basis
    ? [sql`${basis.relevance[0]}::float8`, sql`${basis.relevance[1]}::float8`]
    : [sql`min(${relevance}) over ()`, sql`max(${relevance}) over ()`];
  const relevant = scaled
    ? sql`coalesce((${relevance} - ${least}) / nullif(${greatest} - ${least}, 0), 1)`
    : relevance;
  const { similarity, recency, importance } = weights;
  return sql`((${similarity}::float8 * ${relevant} + ${recency}::float8 * ${column.recency} + ${importance}::float8 * ${column.importance})
    / ${similarity + recency + importance}::float8)`;
}
