import { type SQL, sql } from 'drizzle-orm';
import { type AnyPgColumn, pgPolicy, pgRole } from 'drizzle-orm/pg-core';

/** The role of requests that have the rows of one user. src/database/roles.ts makes both roles. */
export const appRole = pgRole('funes_app').existing();
/** The role of requests that have all rows. */
export const adminRole = pgRole('funes_admin').existing();

/**
 * The user of the transaction, NULL if there is none: a policy then passes no row. It is a subselect so that PostgreSQL evaluates
 * it once a statement and not once a row.
 */
export const transactionUser: SQL = sql`(select nullif(current_setting('funes.user', true), ''))`;

/** The policies of a table with an owner: the app role has the rows of the transaction's user, the admin role has all. */
export function ownerPolicies(table: string, userId: AnyPgColumn) {
  const own = sql`${userId} = ${transactionUser}`;
  return [
    pgPolicy(`${table}_of_user`, { to: appRole, for: 'all', using: own, withCheck: own }),
    pgPolicy(`${table}_of_all`, { to: adminRole, for: 'all', using: sql`true`, withCheck: sql`true` }),
  ];
}
