import { and, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { SearchTable } from '../tables.ts';

/** A column's bare name, as a CTE has it. */
export function nameOf({ name }: PgColumn): SQL {
  return sql`${sql.identifier(name)}`;
}

/** The bare names of a table's key. */
export function keyOf({ key }: SearchTable): SQL {
  return sql.join(key.map(nameOf), sql`, `);
}

/**
 * A FROM item: each row of the CTE `name` with the stored row of the same key, of which `columns` are known as `alias`. It is a
 * join by the key in a form of which the planner knows that it finds one row each: it multiplies what it thinks of each
 * column of a key, expects one row in all, and joins what comes after by nested loops, which took ten times as long.
 */
export function withRow({ table, key }: SearchTable, name: SQL, columns: SQL, alias: SQL): SQL {
  const same = key.map((keyColumn) => sql`${keyColumn} = ${name}.${nameOf(keyColumn)}`);
  return sql`${name} cross join lateral (select ${columns} from ${table} where ${and(...same)} limit 1) ${alias}`;
}
