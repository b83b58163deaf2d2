import { inject, onTestFinished } from 'vitest';
import { withConnection } from '../../src/database/connection.ts';
import { openPool, type Pool } from '../../src/database/pool.ts';
import { ensureRoles } from '../../src/database/roles.ts';
import { openTestDatabase } from './database.ts';

/** A database of a server, whose owner is no superuser. It has the extension and nothing else. */
export interface OwnedDatabase {
  /** Connections of the user of TEST_DATABASE_URL, who is a superuser. */
  readonly administrator: Pool;
  readonly owner: string;
  readonly ownerUrl: string;
  readonly ownerPool: Pool;
  /** The URL of another role, once it has the password `secret`. */
  urlOf(role: string): string;
  /** Sends statements as the administrator. */
  asAdministrator(...statements: string[]): Promise<void>;
}

let made = 0;

/** A name for a role that no other test has. */
export const freshRole = (kind: string): string =>
  `funes_test_${kind}_${process.pid}_${Date.now()}_${made++}`;

export const password = 'secret';

/**
 * Opens such a database until the test has ended. `logins` are roles that the test makes, and that are removed with it.
 * @param mayGrant whether the owner may make roles, and grant the roles of requests.
 */
export async function openOwnedDatabase({
  mayGrant,
  logins = [],
}: {
  mayGrant: boolean;
  logins?: readonly string[];
}): Promise<OwnedDatabase> {
  if (inject('databaseTemplate').engine === 'embedded')
    throw new Error('The embedded database has one user.');
  const database = await openTestDatabase({ empty: true });
  const name = new URL(database.database as string).pathname.slice(1);
  const owner = freshRole('owner');
  const urlOf = (role: string) => {
    const url = new URL(database.database as string);
    url.username = role;
    url.password = password;
    return url.href;
  };
  const asAdministrator = (...statements: string[]) => sendAll(database.pool, statements);
  await asAdministrator(
    `create role ${owner} login ${mayGrant ? 'createrole' : ''} password '${password}'`,
    `alter database ${name} owner to ${owner}`,
    'create extension vector',
  );
  if (mayGrant) {
    await withConnection(database.pool, ensureRoles);
    await asAdministrator(`grant funes_app, funes_admin to ${owner} with admin option`);
  }
  const ownerPool = openPool({ database: urlOf(owner), poolSize: 1 });
  onTestFinished(async () => {
    await ownerPool.close();
    await asAdministrator(`alter database ${name} owner to current_user`);
    for (const role of [...logins, owner]) {
      const [found] = await rows(database.pool, `select from pg_roles where rolname = '${role}'`);
      if (found) await asAdministrator(`drop owned by ${role} cascade`, `drop role ${role}`);
    }
    await database.close();
  });
  return { administrator: database.pool, owner, ownerUrl: urlOf(owner), ownerPool, urlOf, asAdministrator };
}

/** Sends statements on one connection, as its user. */
export function sendAll(pool: Pool, statements: readonly string[]): Promise<void> {
  return withConnection(pool, async (connection) => {
    for (const statement of statements) await connection.unsafe(statement);
  });
}

/** The rows of one statement. */
export function rows<Row extends object>(pool: Pool, statement: string): Promise<Row[]> {
  return withConnection(
    pool,
    async (connection) => [...(await connection.unsafe(statement))] as unknown as Row[],
  );
}
