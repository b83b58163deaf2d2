import type { ReservedSql } from 'postgres';
import { FunesError, quote } from '../errors.ts';
import { withConnection } from './connection.ts';
import { grantStatements, grants } from './grants.ts';
import type { Pool } from './pool.ts';
import { databaseRoles, ensureRoles, membership, runMissing } from './roles.ts';

/** What `applyRoles` has done. */
export interface AppliedRoles {
  /** The statements about roles that were missing. The grants are applied each time. */
  readonly changed: readonly string[];
  readonly grants: readonly string[];
  /** The login role was made, and has no password. */
  readonly isNewLogin: boolean;
}

const requestRoles = Object.values(databaseRoles).join(', ');

/**
 * The statements that make the roles and give them what a server needs, and nothing else. They can run again and again.
 * @param login the role that a server logs in as, if there is to be one that owns nothing.
 * @throws FunesError BAD_USER_INPUT if a server cannot log in as that role.
 */
export async function readRoleStatements(pool: Pool, login: string | undefined): Promise<string[]> {
  return withConnection(pool, async (connection) => {
    const surroundings = await readSurroundings(connection, pool.schemas?.home);
    const { owner, ownerIsSuperuser, version, database, everybodyConnects, schema } = surroundings;
    const named =
      login === undefined ? undefined : (await readLogin(connection, login, pool.schemas?.home)).quoted;
    const member = membership(version);
    return [
      ...Object.values(databaseRoles).map((role) => createUnlessThere(role, 'nologin noinherit')),
      ...(ownerIsSuperuser ? [] : [`grant ${requestRoles} to ${owner}${member}`]),
      ...(named === undefined
        ? []
        : [
            createUnlessThere(named, 'login noinherit'),
            `grant ${requestRoles} to ${named}${member}`,
            ...(everybodyConnects ? [] : [`grant connect on database ${database} to ${named}`]),
          ]),
      ...grantStatements(schema),
    ];
  });
}

/**
 * Makes the roles and grants what a server needs, as the user of the connections. It can run again, and at the same time as another.
 * @throws FunesError UNAVAILABLE that has the statements an administrator of the database can run, or says what else is missing;
 *   BAD_USER_INPUT if a server cannot log in as that role.
 */
export async function applyRoles(pool: Pool, login: string | undefined): Promise<AppliedRoles> {
  return withConnection(pool, async (connection) => {
    const home = pool.schemas?.home;
    await refuseUnmigrated(connection, home);
    const before = login === undefined ? undefined : await readLogin(connection, login, home);
    const changed = await ensureRoles(connection);
    if (login !== undefined) {
      const problem = 'The user of the database may not make the role of the server.';
      changed.push(
        ...(await runMissing(connection, problem, () => missingForLogin(connection, login, home))),
      );
      await refuseInheriting(connection, login, home);
    }
    const { schema } = await readSurroundings(connection, home);
    const statements = grantStatements(schema);
    // One string of several statements is one transaction.
    const problem = 'The user of the database may not grant what the roles of requests need.';
    await runMissing(connection, problem, async () => [statements.join('; ')]);
    return { changed, grants: statements, isNewLogin: before?.exists === false };
  });
}

/** The schema of the tables. Without it, the current schema of the session is. */
type Home = string | undefined;

interface Surroundings {
  owner: string;
  ownerIsSuperuser: boolean;
  database: string;
  everybodyConnects: boolean;
  schema: string;
  version: number;
}

async function readSurroundings(connection: ReservedSql, home: Home): Promise<Surroundings> {
  const [row] = await connection<Surroundings[]>`
    select quote_ident(current_user) as owner,
      (select rolsuper from pg_roles where rolname = current_user) as "ownerIsSuperuser",
      quote_ident(current_database()) as database,
      has_database_privilege('public', current_database(), 'CONNECT') as "everybodyConnects",
      quote_ident(coalesce(${home ?? null}::text, current_schema())) as schema,
      current_setting('server_version_num')::int as version`;
  if (row === undefined) throw new Error('The database did not say what it is.');
  return row;
}

interface LoginState {
  quoted: string;
  exists: boolean;
  version: number;
  mayLogIn: boolean;
  inherits: boolean;
  isSuperuser: boolean;
  passesPolicies: boolean;
  owns: boolean;
  /** Of the roles of requests that there are: it can switch to each, and has the rights of none without switching. */
  isMember: boolean;
  hasRights: boolean;
}

async function readLogin(connection: ReservedSql, login: string, home: Home): Promise<LoginState> {
  refuseName(login);
  const names = Object.values(databaseRoles).join(',');
  const [state] = await connection<LoginState[]>`
    select quote_ident(${login}) as quoted, role.oid is not null as exists, version,
      coalesce(rolcanlogin, false) as "mayLogIn", coalesce(rolinherit, false) as inherits,
      coalesce(rolsuper, false) as "isSuperuser", coalesce(rolbypassrls, false) as "passesPolicies",
      coalesce(pg_has_role(role.oid, (select relowner from pg_class where oid = to_regclass(quote_ident(coalesce(${home ?? null}::text, current_schema())) || '.memories')), 'MEMBER'), false) as owns,
      coalesce((
        select bool_and(pg_has_role(role.oid, request.oid, case when version < 160000 then 'MEMBER' else 'SET' end))
        from pg_roles request where rolname = any(string_to_array(${names}, ','))), false) as "isMember",
      coalesce((
        select bool_or(pg_has_role(role.oid, request.oid, 'USAGE'))
        from pg_roles request where rolname = any(string_to_array(${names}, ','))), false) as "hasRights"
    from (select current_setting('server_version_num')::int as version) server
      left join pg_roles role on role.rolname = ${login}`;
  if (state === undefined) throw new Error('The database did not say what the role is.');
  const refuse = (problem: string) =>
    new FunesError('BAD_USER_INPUT', `The role ${quote(login)} ${problem}. Name another one by --login.`);
  if (state.isSuperuser) throw refuse('is a superuser');
  if (state.passesPolicies) throw refuse('passes by the policies of row-level security (BYPASSRLS)');
  if (state.owns) throw refuse('owns the tables');
  return state;
}

function refuseName(login: string): void {
  const roles: readonly string[] = Object.values(databaseRoles);
  if (roles.includes(login)) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `Requests run as ${login}; a server must log in as another role. Name one by --login.`,
    );
  }
  if (/^[a-z_][\w.@-]{0,62}$/i.test(login)) return;
  throw new FunesError(
    'BAD_USER_INPUT',
    `--login must be a name of at most 63 letters, digits and _ . @ -, such as funes_server, not ${quote(login)}.`,
  );
}

async function missingForLogin(connection: ReservedSql, login: string, home: Home): Promise<string[]> {
  const { quoted, exists, version, mayLogIn, inherits, isMember, hasRights } = await readLogin(
    connection,
    login,
    home,
  );
  const { database, everybodyConnects } = await readSurroundings(connection, home);
  const mayConnect = everybodyConnects || (exists && (await mayConnectTo(connection, login)));
  return [
    ...(exists ? [] : [`create role ${quoted} login noinherit`]),
    ...(exists && !mayLogIn ? [`alter role ${quoted} login`] : []),
    // Since PostgreSQL 16 the grant says it.
    ...(exists && inherits && version < 160000 ? [`alter role ${quoted} noinherit`] : []),
    ...(isMember && !hasRights ? [] : [`grant ${requestRoles} to ${quoted}${membership(version)}`]),
    ...(mayConnect ? [] : [`grant connect on database ${database} to ${quoted}`]),
  ];
}

async function mayConnectTo(connection: ReservedSql, login: string): Promise<boolean> {
  const [row] = await connection<{ may: boolean }[]>`
    select has_database_privilege(${login}, current_database(), 'CONNECT') as may`;
  return row?.may === true;
}

/** Somebody else may have granted a role so that it is inherited. Only that grantor or a superuser can revoke it. */
async function refuseInheriting(connection: ReservedSql, login: string, home: Home): Promise<void> {
  const { quoted, hasRights } = await readLogin(connection, login, home);
  if (!hasRights) return;
  throw new FunesError(
    'UNAVAILABLE',
    `The role ${quoted} inherits the rights of ${requestRoles}, by a grant of somebody else. Let that grantor or a superuser run: ` +
      `revoke ${requestRoles} from ${quoted}; and run this again.`,
  );
}

/** Refuses a database that lacks tables, or the policies that a restore leaves out if there were no roles. */
async function refuseUnmigrated(connection: ReservedSql, home: Home): Promise<void> {
  const names = [...new Set(grants.flatMap(({ on, name }) => (on === 'table' && name ? [name] : [])))];
  const [row] = await connection<{ tables: string | null; policies: string | null }[]>`
    select
      (select string_agg(name, ', ') from unnest(string_to_array(${names.join(',')}, ',')) as name
        where to_regclass(case when name like '%.%' then name else schema || '.' || name end) is null) as tables,
      (select string_agg(relname, ', ' order by relname) from pg_class
        where relnamespace = schema::regnamespace and relrowsecurity
          and not exists (select from pg_policy where polrelid = pg_class.oid)) as policies
    from (select quote_ident(coalesce(${home ?? null}::text, current_schema())) as schema) home`;
  if (row?.tables) {
    throw new FunesError(
      'UNAVAILABLE',
      `The database has no table ${row.tables} yet. Run "funes migrate" first.`,
    );
  }
  if (row?.policies) {
    throw new FunesError(
      'UNAVAILABLE',
      `No policy says whose rows are whose, of ${row.policies}: a restore leaves policies out if their roles are missing. Create the ` +
        'roles that "funes roles" prints, and restore again.',
    );
  }
}

function createUnlessThere(role: string, options: string): string {
  const name = role.replace(/^"(.*)"$/, '$1');
  return (
    `do $$ begin if not exists (select from pg_roles where rolname = '${name}') ` +
    `then create role ${role} ${options}; end if; end $$`
  );
}
