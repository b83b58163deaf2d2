import { Command } from '@commander-js/extra-typings';
import { type DatabaseCommand, jsonHelp } from '../context.ts';
import { count } from '../count.ts';

/** `funes migrate` */
export const migrateCommand: DatabaseCommand = (onDatabase) =>
  new Command('migrate')
    .description(
      'Bring the tables of the database to this version of funes. "funes serve" does so at its start, too.',
    )
    .option('--json', jsonHelp)
    .action((options) =>
      onDatabase(
        options,
        async ({ pool, print }) => {
          const { migrate } = await import('../../database/migrate.ts');
          const applied = await migrate(pool);
          print(
            applied.length === 0
              ? 'No migration was pending.'
              : `Applied ${count(applied.length, 'migration')}:\n${applied.map((name) => `  ${name}`).join('\n')}`,
            { applied },
          );
        },
        'owner',
      ),
    );
