import { resolve } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { FunesError, quote } from '../../errors.ts';
import type { ImportReport } from '../../transfer/import.ts';
import { type DatabaseCommand, jsonHelp } from '../context.ts';
import { count } from '../count.ts';

/** Lines with an error that are printed. All of them are counted. */
const mostFaults = 100;
const bytesOfMegabyte = 1_000_000;
/** Rows of a transaction: few where all requests share one connection. */
const rowsOfBatch = { shared: 16, own: 64 };

/** `funes import` */
export const importCommand: DatabaseCommand = (onDatabase) =>
  new Command('import')
    .description(
      'Store what a file has, and leave out what is stored already. An import that was stopped goes on when it runs again.',
    )
    .argument('<file>', 'a file that "funes export" wrote, or one of another program; - is standard input')
    .addOption(
      new Option('--from <format>', 'the program that the file comes from').choices([
        'chatgpt',
        'claude',
        'mem0',
        'langchain',
        'csv',
        'jsonl',
      ] as const),
    )
    .option('--map <fields>', 'of csv and jsonl: the columns of fields, such as content=text,createdAt=date')
    .option(
      '--user <name>',
      'the user who gets all rows; otherwise each row keeps the user that the file names',
    )
    .option('--json', jsonHelp)
    .action((file, options) =>
      onDatabase({ ...options, readsInput: file === '-' }, async (context) => {
        const { pool, config, workingFolder, inputFile, startServices, note, progress, print } = context;
        const { checkUserName } = await import('../../input/checks.ts');
        const { importRows } = await import('../../transfer/import.ts');
        const { parseMap } = await import('../../transfer/formats/fields.ts');
        const { readFile } = await import('../../transfer/read-file.ts');
        const { commandLineViewer } = await import('../../viewer.ts');
        const user = options.user === undefined ? undefined : checkUserName(options.user, '--user');
        const name = file === '-' ? 'Standard input' : `The file ${quote(file)}`;
        const { size, rows, unit } = await readFile(inputFile ?? resolve(workingFolder, file), {
          name,
          user,
          defaultUser: commandLineViewer.userId,
          from: options.from,
          map: options.map === undefined ? undefined : parseMap(options.map),
        });
        const faults: { line: number; reason: string }[] = [];
        const report = await importRows(
          {
            database: pool,
            start: startServices,
            quota: config.quota,
            rowsOfBatch: pool.size === 1 ? rowsOfBatch.shared : rowsOfBatch.own,
            onFault: (line, reason) => {
              if (faults.length === mostFaults) note('What else cannot be imported is only counted.');
              if (faults.length > mostFaults) return;
              faults.push({ line, reason });
              if (faults.length <= mostFaults) note(`${unit} ${line}: ${reason}`);
            },
            onProgress: (bytes) =>
              progress({
                task: 'import',
                unit: 'MB',
                done: megabytes(bytes),
                total: megabytes(Math.max(size, bytes)),
              }),
          },
          commandLineViewer,
          rows,
        );
        print(describe(report), { ...report, faults: faults.slice(0, mostFaults) });
        const { failed } = report;
        if (failed > 0)
          throw new FunesError(
            'BAD_USER_INPUT',
            `${failed} ${failed === 1 ? 'row was' : 'rows were'} not imported.`,
          );
      }),
    );

const megabytes = (bytes: number) => Math.round((bytes / bytesOfMegabyte) * 10) / 10;

function describe({
  memories,
  documents,
  chunks,
  tools,
  known,
  failed,
  pending,
  leftOut,
}: ImportReport): string {
  return [
    `Imported ${count(memories, 'memory', 'memories')}, ${count(documents, 'document')} with ${count(chunks, 'chunk')}, and ` +
      `${count(tools, 'tool')}; ${known} were there already, ` +
      `${failed} failed.`,
    ...(leftOut > 0 ? [`Left out ${leftOut} messages that have no text or were not shown.`] : []),
    ...(pending > 0 ? [`${pending} texts wait for embeddings, which a server makes in the background.`] : []),
  ].join('\n');
}
