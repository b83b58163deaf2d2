import { createHash } from 'node:crypto';
import { EMBEDDING_DIMENSIONS } from '../schema/columns/vector.ts';
import type { Embedder, EmbedOptions } from '../src/embedding/embedder.ts';

/** Components that each word sets; several, so that two words rarely share all of theirs. */
const componentsPerWord = 8;

/** The model of `HashEmbedder`. */
export const hashModel = 'hash-embedder';

/**
 * An embedder for tests where meaning does not matter: every word is hashed to a few signed components, a text
 * is the sum of its words scaled to length 1. Equal texts get equal vectors, texts that share words are nearer than
 * texts that do not. It counts what was asked of it, so that a test can say that nothing was.
 */
export class HashEmbedder implements Embedder {
  readonly dimensions = EMBEDDING_DIMENSIONS;
  /** Calls of `embed` and of `embedQuery` so far. */
  calls = 0;
  /** Texts in those calls. */
  texts = 0;

  constructor(readonly model: string = hashModel) {}

  async embed(texts: readonly string[], { signal, onVector }: EmbedOptions = {}): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    this.calls += 1;
    this.texts += texts.length;
    const vectors = texts.map(hashVector);
    for (const [index, vector] of vectors.entries()) onVector?.(index, vector);
    return vectors;
  }

  async embedQuery(text: string): Promise<Float32Array> {
    this.calls += 1;
    this.texts += 1;
    return hashVector(text);
  }

  /** There is no cache. */
  forget(): void {}

  async close(): Promise<void> {}
}

/** The vector of one text; a text without a word counts as one word. */
export function hashVector(text: string): Float32Array {
  const vector = new Float32Array(EMBEDDING_DIMENSIONS);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text]) {
    const digest = createHash('sha256').update(word).digest();
    for (let i = 0; i < componentsPerWord; i++) {
      const index = digest.readUInt16LE(i * 2) % EMBEDDING_DIMENSIONS;
      const sign = digest.readInt8(16 + i) < 0 ? -1 : 1;
      vector[index] = (vector[index] ?? 0) + sign;
    }
  }
  const norm = Math.hypot(...vector);
  // Opposite signs can cancel out in principle; a zero vector has no cosine distance.
  if (norm === 0) vector[0] = 1;
  return norm === 0 ? vector : vector.map((value) => value / norm);
}
