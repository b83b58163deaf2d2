import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FunesError } from '../../errors.ts';

/** The major version of the PostgreSQL in PGlite. A test compares it with what the engine says. */
export const engineMajor = 18;

/**
 * Refuses a cluster that another major version of PostgreSQL has made, because the engine cannot read its files.
 * @throws FunesError UNAVAILABLE that says what to do.
 */
export function refuseOtherMajor(cluster: string): void {
  const found = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
  if (!/^\d+$/.test(found) || Number(found) === engineMajor) return; // anything but a number is for the engine to refuse
  throw new FunesError(
    'UNAVAILABLE',
    `The embedded database in ${cluster} is of PostgreSQL ${found}, and this version of funes has PostgreSQL ${engineMajor}; nothing was changed. ` +
      'Install the version of funes that made it once more. There, "funes move --to URL" takes everything to a PostgreSQL server, and ' +
      '"funes export FILE" writes a file that "funes import FILE" of this version reads into a new folder (FUNES_DATA_DIR).',
  );
}
