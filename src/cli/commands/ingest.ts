import { resolve } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { FunesError } from '../../errors.ts';
import type { FilesReport } from '../../ingest/ingest-files.ts';
import { type DatabaseCommand, jsonHelp } from '../context.ts';
import { count } from '../count.ts';

/** `funes ingest` */
export const ingestCommand: DatabaseCommand = (onDatabase) =>
  new Command('ingest')
    .description(
      'Store files as documents, and bring those up to date whose files have changed. In a folder, all files that can be ingested, ' +
        'except hidden ones, node_modules and what is behind symbolic links.',
    )
    .argument('<paths...>', 'files and folders')
    .option(
      '--user <name>',
      'the user who gets the documents; otherwise the user of requests without authentication',
    )
    .option('--delete', 'delete the documents whose files are gone from the folders')
    .option(
      '--dry-run',
      'write nothing, and say what would be done; files are not read as their formats, so a broken one shows later',
    )
    .option('--json', jsonHelp)
    .action((paths, options) =>
      onDatabase(options, async ({ pool, workingFolder, startServices, progress, print }) => {
        const { checkUserName } = await import('../../input/checks.ts');
        const { ingestFiles } = await import('../../ingest/ingest-files.ts');
        const { commandLineViewer } = await import('../../viewer.ts');
        const wanted = {
          userId:
            options.user === undefined ? commandLineViewer.userId : checkUserName(options.user, '--user'),
          paths: paths.map((path) => resolve(workingFolder, path)),
          deleteGone: options.delete === true,
          dryRun: options.dryRun === true,
        };
        const services = { database: pool, start: startServices };
        const report = await ingestFiles(services, commandLineViewer, wanted, (done, total) =>
          progress({ task: 'ingest', done, total, unit: 'files' }),
        );
        print(describe(report), report);
        const { length } = report.failed;
        if (length > 0)
          throw new FunesError('BAD_USER_INPUT', `${count(length, 'path')} could not be ingested.`);
      }),
    );

function describe(report: FilesReport): string {
  const { dryRun, created, changed, moved, same, deleted, failed } = report;
  const would = dryRun ? 'would be ' : '';
  const counts = [
    `${created.length} ${would}created`,
    `${changed.length} ${would}changed`,
    `${report.unchanged} unchanged`,
    ...(moved.length > 0 ? [`${moved.length} ${would}renamed`] : []),
    ...(same.length > 0 ? [`${same.length} the same as another`] : []),
    ...(deleted.length > 0 ? [`${deleted.length} ${would}deleted`] : []),
    `${failed.length} failed`,
  ];
  return [
    ...(dryRun ? created.map((path) => `would create ${path}`) : []),
    ...(dryRun ? changed.map((path) => `would change ${path}`) : []),
    ...moved.map(
      ({ id, from, to }) => `${dryRun ? 'would rename' : 'renamed'} ${from} to ${to} (document ${id})`,
    ),
    ...same.map(({ path, as, id }) => `the same as ${nameOf(as, id)}: ${path}`),
    ...deleted.map(({ id, path }) => `${dryRun ? 'would delete' : 'deleted'} ${path} (document ${id})`),
    ...failed.map(({ path, reason }) => `failed ${path}: ${reason}`),
    ...(report.pending > 0
      ? [`${report.pending} documents wait for embeddings, which a server makes in the background.`]
      : []),
    `${count(report.files, 'file')}: ${counts.join(', ')}.`,
  ].join('\n');
}

/** Names the document, or the file, whose bytes another file has. */
function nameOf(path: string | null, id: string | null): string {
  if (id === null) return path ?? '';
  return path === null ? `document ${id}` : `${path} (document ${id})`;
}
