import type { ParsedEmbedding } from '../input/vectors.ts';
import {
  type EmbeddingColumns,
  type EmbeddingServices,
  embeddingColumns,
  embedForWriting,
} from './embeddings.ts';

/** What is embedded: a text, unless the client sent the vector too. */
export interface Embeddable {
  text: string;
  own: ParsedEmbedding | undefined;
}

/** The embedding columns of a row with a vector of the client's own. */
export function ownEmbeddingColumns({ embedding, embeddingModel }: ParsedEmbedding): EmbeddingColumns {
  return { ...embeddingColumns({ model: embeddingModel }, { vector: embedding }), embeddingSource: 'CLIENT' };
}

/**
 * Returns the embeddings of rows that will be written, in order. Embeds only texts without a vector of the client's own.
 * @param wait false to embed nothing now: rows without a vector of the client's own are PENDING.
 */
export async function embedUnlessOwn(
  services: EmbeddingServices,
  rows: readonly Embeddable[],
  wait = true,
): Promise<EmbeddingColumns[]> {
  const texts = rows.flatMap(({ text, own }) => (own ? [] : [text]));
  const embedded = (await embedForWriting(services, texts, wait)).values();
  return rows.map(({ own }) =>
    own ? ownEmbeddingColumns(own) : (embedded.next().value as EmbeddingColumns),
  );
}
