import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

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
