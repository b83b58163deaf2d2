import { FunesError } from '../errors.ts';
import { checkOptionalText, checkText } from './checks.ts';
import { limits } from './limits.ts';

// pgvector adds up squares as 32-bit floats. Beyond these lengths the squares become zero or infinite, and distances are wrong.
const SHORTEST_VECTOR = 1e-15;
const LONGEST_VECTOR = 1e15;

/**
 * Checks a vector that a client sends, and returns it unchanged.
 * @throws FunesError BAD_USER_INPUT for a vector that has another dimension, no direction, or numbers that cannot be compared.
 */
export function checkVector(vector: readonly number[], name: string): readonly number[] {
  if (vector.length !== limits.dimensions) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `${name} must have ${limits.dimensions} numbers, like the stored embeddings, not ${vector.length}.`,
    );
  }
  // pgvector stores 32-bit floats: beyond their range a finite number becomes infinite.
  const wrong = vector.findIndex((element) => !Number.isFinite(Math.fround(element)));
  if (wrong !== -1) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `${name}[${wrong}] must be a finite 32-bit number, not ${vector[wrong]}.`,
    );
  }
  const length = Math.hypot(...vector);
  if (length === 0)
    throw new FunesError('BAD_USER_INPUT', `${name} has only zeros: such a vector has no direction.`);
  if (length < SHORTEST_VECTOR || length > LONGEST_VECTOR) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `${name} has a length of ${length.toPrecision(3)}; it must be within 1e-15 and 1e15. ` +
        'Scale it: stored embeddings have a length of 1.',
    );
  }
  return vector;
}

/** A vector of the client's own, and the model that made it: both or none. */
export interface OwnEmbedding {
  embedding?: readonly number[] | null | undefined;
  embeddingModel?: string | null | undefined;
}

/** A checked vector of the client's own. */
export interface ParsedEmbedding {
  embedding: Float32Array;
  embeddingModel: string;
}

/**
 * Parses a vector of the client's own. Returns undefined if the input has none.
 * @param inputPath the input path of the object that has both fields.
 * @throws FunesError BAD_USER_INPUT or LIMIT_EXCEEDED.
 */
export function parseOwnEmbedding(
  { embedding, embeddingModel }: OwnEmbedding,
  inputPath: string,
): ParsedEmbedding | undefined {
  const model = checkOptionalText(embeddingModel, `${inputPath}.embeddingModel`, 200);
  if (embedding == null) {
    if (model == null) return undefined;
    throw new FunesError(
      'BAD_USER_INPUT',
      `${inputPath}.embeddingModel is sent without ${inputPath}.embedding. Send both, or neither: the server then embeds the text.`,
    );
  }
  if (model == null) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `${inputPath}.embedding is sent without ${inputPath}.embeddingModel. Say which model made the vector, because vectors of ` +
        'different models cannot be compared.',
    );
  }
  return {
    embedding: Float32Array.from(checkVector(embedding, `${inputPath}.embedding`)),
    embeddingModel: checkText(model, `${inputPath}.embeddingModel`, 200),
  };
}
