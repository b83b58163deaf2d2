import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import postgres from 'postgres';
import { databaseUrl, onServer } from '../../testkit/server-database.ts';

/** The database of a benchmark. */
export interface BenchDatabase {
  /** The URL of a database on a server. Undefined for the embedded database. */
  url: string | undefined;
  /** FUNES_DATA_DIR for a funes server that uses the database. */
  dataDir: string;
  /** Removes the database, unless it is to be kept. */
  close(): Promise<void>;
}

/** The folder of kept databases and of the converted model. Git ignores it. */
const folder = resolve(import.meta.dirname, '../../.funes');

/**
 * Opens a database for a benchmark: on the server of DATABASE_URL, or the embedded one if DATABASE_URL is not set.
 * @param keep if true, uses the database that an earlier run kept, and keeps it again. The name of such a database has no
 *   process id.
 */
export async function openBenchDatabase(name: string, keep: boolean): Promise<BenchDatabase> {
  const serverUrl = process.env.DATABASE_URL;
  return serverUrl ? openOnServer(serverUrl, name, keep) : openEmbedded(name, keep);
}

async function openOnServer(serverUrl: string, name: string, keep: boolean): Promise<BenchDatabase> {
  const database = `funes_bench_${name}${keep ? '' : `_${process.pid}`}`;
  const sql = postgres(serverUrl, { max: 1 });
  const existing = await sql`select from pg_database where datname = ${database}`.finally(() => sql.end());
  if (existing.length === 0) await onServer(serverUrl, `create database ${database}`);
  return {
    url: databaseUrl(serverUrl, database),
    dataDir: folder,
    close: async () => {
      if (!keep) await onServer(serverUrl, `drop database ${database} with (force)`);
    },
  };
}

async function openEmbedded(name: string, keep: boolean): Promise<BenchDatabase> {
  const dataDir = keep ? join(folder, 'bench', name) : await mkdtemp(join(tmpdir(), `funes-bench-${name}-`));
  return {
    url: undefined,
    dataDir,
    close: async () => {
      if (!keep) await rm(dataDir, { recursive: true, force: true });
    },
  };
}
