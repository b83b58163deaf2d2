import { inject } from 'vitest';
import type { EmbeddedDatabase } from '../../src/database/embedded/embedded-database.ts';
import { openPool, type Pool, type PoolOptions } from '../../src/database/pool.ts';
import { databaseUrl, onServer } from './database-template.ts';
import { leaseEngine } from './shared-engine.ts';

export interface TestDatabase {
  engine: 'embedded' | 'postgres';
  /** What a pool of one's own is opened on: a URL, or the embedded database (whose one connection `pool` has). */
  database: string | EmbeddedDatabase;
  pool: Pool;
  /** Ends every connection to this database, as a crash or a failover of the server does. */
  loseConnections(): Promise<void>;
  close(): Promise<void>;
}

export interface TestDatabaseOptions extends Omit<PoolOptions, 'database'> {
  /** Without tables, extension and migrations. */
  empty?: boolean;
}

/** A migrated database without rows that no other test file sees, on the engine that the run is for. */
export async function openTestDatabase({
  empty = false,
  ...options
}: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const template = inject('databaseTemplate');
  const { remove, ...opened } =
    template.engine === 'embedded'
      ? await openEmbedded(empty ? template.empty : template.migrated, template.scratch)
      : await openOnServer(template.serverUrl, empty ? 'template1' : template.database);
  const pool = openPool({ database: opened.database, ...options });
  return {
    ...opened,
    engine: template.engine,
    pool,
    close: async () => {
      await pool.close();
      await remove();
    },
  };
}

async function openEmbedded(template: string, scratch: string) {
  const { database, release } = await leaseEngine(template, scratch);
  return { database, loseConnections: async () => database.interrupt(), remove: release };
}

let opened = 0;

async function openOnServer(serverUrl: string, template: string) {
  const name = `funes_test_${process.pid}_${Date.now()}_${opened++}`;
  await onServer(serverUrl, `create database ${name} template ${template}`);
  return {
    database: databaseUrl(serverUrl, name),
    loseConnections: () =>
      onServer(serverUrl, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`),
    remove: () => onServer(serverUrl, `drop database ${name} with (force)`),
  };
}
