import { statfsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const roomBytes = 2 * 1024 ** 3;

/**
 * Where the suite keeps what it throws away: in memory where there is room. An embedded database has a thousand files, and
 * a disk may take a second to make as many.
 */
export function temporaryFolder(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize >= roomBytes ? '/dev/shm' : tmpdir();
  } catch {
    return tmpdir();
  }
}

const runFolder = /^funes-test-run-(\d+)-/;

/** A folder for what a run keeps until its end. Removes the folders of runs that were killed. */
export async function makeRunFolder(): Promise<string> {
  const parent = temporaryFolder();
  for (const name of await readdir(parent)) {
    const pid = runFolder.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await removeRunFolder(join(parent, name));
  }
  return mkdtemp(join(parent, `funes-test-run-${process.pid}-`));
}

/** An engine closes by itself when its worker has ended, and may still be writing. */
export function removeRunFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
