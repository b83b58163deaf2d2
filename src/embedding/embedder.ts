import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import { EMBEDDING_DIMENSIONS } from '../../schema/columns/vector.ts';
import { FunesError } from '../errors.ts';
import { type BatchReport, EmbeddingQueue } from './embedding-queue.ts';
import { InferenceThread } from './inference-thread.ts';
import type { LoadedModel } from './inference-worker.ts';
import { bundledModelName, type ModelSource, resolveModel } from './model.ts';

/** Turns text into vectors of length 1 whose cosine says how near the meanings are. */
export interface Embedder {
  /** Stored beside each vector: `all-MiniLM-L6-v2`, a hub id, or the name of the model's folder. */
  readonly model: string;
  /** Length of the vectors, `EMBEDDING_DIMENSIONS`. */
  readonly dimensions: number;
  /**
   * The vectors of `texts`, in order, for storing. Texts of any length: one longer than the model's window gets the
   * mean of its windows. Rejects with FunesError UNAVAILABLE when the model stopped or the server shuts down.
   */
  embed(texts: readonly string[]): Promise<Float32Array[]>;
  /** The vector of a search text, before any waiting writes, and from a cache when it was asked for lately. */
  embedQuery(text: string): Promise<Float32Array>;
  /** Ends the inference thread; what waits is rejected. */
  close(): Promise<void>;
}

export interface EmbeddingOptions {
  /** FUNES_EMBEDDING_MODEL: a hub id or a folder; undefined means the bundled all-MiniLM-L6-v2. */
  model: string | undefined;
  /** Folder for the converted or downloaded model. */
  cacheDir: string;
  /** How many search texts' vectors are kept, 1.5 kB each; 1,000 unless told. */
  queryCacheSize?: number;
  /** Threads one batch is computed with; the machine's cores up to four unless told. */
  threads?: number;
  /** Hears of each batch the model computed. */
  onBatch?: (report: BatchReport) => void;
}

/** Where the embedder says what a person should know; a pino logger fits. */
export interface EmbeddingLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * Loads the embedding model in a thread of its own and gives the embedder, ready to compute.
 *
 * Throws FunesError BAD_USER_INPUT when the setting names no model or one whose vectors have another length than `EMBEDDING_DIMENSIONS`, and
 * UNAVAILABLE when the model cannot be loaded.
 */
export async function startEmbedder(options: EmbeddingOptions, log?: EmbeddingLog): Promise<Embedder> {
  const source = resolveModel(options.model);
  const began = performance.now();
  const threads = options.threads ?? Math.min(4, availableParallelism());
  const onFailure = (err: unknown) => log?.warn({ err }, 'The embedding thread failed and is started again');
  const thread = new InferenceThread({ source, cacheDir: options.cacheDir, threads }, onFailure);
  try {
    const loaded = await thread.load().catch((error: unknown) => {
      throw loadError(source, options.cacheDir, error);
    });
    checkDimensions(source, loaded);
    log?.info(
      { model: source.name, ms: Math.round(performance.now() - began), threads, threadId: loaded.threadId },
      'Embedding model loaded',
    );
  } catch (error) {
    await thread.close();
    throw error;
  }
  const queue = new EmbeddingQueue(thread, EMBEDDING_DIMENSIONS, { onBatch: options.onBatch, onFailure });
  return new ModelEmbedder(source.name, thread, queue, options.queryCacheSize ?? 1000);
}

class ModelEmbedder implements Embedder {
  readonly dimensions = EMBEDDING_DIMENSIONS;
  private readonly queries: LRUCache<string, Promise<Float32Array>>;

  constructor(
    readonly model: string,
    private readonly thread: InferenceThread,
    private readonly queue: EmbeddingQueue,
    queryCacheSize: number,
  ) {
    this.queries = new LRUCache({ max: queryCacheSize });
  }

  embed(texts: readonly string[]): Promise<Float32Array[]> {
    return this.queue.embed(texts, 'write');
  }

  async embedQuery(text: string): Promise<Float32Array> {
    // A hash as the key, so that the cache's size does not depend on how long the texts are.
    const key = createHash('sha256').update(text, 'utf16le').digest('base64');
    let vector = this.queries.get(key);
    if (vector === undefined) {
      const computed = this.queue.embed([text], 'query').then(([only]) => only as Float32Array);
      this.queries.set(key, computed);
      computed.catch(() => this.queries.peek(key) === computed && this.queries.delete(key));
      vector = computed;
    }
    return (await vector).slice();
  }

  async close(): Promise<void> {
    await this.queue.close();
    await this.thread.close();
  }
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
    bundled: `If its files below ${cacheDir} are damaged, delete them: they are made again.`,
    folder: 'The folder must hold config.json, tokenizer.json, tokenizer_config.json and onnx/model.onnx.',
    hub: `It is downloaded from the Hugging Face hub once and kept in ${cacheDir}: is the hub reachable, and is the id right?`,
  }[source.kind];
  return new FunesError(
    'UNAVAILABLE',
    `The embedding model ${source.name} cannot be loaded: ${reason.replace(/\.?$/, '.')} ${advice}`,
    {
      cause,
    },
  );
}
