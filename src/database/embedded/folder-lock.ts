import { type FileHandle, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import nativeFs from 'fs-native-extensions';
import { FunesError } from '../../errors.ts';
import { FolderInUse } from './data-folder.ts';

/** The processes that use a data folder, as written in `owner.json` beside the lock. */
export interface FolderOwner {
  /** The server, which a person started and can stop. */
  serverPid: number;
  /** The process of the engine, which holds the lock. */
  enginePid: number;
}

export interface FolderLock {
  release(): Promise<void>;
}

const retryEveryMs = 50;

/**
 * Takes the exclusive lock on a data folder. The kernel ties the lock to the open file, so the lock ends when the process ends
 * or dies. Unlike a file with a pid, such a lock cannot be stale or belong to another process with the same pid.
 *
 * @param waitMs how long to wait for an engine that is about to close because its server has ended.
 * @throws FolderInUse that names the pid of the server that uses the folder.
 */
export async function lockFolder(folder: string, owner: FolderOwner, waitMs = 10_000): Promise<FolderLock> {
  const file = await open(join(folder, 'lock'), 'a');
  const ownerFile = join(folder, 'owner.json');
  const deadline = Date.now() + waitMs;
  try {
    while (!tryLock(file, folder)) {
      const holder = await readOwner(ownerFile);
      const serverAlive = holder !== undefined && isAlive(holder.serverPid);
      if (serverAlive || Date.now() >= deadline) throw inUse(folder, holder, serverAlive);
      await delay(retryEveryMs);
    }
    await writeFile(ownerFile, JSON.stringify(owner));
  } catch (error) {
    await file.close();
    throw error;
  }
  return { release: () => file.close() };
}

function tryLock(file: FileHandle, folder: string): boolean {
  try {
    return nativeFs.tryLock(file.fd);
  } catch (error) {
    throw new FunesError(
      'UNAVAILABLE',
      `The data folder ${folder} cannot be locked, because its file system has no file locks. Without a lock, two servers on one ` +
        'folder would lose data. Set FUNES_DATA_DIR to a folder on a local disk, or DATABASE_URL to use a PostgreSQL server.',
      { cause: error },
    );
  }
}

async function readOwner(ownerFile: string): Promise<FolderOwner | undefined> {
  try {
    const owner: unknown = JSON.parse(await readFile(ownerFile, 'utf8'));
    return isOwner(owner) ? owner : undefined;
  } catch {
    return undefined; // the owner has taken the lock and will write the file next
  }
}

function isOwner(value: unknown): value is FolderOwner {
  const { serverPid, enginePid } = (value ?? {}) as Partial<Record<keyof FolderOwner, unknown>>;
  return Number.isInteger(serverPid) && Number.isInteger(enginePid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse(folder: string, holder: FolderOwner | undefined, serverAlive: boolean): FolderInUse {
  if (holder === undefined)
    return new FolderInUse(`The data folder ${folder} is in use by another process. Try again.`);
  const { serverPid, enginePid } = holder;
  return new FolderInUse(
    serverAlive
      ? `The data folder ${folder} is in use by another funes server, process ${serverPid}. Use that server, stop it ` +
          `(kill ${serverPid}), or set FUNES_DATA_DIR to another folder.`
      : `The data folder ${folder} is still held by process ${enginePid}, the database engine of a server that has ` +
          `ended. Wait until it has closed, or end it (kill -9 ${enginePid}); no stored data is lost by that.`,
  );
}
