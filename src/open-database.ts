import type { Logger } from 'pino';
import { describeDatabaseUrl } from './config/database-url.ts';
import type { Config } from './config.ts';
import { ignoredParameters, parameterProblems, parseConnectionUrl } from './connection-url.ts';
import { databaseFolder } from './database/embedded/data-folder.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from './database/embedded/embedded-database.ts';
import { migrate, readPendingMigrations, refuseForeignTables } from './database/migrate.ts';
import { openPool, type Pool } from './database/pool.ts';
import { awaitDatabase } from './database/readiness.ts';
import { readMissingStatements } from './database/roles.ts';
import { readStanding, refuseReadOnly, refuseRemoteSuperuser, type Standing } from './database/standing.ts';
import { FunesError, quote } from './errors.ts';

/** What names a database, for messages. */
type Setting = 'DATABASE_URL' | 'FUNES_MIGRATE_URL' | '--to';

/** A database that answers. */
export interface OpenDatabase {
  readonly pool: Pool;
  /** Describes the database, for people. */
  readonly describe: string;
  /** What the user of the connections is. */
  readonly standing: Standing;
  /** The folder of the embedded database; undefined for a server's. */
  readonly folder: string | undefined;
  close(): Promise<void>;
}

/**
 * Opens the database that the settings name, and waits until it answers. Nothing is migrated.
 * @throws FolderInUse if another process uses the folder of the embedded database; FunesError that says what else is wrong and
 *   what to do.
 */
export async function openDatabase(config: Config, log: Logger): Promise<OpenDatabase> {
  if (config.databaseUrl !== undefined) return openUrl(config.databaseUrl, 'DATABASE_URL', config, log);
  const database = await startEmbeddedDatabase({ dataDir: config.dataDir, logger: log });
  const opened = { database, where: database.describe, folder: databaseFolder(config.dataDir) };
  return openWhenReady(opened, config, log);
}

/**
 * Opens the database for the work of the owner of its tables: on FUNES_MIGRATE_URL or, without it, on DATABASE_URL or the
 * embedded database.
 * @throws as `openDatabase`; FunesError UNAVAILABLE if that is no connection of the owner.
 */
export async function openOwnersDatabase(config: Config, log: Logger): Promise<OpenDatabase> {
  const { databaseUrl, migrateUrl } = config;
  const setting = migrateUrl === undefined ? 'DATABASE_URL' : 'FUNES_MIGRATE_URL';
  const url = migrateUrl ?? databaseUrl;
  if (url === undefined) return openDatabase(config, log);
  const database = await openUrl(url, setting, { ...config, poolSize: 1 }, log);
  try {
    refuseReadOnly(database.standing, setting);
    await refuseForeignTables(database.pool);
  } catch (error) {
    await database.close();
    throw error;
  }
  if (database.standing.isOwner) return database;
  await database.close();
  throw new FunesError('UNAVAILABLE', `${whyNoOwner(database.standing, setting)}. ${nameTheOwner}`);
}

/**
 * Opens the database of a server that rows are moved to, by a connection of its owner.
 * @param url what stands behind `--to`.
 * @throws as `openOwnersDatabase`; FunesError BAD_USER_INPUT if it is no URL of a database.
 */
export async function openDestination(url: string, config: Config, log: Logger): Promise<OpenDatabase> {
  const parsed = parseConnectionUrl(url);
  if (parsed === undefined) {
    throw new FunesError(
      'BAD_USER_INPUT',
      '--to must be a URL such as postgres://owner:password@host:5432/database, with the special characters of the password ' +
        'percent-encoded.',
    );
  }
  const problems = parameterProblems('--to', parsed);
  if (problems.length > 0) throw new FunesError('BAD_USER_INPUT', problems.join(' '));
  const database = await openUrl(url, '--to', { ...config, poolSize: 1 }, log).catch((error: unknown) => {
    throw aboutDestination(error);
  });
  try {
    refuseReadOnly(database.standing, '--to');
    await refuseForeignTables(database.pool);
    if (!database.standing.isOwner)
      throw new FunesError(
        'UNAVAILABLE',
        `${whyNoOwner(database.standing, '--to')}. Name the owner of the database in --to.`,
      );
    return database;
  } catch (error) {
    await database.close();
    throw aboutDestination(error);
  }
}

/** Refusals of a database speak of the setting that names it. Here that is `--to`, and the embedded database is no way out. */
function aboutDestination(error: unknown): unknown {
  if (!(error instanceof FunesError)) return error;
  const message = error.message
    .replace(/,? or unset DATABASE_URL to use the embedded database/, '')
    .replaceAll('DATABASE_URL', '--to');
  return new FunesError(error.code, message, { cause: error });
}

/**
 * Opens the database for a server, and migrates it if the settings name the owner of the tables.
 * @throws as `openDatabase`; FunesError UNAVAILABLE if migrations are pending that this server cannot apply.
 */
export async function openMigratedDatabase(config: Config, log: Logger): Promise<OpenDatabase> {
  const owners = config.migrateUrl === undefined ? undefined : await openOwnersDatabase(config, log);
  try {
    const database = await openDatabase(config, log);
    try {
      refuseReadOnly(database.standing, 'DATABASE_URL');
      await refuseForeignTables(database.pool);
      if (owners) await migrateAsOwner(owners, database, log);
      else await migrateOrRefuse(database, log);
      return database;
    } catch (error) {
      await database.close();
      throw error;
    }
  } finally {
    await owners?.close();
  }
}

const nameTheOwner =
  'Set FUNES_MIGRATE_URL to a direct connection of the owner of the tables, for the work that only the owner may do.';

function whyNoOwner({ user }: Standing, setting: string): string {
  return `The user ${quote(user)} of ${setting} does not own the tables of funes`;
}

/** Migrates the served database by the connection of its owner. */
async function migrateAsOwner(owners: OpenDatabase, served: OpenDatabase, log: Logger): Promise<void> {
  if (served.standing.identity !== owners.standing.identity) {
    throw new FunesError(
      'UNAVAILABLE',
      'FUNES_MIGRATE_URL and DATABASE_URL lead to different databases: the one that is migrated would not be the one that is ' +
        'served. Name one database in both.',
    );
  }
  logApplied(await migrate(owners.pool), log);
  // The tables tell who owns them, and may be new.
  await requireMembership({ ...served, standing: await readStanding(served.pool) });
}

/** Migrates the served database by its own connections, if they may. */
async function migrateOrRefuse(database: OpenDatabase, log: Logger): Promise<void> {
  const { pool, standing } = database;
  if (standing.isOwner) logApplied(await migrate(pool), log);
  else await requireMigrated(database, whyNoOwner(standing, 'DATABASE_URL'), log);
}

function logApplied(applied: readonly string[], log: Logger): void {
  if (applied.length > 0) log.debug({ applied }, 'migrations applied');
}

/** Of a database that this server cannot migrate. */
async function requireMigrated(database: OpenDatabase, why: string, log: Logger): Promise<void> {
  await requireMembership(database);
  const pending = await readPendingMigrations(database.pool);
  if (pending.length > 0) {
    const [names, be] = [pending.join(', '), pending.length === 1 ? 'migration is' : 'migrations are'];
    throw new FunesError(
      'UNAVAILABLE',
      `${pending.length} ${be} pending: ${names}. ${why}. Run "funes migrate" with FUNES_MIGRATE_URL set to a direct connection of ` +
        'the owner of the tables.',
    );
  }
  log.info(`${why}, so this server does not migrate. No migration is pending.`);
}

/** Refuses a user of the connections who may not switch to the roles of requests. */
async function requireMembership({ pool, standing: { user } }: OpenDatabase): Promise<void> {
  if ((await readMissingStatements(pool)).length === 0) return;
  const remedy = `Run "funes roles --login ${user} --apply" with FUNES_MIGRATE_URL set to a direct connection of the owner of the tables.`;
  throw new FunesError(
    'UNAVAILABLE',
    `The user ${quote(user)} of DATABASE_URL may not switch to the roles that requests run as. ${remedy}`,
  );
}

function openUrl(url: string, setting: Setting, config: Config, log: Logger): Promise<OpenDatabase> {
  const parsed = parseConnectionUrl(url);
  for (const line of parsed ? ignoredParameters(setting, parsed) : []) log.warn(line);
  const isPooled = parsed?.parameters.pgbouncer === 'true' && config.preparedStatements === 'auto';
  return openWhenReady(
    { database: url, where: describeDatabaseUrl(url), setting },
    isPooled ? { ...config, preparedStatements: false } : config,
    log,
  );
}

interface Opened {
  database: string | EmbeddedDatabase;
  where: string;
  setting?: Setting;
  folder?: string;
}

async function openWhenReady(
  { database, where, setting = 'DATABASE_URL', folder }: Opened,
  config: Config,
  log: Logger,
): Promise<OpenDatabase> {
  const pool = openPool({
    database,
    poolSize: config.poolSize,
    statementTimeoutMs: config.statementTimeout,
    preparedStatements: config.preparedStatements !== false,
    logger: log,
  });
  const close = async () => {
    await pool.close();
    if (typeof database !== 'string') await database.close();
  };
  try {
    const versions = await awaitDatabase(pool, {
      where,
      setting,
      createsVector: setting !== 'DATABASE_URL' || config.migrateUrl === undefined,
      withinMs: config.databaseConnectTimeout,
      preparedStatements: config.preparedStatements,
      logger: log,
    });
    const standing = await readStanding(pool);
    if (typeof database === 'string' && !config.allowSuperuser) {
      await refuseRemoteSuperuser(standing, database, setting);
    }
    const describe = `${where}, PostgreSQL ${versions.server}, pgvector ${versions.vector}`;
    return { pool, describe, standing, folder, close };
  } catch (error) {
    await close();
    throw error;
  }
}
