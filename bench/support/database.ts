import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import postgres from 'postgres';
import { databaseUrl, onServer } from '../../testkit/server-database.ts';

/** Where a benchmark's rows are. */
export interface BenchDatabase {
  /** A server's URL; undefined for the embedded database. */
  url: string | undefined;
  /** FUNES_DATA_DIR of a server that is to use it. */
  dataDir: string;
  /** Removes it, unless it is to be kept. */
  close(): Promise<void>;
}

/** Where kept databases and the converted model lie; git ignores it. */
const folder = resolve(import.meta.dirname, '../../.funes');

/**
 * A database of the benchmark's own: on the server of DATABASE_URL, or embedded without one.
 * @param keep give it a name without this process' id, reuse it when it is there, and leave it behind.
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
