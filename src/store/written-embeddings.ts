import type { Logger } from 'pino';
import type { EMBEDDING_SOURCES } from '../../schema/columns/common.ts';
import type { Embedder } from '../embedding/embedder.ts';
import type { ParsedEmbedding } from '../input/vectors.ts';
import { type EmbeddingColumns, embedForWriting } from './embeddings.ts';

/** Who made the embedding of a row, or will make it while the row is PENDING. */
export type EmbeddingSource = (typeof EMBEDDING_SOURCES)[number];

/** The columns of an embedding and of who made it. */
export interface SourcedEmbedding extends EmbeddingColumns {
  embeddingSource: EmbeddingSource;
}

/** What is embedded: a text, unless the client sent the vector too. */
export interface Embeddable {
  text: string;
  own: ParsedEmbedding | undefined;
}

/** Returns the embeddings of rows that will be written, in order. Embeds only texts without a vector of the client's own. */
export async function embedUnlessOwn(
  embedder: Embedder,
  rows: readonly Embeddable[],
  log: Pick<Logger, 'warn'>,
): Promise<SourcedEmbedding[]> {
  const texts = rows.flatMap(({ text, own }) => (own ? [] : [text]));
  const embedded = (await embedForWriting(embedder, texts, log)).values();
  return rows.map(({ own }) => {
    if (own) return { ...own, embeddingSource: 'CLIENT' };
    const { embedding = null, embeddingModel = null } = embedded.next().value ?? {};
    return { embedding, embeddingModel, embeddingSource: 'FUNES' };
  });
}

/** What was known about the embedding that another one replaces. */
export const forgottenEmbedding = {
  embeddingError: null,
  embeddingAttempts: 0,
  embeddingRetryAt: null,
  nextEmbedding: null,
  nextEmbeddingModel: null,
};
