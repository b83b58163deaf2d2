import { resolve } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { jsonHelp, printer } from '../context.ts';

/**
 * `funes restore`. It is no command on a database, because there is none yet: it fills the folder in which the embedded one starts.
 * @param write takes what goes to standard output.
 */
export const restoreCommand = (write: (text: string) => void) =>
  new Command('restore')
    .description(
      'Make the embedded database of a file of "funes backup", in a data folder that has none yet.',
    )
    .argument('<file>', 'what "funes backup" wrote')
    .option('--json', jsonHelp)
    .action(async (file, options) => {
      const { restoreDatabase } = await import('../restore-database.ts'); // not loaded to print a help
      await restoreDatabase(resolve(file), printer(options, write));
    });
