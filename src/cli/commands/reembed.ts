import { join } from 'node:path';
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
        async ({ pool, config, log, print, progress }) => {
          const { startEmbedder } = await import('../../embedding/embedder.ts');
          const { reembed } = await import('../../store/reembed.ts');
          const cacheDir = join(config.dataDir, 'models');
          const embedder = await startEmbedder({ model: config.embeddingModel, cacheDir }, log);
          try {
            const result = await reembed(pool, embedder, (state) =>
              progress({ task: 'reembed', unit: 'rows', ...state }),
            );
            const { model, previousModel, embedded } = result;
            const changed =
              previousModel === model ? `Searches are by ${model} already.` : `Searches are by ${model} now.`;
            print(`${embedded} ${embedded === 1 ? 'row was' : 'rows were'} embedded. ${changed}`, result);
          } finally {
            await embedder.close();
          }
        },
        'owner',
      ),
    );
