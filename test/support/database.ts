import { join } from 'node:path';
import { inject } from 'vitest';
import type { EmbeddedDatabase } from '../../src/database/embedded/embedded-database.ts';
import { openPool, type Pool, type PoolOptions } from '../../src/database/pool.ts';
import { probeSessions } from '../../src/database/probe.ts';
import { databaseUrl, onServer } from '../../testkit/server-database.ts';
import type { DatabaseTemplate } from './database-template.ts';
import { keptCluster } from './kept-clusters.ts';
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
  /** What is in its tables from the beginning. */
  seed?: Seed;
}

/** Rows, with their indexes, that take long to store: the embedded engine stores them once and keeps the cluster. */
export interface Seed {
  name: string;
  /** Files, from the root of the repository, that decide what is stored; when one changes, it is stored anew. */
  sources: readonly string[];
  store(pool: Pool): Promise<void>;
}

/** A migrated database that no other test file sees, on the engine that the run is for. Without a seed it has no rows. */
export async function openTestDatabase({
  empty = false,
  seed,
  ...options
}: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const template = inject('databaseTemplate');
  const { remove, ...opened } =
    template.engine === 'embedded'
      ? await openEmbedded(template, empty ? template.empty : await seededCluster(template, seed))
      : await openOnServer(template.serverUrl, empty ? 'template1' : template.database, seed);
  const pool = openPool({ database: opened.database, ...options });
  if (poolerUrl) await probeSessions(pool, 'auto');
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

type EmbeddedTemplate = Extract<DatabaseTemplate, { engine: 'embedded' }>;

async function openEmbedded({ scratch }: EmbeddedTemplate, cluster: string) {
  const { database, release } = await leaseEngine(cluster, scratch);
  return { database, loseConnections: async () => database.interrupt(), remove: release };
}

async function seededCluster({ migrated, scratch }: EmbeddedTemplate, seed: Seed | undefined) {
  if (seed === undefined) return migrated;
  return keptCluster(seed.name, seed.sources, async (folder) => {
    const engine = await leaseEngine(migrated, scratch);
    try {
      await storeSeed(engine.database, seed);
      const saved = join(folder, 'cluster');
      await engine.saveTo(saved);
      return saved;
    } finally {
      await engine.release();
    }
  });
}

async function storeSeed(database: PoolOptions['database'], seed: Seed): Promise<void> {
  const pool = openPool({ database, poolSize: 1, statementTimeoutMs: 0 });
  await seed.store(pool).finally(() => pool.close());
}

/** A pooler before the server of TEST_DATABASE_URL, by which the test databases are then reached. */
const poolerUrl = process.env.TEST_POOLER_URL;

let opened = 0;

async function openOnServer(serverUrl: string, template: string, seed: Seed | undefined) {
  const name = `funes_test_${process.pid}_${Date.now()}_${opened++}`;
  await onServer(serverUrl, `create database ${name} template ${template}`);
  const database = databaseUrl(poolerUrl || serverUrl, name);
  if (seed !== undefined) await storeSeed(databaseUrl(serverUrl, name), seed);
  return {
    database,
    loseConnections: () =>
      onServer(serverUrl, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`),
    remove: () => onServer(serverUrl, `drop database ${name} with (force)`),
  };
}
