import { createHash } from 'node:crypto';
import { chmod, type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FunesError, quote } from '../../errors.ts';
import { makeFolder } from '../../make-folder.ts';
import { checksumsName, clusterName, descriptionName, pieceBytes } from './backup.ts';
import { clusterPath } from './cluster.ts';
import { engineMajor } from './engine-version.ts';
import { folderAdvice } from './folder-advice.ts';
import { lockFolder } from './folder-lock.ts';
import { type FoundEntry, readTar } from './tar.ts';

/** What the first entry of a backup says. */
export interface BackupDescription {
  /** The version of funes that made it. */
  funes: string;
  /** The major version of its PostgreSQL. */
  postgres: string;
  createdAt: string;
}

/**
 * Puts the cluster of a backup into the folder of an embedded database that has none yet. The cluster gets its name only when all
 * of it is there and every checksum is right.
 * @throws FolderInUse if another process uses the folder; FunesError if it is not empty or if the backup is damaged.
 */
export async function restoreBackup(
  path: string,
  folder: string,
  onProgress: (done: number, total: number) => void,
): Promise<BackupDescription> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new FunesError(
      'BAD_USER_INPUT',
      error.code === 'ENOENT'
        ? `There is no file ${quote(path, 300)}.`
        : `${quote(path, 300)} cannot be read (${error.code}).`,
    );
  });
  try {
    const backup = await readBackup(file, path);
    await fill(folder, async (partial) => {
      const { size } = await file.stat();
      for (const entry of backup.entries) {
        await extract(file, path, entry, join(partial, entry.name), backup.checksums);
        onProgress(entry.start + entry.bytes, size);
      }
    });
    return backup.description;
  } finally {
    await file.close();
  }
}

/** Lets `extract` write into a new folder, in which it makes the folder `cluster`. */
async function fill(folder: string, extract: (partial: string) => Promise<void>): Promise<void> {
  try {
    await makeFolder(folder);
    await chmod(folder, 0o700);
    const lock = await lockFolder(folder, { serverPid: process.pid, enginePid: process.pid });
    const partial = join(folder, partialName);
    try {
      await refuseFilled(folder);
      await rm(partial, { recursive: true, force: true });
      await mkdir(partial, 0o700);
      await extract(partial);
      await rename(join(partial, clusterName), clusterPath(folder));
    } finally {
      await rm(partial, { recursive: true, force: true }).catch(() => {});
      await lock.release();
    }
  } catch (error) {
    if (error instanceof FunesError || !(error instanceof Error && 'syscall' in error)) throw error;
    throw new FunesError(
      'UNAVAILABLE',
      `The data folder ${folder} cannot be written (${error.message}). ` +
        (await folderAdvice(folder, (error as NodeJS.ErrnoException).code)),
      { cause: error },
    );
  }
}

const partialName = 'restore.partial';
/** What the folder of an embedded database may have that is no data. */
const harmless = new Set([
  'lock',
  'owner.json',
  'engine.sock',
  'control.sock',
  'cluster.partial',
  partialName,
]);

async function refuseFilled(folder: string): Promise<void> {
  const found = (await readdir(folder)).filter((name) => !harmless.has(name));
  if (found.length === 0) return;
  throw new FunesError(
    'BAD_USER_INPUT',
    `The folder ${folder} is not empty: it has ${found.slice(0, 3).join(', ')}. A backup is restored into an empty folder; set FUNES_DATA_DIR ` +
      'to a new one.',
  );
}

interface Backup {
  description: BackupDescription;
  /** The files and folders of the cluster. */
  entries: FoundEntry[];
  /** By the name of each file. */
  checksums: Map<string, string>;
}

async function readBackup(file: FileHandle, path: string): Promise<Backup> {
  const entries: FoundEntry[] = [];
  try {
    for await (const entry of readTar(file)) entries.push(entry);
  } catch (error) {
    throw damaged(path, (error as Error).message);
  }
  const [first, ...rest] = entries;
  const last = rest.pop();
  if (first?.name !== descriptionName) throw damaged(path, `it has no ${descriptionName}`);
  if (last?.name !== checksumsName) throw damaged(path, 'it has no checksums');
  if (rest.some(({ name }) => !isInCluster(name))) throw damaged(path, 'it has files of another kind');
  const checksums = new Map(
    (await readText(file, last)).split('\n').map((line) => [line.slice(66), line.slice(0, 64)] as const),
  );
  const text = await readText(file, first);
  if (checksums.get(first.name) !== createHash('sha256').update(text).digest('hex'))
    throw damaged(path, `the checksum of ${first.name} is wrong`);
  const description = JSON.parse(text) as BackupDescription;
  if (Number(description.postgres) !== engineMajor) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `The backup ${quote(path, 300)} is of PostgreSQL ${description.postgres}, and this version of funes has PostgreSQL ${engineMajor}. Restore it with ` +
        `funes ${description.funes}, which made it; "funes export" there and "funes import" here bring its rows into a new folder.`,
    );
  }
  const missing = [...checksums.keys()].filter(
    (name) => name !== '' && !entries.some((e) => e.name === name),
  );
  if (missing.length > 0) throw damaged(path, `it lacks ${missing[0]}`);
  return { description, entries: rest, checksums };
}

/** A name that leads out of the cluster would write anywhere. */
const isInCluster = (name: string): boolean =>
  name.startsWith(`${clusterName}/`) &&
  name.split('/').every((part) => !/^\.\.?$/.test(part)) &&
  !/[\\:]/.test(name);

/** The two texts of a backup. */
async function readText(file: FileHandle, { start, bytes }: FoundEntry): Promise<string> {
  const buffer = Buffer.alloc(bytes);
  await file.read(buffer, 0, bytes, start);
  return buffer.toString('utf8');
}

async function extract(
  file: FileHandle,
  path: string,
  { name, isFolder, start, bytes }: FoundEntry,
  target: string,
  checksums: ReadonlyMap<string, string>,
): Promise<void> {
  await mkdir(isFolder ? target : dirname(target), { recursive: true, mode: 0o700 });
  if (isFolder) return;
  const hash = createHash('sha256');
  const copy = await open(target, 'wx', 0o600);
  try {
    const piece = Buffer.alloc(Math.min(pieceBytes, bytes));
    for (let at = 0; at < bytes; ) {
      const { bytesRead } = await file.read(piece, 0, Math.min(piece.length, bytes - at), start + at);
      if (bytesRead === 0) throw damaged(path, 'it ends too early');
      hash.update(piece.subarray(0, bytesRead));
      for (let done = 0; done < bytesRead; )
        done += (await copy.write(piece, done, bytesRead - done)).bytesWritten;
      at += bytesRead;
    }
  } finally {
    await copy.close();
  }
  if (checksums.get(name) !== hash.digest('hex')) throw damaged(path, `the checksum of ${name} is wrong`);
}

const damaged = (path: string, how: string): FunesError =>
  new FunesError(
    'BAD_USER_INPUT',
    `${quote(path, 300)} is no whole backup of funes: ${how}. Nothing was restored. Take another copy of it.`,
  );
