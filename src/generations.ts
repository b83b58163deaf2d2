import { sql } from 'drizzle-orm';
import type { Logger } from 'pino';
import { maintenance } from './database/maintenance.ts';
import type { Database } from './database/transaction.ts';
import type { Embedder } from './embedding/embedder.ts';
import { FunesError } from './errors.ts';

/** The two models of the installation. */
interface Models {
  /** The model of the embeddings that searches compare; null before the first server has started. */
  current: string | null;
  /** The model to which the embeddings are being changed. */
  next: string | null;
}

/** How long a server believes what it has read. A search finds out by itself when that is outdated. */
const believedMs = 1000;

/** The embedder of the server's own model, and beside it that of the embeddings which searches compare, if those are of another. */
export class Generations {
  private read: { at: number; models: Promise<Models> } | undefined;
  private readonly others = new Map<string, Promise<Embedder>>();

  /**
   * @param own the embedder of the server's model.
   * @param load loads the model of this name, to search in its embeddings.
   */
  constructor(
    private readonly database: Database,
    readonly own: Embedder,
    private readonly load: (model: string) => Promise<Embedder>,
    private readonly log: Pick<Logger, 'warn'>,
  ) {}

  /** Notes the server's model, if there are no embeddings of another; else says that they are to be changed. */
  async start(): Promise<void> {
    const { model } = this.own;
    await maintenance(this.database, { access: 'write' }, async (tx) => {
      const made = (table: string) =>
        sql`select from ${sql.raw(table)} where embedding_source = 'FUNES' and embedding_model = installation.embedding_model`;
      await tx.execute(sql`update installation set embedding_model = ${model}, next_embedding_model = null
        where embedding_model is distinct from ${model} and next_embedding_model is null
          and not exists (${made('memories')}) and not exists (${made('memories_archive')})
          and not exists (${made('document_chunks')}) and not exists (${made('tool_embeddings')})`);
      await tx.execute(sql`update installation set next_embedding_model = ${model}
        where embedding_model <> ${model} and next_embedding_model is null`);
    });
    const { current } = await this.models();
    if (current === null || current === model) return;
    this.log.warn(
      { model, current },
      'The stored embeddings are of another model than FUNES_EMBEDDING_MODEL. Searches use that model until "funes reembed" has run.',
    );
    await this.embedderOf(current).catch((error: unknown) => {
      this.log.warn({ err: error }, 'Searches by meaning are unavailable');
    });
  }

  /** Forgets what it has read, because a search found it outdated. */
  refresh(): void {
    this.read = undefined;
  }

  /** The embedder of the embeddings that searches compare. @throws FunesError UNAVAILABLE if its model cannot be loaded. */
  async current(): Promise<Embedder> {
    return this.embedderOf((await this.models()).current ?? this.own.model);
  }

  /** Whether new rows get the embedding of the server's model as their next one. */
  async ownIsNext(): Promise<boolean> {
    return (await this.models()).next === this.own.model;
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.others.values()].map((other) => other.then((one) => one.close()).catch(() => {})),
    );
  }

  private models(): Promise<Models> {
    if (this.read === undefined || performance.now() - this.read.at > believedMs) {
      const models = maintenance(this.database, { access: 'read', single: true }, async (tx) => {
        const [row] = await tx.execute<{ current: string | null; next: string | null }>(
          sql`select embedding_model as current, next_embedding_model as next from installation`,
        );
        return { current: row?.current ?? null, next: row?.next ?? null };
      });
      const read = { at: performance.now(), models };
      this.read = read;
      models.catch(() => {
        if (this.read === read) this.read = undefined;
      });
    }
    return this.read.models;
  }

  private embedderOf(model: string): Promise<Embedder> {
    if (model === this.own.model) return Promise.resolve(this.own);
    const known = this.others.get(model);
    if (known) return known;
    const loading = this.load(model).then(
      async (embedder) => {
        if (embedder.model === model) return embedder;
        await embedder.close();
        throw unavailable(model);
      },
      (error: unknown) => {
        throw unavailable(model, error);
      },
    );
    // It is kept if it fails, too: a download that cannot work would be tried for each search.
    this.others.set(model, loading);
    loading.catch(() => {});
    return loading;
  }
}

function unavailable(model: string, cause?: unknown): FunesError {
  return new FunesError(
    'UNAVAILABLE',
    `The stored embeddings are of the model ${model}, which this server cannot load, so it cannot search by meaning. Run "funes ` +
      'reembed" to change them to the model of FUNES_EMBEDDING_MODEL, or set FUNES_PREVIOUS_EMBEDDING_MODEL to the folder of ' +
      `${model}. options.mode KEYWORD works meanwhile.`,
    { cause },
  );
}
