import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import type { ReservedSql, Sql } from 'postgres';
import { root } from '../distribution.ts';
import { FunesError } from '../errors.ts';
import { withConnection } from './connection.ts';
import { causeWithCode } from './errors.ts';
import { grants } from './grants.ts';
import type { Pool } from './pool.ts';
import { databaseRoles, ensureRoles } from './roles.ts';
import { setLocal } from './session-settings.ts';

const defaultFolder = fileURLToPath(new URL('./drizzle', root));
/** The key of the lock that a server holds while it migrates. Any number, but one and the same in every server. */
const lockKey = 0x66756e6573; // "funes"

interface Migration {
  tag: string;
  /** When the migration was generated, in milliseconds. Drizzle identifies migrations by it. */
  when: number;
}

/**
 * Migrates the database to the schema of this code. One transaction applies all pending migrations, or none. If several
 * servers start at the same time, one migrates and the others wait.
 *
 * @returns the names of the migrations that were applied now.
 * @throws FunesError UNAVAILABLE if the database is newer than this code, or if its user may not change the schema.
 */
export async function migrate(pool: Pool, migrationsFolder = defaultFolder): Promise<string[]> {
  const known = knownMigrations(migrationsFolder);
  const connection = await pool.reserve({ statementTimeoutMs: 0 });
  try {
    await ensureRoles(connection, pool.localSettings);
    await connection.unsafe(['begin', ...setLocal(pool.localSettings)].join('; '));
    // A lock of the transaction, not of the session: behind a pooler, the next statement may be in another session.
    await connection`select pg_advisory_xact_lock(${lockKey})`;
    await connection.unsafe('set local statement_timeout = 0');
    const pending = pendingMigrations(known, await appliedMigrations(connection));
    if (pending.length > 0) await runMigrations(drizzleInTransaction(connection), { migrationsFolder });
    await connection.unsafe('commit');
    return pending;
  } catch (error) {
    await connection.unsafe('rollback').catch(() => {});
    throw asRefusal(error);
  } finally {
    connection.release();
  }
}

/**
 * Reads which migrations are pending, as a user who owns nothing and may switch to the admin role.
 * @throws FunesError UNAVAILABLE if the database is newer than this code, or if its user may not see which were applied.
 */
export async function readPendingMigrations(pool: Pool): Promise<string[]> {
  const connection = await pool.reserve();
  try {
    await connection.unsafe(
      ['begin read only', ...setLocal(pool.localSettings), `set local role ${databaseRoles.admin}`].join(
        '; ',
      ),
    );
    return pendingMigrations(knownMigrations(defaultFolder), await appliedMigrations(connection));
  } catch (error) {
    const refused = causeWithCode(error, '42501');
    if (refused === undefined) throw error;
    throw new FunesError(
      'UNAVAILABLE',
      `Which migrations were applied cannot be read: ${refused.message}. Run "funes migrate" and then "funes roles --apply" with ` +
        'FUNES_MIGRATE_URL set to a connection of the owner of the tables.',
      { cause: error },
    );
  } finally {
    await connection.unsafe('rollback').catch(() => {});
    connection.release();
  }
}

/** Whether migrations of funes were applied. */
export function isMigrated(pool: Pool): Promise<boolean> {
  return withConnection(pool, async (connection) => (await appliedMigrations(connection)).length > 0);
}

interface Found {
  schema: string;
  tables: string | null;
  /** Whether this user may read which migrations were applied; null if there is no list of them. */
  mayRead: boolean | null;
}

/**
 * Refuses a database in which another application has tables of the names that the migrations use. It changes nothing.
 * @throws FunesError UNAVAILABLE that names them.
 */
export async function refuseForeignTables(pool: Pool): Promise<void> {
  const names = [...new Set(grants.flatMap(({ on, name }) => (on === 'table' && name ? [name] : [])))];
  await withConnection(pool, async (connection) => {
    const [found] = await connection<Found[]>`
      select schema,
        (select string_agg(relname, ', ' order by relname) from pg_class c join pg_namespace n on n.oid = relnamespace
          where nspname = schema and relname = any(string_to_array(${names.join(',')}, ','))) as tables,
        (select has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT')
          from pg_class c join pg_namespace n on n.oid = relnamespace
          where nspname = 'drizzle' and relname = '__drizzle_migrations') as "mayRead"
      from (select coalesce(${pool.schemas?.home ?? null}::text, current_schema()) as schema) home`;
    if (!found?.tables || found.mayRead === false) return;
    const known = knownMigrations(defaultFolder);
    const applied = found.mayRead ? await appliedMigrations(connection) : [];
    if (known.some(({ when }) => applied.includes(when))) return;
    throw new FunesError(
      'UNAVAILABLE',
      `The database belongs to another application: its schema ${found.schema} has ${found.tables}, and no migration of funes was ` +
        'applied. Nothing was changed. Name a database in DATABASE_URL that funes has to itself.',
    );
  });
}

/** Returns the name of the last migration of this code. */
export function latestMigration(): string | null {
  return knownMigrations(defaultFolder).at(-1)?.tag ?? null;
}

function knownMigrations(folder: string): Migration[] {
  const { entries } = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8')) as {
    entries: Migration[];
  };
  // Reads every file, so that a missing one is found before anything is changed.
  return readMigrationFiles({ migrationsFolder: folder }).map(({ folderMillis }) => ({
    tag: entries.find(({ when }) => when === folderMillis)?.tag ?? String(folderMillis),
    when: folderMillis,
  }));
}

async function appliedMigrations(connection: ReservedSql): Promise<number[]> {
  // The catalog, because to_regclass fails without a right to the schema.
  const [found] = await connection`
    select exists (select from pg_tables where schemaname = 'drizzle' and tablename = '__drizzle_migrations') as exists`;
  if (found?.exists !== true) return [];
  const rows = await connection`select created_at from drizzle.__drizzle_migrations`;
  return rows.map((row) => Number(row.created_at));
}

function pendingMigrations(known: readonly Migration[], applied: readonly number[]): string[] {
  const unknown = applied.filter((when) => !known.some((migration) => migration.when === when));
  if (unknown.length > 0) {
    throw new FunesError(
      'UNAVAILABLE',
      `The database has ${unknown.length} migration(s) that this version of funes does not know, the latest of ` +
        `${new Date(Math.max(...unknown)).toISOString()}: a newer version has used this database. Run that version or a newer ` +
        'one, or use another database (DATABASE_URL, FUNES_DATA_DIR).',
    );
  }
  const latest = Math.max(0, ...applied);
  const pending = known.filter(({ when }) => !applied.includes(when));
  const tooOld = pending.find(({ when }) => when < latest);
  if (tooOld !== undefined) {
    // Drizzle would skip it silently.
    throw new FunesError(
      'INTERNAL_SERVER_ERROR',
      `The migration ${tooOld.tag} is older than the latest one in the database and was never applied. Generate it again.`,
    );
  }
  return pending.map(({ tag }) => tag);
}

/** Drizzle's migrator begins a transaction. This client makes it use the open one instead. */
function drizzleInTransaction(connection: ReservedSql) {
  const client = Object.assign(connection, {
    options: { parsers: {}, serializers: {} },
    begin: (work: (sql: ReservedSql) => Promise<unknown>) => work(connection),
  });
  return drizzle(client as unknown as Sql);
}

function asRefusal(error: unknown): unknown {
  if (error instanceof FunesError) return error;
  const refused = causeWithCode(error, '42501');
  if (refused === undefined) return error;
  return new FunesError(
    'UNAVAILABLE',
    `The user of the database may not change the schema: ${refused.message}. Start once as the owner of the database, ` +
      'or let its owner grant what is missing.',
    { cause: error },
  );
}
