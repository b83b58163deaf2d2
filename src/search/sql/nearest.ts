import { and, isNotNull, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { type SearchOptions, usesIndex } from '../options.ts';
import { behindDistance, type Position } from '../paging.ts';
import { distanceTo } from './distance.ts';
import { sampled } from './sample.ts';

/** A table that is searched by its embedding column. */
export interface VectorTable {
  table: PgTable;
  id: PgColumn;
  embedding: PgColumn;
  /** Columns that a hit carries beside its distance; the primary key at least. */
  hit: readonly PgColumn[];
}

export interface NearestQuery {
  /** The vector to be near to: a parameter cast to `vector`, or a column of an outer row (LATERAL). */
  operand: SQLWrapper;
  k: number;
  conditions: SQL | undefined;
  /** Those of the conditions that may leave out many rows. */
  filters: SQL | undefined;
  options: Pick<SearchOptions, 'metric' | 'exact'>;
  /** Only rows behind this place. */
  after?: Position | undefined;
  /** Also how the rows were found: `candidates` and `completed`, see `SearchReport`. */
  report?: boolean | undefined;
}

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
export function nearest(target: VectorTable, query: NearestQuery): SQL {
  const { k, conditions, filters, after } = query;
  if (!usesIndex(query.options)) return sql`(${byScan(target, query, conditions, false)})`;
  const reach = filters ? Math.max(k, Math.min(k * FILTERED_REACH, FARTHEST_REACH)) : k;
  const shown = after ? after.seen + k : 0;
  const broad = filters && sql`(select broad from breadth)`;
  const sample = filters && sql`breadth as materialized (${sampleOf(target.table, filters)}), `;
  const near = byIndex(target, { ...query, conditions: and(broad, conditions) }, shown + reach);
  const past = after && behindDistance(after, sql`id`);
  const enough = sql`(select count(*) from near${past ? sql` where ${past}` : sql``}) >= ${reach}`;
  const completed = byScan(target, query, and(sql`not ${enough}`, conditions), true);
  const columns = query.report
    ? sql`*, (select count(*) from near) as candidates, false as completed`
    : sql`*`;
  return sql`(with ${sample}near as materialized (${near}), completed as materialized (${completed})
    (select ${columns} from near where ${and(enough, past)} order by distance, id limit ${k}) union all select * from completed)`;
}

function sampleOf(table: PgTable, filters: SQL): SQL {
  return sql`select count(*) filter (where ${filters}) * ${BROAD} >= count(*) as broad from ${sampled(table)}`;
}

function byIndex(target: VectorTable, query: NearestQuery, reach: number): SQL {
  return sql`${candidates(target, query, query.conditions)} order by distance, ${target.id} limit ${reach}`;
}

function byScan(
  target: VectorTable,
  query: NearestQuery,
  conditions: SQL | undefined,
  completes: boolean,
): SQL {
  const { after, report } = query;
  const past = after ? sql` where ${behindDistance(after, sql`id`)}` : sql``;
  const how = report
    ? sql`, count(*) over () as candidates, ${sql.raw(String(completes))} as completed`
    : sql``;
  return sql`select * from (${candidates(target, query, conditions, how)}) candidate${past}
    order by distance + 0, id limit ${query.k}`;
}

function candidates(target: VectorTable, query: NearestQuery, conditions: SQL | undefined, how = sql``): SQL {
  const distance = distanceTo(target.embedding, query.options.metric, query.operand);
  const columns = sql.join([...target.hit, sql`${distance} as distance`], sql`, `);
  return sql`select ${columns}${how} from ${target.table} where ${and(isNotNull(target.embedding), conditions)}`;
}
