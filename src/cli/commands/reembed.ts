import { Command } from '@commander-js/extra-typings';
import { type DatabaseCommand, jsonHelp } from '../context.ts';

/** `funes reembed` */
export const reembedCommand: DatabaseCommand = (onDatabase) =>
  new Command('reembed')
    .description(
      'Embed all rows by the model of FUNES_EMBEDDING_MODEL, then search by it. Servers go on meanwhile.',
    )
    .option('--json', jsonHelp)
    .action((options) =>
      onDatabase(
        options,
        async ({ pool, startServices, print, progress }) => {
          const { reembed } = await import('../../store/reembed.ts');
          const { embedder } = await startServices();
          const result = await reembed(pool, embedder, ({ done, total }) =>
            progress({ task: 'reembed', done, total, unit: 'rows' }),
          );
          const { model, previousModel, embedded } = result;
          const changed =
            previousModel === model ? `Searches are by ${model} already.` : `Searches are by ${model} now.`;
          print(`${embedded} ${embedded === 1 ? 'row was' : 'rows were'} embedded. ${changed}`, result);
        },
        'owner',
      ),
    );
