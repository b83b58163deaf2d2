import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Database } from '../database/transaction.ts';
import type { Logger } from '../log.ts';
import type { Services } from '../services.ts';

/** The services of a command that runs in a process of its own. They start when they are needed, because most commands need none. */
export class OwnServices {
  private started: Promise<Services> | undefined;

  constructor(
    private readonly database: Database,
    private readonly config: Config,
    private readonly log: Logger,
  ) {}

  /** @throws FunesError if the model cannot be loaded. */
  start(): Promise<Services> {
    this.started ??= this.load();
    return this.started;
  }

  async close(): Promise<void> {
    const services = await this.started?.catch(() => undefined); // the command has the failure
    if (services === undefined) return;
    const { extractor, chunker, embedder, generations } = services;
    await Promise.all([extractor.close(), chunker.close(), embedder.close(), generations?.close()]);
  }

  private async load(): Promise<Services> {
    const { database, config, log } = this;
    const { startEmbedder } = await import('../embedding/embedder.ts');
    const { Chunker } = await import('../ingest/chunker.ts');
    const { Extractor } = await import('../ingest/extractor.ts');
    const model = { model: config.embeddingModel, cacheDir: join(config.dataDir, 'models') };
    const { openGenerations } = await import('../generations.ts');
    const embedder = await startEmbedder(model, log);
    const generations = openGenerations(database, embedder, config, log);
    await generations.noteFirst().catch(async (error: unknown) => {
      await embedder.close();
      throw error;
    });
    return {
      database,
      embedder,
      generations,
      extractor: new Extractor(),
      chunker: new Chunker(model),
      log,
      writeWaitMs: config.writeWait,
      quota: config.quota,
    };
  }
}
