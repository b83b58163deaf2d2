import { and, type SQL, sql } from 'drizzle-orm';
import type { Position } from '../cursor.ts';
import { type PlannedSource, passing, type RankingPlan, type SearchPlan } from '../plan.ts';
import type { SearchTable } from '../tables.ts';
import { isComparable } from './comparable.ts';
import { withRow } from './keys.ts';
import { column, cte } from './pipeline.ts';

/** How many turns before and after a turn lend it part of their score, and the share that the second of them lends. */
const NEIGHBOURS = sql.raw('2');
const SECOND_SHARE = sql.raw('0.5');

/**
 * The CTEs `beside`, `turns` and `shares`. `beside` has, for each candidate, up to two turns before it and two after it in its session,
 * with the share of a score that they exchange. `turns` has the keys of those turns. `shares` has who lends to whom.
 */
export function neighbours(
  { model }: Pick<SearchPlan, 'model'>,
  { words }: RankingPlan,
  { table, rows }: PlannedSource,
  session: NonNullable<SearchTable['session']>,
): SQL {
  const same = and(
    sql`${session.userId} = turn.${column.userId}`,
    sql`${session.sessionId} = turn.session_id`,
    words ? undefined : isComparable(table, model),
    passing(rows),
  );
  const side = (
    beyond: SQL,
    order: SQL,
  ) => sql`(select ${table.id} as ${column.other}, ${session.userId} as other_user,
      row_number() over (order by ${table.id} ${order}) as step
    from ${table.table} where ${and(same, sql`${table.id} ${beyond} turn.${column.id}`)} order by ${table.id} ${order} limit ${NEIGHBOURS})`;
  const turn = sql`${table.id} as ${column.id}, ${session.userId} as ${column.userId}, ${session.sessionId} as session_id`;
  return sql`beside as materialized (
      select turn.${column.id}, ${cte.candidates}.${column.round}, side.${column.other}, side.other_user as ${column.userId},
        case side.step when 1 then 1.0 else ${SECOND_SHARE} end as ${column.share}
      from ${withRow(table, cte.candidates, turn, sql`turn`)}
        cross join lateral (${side(sql`<`, sql`desc`)} union all ${side(sql`>`, sql`asc`)}) side),
    ${cte.turns} as materialized (select ${column.other} as ${column.id}, ${column.userId}, ${column.round} from beside),
    ${cte.shares} as materialized (select ${column.id}, ${column.other}, ${column.share}, min(${column.round}) as ${column.round} from (
      select ${column.id}, ${column.other}, ${column.share}, ${column.round} from beside union all select ${column.other}, ${column.id}, ${column.share}, ${column.round} from beside) share
      group by ${column.id}, ${column.other}, ${column.share})`;
}

/** The column of a recall's `features` by which `shares` names rows: memories alone have sessions. */
export const memberOfAll = sql`memory_id`;

/** The `shares` of one kind, packed into its rows: columns, and the join that they come from. `sharesOfAll` unpacks them. */
export function packedShares(lends: boolean): { columns: SQL; join: SQL } {
  if (!lends) {
    return {
      columns: sql`null::bigint as ${memberOfAll}, null::bigint[] as lenders, null::float8[] as portions, null::bigint[] as loan_rounds`,
      join: sql``,
    };
  }
  return {
    columns: sql`${column.id} as ${memberOfAll}, lenders, portions, loan_rounds`,
    join: sql` left join (select ${column.id}, array_agg(${column.other} order by ${column.other}) as lenders, array_agg(${column.share}::float8 order by ${column.other}) as portions,
        array_agg(${column.round} order by ${column.other}) as loan_rounds from ${cte.shares} group by ${column.id}) loan using (${column.id})`,
  };
}

/** The CTE `shares` of a recall: who lends to whom, by `memberOfAll`. */
export const sharesOfAll = sql`${cte.shares} as materialized (
    select ${memberOfAll} as ${column.id}, ${column.other}, ${column.share}, loan.${column.round}
    from ${cte.features} cross join lateral unnest(lenders, portions, loan_rounds) as loan (${column.other}, ${column.share}, ${column.round}))`;

/** The CTEs `loans` and `relevant`: what its neighbours lend to each row. `shares` names rows by the column `member`. */
export function relevantSteps(context: number | undefined, after: Position | undefined, member: SQL): SQL[] {
  if (context === undefined)
    return [
      sql`${cte.relevant} as materialized (select ${cte.based}.*, null::float8 as ${column.lent} from ${cte.based})`,
    ];
  const known = after
    ? sql`join ${cte.based} borrower on borrower.${member} = ${cte.shares}.${column.id} where ${cte.shares}.${column.round} <= borrower.${column.round}`
    : sql``;
  // The sum has a fixed order: in another order its last digit may differ, and pages compare exact scores.
  const loans = sql`loans as materialized (select ${cte.shares}.${column.id},
        ${context}::float8 * sum(${cte.shares}.${column.share} * lender.${column.base} order by ${cte.shares}.${column.other}) as ${column.lent}
      from ${cte.shares} join ${cte.based} lender on lender.${member} = ${cte.shares}.${column.other} ${known} group by ${cte.shares}.${column.id})`;
  const relevant = sql`${cte.relevant} as materialized (select ${cte.based}.*, coalesce(loans.${column.lent}, 0) as ${column.lent} from ${cte.based} left join loans on loans.${column.id} = ${cte.based}.${member})`;
  return [loans, relevant];
}
