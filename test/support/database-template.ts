import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedDatabase } from '../../src/database/embedded/embedded-database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { openPool, type PoolOptions } from '../../src/database/pool.ts';
import { databaseUrl, onServer } from '../../testkit/server-database.ts';
import { keptCluster } from './kept-clusters.ts';
import { makeRunFolder, removeRunFolder } from './temporary-folder.ts';

/** The databases that test files get copies of. */
export type DatabaseTemplate =
  | {
      engine: 'embedded';
      /** Folders of closed clusters: one with nothing in it, and a migrated one. */
      empty: string;
      migrated: string;
      /** Where the run keeps its data folders. It is removed after the run. */
      scratch: string;
    }
  | { engine: 'postgres'; serverUrl: string; database: string };

declare module 'vitest' {
  export interface ProvidedContext {
    databaseTemplate: DatabaseTemplate;
  }
}

/** Vitest's global set-up: the embedded engine, or the server of TEST_DATABASE_URL. */
export default async function setUp({ provide }: TestProject): Promise<() => Promise<void>> {
  const serverUrl = process.env.TEST_DATABASE_URL;
  const { template, remove } = serverUrl ? await postgresTemplate(serverUrl) : await embeddedTemplate();
  provide('databaseTemplate', template);
  return remove;
}

async function embeddedTemplate() {
  const scratch = await makeRunFolder();
  const made = (change: (database: PoolOptions['database']) => Promise<void>) => async (dataDir: string) => {
    const database = await startEmbeddedDatabase({ dataDir });
    await change(database).finally(() => database.close());
    return join(dataDir, 'database/cluster');
  };
  const template: DatabaseTemplate = {
    engine: 'embedded',
    empty: await keptCluster(
      'empty',
      [],
      made(async () => {}),
    ),
    migrated: await keptCluster('migrated', [], made(migrateAndClose)),
    scratch,
  };
  return { template, remove: () => removeRunFolder(scratch) };
}

async function postgresTemplate(serverUrl: string) {
  const database = `funes_test_template_${process.pid}_${Date.now()}`;
  await onServer(serverUrl, `create database ${database}`);
  await migrateAndClose(databaseUrl(serverUrl, database));
  const template: DatabaseTemplate = { engine: 'postgres', serverUrl, database };
  return { template, remove: () => onServer(serverUrl, `drop database ${database} with (force)`) };
}

async function migrateAndClose(database: PoolOptions['database']): Promise<void> {
  const pool = openPool({ database, poolSize: 1 });
  await migrate(pool).finally(() => pool.close());
}
