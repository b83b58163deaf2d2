import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import { EMBEDDING_DIMENSIONS } from '../../schema/columns/vector.ts';
import { FunesError } from '../errors.ts';
import { type BatchReport, EmbeddingQueue, type Lane, type RoundReport } from './embedding-queue.ts';
import { InferenceThread } from './inference-thread.ts';
import type { LoadedModel } from './inference-worker.ts';
import { bundledModelName, type ModelSource, resolveModel } from './model.ts';

/** Turns texts into vectors of length 1. The cosine of two vectors says how near the meanings of their texts are. */
export interface Embedder {
  /** The name that is stored beside each vector: `all-MiniLM-L6-v2`, a hub id, or the name of the model's folder. */
  readonly model: string;
  /** How many numbers a vector has, `EMBEDDING_DIMENSIONS`. */
  readonly dimensions: number;
  /** Whether the model stopped, and nothing was computed since. Undefined means no. */
  readonly stopped?: boolean;
  /**
   * Computes the vectors of `texts` for storing, in order. A text that is longer than the model's window gets the mean of its
   * windows.
   * @throws FunesError UNAVAILABLE if the model stopped or the server is shutting down. The reason of `signal` if it is aborted.
   */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;
  /**
   * Computes the vector of a search text before all waiting writes, or takes it from a cache of what `userId` has searched for. No
   * user can tell by the time of an answer what another user has searched for.
   * @param signal says that nobody waits for the vector any more. If nobody else does, a text that still waits is dropped.
   */
  embedQuery(text: string, userId: string, signal?: AbortSignal): Promise<Float32Array>;
  /** Drops the vectors of all that `userId` has searched for. */
  forget(userId: string): void;
  /** Ends the inference thread, and rejects all waiting texts. */
  close(): Promise<void>;
}

/** How to compute the vectors of some texts. */
export interface EmbedOptions {
  /** Whether nobody waits for them: they are then computed in small rounds, while no request needs the model. */
  background?: boolean;
  /** If it is aborted, what is not computed yet is dropped. */
  signal?: AbortSignal;
  /** Called for each vector as soon as it is computed, with the index of its text. */
  onVector?: (index: number, vector: Float32Array) => void;
}

export interface EmbeddingOptions {
  /** FUNES_EMBEDDING_MODEL: a hub id or a folder; undefined means the bundled all-MiniLM-L6-v2. */
  model: string | undefined;
  /** Folder for the converted or downloaded model. */
  cacheDir: string;
  /** If it is aborted while the model is being loaded, the start fails once the model is loaded: not before, see `startBackend`. */
  signal?: AbortSignal;
  /** How many vectors of search texts to cache, 1.5 kB each, of all users together. Default 1,000. */
  queryCacheSize?: number;
  /** Threads that compute one batch. Default: the machine's cores, up to four. */
  threads?: number;
  /** Called after each batch. */
  onBatch?: (report: BatchReport) => void;
  observer?: EmbeddingObserver | undefined;
}

/** Hears how the embedder is used. It never hears a text. */
export interface EmbeddingObserver {
  /** More texts wait for their vectors, or fewer. */
  onWaiting(lane: Lane, change: number): void;
  onBatch(report: BatchReport): void;
  onRound(report: RoundReport): void;
  /** The vector of a search text was asked for. */
  onQuery(cached: boolean): void;
}

/** The log of the embedder; a pino logger fits. */
export interface EmbeddingLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * Loads the embedding model in a thread of its own, and returns the embedder.
 *
 * @throws FunesError BAD_USER_INPUT if the setting names no model, or one whose vectors do not have `EMBEDDING_DIMENSIONS`
 *   numbers; UNAVAILABLE if the model cannot be loaded.
 */
export async function startEmbedder(options: EmbeddingOptions, log?: EmbeddingLog): Promise<Embedder> {
  const source = resolveModel(options.model);
  const began = performance.now();
  const threads = options.threads ?? Math.min(4, availableParallelism());
  const onFailure = (err: unknown) => log?.warn({ err }, 'The embedding thread failed and is started again');
  const health = { stopped: false };
  const onCrash = (error: unknown) => {
    health.stopped = true;
    onFailure(error);
  };
  const thread = new InferenceThread({ source, cacheDir: options.cacheDir, threads }, onCrash);
  try {
    const loaded = await thread.load().catch((error: unknown) => {
      throw loadError(source, options.cacheDir, error);
    });
    checkDimensions(source, loaded);
    options.signal?.throwIfAborted();
    log?.info(
      { model: source.name, ms: Math.round(performance.now() - began), threads, threadId: loaded.threadId },
      'Embedding model loaded',
    );
  } catch (error) {
    await thread.close();
    throw error;
  }
  const { observer } = options;
  const queue = new EmbeddingQueue(thread, EMBEDDING_DIMENSIONS, {
    onBatch: (report) => {
      observer?.onBatch(report);
      options.onBatch?.(report);
    },
    onRound: (report) => {
      health.stopped = false;
      observer?.onRound(report);
    },
    onFailedRound: () => {
      health.stopped = true;
    },
    onWaiting: observer?.onWaiting,
    onFailure,
  });
  return new ModelEmbedder(source.name, thread, queue, {
    queryCacheSize: options.queryCacheSize ?? 1000,
    onQuery: observer?.onQuery,
    health,
  });
}

/** The vector of a search text, which several requests may wait for. */
interface QueryVector {
  vector: Promise<Float32Array>;
  /** Requests that asked for it and did not leave. */
  waiting: number;
  dropped: AbortController;
}

/** Returns what a request calls if it leaves. After the last request has left, the text is dropped. */
function leaver(query: QueryVector): () => void {
  return () => {
    query.waiting -= 1;
    if (query.waiting > 0) return;
    query.dropped.abort(new FunesError('UNAVAILABLE', 'The client left before its text was embedded.'));
  };
}

class ModelEmbedder implements Embedder {
  readonly dimensions = EMBEDDING_DIMENSIONS;
  private readonly queries: LRUCache<string, QueryVector>;

  constructor(
    readonly model: string,
    private readonly thread: InferenceThread,
    private readonly queue: EmbeddingQueue,
    private readonly options: {
      queryCacheSize: number;
      onQuery: EmbeddingObserver['onQuery'] | undefined;
      health: { stopped: boolean };
    },
  ) {
    this.queries = new LRUCache({ max: options.queryCacheSize });
  }

  get stopped(): boolean {
    return this.options.health.stopped;
  }

  embed(
    texts: readonly string[],
    { background = false, ...options }: EmbedOptions = {},
  ): Promise<Float32Array[]> {
    return this.queue.embed(texts, background ? 'background' : 'write', options);
  }

  async embedQuery(text: string, userId: string, signal?: AbortSignal): Promise<Float32Array> {
    const key = cacheKey(text, userId);
    let query = this.queries.get(key);
    this.options.onQuery?.(query !== undefined && !query.dropped.signal.aborted);
    // One that nobody waits for any more is being dropped.
    if (query === undefined || query.dropped.signal.aborted) {
      const dropped = new AbortController();
      const vector = this.queue
        .embed([text], 'query', { user: userId, signal: dropped.signal })
        .then(([only]) => only as Float32Array);
      const computed: QueryVector = { vector, waiting: 0, dropped };
      this.queries.set(key, computed);
      vector.catch(() => this.queries.peek(key) === computed && this.queries.delete(key));
      query = computed;
    }
    const { vector } = query;
    query.waiting += 1;
    const leave = leaver(query);
    if (signal?.aborted) leave();
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return (await vector).slice();
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  forget(userId: string): void {
    for (const key of [...this.queries.keys()]) if (userOfKey(key) === userId) this.queries.delete(key);
  }

  async close(): Promise<void> {
    await this.queue.close();
    await this.thread.close();
  }
}

/** Characters of a SHA-256 in base64. */
const hashLength = 44;

/** A text as a hash, so that long texts do not make the cache larger, and the user who searches for it. */
function cacheKey(text: string, userId: string): string {
  return createHash('sha256').update(text, 'utf16le').digest('base64') + userId;
}

function userOfKey(key: string): string {
  return key.slice(hashLength);
}

function checkDimensions(source: ModelSource, { dimensions }: LoadedModel): void {
  if (dimensions === EMBEDDING_DIMENSIONS) return;
  throw new FunesError(
    'BAD_USER_INPUT',
    `The embedding model ${source.name} makes vectors of ${dimensions} dimensions, and the database stores ` +
      `${EMBEDDING_DIMENSIONS}. Set FUNES_EMBEDDING_MODEL to a model of ${EMBEDDING_DIMENSIONS} dimensions, for ` +
      `instance Xenova/bge-small-en-v1.5, or unset it for ${bundledModelName}.`,
  );
}

function loadError(source: ModelSource, cacheDir: string, cause: unknown): FunesError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const advice = {
    bundled: `If its files below ${cacheDir} are damaged, delete them; the next start makes them anew.`,
    folder: 'The folder must hold config.json, tokenizer.json, tokenizer_config.json and onnx/model.onnx.',
    hub: `It is downloaded from the Hugging Face hub once and kept in ${cacheDir}. Check that the hub can be reached and that the id is right.`,
  }[source.kind];
  return new FunesError(
    'UNAVAILABLE',
    `The embedding model ${source.name} cannot be loaded: ${reason.replace(/\.?$/, '.')} ${advice}`,
    {
      cause,
    },
  );
}
