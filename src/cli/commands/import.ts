import { resolve } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { FunesError, quote } from '../../errors.ts';
import type { ImportReport } from '../../transfer/import.ts';
import { type DatabaseCommand, jsonHelp } from '../context.ts';

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
    .argument(
      '<file>',
      'a file that "funes export" or, with --from, another program wrote, or - for standard input',
    )
    .option('--from <format>', 'the format of another program: chatgpt, claude, mem0, langchain or csv')
    .option(
      '--map <pairs>',
      'which columns of csv have which fields, such as content=text,metadata.topic=topic',
    )
    .option('--user <name>', 'the user who gets all rows; otherwise each row keeps its user')
    .option('--json', jsonHelp)
    .action((file, options) =>
      onDatabase({ ...options, readsInput: file === '-' }, async (context) => {
        const { pool, config, workingFolder, inputFile, startServices, note, progress, print } = context;
        const { checkUserName } = await import('../../input/checks.ts');
        const { importRows } = await import('../../transfer/import.ts');
        const { readFile } = await import('../../transfer/read-file.ts');
        const { commandLineViewer } = await import('../../viewer.ts');
        const { from, map } = options;
        if (map !== undefined && from === undefined)
          throw new FunesError('BAD_USER_INPUT', '--map names columns of csv: add --from csv.');
        const foreign =
          from === undefined
            ? undefined
            : (await import('../../transfer/formats/formats.ts')).readerOf(from, map);
        const user = options.user === undefined ? undefined : checkUserName(options.user, '--user');
        const name = file === '-' ? 'Standard input' : `The file ${quote(file)}`;
        const { size, rows } = await readFile(inputFile ?? resolve(workingFolder, file), {
          name,
          user,
          foreign: foreign && { reader: foreign, chunker: async () => (await startServices()).chunker },
        });
        const faults: ({ line: number; reason: string } | { inputPath: string; reason: string })[] = [];
        const report = await importRows(
          {
            database: pool,
            start: startServices,
            quota: config.quota,
            rowsOfBatch: pool.size === 1 ? rowsOfBatch.shared : rowsOfBatch.own,
            onFault: (line, reason, inputPath) => {
              if (faults.length === mostFaults) note('Further lines with errors are only counted.');
              if (faults.length > mostFaults) return;
              faults.push(inputPath === undefined ? { line, reason } : { inputPath, reason });
              if (faults.length <= mostFaults)
                note(inputPath === undefined ? `line ${line}: ${reason}` : reason);
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
        const parts = from === undefined ? ['line', 'lines'] : ['record', 'records'];
        if (failed > 0)
          throw new FunesError(
            'BAD_USER_INPUT',
            `${failed} ${failed === 1 ? `${parts[0]} was` : `${parts[1]} were`} not imported.`,
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
  const reasons = Object.entries(leftOut).sort(([, a], [, b]) => b - a);
  return [
    `Imported ${memories} memories, ${documents} documents with ${chunks} chunks, and ${tools} tools; ${known} were there already, ` +
      `${failed} failed.`,
    ...reasons.map(([reason, count]) => `Left out ${count}, because each ${reason}.`),
    ...(pending > 0 ? [`${pending} texts wait for embeddings, which a server makes in the background.`] : []),
  ].join('\n');
}
