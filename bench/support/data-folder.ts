import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FunesError } from '../../src/errors.ts';

/**
 * The folder that FUNES_BENCH_DATA names.
 * @param files what it must hold, relative to it.
 * @throws FunesError BAD_USER_INPUT naming the variable and every file that is missing.
 */
export function dataFolder(files: readonly string[]): string {
  const folder = process.env.FUNES_BENCH_DATA;
  const missing = folder ? files.filter((file) => !existsSync(join(folder, file))) : files;
  if (folder && missing.length === 0) return folder;
  throw new FunesError(
    'BAD_USER_INPUT',
    `FUNES_BENCH_DATA is ${folder ? JSON.stringify(folder) : 'not set'}: set it to a folder that holds ` +
      `${missing.join(', ')}. bench/README.md says where the data comes from.`,
  );
}
