import { constants, cpSync, existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { makeFolder } from '../../make-folder.ts';
import { refuseOtherMajor } from './engine-version.ts';

/** The folder of the cluster (the files of a PostgreSQL server) inside an embedded data folder. */
export const clusterPath = (folder: string): string => join(folder, 'cluster');

const partialPrefix = 'partial-';
const partialLifeMs = 60 * 60 * 1000;

/**
 * Makes sure that the data folder has a cluster. initdb takes seconds, so a cluster is made once, kept in
 * the cache folder under the version of the engine, and copied from there. If the cache cannot be written, initdb runs again.
 * A cluster gets its final name only when it is complete, so a crash never leaves half a cluster that would be opened.
 */
export async function prepareCluster(folder: string, cacheDir: string): Promise<void> {
  const cluster = clusterPath(folder);
  if (isCluster(cluster)) return refuseOtherMajor(cluster);
  const partial = join(folder, 'cluster.partial');
  await rm(partial, { recursive: true, force: true });
  const source = await cachedCluster(cacheDir).catch(() => undefined);
  if (source === undefined) await initdb(partial);
  else cpSync(source, partial, { recursive: true, mode: constants.COPYFILE_FICLONE });
  await rename(partial, cluster);
}

async function cachedCluster(cacheDir: string): Promise<string> {
  const cached = join(cacheDir, `cluster-pglite-${await engineVersion()}`);
  if (isCluster(cached)) return cached;
  await makeFolder(cacheDir);
  await removeAbandoned(cacheDir);
  const partial = await mkdtemp(join(cacheDir, partialPrefix));
  try {
    await initdb(partial);
    await rename(partial, cached);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (!isCluster(cached)) throw error; // otherwise another process was faster; use its cluster
  }
  return cached;
}

async function initdb(path: string): Promise<void> {
  const engine = await PGlite.create(path);
  await engine.close();
}

async function removeAbandoned(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith(partialPrefix)) continue;
    const path = join(cacheDir, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > partialLifeMs) await rm(path, { recursive: true, force: true });
  }
}

async function engineVersion(): Promise<string> {
  // The package does not export its package.json.
  const entry = fileURLToPath(import.meta.resolve('@electric-sql/pglite'));
  const { version } = JSON.parse(await readFile(join(dirname(entry), '../package.json'), 'utf8'));
  return String(version);
}

const isCluster = (path: string): boolean => existsSync(join(path, 'PG_VERSION'));
