import { Argument, Command, Option } from '@commander-js/extra-typings';
import type { IndexInfo } from '../../doctor/indexes.ts';
import type { UpkeepProgress } from '../../upkeep/connection.ts';
import { type DatabaseCommand, type DatabaseContext, jsonHelp } from '../context.ts';
import { CommandError, wrongUsage } from '../failure.ts';

/** `funes index` */
export const indexCommand: DatabaseCommand = (onDatabase) => {
  const list = new Command('list')
    .description(
      'List the indexes on vectors: size, rows, operator class, parameters, scans, and whether each is complete.',
    )
    .option('--all', 'list the other indexes, too')
    .option('--json', jsonHelp)
    .action((options) =>
      onDatabase(options, async ({ pool, print }) => {
        const { listIndexes } = await import('../../upkeep/vector-indexes.ts');
        const indexes = await listIndexes(pool, options.all);
        print(indexes.map(lineOf).join('\n') || 'There are no indexes. Run "funes migrate" first.', {
          indexes,
        });
      }),
    );
  const build = new Command('build')
    .description('Build an index on the vectors of a table, while servers go on.')
    .addArgument(new Argument('<table>', 'memories, document_chunks or tool_embeddings'))
    .addOption(
      new Option('--kind <kind>', 'how it works')
        .choices(['hnsw', 'ivfflat'] as const)
        .default('hnsw' as const),
    )
    .addOption(
      new Option('--metric <metric>', 'the metric of the searches that it is for')
        .choices(['cosine', 'euclidean', 'inner_product'] as const)
        .default('cosine' as const),
    )
    .option('--m <number>', 'HNSW: how many neighbours each row has, 2 to 100 (16)', wholeNumber('--m'))
    .option(
      '--ef-construction <number>',
      'HNSW: how many candidates are compared for each row, 4 to 1000 (64)',
      wholeNumber('--ef-construction'),
    )
    .option(
      '--lists <number>',
      'IVFFlat: how many lists, 1 to 32768 (one for each 1000 rows)',
      wholeNumber('--lists'),
    )
    .option('--name <name>', 'the name of the index; made of its parameters otherwise')
    .option('--json', jsonHelp)
    .action((table, { kind, metric, m, efConstruction, lists, name, json }) =>
      onDatabase(
        { json },
        async ({ pool, print, progress }) => {
          const { buildIndex } = await import('../../upkeep/vector-indexes.ts');
          const built = await buildIndex(
            pool,
            { table, kind, metric, m, efConstruction, lists, name },
            shown(progress, 'index build'),
          );
          const took = pool.isEmbedded ? 'Requests waited' : 'It took';
          const text = [
            built.built
              ? `Built ${built.name} (${megabytes(built.bytes)}). ${took} ${seconds(built.milliseconds)}.`
              : `There is an index ${built.name} with these parameters already.`,
            built.recall === null
              ? 'Searches by this metric compare every row, so they do not use it.'
              : `Searches by the indexes of the table find ${(100 * built.recall).toFixed(1)} % of the 10 nearest rows.`,
          ];
          print(text.join(' '), built);
        },
        'owner',
      ),
    );
  const rebuild = new Command('rebuild')
    .description('Build an index anew, while servers go on.')
    .argument('<name>')
    .option('--json', jsonHelp)
    .action((name, options) =>
      onDatabase(
        options,
        async ({ pool, print, progress }) => {
          const { rebuildIndex } = await import('../../upkeep/vector-indexes.ts');
          const milliseconds = await rebuildIndex(pool, name, shown(progress, 'index rebuild'));
          const took = pool.isEmbedded ? 'Requests waited' : 'It took';
          print(`Rebuilt ${name}. ${took} ${seconds(milliseconds)}.`, { name, milliseconds });
        },
        'owner',
      ),
    );
  const drop = new Command('drop')
    .description('Drop an index that "funes index build" has made.')
    .argument('<name>')
    .option('--json', jsonHelp)
    .action((name, options) =>
      onDatabase(
        options,
        async ({ pool, print }) => {
          const { dropIndex } = await import('../../upkeep/vector-indexes.ts');
          await dropIndex(pool, name);
          print(`Dropped ${name}.`, { name });
        },
        'owner',
      ),
    );
  return new Command('index')
    .description('List, build, rebuild and drop the indexes on vectors.')
    .addCommand(list)
    .addCommand(build)
    .addCommand(rebuild)
    .addCommand(drop);
};

const shown =
  (progress: DatabaseContext['progress'], task: string) =>
  (state: UpkeepProgress): void =>
    progress({ task, ...state });

/** Parses a whole number of the command line. */
const wholeNumber = (option: string) => (text: string) => {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CommandError(`${option} must be a whole number, not ${JSON.stringify(text)}.`, wrongUsage);
};

const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;

const lineOf = ({ name, table, definition, valid, bytes, rows, scans }: IndexInfo): string =>
  `${name}  ${table}, ${definition}, ${megabytes(bytes)}, about ${rows} rows, ${scans} scans${valid ? '' : ', INCOMPLETE: no query uses it'}`;
