import { Command } from '@commander-js/extra-typings';
import type { Pool } from '../../database/pool.ts';
import { FunesError } from '../../errors.ts';
import { type DatabaseCommand, jsonHelp } from '../context.ts';

/** `funes move` */
export const moveCommand: DatabaseCommand = (onDatabase) =>
  new Command('move')
    .description(
      'Copy everything from the embedded database into an empty PostgreSQL database: ids, times, vectors, keys, archive and audit.',
    )
    .requiredOption(
      '--to <url>',
      'the empty database, as its owner: postgres://owner:password@host:5432/database',
    )
    .option('--json', jsonHelp)
    .action((options) =>
      onDatabase(options, async ({ pool, folder, besideRequests, config, log, progress, print }) => {
        refuseSource(folder, besideRequests);
        const { openDestination } = await import('../../open-database.ts');
        const { moveRows } = await import('../../database/move.ts');
        await refuseUnmigrated(pool, folder);
        const destination = await openDestination(options.to, config, log);
        try {
          const rows = await moveRows(pool, destination.pool, (done, total) =>
            progress({ task: 'move', done, total, unit: 'rows' }),
          );
          const { memories, memories_archive: archived, documents, document_chunks: chunks } = rows;
          const { tool_embeddings: tools, api_keys: keys, audit } = rows;
          print(
            `Moved ${memories} memories, ${archived} archived ones, ${documents} documents with ${chunks} chunks, ${tools} tools, ${keys} keys and ` +
              `${audit} lines of the audit to ${destination.describe}. Both databases have the same rows. Now set DATABASE_URL and ` +
              `start the server. The embedded database is as it was; what is written to it from now on is not in the other one.`,
            { rows },
          );
        } finally {
          await destination.close();
        }
      }),
    );

function refuseSource(folder: string | undefined, besideRequests: boolean | undefined): asserts folder {
  if (folder === undefined) {
    throw new FunesError(
      'BAD_USER_INPUT',
      '"funes move" moves the embedded database, and DATABASE_URL names a PostgreSQL server. Leave DATABASE_URL out, or use pg_dump and ' +
        'pg_restore between servers; docs/operations.md says how.',
    );
  }
  if (besideRequests === true) {
    throw new FunesError(
      'CONFLICT',
      `Stop the server first (process ${process.pid}): what it writes while rows are moved, and afterwards, would stay behind.`,
    );
  }
}

/** A folder that has no tables is mostly another one than was meant. */
async function refuseUnmigrated(pool: Pool, folder: string): Promise<void> {
  const { isMigrated, readPendingMigrations } = await import('../../database/migrate.ts');
  if (!(await isMigrated(pool))) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `There is nothing to move: the embedded database in ${folder} has no tables. Set FUNES_DATA_DIR to the folder of the server.`,
    );
  }
  if ((await readPendingMigrations(pool)).length > 0) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'The embedded database has tables of an earlier version. Run "funes migrate" first.',
    );
  }
}
