import { getTableName, type SQL, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';

/** Pages read to estimate what is in a whole table, 8 kB each: some 750 rows; a smaller table is read whole. */
const SAMPLE_BYTES = sql.raw('250 * 8192');

/** A FROM item: the table, but of a larger one only a sample, the same each time. */
export function sampled(table: PgTable): SQL {
  return sql`${table} tablesample system (least(100, 100.0 * ${SAMPLE_BYTES} / ${sizeOf(table)})) repeatable (0)`;
}

/** How many rows of the table a row of the sample stands for, 1 or more. */
export function sampleScale(table: PgTable): SQL {
  return sql`greatest(1, 1.0 * ${sizeOf(table)} / (${SAMPLE_BYTES}))`;
}

function sizeOf(table: PgTable): SQL {
  return sql.raw(`greatest(pg_relation_size('${getTableName(table)}'), 1)`);
}
