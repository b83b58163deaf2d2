import { resolve } from 'node:path';
import {
  type Embedder,
  type EmbeddingLog,
  type EmbeddingOptions,
  startEmbedder,
} from '../../src/embedding/embedder.ts';

/** Where tests keep the converted model: it is made by the first test that needs it, and git ignores it. */
export const testModelCache = resolve(import.meta.dirname, '../../.funes/models');

/** The embedder with the real bundled model. Starting takes a second or two: start one a test file, close it after. */
export function startRealEmbedder(
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
