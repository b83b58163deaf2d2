import { and, isNotNull, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { Position } from '../paging.ts';
import type { SearchPlan } from '../plan.ts';
import type { SearchTable } from '../tables.ts';
import { distanceTo } from './distance.ts';
import { behindDistance } from './keyset.ts';
import { column, cte } from './pipeline.ts';
import { sampled } from './sample.ts';

/** What a search for the nearest rows is about, beside the plan. */
export interface NearestQuery {
  /** The vector to be near to: a parameter cast to `vector`, or a column of an outer row (LATERAL). */
  operand: SQLWrapper;
  k: number;
  conditions: SQL | undefined;
  /** Those of the conditions that may leave out many rows. */
  filters: SQL | undefined;
  /** Only rows behind this position. */
  after?: Position | undefined;
}

/** What of a plan a search for the nearest rows follows. */
export type NearestPlan = Pick<SearchPlan, 'metric' | 'exact' | 'report'>;

/**
 * A filter must leave one row in so many for the index scan to be tried. When it leaves less the scan passes over so
 * many rows that reading those that match is faster, and never misses: among 20,000 vectors, with filters that 10, 5, 3
 * and 1 % pass, the index had recall 0.99, 0.99, 0.95 and 0.90, and from 3 % down took longer than the exact search.
 */
const BROAD = sql.raw('20');

/**
 * How many times k rows a filtered index scan must find, since one that a filter thins out misses more; but not beyond
 * 200, where the number of rows itself makes up for that.
 */
const FILTERED_REACH = 4;
const FARTHEST_REACH = 200;

/**
 * A parenthesised subselect of the `k` rows nearest to `operand`, with columns `hit` and `distance`, in no order.
 *
 * k is a promise, and an index scan does not keep it: pgvector's iterative scan stops after `hnsw.max_scan_tuples`, or
 * when its memory is full, however few rows have passed the conditions by then. So the statement itself decides. With a
 * filter it first estimates on a sample of the table's pages how much the filter leaves (the planner knows nothing
 * about conditions inside JSON), and tries the index only when that is enough. Then it counts what `near` has found, and
 * when that is too little runs `completed`, which cannot use the vector index: its ORDER BY is on `distance + 0`, an
 * expression and not the bare operator. The planner makes one-time filters of these guards, so a branch that is not
 * needed costs nothing.
 *
 * A later page reads the index from its beginning, as it can be read in no other way: all that was shown, the page, and as
 * much again for rows that were added in front of it.
 */
export function nearest(table: SearchTable, plan: NearestPlan, query: NearestQuery): SQL {
  const { k, conditions, filters, after } = query;
  if (plan.exact) return sql`(${byScan(table, plan, query, false)})`;
  const reach = filters ? Math.max(k, Math.min(k * FILTERED_REACH, FARTHEST_REACH)) : k;
  const shown = after ? after.seen + k : 0;
  const broad = filters && sql`(select broad from breadth)`;
  const sample = filters && sql`breadth as materialized (${sampleOf(table.table, filters)}), `;
  const near = byIndex(table, plan, { ...query, conditions: and(broad, conditions) }, shown + reach);
  const past = after && behindDistance(after, column.id);
  const enough = sql`(select count(*) from ${cte.near}${past ? sql` where ${past}` : sql``}) >= ${reach}`;
  const completed = byScan(table, plan, { ...query, conditions: and(sql`not ${enough}`, conditions) }, true);
  const columns = plan.report
    ? sql`*, (select count(*) from ${cte.near}) as ${column.candidates}, false as ${column.completed}`
    : sql`*`;
  return sql`(with ${sample}${cte.near} as materialized (${near}), completed as materialized (${completed})
    (select ${columns} from ${cte.near} where ${and(enough, past)} order by ${column.distance}, ${column.id} limit ${k}) union all select * from completed)`;
}

function sampleOf(table: PgTable, filters: SQL): SQL {
  return sql`select count(*) filter (where ${filters}) * ${BROAD} >= count(*) as broad from ${sampled(table)}`;
}

function byIndex(table: SearchTable, plan: NearestPlan, query: NearestQuery, reach: number): SQL {
  return sql`${candidates(table, plan, query)} order by ${column.distance}, ${table.id} limit ${reach}`;
}

function byScan(table: SearchTable, plan: NearestPlan, query: NearestQuery, completes: boolean): SQL {
  const { after, k } = query;
  const past = after ? sql` where ${behindDistance(after, column.id)}` : sql``;
  const how = plan.report
    ? sql`, count(*) over () as ${column.candidates}, ${sql.raw(String(completes))} as ${column.completed}`
    : sql``;
  return sql`select * from (${candidates(table, plan, query, how)}) candidate${past}
    order by ${column.distance} + 0, ${column.id} limit ${k}`;
}

function candidates(
  { table, key, embedding }: SearchTable,
  { metric }: NearestPlan,
  { operand, conditions }: NearestQuery,
  how = sql``,
): SQL {
  const distance = distanceTo(embedding, metric, operand);
  const columns = sql.join([...key, sql`${distance} as ${column.distance}`], sql`, `);
  return sql`select ${columns}${how} from ${table} where ${and(isNotNull(embedding), conditions)}`;
}
