import { and, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { SearchTable } from '../tables.ts';

/** The bare name of a column, as CTEs use it. */
export function nameOf({ name }: PgColumn): SQL {
  return sql`${sql.identifier(name)}`;
}

/** The bare names of a table's key. */
export function keyOf({ key }: SearchTable): SQL {
  return sql.join(key.map(nameOf), sql`, `);
}

/**
 * A FROM item: each row of the CTE `name` with `columns` of its stored row, as `alias`. LIMIT 1 tells the planner that each row has
 * exactly one stored row. For a plain join by a key of two columns the planner multiplies the selectivity of both, expects one row in
 * all, and joins the rest by nested loops, which took ten times as long.
 */
export function withRow({ table, key }: SearchTable, name: SQL, columns: SQL, alias: SQL): SQL {
  const same = key.map((keyColumn) => sql`${keyColumn} = ${name}.${nameOf(keyColumn)}`);
  return sql`${name} cross join lateral (select ${columns} from ${table} where ${and(...same)} limit 1) ${alias}`;
}
