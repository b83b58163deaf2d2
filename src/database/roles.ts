import type { ReservedSql } from 'postgres';
import { FunesError } from '../errors.ts';
import { withConnection } from './connection.ts';
import { errorCode } from './errors.ts';
import type { Pool } from './pool.ts';
import { type LocalSettings, setLocal } from './session-settings.ts';

/**
 * The roles of the policies of row-level security (`schema/columns/policies.ts`). Neither owns a table, and neither can log in.
 * `transaction` switches to one of them with `SET LOCAL ROLE`: to `app` for users and readers, to `admin` for administrators.
 */
export const databaseRoles = {
  /** Sees and writes the rows of one user: the one that its transaction names. */
  app: 'funes_app',
  /** Sees and writes the rows of all users. */
  admin: 'funes_admin',
} as const;

// Roles belong to the whole server, so other databases that are prepared at this moment change them too.
const mostAttempts = 50;
const lostRaces = [
  '23505', // unique_violation
  '42710', // duplicate_object
  'XX000', // "tuple concurrently updated"
];

/**
 * Creates the roles that are missing, and lets the user of this connection switch to them, which creating a role does not do
 * since PostgreSQL 16. Call it outside any transaction: a statement that lost a race against another session is sent again.
 * @param settings what a pooler's session lacks. With any, each attempt is a transaction.
 * @returns the statements that were run.
 * @throws FunesError UNAVAILABLE if this user may not do that. The message has the statements that an administrator can run.
 */
export async function ensureRoles(connection: ReservedSql, settings: LocalSettings = {}): Promise<string[]> {
  const run = await runMissing(connection, cannotMakeRoles, () => missingStatements(connection), settings);
  // A user who has a right and may not grant it is only warned.
  const left = run.length === 0 ? [] : await missingUsage(connection);
  if (left.length > 0) throw refusal(cannotMakeRoles, left, undefined);
  return run;
}

/**
 * Runs the statements that `missing` finds, one by one, and all that are missing then if one lost a race against another session.
 * @param problem says in messages what this user may not do.
 * @returns the statements that were run.
 * @throws FunesError UNAVAILABLE if this user may not run one of them. The message has all that are missing.
 */
export async function runMissing(
  connection: ReservedSql,
  problem: string,
  missing: () => Promise<string[]>,
  settings: LocalSettings = {},
): Promise<string[]> {
  const begin = setLocal(settings);
  for (let attempt = 1; ; attempt++) {
    let statements: string[] = [];
    try {
      if (begin.length > 0) await connection.unsafe(['begin', ...begin].join('; '));
      statements = await missing();
      for (const statement of statements) await connection.unsafe(statement);
      if (begin.length > 0) await connection.unsafe('commit');
      return statements;
    } catch (error) {
      if (begin.length > 0) await connection.unsafe('rollback').catch(() => {});
      if (errorCode(error) === '42501') throw refusal(problem, statements, error);
      if (attempt === mostAttempts || !lostRaces.includes(errorCode(error) ?? '')) throw error;
    }
  }
}

interface RoleState {
  name: string;
  exists: boolean;
  /** The user of the connection can switch to it. */
  usable: boolean;
  user: string;
  version: number;
}

/** The statements that are left to run until the user of this connection can switch to both roles. */
export async function missingStatements(connection: ReservedSql): Promise<string[]> {
  const names = Object.values(databaseRoles).join(',');
  // Before PostgreSQL 16 a member could always switch. A superuser can in any version.
  const states = await connection<RoleState[]>`
    select name, role.oid is not null as exists, quote_ident(current_user) as user, version,
      coalesce(pg_has_role(current_user, role.oid, case when version < 160000 then 'MEMBER' else 'SET' end), false) as usable
    from unnest(string_to_array(${names}, ',')) as name
      left join pg_roles role on role.rolname = name,
      (select current_setting('server_version_num')::int as version) server`;
  return [
    ...states.flatMap(({ name, exists, usable, user, version }) => [
      ...(exists ? [] : [`create role ${name} nologin noinherit`]),
      ...(usable ? [] : [`grant ${name} to ${user}${membership(version)}`]),
    ]),
    ...(await missingUsage(connection)),
  ];
}

/** The extension may be in a schema that only some roles may use, such as `extensions`. */
async function missingUsage(connection: ReservedSql): Promise<string[]> {
  const names = Object.values(databaseRoles).join(',');
  const lacking = await connection<{ role: string; schema: string }[]>`
    select wanted as role, quote_ident(nspname) as schema
    from pg_extension join pg_namespace n on n.oid = extnamespace, unnest(string_to_array(${names}, ',')) as wanted
      left join pg_roles role on role.rolname = wanted
    where extname = 'vector' and not coalesce(has_schema_privilege(role.oid, n.oid, 'USAGE'),
      exists (select from aclexplode(nspacl) where grantee = 0 and privilege_type = 'USAGE'))`;
  return lacking.map(({ role, schema }) => `grant usage on schema ${schema} to ${role}`);
}

/** As `missingStatements`, on a connection of the pool. */
export function readMissingStatements(pool: Pick<Pool, 'reserve' | 'localSettings'>): Promise<string[]> {
  return withConnection(pool, missingStatements);
}

/** How a member may use a role: only by switching to it. Before PostgreSQL 16 the member itself says so (NOINHERIT). */
export function membership(version: number): string {
  return version < 160000 ? '' : ' with set true, inherit false';
}

/** What a user may not do who is told the statements about roles. */
export const cannotMakeRoles = 'The user of the database may not create the roles that requests run as.';

function refusal(problem: string, statements: readonly string[], cause: unknown): FunesError {
  return new FunesError(
    'UNAVAILABLE',
    `${problem} Let an administrator of the database run: ` +
      `${statements.map((statement) => `${statement};`).join(' ')}`,
    cause === undefined ? {} : { cause },
  );
}
