import type { EmbedOptions } from '../src/embedding/embedder.ts';
import { HashEmbedder, hashVector } from './hash-embedder.ts';

/** Embeds stored texts as the opposite of what it embeds queries as, so that it orders every list the other way round. */
export class OppositeEmbedder extends HashEmbedder {
  constructor() {
    super('opposite');
  }

  override async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    const { onVector, ...others } = options;
    await super.embed(texts, others);
    const vectors = texts.map(oppositeVector);
    for (const [index, vector] of vectors.entries()) onVector?.(index, vector);
    return vectors;
  }
}

/** The vector of one stored text by `OppositeEmbedder`. */
export const oppositeVector = (text: string): Float32Array => hashVector(text).map((value) => -value);
