import { loadConfig } from '../config.ts';
import { withConnection } from '../database/connection.ts';
import { databaseFolder } from '../database/embedded/data-folder.ts';
import { restoreBackup } from '../database/embedded/restore.ts';
import { FunesError } from '../errors.ts';
import { createLogger, logStream } from '../log.ts';
import { openDatabase } from '../open-database.ts';
import type { DatabaseContext } from './context.ts';
import { progressDisplay } from './progress.ts';

/**
 * Restores a backup into the data folder of the settings, and starts the database once to see that it works.
 * @throws FunesError that says why the backup is not restored.
 */
export async function restoreDatabase(path: string, print: DatabaseContext['print']): Promise<void> {
  const config = loadConfig();
  if (config.databaseUrl !== undefined) {
    throw new FunesError(
      'BAD_USER_INPUT',
      '"funes restore" is for the embedded database, and DATABASE_URL names a PostgreSQL server. Leave DATABASE_URL out, or use pg_restore ' +
        'there; docs/operations.md says how.',
    );
  }
  const folder = databaseFolder(config.dataDir);
  const display = progressDisplay();
  try {
    const { createdAt, funes } = await restoreBackup(path, folder, (done, total) =>
      display.show({ task: 'restore', done, total, unit: 'bytes' }),
    );
    const level = config.logLevel === 'debug' || config.logLevel === 'trace' ? config.logLevel : 'silent';
    const database = await openDatabase(config, createLogger({ level, stream: logStream(2) }));
    try {
      // As the server counts them, not as they are seen: a backup may be of an older version, with other tables.
      const [found] = await withConnection(
        database.pool,
        (connection) => connection<{ memories: string; documents: string }[]>`
          select (select count(*) from memories) as memories, (select count(*) from documents) as documents`,
      );
      const counts = { memories: Number(found?.memories), documents: Number(found?.documents) };
      display.hide();
      print(
        `Restored the backup of ${createdAt} into ${folder}: ${counts.memories} memories, ${counts.documents} documents. The database starts.`,
        { folder, createdAt, funes, ...counts },
      );
    } finally {
      await database.close();
    }
  } finally {
    display.hide();
  }
}
