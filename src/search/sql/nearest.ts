import { and, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { Position } from '../cursor.ts';
import { passingByIndex, type RowConditions, type SearchPlan } from '../plan.ts';
import type { SearchTable } from '../tables.ts';
import { isComparable } from './comparable.ts';
import { distanceTo } from './distance.ts';
import { behindDistance } from './keyset.ts';
import { column, cte } from './pipeline.ts';
import { andReport } from './report-columns.ts';
import { rowsOf, sampled, sampleScale } from './sample.ts';

/** What a search for the nearest rows needs beside the plan. */
export interface NearestQuery {
  /** The vector to compare with: a parameter cast to `vector`, or a column of an outer row (LATERAL). */
  operand: SQLWrapper;
  k: number;
  rows: RowConditions;
  /** Only rows behind this position. */
  after?: Position | undefined;
}

/** The part of a plan that a search for the nearest rows follows. */
export type NearestPlan = Pick<SearchPlan, 'metric' | 'exact' | 'report' | 'model'>;

/**
 * The index scan is tried only if the conditions leave at least one row in so many. If they leave fewer, the scan skips so many rows
 * that reading the rows that pass is faster, and misses none. Among 20,000 vectors, with filters that 10, 5, 3 and 1 % pass, the
 * index had recall 0.99, 0.99, 0.95 and 0.90, and from 3 % down took longer than the exact search.
 */
const BROAD = sql.raw('20');

/**
 * A scope of fewer rows is always compared exactly, whatever its share of the table: among 100,000 rows the exact distances of
 * 1,000 take 1.3 ms, as long as the index scan. The statement counts a scope by its index until it is broad, but at most up to
 * `MOST_COUNTED` rows, which takes some 3 ms. The share of a larger scope in a larger table comes from a sample, like a filter's.
 */
const FEW = sql.raw('1000');
const MOST_COUNTED = sql.raw('20000');

/**
 * An index scan that filters or a scope thin out must find this many times k rows, because it misses more rows than a scan
 * without them. From 200 rows on it need not find more than k: so long a scan misses few. Among 100,000 rows, of which a scope
 * leaves a tenth, 20 rows for ten give recall .988; 40 give .998 and take .7 ms longer.
 */
const FILTERED_REACH = 4;
const SCOPED_REACH = 2;
const FARTHEST_REACH = 200;

/**
 * A parenthesised subselect of the `k` rows nearest to `operand`, with the table's `key` and `distance`, in no order.
 *
 * A search must return k rows if k rows pass the conditions. An index scan alone may return fewer: pgvector's iterative scan stops
 * after `hnsw.max_scan_tuples` or when its memory is full, however few rows have passed by then. So the statement itself decides:
 * 1. It finds out how much of the table the conditions leave. It counts the rows of the viewer's scope by their index. For filters it
 *    reads a sample of the table's pages, because the planner knows nothing about conditions inside JSON.
 * 2. If both leave enough, `near` reads the vector index.
 * 3. If `near` has found too few rows, `completed` compares every row. It cannot use the vector index, because its ORDER BY is on
 *    the expression `distance + 0` and not on the bare operator.
 * The planner turns these guards into one-time filters, so a branch that is not needed costs nothing.
 *
 * A later page reads the index from the beginning, because an index scan cannot start anywhere else. It reads the rows that were
 * shown before, the page, and as many rows again, in case rows were added in front of it.
 */
export function nearest(table: SearchTable, plan: NearestPlan, query: NearestQuery): SQL {
  const { k, rows, after } = query;
  if (plan.exact) return sql`(${byScan(table, plan, query)})`;
  const times = rows.filters ? FILTERED_REACH : rows.scope ? SCOPED_REACH : 1;
  const reach = Math.max(k, Math.min(k * times, FARTHEST_REACH));
  const shown = after ? after.seen + k : 0;
  const { steps, broad } = breadth(table.table, rows);
  const near = byIndex(table, plan, query, broad, shown + reach);
  const past = after && behindDistance(after, column.id);
  const enough = sql`(select count(*) from ${cte.near}${past ? sql` where ${past}` : sql``}) >= ${reach}`;
  const completed = byScan(table, plan, query, sql`not ${enough}`);
  const how = andReport(plan, { candidates: sql`(select count(*) from ${cte.near})`, completed: sql`false` });
  return sql`(with ${steps}${cte.near} as materialized (${near}), completed as materialized (${completed})
    (select *${how} from ${cte.near} where ${and(enough, past)} order by ${column.distance}, ${column.id} limit ${k}) union all select * from completed)`;
}

/** CTEs that find out how much of the table scope and filters leave, and the condition that this is enough for the index scan. */
function breadth(table: PgTable, { scope, filters }: RowConditions): { steps: SQL; broad: SQL | undefined } {
  const rows = rowsOf(table);
  const passed = sql`count(*) filter (where ${and(scope, filters)}) * ${BROAD}`;
  // A policy leaves only the user's own rows in a sample, so it does not tell how many rows there are.
  const share = scope ? sql`${passed} * ${sampleScale(table)} >= ${rows}` : sql`${passed} >= count(*)`;
  const sample = sql`breadth as materialized (select ${share} as broad
      from ${sampled(table)}), `;
  const sampledBroad = sql`(select broad from breadth)`;
  if (scope === undefined)
    return filters ? { steps: sample, broad: sampledBroad } : { steps: sql``, broad: undefined };
  const counted = sql`least(greatest(${FEW}, ${rows} / ${BROAD}), ${MOST_COUNTED})`;
  const steps = sql`own as materialized (
      select count(*) >= ${counted} as broad, ${rows} <= ${MOST_COUNTED} * ${BROAD} as share_known
      from (select from ${table} where ${scope} limit ${counted}) own), ${sample}`;
  const known = filters ? sampledBroad : sql`((select share_known from own) or ${sampledBroad})`;
  return { steps, broad: sql`(select broad from own) and ${known}` };
}

function byIndex(
  table: SearchTable,
  plan: NearestPlan,
  { operand, rows: { scope, checked, others } }: NearestQuery,
  broad: SQL | undefined,
  reach: number,
): SQL {
  const conditions = and(broad, scope, checked, others);
  return sql`${candidates(table, plan, operand, conditions)} order by ${column.distance}, ${table.id} limit ${reach}`;
}

/** @param guard the condition that the scan is needed to complete what the index found. */
function byScan(
  table: SearchTable,
  plan: NearestPlan,
  { operand, rows, after, k }: NearestQuery,
  guard?: SQL,
): SQL {
  const past = after ? sql` where ${behindDistance(after, column.id)}` : sql``;
  const completed = sql.raw(String(guard !== undefined));
  const how = andReport(plan, { candidates: sql`count(*) over ()`, completed });
  const every = candidates(table, plan, operand, and(guard, passingByIndex(rows)), how);
  return sql`select * from (${every}) candidate${past}
    order by ${column.distance} + 0, ${column.id} limit ${k}`;
}

function candidates(
  searchTable: SearchTable,
  { metric, model }: NearestPlan,
  operand: SQLWrapper,
  conditions: SQL | undefined,
  how = sql``,
): SQL {
  const { table, key, embedding } = searchTable;
  const distance = distanceTo(embedding, metric, operand);
  const columns = sql.join([...key, sql`${distance} as ${column.distance}`], sql`, `);
  return sql`select ${columns}${how} from ${table} where ${and(isComparable(searchTable, model), conditions)}`;
}
