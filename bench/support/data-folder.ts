import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FunesError } from '../../src/errors.ts';

/**
 * Returns the folder that FUNES_BENCH_DATA names.
 * @param files the files that the folder must hold, relative to the folder.
 * @throws FunesError BAD_USER_INPUT that names the variable and every missing file.
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
