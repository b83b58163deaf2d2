import type { VectorInput } from '../../schema/columns/vector.ts';
import { FunesError } from '../errors.ts';
import { checkId, checkText } from '../input/checks.ts';
import { limits } from '../input/limits.ts';

// pgvector adds up squares as 32-bit floats; beyond these lengths they become zero or infinite, and distances nonsense.
const SHORTEST_VECTOR = 1e-15;
const LONGEST_VECTOR = 1e15;

/**
 * What is searched for: what is near to a text (except the stored row with this id), to a vector, to the stored row with this
 * id, or to examples.
 */
export type SearchQuery =
  | { text: string; except?: string }
  | { vector: VectorInput }
  | { id: string }
  | { examples: Examples };

/** Ids of rows to be near to, one at least, and of rows to be away from. */
export interface Examples {
  like: readonly string[];
  unlike: readonly string[];
}

/** A text or a vector with what its search needs: the vector and, when words count too, the text. */
export interface EmbeddedQuery {
  vector: VectorInput;
  text?: string | undefined;
  /** A row that is no match. Either all queries of a batch have one, or none. */
  except?: string | undefined;
}

/** Queries that one statement answers. */
export type QueryBatch =
  | { by: 'vectors'; queries: readonly EmbeddedQuery[] }
  | { by: 'rows'; ids: readonly string[] }
  | { by: 'examples'; examples: Examples };

/** What a search is near to, as a request gives it. */
export interface QueryInput {
  text?: string | null | undefined;
  vector?: readonly number[] | null | undefined;
  /** Ids of stored rows to be near to, and with them ids of rows to be away from. */
  like?: readonly string[] | null | undefined;
  unlike?: readonly string[] | null | undefined;
}

/**
 * The one query that the input holds, checked.
 * @throws FunesError BAD_USER_INPUT for none, for several, and for one that cannot be searched for; LIMIT_EXCEEDED.
 */
export function parseQuery({ text, vector, like, unlike }: QueryInput): SearchQuery {
  const given = Object.entries({ text, vector, like }).filter(([, value]) => value != null);
  if (given.length > 1) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `Both ${given.map(([name]) => name).join(' and ')} are given: a search is near to one of them. Leave one out.`,
    );
  }
  if (unlike != null && like == null) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'unlike is given without like: name at least one row that matches should be near to.',
    );
  }
  if (text != null) return { text: checkText(text, 'text', limits.queryLength) };
  if (vector != null) return { vector: checkVector(vector) };
  if (like != null) return { examples: checkExamples({ like, unlike: unlike ?? [] }) };
  throw new FunesError('BAD_USER_INPUT', 'Give text, vector or like: what the matches should be near to.');
}

function checkExamples(examples: Examples): Examples {
  for (const name of ['like', 'unlike'] as const) {
    const ids = examples[name];
    if (ids.length > limits.examples) {
      throw new FunesError(
        'LIMIT_EXCEEDED',
        `${name} has ${ids.length} ids; at most ${limits.examples} are allowed.`,
      );
    }
    for (const [i, id] of ids.entries()) checkId(id, `${name}[${i}]`);
  }
  if (examples.like.length === 0) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'like is empty: name at least one row that matches should be near to.',
    );
  }
  const both = examples.like.find((id) => examples.unlike.includes(id));
  if (both !== undefined) {
    throw new FunesError('BAD_USER_INPUT', `${both} is in both like and unlike: leave it out of one.`);
  }
  return examples;
}

function checkVector(vector: readonly number[]): readonly number[] {
  if (vector.length !== limits.dimensions) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `vector must have ${limits.dimensions} numbers, like the stored embeddings, not ${vector.length}.`,
    );
  }
  // pgvector stores 32-bit floats: beyond their range a finite number becomes infinite.
  const wrong = vector.findIndex((element) => !Number.isFinite(Math.fround(element)));
  if (wrong !== -1) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `vector[${wrong}] must be a finite 32-bit number, not ${vector[wrong]}.`,
    );
  }
  const length = Math.hypot(...vector);
  if (length === 0)
    throw new FunesError('BAD_USER_INPUT', 'vector has only zeros: it has no direction to be near to.');
  if (length < SHORTEST_VECTOR || length > LONGEST_VECTOR) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `vector has a length of ${length.toPrecision(3)}; it must be within 1e-15 and 1e15. ` +
        'Scale it: stored embeddings have a length of 1.',
    );
  }
  return vector;
}
