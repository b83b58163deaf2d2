import { Command } from '@commander-js/extra-typings';
import { type DatabaseCommand, jsonHelp } from '../context.ts';
import { count } from '../count.ts';

/** `funes export` */
export const exportCommand: DatabaseCommand = (onDatabase) =>
  new Command('export')
    .description(
      'Write memories, archived ones too, documents with their chunks, and tools as JSON Lines, which "funes import" reads.',
    )
    .argument('[file]', 'the new file; otherwise standard output')
    .option('--user <name>', 'only the rows of this user, without the tools, which all users share')
    .option('--no-vectors', 'leave the vectors out; an import then makes them anew')
    .option('--json', `with a file, ${jsonHelp}`)
    .action((file, options) => {
      const outputFile = file === '-' ? undefined : file;
      return onDatabase({ ...options, outputFile }, async ({ pool, data, progress, print }) => {
        const { latestMigration } = await import('../../database/migrate.ts');
        const { checkUserName } = await import('../../input/checks.ts');
        const { exportRows } = await import('../../transfer/export.ts');
        const { commandLineViewer } = await import('../../viewer.ts');
        const request = {
          userId: options.user === undefined ? undefined : checkUserName(options.user, '--user'),
          vectors: options.vectors,
          schema: latestMigration(),
        };
        const counts = await exportRows(pool, commandLineViewer, request, {
          write: data,
          progress: (state) => progress({ task: 'export', unit: 'rows', ...state }),
        });
        if (outputFile === undefined) return; // standard output has the rows, and nothing else
        const { memory, document, chunk, tool } = counts;
        print(
          `Exported ${count(memory, 'memory', 'memories')}, ${count(document, 'document')} with ${count(chunk, 'chunk')}, and ${count(tool, 'tool')} to ${outputFile}.`,
          { memories: memory, documents: document, chunks: chunk, tools: tool },
        );
      });
    });
