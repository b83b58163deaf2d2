import { setTimeout as delay } from 'node:timers/promises';
import type { ReservedSql } from 'postgres';
import { FunesError } from '../errors.ts';
import { withConnection } from './connection.ts';
import type { Pool } from './pool.ts';
import { type PreparedStatements, probeSessions } from './probe.ts';

export interface ReadinessOptions {
  /** Describes the database in messages, without its password. */
  where: string;
  /** The setting that names the database, for messages. Default: DATABASE_URL. */
  setting?: string;
  /** False if another user creates the extension `vector`. Default: true. */
  createsVector?: boolean;
  /** How long to keep trying, in milliseconds. */
  withinMs: number;
  /** Default: auto. */
  preparedStatements?: PreparedStatements | undefined;
  logger?: { warn(fields: object, message: string): void; info?(message: string): void } | undefined;
}

/** The versions of a database server. */
export interface ServerVersions {
  /** The version of PostgreSQL in the form that the server writes, such as `17.2`. */
  server: string;
  /** The version of the extension `vector` in this database, or the version that the migration will create. */
  vector: string;
}

const oldestServer = 15;
const oldestVector = [0, 8] as const;
const pauseMs = { first: 100, most: 5000 };

const orEmbedded = 'or unset DATABASE_URL to use the embedded database';

/**
 * Waits until the database answers, with pauses that double. Then checks that it can serve: it must be PostgreSQL 15 or newer,
 * with pgvector 0.8 or newer that is installed in this database or that this user can install.
 *
 * @throws FunesError UNAVAILABLE that says what is wrong and what to do. Does not wait if waiting cannot help.
 */
export async function awaitDatabase(pool: Pool, options: ReadinessOptions): Promise<ServerVersions> {
  const deadline = Date.now() + options.withinMs;
  for (let pause = pauseMs.first; ; pause = Math.min(pause * 2, pauseMs.most)) {
    try {
      return await check(pool, options);
    } catch (error) {
      const problem = refusal(error, options);
      if (problem !== undefined) throw problem;
      if (Date.now() + pause >= deadline) throw unreachable(error, options);
      options.logger?.warn({ reason: reason(error) }, `No connection to ${options.where} yet; trying again.`);
      await delay(pause);
    }
  }
}

async function check(pool: Pool, options: ReadinessOptions): Promise<ServerVersions> {
  const { where, createsVector = true, preparedStatements = 'auto' } = options;
  const sign = await probeSessions(pool, preparedStatements);
  if (sign !== undefined) sayPooled(options, sign);
  return withConnection(pool, async (connection) => {
    const server = await checkServer(connection, where);
    return { server, vector: await checkVector(connection, where, createsVector) };
  });
}

function sayPooled({ where, setting = 'DATABASE_URL', logger }: ReadinessOptions, sign: string): void {
  logger?.info?.(
    `${setting} leads to ${where} through a pooler that gives each transaction another session (${sign}). ` +
      'Each transaction makes its own settings.',
  );
}

async function checkServer(connection: ReservedSql, where: string): Promise<string> {
  const [row] = await connection<{ number: number; version: string; encoding: string }[]>`
    select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
      current_setting('server_encoding') as encoding`;
  const problem =
    serverProblem(row?.number ?? 0, row?.version ?? 'unknown', where) ??
    encodingProblem(row?.encoding ?? 'unknown', where);
  if (problem !== undefined) throw problem;
  return row?.version ?? '';
}

/** The reason why a server of this version cannot be used; undefined if it can. `number` is `server_version_num`. */
export function serverProblem(number: number, version: string, where: string): FunesError | undefined {
  if (number >= oldestServer * 10_000) return undefined;
  return new FunesError(
    'UNAVAILABLE',
    `The server of ${where} is PostgreSQL ${version}; funes needs ${oldestServer} or newer. Upgrade it, set ` +
      `DATABASE_URL to a newer server, ${orEmbedded}.`,
  );
}

function encodingProblem(encoding: string, where: string): FunesError | undefined {
  if (encoding === 'UTF8') return undefined;
  return new FunesError(
    'UNAVAILABLE',
    `The database ${where} has the encoding ${encoding}, which cannot store every text; funes needs UTF8. Create one with ` +
      `"createdb --encoding=UTF8 --template=template0", set DATABASE_URL to it, ${orEmbedded}.`,
  );
}

/** The state of the extension `vector` on a server. */
export interface VectorState {
  installed: string | null;
  /** The newest version whose files the server has; null if it has none. */
  available: string | null;
  /** Whether this user may run CREATE EXTENSION vector here. */
  mayCreate: boolean;
  user: string;
  database: string;
}

async function checkVector(connection: ReservedSql, where: string, creates: boolean): Promise<string> {
  const [state] = await connection<VectorState[]>`
    select (select extversion from pg_extension where extname = 'vector') as installed,
      (select default_version from pg_available_extensions where name = 'vector') as available,
      (select rolsuper from pg_roles where rolname = current_user)
        or (has_database_privilege(current_database(), 'CREATE') and coalesce((
          select v.trusted from pg_available_extension_versions v
          join pg_available_extensions e on e.name = v.name and e.default_version = v.version
          where v.name = 'vector'), false)) as "mayCreate",
      current_user as user, current_database() as database`;
  const problem = state && vectorProblem(creates ? state : { ...state, mayCreate: true }, where);
  if (problem !== undefined) throw problem;
  return state?.installed ?? state?.available ?? '';
}

/** The reason why a server's pgvector cannot be used; undefined if it can. */
export function vectorProblem(state: VectorState, where: string): FunesError | undefined {
  const { installed, available, mayCreate, user, database } = state;
  const refuse = (problem: string, advice: string) =>
    new FunesError('UNAVAILABLE', `${problem} ${advice}, ${orEmbedded}.`);
  const install = 'Install pgvector 0.8 or newer on it (https://github.com/pgvector/pgvector#installation)';

  if (installed !== null) {
    if (isRecentVector(installed)) return undefined;
    const old = `The extension vector in ${where} has version ${installed}; funes needs 0.8 or newer.`;
    return available !== null && isRecentVector(available)
      ? refuse(old, `Let its owner run ALTER EXTENSION vector UPDATE in the database ${database}`)
      : refuse(old, `${install}, then run ALTER EXTENSION vector UPDATE in the database ${database}`);
  }
  if (available === null) return refuse(`The server of ${where} has no extension vector.`, install);
  if (!isRecentVector(available)) {
    return refuse(`The server of ${where} has pgvector ${available}; funes needs 0.8 or newer.`, install);
  }
  if (mayCreate) return undefined;
  return refuse(
    `The database ${database} has no extension vector, and the user ${user} may not create it.`,
    `Let a superuser run CREATE EXTENSION vector in the database ${database}`,
  );
}

function isRecentVector(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > oldestVector[0] || (major === oldestVector[0] && minor >= oldestVector[1]);
}

/** The error for problems that do not go away by waiting; undefined for others. */
function refusal(
  error: unknown,
  { where, setting = 'DATABASE_URL' }: ReadinessOptions,
): FunesError | undefined {
  const code = codeOf(error);
  const orElse = setting === 'DATABASE_URL' ? `, ${orEmbedded}` : '';
  const refuse = (message: string) =>
    new FunesError('UNAVAILABLE', `${message} Correct ${setting}${orElse}.`, { cause: error });
  if (code === undefined) return error instanceof FunesError && error.cause === undefined ? error : undefined;
  if (code.startsWith('28')) return refuse(`${where} refuses the user or password of ${setting}.`);
  if (code === '3D000') return refuse(`There is no such database: ${where}. Create it (createdb).`);
  if (code === 'TLS_REFUSED') return refuse(`${where} offers no TLS, and ${setting} asks for it (sslmode).`);
  if (code === 'TLS_FAILED') return refuse(`TLS with ${where} failed: ${messageOf(error)}.`);
  if (code === '08P01') return refuse(`${where} refuses the connection: ${messageOf(error)}.`);
  if (code === '42704')
    return refuse(`${where} does not know a parameter of ${setting}: ${messageOf(error)}.`);
  return undefined;
}

function unreachable(
  error: unknown,
  { where, withinMs, setting = 'DATABASE_URL' }: ReadinessOptions,
): FunesError {
  return new FunesError(
    'UNAVAILABLE',
    `There is no connection to ${where} after ${withinMs / 1000} s (${reason(error)}). Start that server, ` +
      (setting === 'DATABASE_URL' ? `correct DATABASE_URL, ${orEmbedded}.` : `or correct ${setting}.`),
    { cause: error },
  );
}

const reason = (error: unknown): string => codeOf(error) ?? messageOf(error);

const messageOf = (error: unknown): string => {
  const root = error instanceof FunesError && error.cause instanceof Error ? error.cause : error;
  return root instanceof Error ? root.message : String(root);
};

function codeOf(error: unknown): string | undefined {
  const root = error instanceof FunesError && error.cause instanceof Error ? error.cause : error;
  return root instanceof Error && 'code' in root && !(root instanceof FunesError)
    ? String(root.code)
    : undefined;
}
