import { isAbsolute, resolve } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { FunesError } from '../../errors.ts';
import { type DatabaseCommand, jsonHelp } from '../context.ts';

/** `funes backup` */
export const backupCommand: DatabaseCommand = (onDatabase) =>
  new Command('backup')
    .description(
      'Write the whole embedded database into one new file, also while a server has it open. "funes restore" reads it.',
    )
    .argument('<file>', 'the new file, an archive of tar with checksums')
    .option('--json', jsonHelp)
    .action((file, options) =>
      onDatabase(options, async ({ pool, folder, workingFolder, progress, print }) => {
        if (folder === undefined) throw onServer();
        const { writeBackup } = await import('../../database/embedded/backup.ts');
        const path = isAbsolute(file) ? file : resolve(workingFolder, file);
        const { bytes, files, pausedMs } = await writeBackup(pool, folder, path, (done, total) =>
          progress({ task: 'backup', done, total, unit: 'bytes' }),
        );
        const paused = Math.round(pausedMs);
        print(
          `Wrote ${(bytes / 1e6).toFixed(1)} MB to ${path}. Requests stood still for ${(paused / 1000).toFixed(2)} s.`,
          { file: path, bytes, files, pausedMs: paused },
        );
      }),
    );

function onServer(): FunesError {
  return new FunesError(
    'BAD_USER_INPUT',
    '"funes backup" is for the embedded database, and DATABASE_URL names a PostgreSQL server. Use pg_dump there; docs/operations.md says how.',
  );
}
