import { type SQL, sql } from 'drizzle-orm';
import type { Basis } from '../cursor.ts';
import type { RankingPlan, SearchPlan } from '../plan.ts';
import { similarityExpression } from './distance.ts';
import { column, cte } from './pipeline.ts';

/** Reciprocal rank fusion's constant: Cormack, Clarke and Büttcher, SIGIR 2009. */
const RANK_CONSTANT = sql.raw('60');

/**
 * The CTEs `moments`, means and spreads of the candidates, and `based`, which adds to `features` what each row is worth by itself.
 * Fusion by rank needs the lists `near` and `worded` with the same `key`.
 * @param size how many candidates of `near` and of `worded` are in a round, where their ranks do not begin with those of
 *   earlier rounds.
 */
export function fusionSteps(
  plan: SearchPlan,
  ranking: RankingPlan,
  key: SQL,
  size: number | undefined,
): SQL[] {
  const basis = plan.after?.basis;
  const byRank = ranking.base === 'RANK';
  return [
    basis ? momentsOf(basis) : momentsOfCandidates(key),
    sql`${cte.based} as materialized (select ${cte.features}.*, ${baseScore(plan, ranking, size)} as ${column.base} from ${cte.features} cross join ${cte.moments}
      ${byRank ? sql`left join ${cte.near} using (${key})` : sql``}
      ${byRank ? sql`left join ${cte.worded} using (${key})` : sql``})`,
  ];
}

// In a fixed order: in another order the last digit of a sum may differ, and equal rows would have other scores in another table.
const momentsOfCandidates = (
  key: SQL,
) => sql`${cte.moments} as materialized (select avg(${column.distance} order by ${key}) as ${column.mean}, stddev_pop(${column.distance} order by ${key}) as ${column.spread},
      avg(${column.bm25} order by ${key}) as ${column.wordMean}, stddev_pop(${column.bm25} order by ${key}) as ${column.wordSpread} from ${cte.features} where ${column.candidate})`;

function momentsOf({ moments: [mean, spread, wordMean, wordSpread] }: Basis): SQL {
  return sql`${cte.moments} as materialized (select ${mean}::float8 as ${column.mean}, ${spread}::float8 as ${column.spread},
      ${wordMean}::float8 as ${column.wordMean}, ${wordSpread}::float8 as ${column.wordSpread})`;
}

/** The column `base`: what a row is worth by itself, see `RankingPlan.base`. RANK is reciprocal rank fusion. */
function baseScore(
  { metric, after }: SearchPlan,
  { base, near, words, keywordWeight }: RankingPlan,
  size: number | undefined,
): SQL {
  const weight = sql`${keywordWeight}::float8`;
  switch (base) {
    case 'SIMILARITY':
      return similarityExpression(metric, column.distance);
    case 'BM25':
      return column.bm25;
    case 'RANK': {
      // A page that reads the row's own round does not know ranks of later rounds, so they never count.
      const rank = (list: SQL) =>
        after && size !== undefined
          ? sql`case when ${list}.${column.rank} <= ${sql.raw(String(size))} * (${column.round} + 1) then ${list}.${column.rank} end`
          : sql`${list}.${column.rank}`;
      const reciprocal = (list: SQL) => sql`coalesce(1.0 / (${RANK_CONSTANT} + ${rank(list)}), 0)`;
      return sql`(${reciprocal(cte.near)} + ${weight} * ${reciprocal(cte.worded)})::float8`;
    }
    case 'STANDARD': {
      const nearScore = near
        ? sql`coalesce((${column.mean} - ${column.distance}) / nullif(${column.spread}, 0), 0)`
        : sql`0`;
      const wordScore = words
        ? sql`${weight} * coalesce((${column.bm25} - ${column.wordMean}) / nullif(${column.wordSpread}, 0), 0)`
        : sql`0`;
      return sql`(${nearScore} + ${wordScore})::float8`;
    }
  }
}

/** The CTEs `near` and `worded` of a recall. Rows of an earlier round come first, so later rounds do not change their ranks. */
export const listsByRank = sql`${cte.near} as materialized (
    select ${column.id}, row_number() over (order by ${column.round}, ${column.distance}, ${column.id}) as ${column.rank} from ${cte.features} where ${column.distance} is not null),
  ${cte.worded} as materialized (
    select ${column.id}, row_number() over (order by ${column.round}, ${column.bm25} desc, ${column.id}) as ${column.rank} from ${cte.features} where ${column.bm25} > 0)`;
