import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { maintenance } from './database/maintenance.ts';
import type { Database } from './database/transaction.ts';
import { type Embedder, type EmbeddingLog, type EmbedOptions, startEmbedder } from './embedding/embedder.ts';
import { FunesError } from './errors.ts';

/** The two models of the installation. */
interface InstalledModels {
  /** The model of the embeddings that searches compare; null before the first server has started. */
  current: string | null;
  /** The model to which the embeddings are being changed. */
  next: string | null;
}

/** The vectors of a text by the models of both generations. */
export interface TextVectors {
  /** By the model that searches compare. Undefined if that model cannot embed now. */
  vector: Float32Array | undefined;
  /** By the model to which the embeddings are being changed. Undefined if there is none, or if it cannot embed now. */
  next: Float32Array | undefined;
}

/** The models of `TextVectors`. */
export interface RowModels {
  model: string | undefined;
  nextModel: string | undefined;
}

type RowEmbedOptions = Omit<EmbedOptions, 'onVector'> & {
  /** Called once for each text that has a vector, as soon as it has all that it gets. */
  onVectors?: (index: number, vectors: TextVectors) => void;
};

/** Embeds texts of rows by the models of both generations, so that a row is complete before and after the switch. */
export class RowEmbedder {
  /**
   * @param current the embedder of the embeddings that searches compare, or why there is none.
   * @param next the embedder of the next embeddings, if they are being changed.
   */
  constructor(
    private readonly current: Embedder | { failure: unknown },
    private readonly next?: Embedder,
  ) {}

  get models(): RowModels {
    return {
      model: 'failure' in this.current ? undefined : this.current.model,
      nextModel: this.next?.model,
    };
  }

  /**
   * Computes the vectors of `texts`, in order. If only the next model fails, the texts have no next vectors: `funes reembed` makes
   * them later.
   * @throws as `Embedder.embed` of the model that searches compare. `onVectors` has then had what was computed before.
   */
  async embed(
    texts: readonly string[],
    { onVectors, ...options }: RowEmbedOptions = {},
  ): Promise<TextVectors[]> {
    const made = texts.map((): TextVectors => ({ vector: undefined, next: undefined }));
    const told = new Set<number>();
    const tell = (index: number, vectors: TextVectors) => {
      if (told.has(index)) return;
      told.add(index);
      onVectors?.(index, vectors);
    };
    const [current, next] = [this.current, this.next];
    const by = (embedder: Embedder, which: keyof TextVectors) => {
      const onVector = (index: number, vector: Float32Array) => {
        const vectors = made[index];
        if (vectors === undefined) return;
        vectors[which] = vector;
        if (vectors.vector && (vectors.next || next === undefined)) tell(index, vectors);
      };
      return embedder.embed(texts, { ...options, onVector }).then((vectors) => {
        for (const [index, vector] of vectors.entries()) onVector(index, vector);
      });
    };
    const [first] = await Promise.allSettled([
      'failure' in current ? Promise.reject(current.failure) : by(current, 'vector'),
      next && by(next, 'next'),
    ]);
    for (const [index, vectors] of made.entries()) if (vectors.vector || vectors.next) tell(index, vectors);
    if (first.status === 'rejected') throw first.reason;
    return made;
  }
}

/** The models of a server. Without `generations`, it has one model alone. */
interface Models {
  embedder: Embedder;
  generations?: Generations | undefined;
}

/** Returns the model of the embeddings that searches compare. */
export async function searchedModel({ embedder, generations }: Models): Promise<string> {
  return generations ? generations.currentModel() : embedder.model;
}

/** Returns what embeds the rows of a server. */
export async function rowEmbedderOf({ embedder, generations }: Models): Promise<RowEmbedder> {
  return generations ? generations.forRows() : new RowEmbedder(embedder);
}

/** How long a server believes what it has read. A search finds out by itself when that is outdated. */
const believedMs = 1000;

/** The embedder of the server's own model, and beside it that of the embeddings which searches compare, if those are of another. */
export class Generations {
  private read: { at: number; models: Promise<InstalledModels> } | undefined;
  private readonly others = new Map<string, Promise<Embedder>>();

  /**
   * @param own the embedder of the server's model.
   * @param load loads the model of this name, to search in its embeddings.
   */
  constructor(
    private readonly database: Database,
    readonly own: Embedder,
    private readonly load: (model: string) => Promise<Embedder>,
    private readonly log: EmbeddingLog,
  ) {}

  /** Notes the server's model, if there are no embeddings of another; else says that they are to be changed. */
  async start(): Promise<void> {
    const { model } = this.own;
    await maintenance(this.database, { access: 'write' }, async (tx) => {
      // In this order, as the switch of `funes reembed` has it.
      await tx.execute(sql`select from installation for update`);
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

  /** Notes the model if no server has noted one: what a command embeds before the first server starts is of this model. */
  async noteFirst(): Promise<void> {
    await maintenance(this.database, { access: 'write' }, (tx) =>
      tx.execute(
        sql`update installation set embedding_model = ${this.own.model} where embedding_model is null`,
      ),
    );
  }

  /** Forgets what it has read, because a search found it outdated. */
  refresh(): void {
    this.read = undefined;
  }

  /** The embedder of the embeddings that searches compare. @throws FunesError UNAVAILABLE if its model cannot be loaded. */
  async current(): Promise<Embedder> {
    return this.embedderOf(await this.currentModel());
  }

  /** The model of the embeddings that searches compare. */
  async currentModel(): Promise<string> {
    return (await this.models()).current ?? this.own.model;
  }

  /** What embeds rows by the model that searches compare and, while the embeddings are changed to the server's model, also by that. */
  async forRows(): Promise<RowEmbedder> {
    const models = await this.models().catch((failure: unknown) => ({ failure }));
    if ('failure' in models) return new RowEmbedder(models);
    const name = models.current ?? this.own.model;
    const current = await this.embedderOf(name).catch((failure: unknown) => ({ failure }));
    return new RowEmbedder(
      current,
      name !== this.own.model && models.next === this.own.model ? this.own : undefined,
    );
  }

  /** Drops the vectors of all that `userId` has searched for, by any model. */
  forget(userId: string): void {
    this.own.forget(userId);
    for (const other of this.others.values()) other.then((one) => one.forget(userId)).catch(() => {});
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.others.values()].map((other) => other.then((one) => one.close()).catch(() => {})),
    );
  }

  private models(): Promise<InstalledModels> {
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

/** Makes the generations of a process whose model `own` has. Loads the other model when it is needed. */
export function openGenerations(
  database: Database,
  own: Embedder,
  { previousEmbeddingModel, dataDir }: { previousEmbeddingModel: string | undefined; dataDir: string },
  log: EmbeddingLog,
): Generations {
  const load = (model: string) =>
    startEmbedder({ model: previousEmbeddingModel ?? model, cacheDir: join(dataDir, 'models') }, log);
  return new Generations(database, own, load, log);
}

function unavailable(model: string, cause?: unknown): FunesError {
  return new FunesError(
    'UNAVAILABLE',
    `The stored embeddings are of the model ${model}, which this server cannot load, so it cannot search by meaning. Run "funes ` +
      `reembed" to change them to the model of FUNES_EMBEDDING_MODEL; or set FUNES_EMBEDDING_MODEL or FUNES_PREVIOUS_EMBEDDING_MODEL to ` +
      `${model}, and start the server again. options.mode KEYWORD works meanwhile.`,
    { cause },
  );
}
