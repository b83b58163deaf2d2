import { resolve } from 'node:path';
import {
  type Embedder,
  type EmbeddingLog,
  type EmbeddingOptions,
  startEmbedder,
} from '../../src/embedding/embedder.ts';

/** Where tests keep the converted model: it is made by the first test that needs it, and git ignores it. */
export const testModelCache = resolve(import.meta.dirname, '../../.funes/models');

let ofWorker: Promise<Embedder> | undefined;

/**
 * The embedder with the real bundled model, for tests of what is built on it. Loading takes a second or two, so the test
 * files of a worker share one: closing it does nothing, it ends with the worker.
 */
export async function startRealEmbedder(): Promise<Embedder> {
  ofWorker ??= loadRealEmbedder();
  const embedder = await ofWorker;
  return {
    model: embedder.model,
    dimensions: embedder.dimensions,
    embed: (texts, options) => embedder.embed(texts, options),
    embedQuery: (text, userId) => embedder.embedQuery(text, userId),
    forget: (userId) => embedder.forget(userId),
    close: async () => {},
  };
}

/** One that nobody else has, for tests of the embedder itself: close it after. */
export function loadRealEmbedder(
  options: Partial<EmbeddingOptions> = {},
  log?: EmbeddingLog,
): Promise<Embedder> {
  return startEmbedder({ model: undefined, cacheDir: testModelCache, ...options }, log);
}

/** Cosine of two vectors of length 1. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? Number.NaN) * (b[i] ?? Number.NaN);
  return sum;
}
