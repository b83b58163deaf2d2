import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const cacheDir = join(root, 'node_modules/.cache/funes');
const unusedForMs = 7 * 24 * 60 * 60 * 1000;

/** What every cluster is made by: the schema, the packages with the engine, and the code that starts and migrates it. */
const always = ['drizzle', 'package-lock.json', 'src/database'];

/**
 * The folder of a closed cluster, made by `make` when there is none yet that the same files made. It is kept for later
 * runs, under a hash of these files. Several processes may ask for the same one at a time: the first that is done wins.
 *
 * @param sources files and folders, from the root of the repository, whose contents decide what is in the cluster.
 * @param make writes the cluster into a folder of its choice and returns its path; the folder is moved away.
 */
export async function keptCluster(
  name: string,
  sources: readonly string[],
  make: (scratch: string) => Promise<string>,
): Promise<string> {
  const kept = join(cacheDir, `test-${name}-${await hashOf([...always, ...sources])}`);
  if (!existsSync(kept)) {
    await mkdir(cacheDir, { recursive: true });
    await removeUnused();
    const scratch = await mkdtemp(join(cacheDir, 'partial-'));
    try {
      await rename(await make(scratch), kept).catch((error: unknown) => {
        if (!existsSync(kept)) throw error; // otherwise another process was faster, and its cluster is as good
      });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  const now = new Date();
  await utimes(kept, now, now);
  return kept;
}

async function removeUnused(): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith('test-')) continue;
    const path = join(cacheDir, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > unusedForMs) await rm(path, { recursive: true, force: true });
  }
}

async function hashOf(sources: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(process.version);
  for (const source of sources) {
    for (const file of await filesIn(join(root, source))) {
      hash.update(`\0${file.slice(root.length)}\0`).update(await readFile(file));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

async function filesIn(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
