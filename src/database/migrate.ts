import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import type { ReservedSql, Sql } from 'postgres';
import { FunesError } from '../errors.ts';
import type { Pool } from './pool.ts';

const defaultFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));
/** Any number, the same in every server: it names the lock under which one of them migrates. */
const lockKey = 0x66756e6573; // "funes"

interface Migration {
  tag: string;
  /** When it was generated, in milliseconds; Drizzle's key for it. */
  when: number;
}

/**
 * Brings the database to the schema of this code, in one transaction: all pending migrations are applied, or none.
 * Servers that start at the same time wait for each other here.
 *
 * @returns the names of the migrations that were applied now.
 * @throws FunesError UNAVAILABLE when the database is newer than this code, or its user may not change it.
 */
export async function migrate(pool: Pool, migrationsFolder = defaultFolder): Promise<string[]> {
  const known = knownMigrations(migrationsFolder);
  const connection = await pool.reserve({ statementTimeoutMs: 0 });
  try {
    await connection.unsafe('begin');
    // Of the transaction, not of the session: a pooler may hand the next statement another session.
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

function knownMigrations(folder: string): Migration[] {
  const { entries } = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8')) as {
    entries: Migration[];
  };
  // Reads every file, so that one that is missing is found before anything is changed.
  return readMigrationFiles({ migrationsFolder: folder }).map(({ folderMillis }) => ({
    tag: entries.find(({ when }) => when === folderMillis)?.tag ?? String(folderMillis),
    when: folderMillis,
  }));
}

async function appliedMigrations(connection: ReservedSql): Promise<number[]> {
  const [found] = await connection`select to_regclass('drizzle.__drizzle_migrations') is not null as exists`;
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
        `${new Date(Math.max(...unknown)).toISOString()}: a newer version has used it. Run that version or a newer ` +
        'one, or use another database (DATABASE_URL, FUNES_DATA_DIR).',
    );
  }
  const latest = Math.max(0, ...applied);
  const pending = known.filter(({ when }) => !applied.includes(when));
  const tooOld = pending.find(({ when }) => when < latest);
  if (tooOld !== undefined) {
    // Drizzle would leave it out without a word.
    throw new FunesError(
      'INTERNAL_SERVER_ERROR',
      `The migration ${tooOld.tag} is older than the latest one in the database and was never applied. Generate it again.`,
    );
  }
  return pending.map(({ tag }) => tag);
}

/** Drizzle's migrator opens a transaction of its own; here it is in one already. */
function drizzleInTransaction(connection: ReservedSql) {
  const client = Object.assign(connection, {
    options: { parsers: {}, serializers: {} },
    begin: (work: (sql: ReservedSql) => Promise<unknown>) => work(connection),
  });
  return drizzle(client as unknown as Sql);
}

function asRefusal(error: unknown): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (!('code' in cause) || cause.code !== '42501') continue;
    return new FunesError(
      'UNAVAILABLE',
      `The user of DATABASE_URL may not change the schema: ${cause.message}. Start once as the owner of the database, ` +
        'or let its owner grant what is missing.',
      { cause: error },
    );
  }
  return error;
}
