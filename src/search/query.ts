import type { VectorInput } from '../../schema/columns/vector.ts';
import { FunesError } from '../errors.ts';
import { checkId, checkText } from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import { checkVector } from '../input/vectors.ts';

/** The most characters of the name of a model, as the columns have. */
const MODEL_LENGTH = 200;

/**
 * What to search for: a text (`except` is the id of a row that is no match), a vector, the stored row with this id, or examples.
 */
export type SearchQuery =
  | { text: string; except?: string }
  | { vector: VectorInput; model?: string | undefined }
  | { id: string }
  | { examples: Examples };

/** Ids of rows that matches should be near to, at least one, and of rows that they should be far from. */
export interface Examples {
  like: readonly string[];
  unlike: readonly string[];
}

/** A query with its vector; it has a text if words can count. */
export interface EmbeddedQuery {
  vector: VectorInput;
  text?: string | undefined;
  /** The id of a row that is no match. Either all queries of a batch have one, or none has. */
  except?: string | undefined;
}

/** The model whose embeddings a search compares. */
export interface ComparedModel {
  name: string;
  /** The search is for the model of the installation, and must not go on if that is another by now. */
  isCurrent: boolean;
  /** The client named the model. */
  isNamed?: boolean;
}

/** Queries that one statement answers. */
export type QueryBatch =
  | { by: 'vectors'; queries: readonly EmbeddedQuery[]; model: ComparedModel }
  | { by: 'rows'; ids: readonly string[] }
  | { by: 'examples'; examples: Examples };

/** A query as a client sends it. */
export interface QueryInput {
  text?: string | null | undefined;
  vector?: readonly number[] | null | undefined;
  /** The model that made `vector`. */
  vectorModel?: string | null | undefined;
  /** Ids of stored rows that matches should be near to; `unlike` has those that they should be far from. */
  like?: readonly string[] | null | undefined;
  unlike?: readonly string[] | null | undefined;
}

/**
 * Parses the one query of the input.
 * @throws FunesError BAD_USER_INPUT for no query, for several, and for one that a search cannot use; LIMIT_EXCEEDED.
 */
export function parseQuery({ text, vector, vectorModel, like, unlike }: QueryInput): SearchQuery {
  const given = Object.entries({ text, vector, like }).filter(([, value]) => value != null);
  if (given.length > 1) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `Both ${given.map(([name]) => name).join(' and ')} are given: send only one of them.`,
    );
  }
  if (unlike != null && like == null) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'unlike is given without like: send the id of at least one row in like.',
    );
  }
  if (vectorModel != null && vector == null) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'vectorModel is given without vector: it names the model of a vector.',
    );
  }
  if (text != null) return { text: checkText(text, 'text', limits.queryLength) };
  if (vector != null) {
    const model = vectorModel == null ? undefined : checkText(vectorModel, 'vectorModel', MODEL_LENGTH);
    return { vector: checkVector(vector, 'vector'), model };
  }
  if (like != null) return { examples: checkExamples({ like, unlike: unlike ?? [] }) };
  throw new FunesError('BAD_USER_INPUT', 'The search has no query: send text, vector or like.');
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
    throw new FunesError('BAD_USER_INPUT', 'like is empty: send the id of at least one row.');
  }
  const both = examples.like.find((id) => examples.unlike.includes(id));
  if (both !== undefined) {
    throw new FunesError('BAD_USER_INPUT', `${both} is in both like and unlike: leave it out of one.`);
  }
  return examples;
}
