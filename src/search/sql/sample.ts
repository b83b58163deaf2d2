import { getTableName, type SQL, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';

/** How much of a table a sample reads: 250 pages of 8 kB, some 750 rows. A smaller table is read whole. */
const SAMPLE_BYTES = sql.raw('250 * 8192');

/** A FROM item: the table, or of a larger table a sample, which is the same each time. */
export function sampled(table: PgTable): SQL {
  return sql`${table} tablesample system (least(100, 100.0 * ${SAMPLE_BYTES} / ${sizeOf(table)})) repeatable (0)`;
}

/** How many rows of the table a row of the sample stands for, 1 or more. */
export function sampleScale(table: PgTable): SQL {
  return sql`greatest(1, 1.0 * ${sizeOf(table)} / (${SAMPLE_BYTES}))`;
}

/** An upper estimate of the table's rows: four a page, since an embedding takes 1.5 kB of a page's 8 kB. */
export function rowsOf(table: PgTable): SQL {
  return sql`(${sizeOf(table)} / 8192 * 4)`;
}

function sizeOf(table: PgTable): SQL {
  return sql.raw(`greatest(pg_relation_size('${getTableName(table)}'), 1)`);
}
