import { databaseError } from '../database/errors.ts';
import { FunesError } from '../errors.ts';
import { checkId, checkText } from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import type { Examples } from './examples.ts';
import type { Near, SearchKey, SearchLoader } from './loader.ts';
import type { Match } from './matches.ts';
import { checkK, hasPages, isRanked, readSearchOptions, type SearchOptionsInput } from './options.ts';
import { notACursor, queryTag, readCursor, writeCursor } from './paging.ts';

// pgvector adds up squares as 32-bit floats; beyond these lengths they become zero or infinite, and distances nonsense.
const SHORTEST_VECTOR = 1e-15;
const LONGEST_VECTOR = 1e15;

/** What every search takes beside the text, vector or row that it is near to. */
export interface SearchArguments<Filters> {
  k: number;
  filters?: Filters | null | undefined;
  options?: SearchOptionsInput | null | undefined;
  /** The cursor of the match behind which to read on; only where a list is read in pages. */
  after?: string | null | undefined;
  /** The field of the response that asks, when a report of the search is wanted. */
  reportAs?: string | undefined;
}

/** A match of a list that is read in pages. */
export type Paged<M> = M & {
  /** Where it stands, to read on from; null where the list has no pages. Made only when somebody looks. */
  cursor: () => string | null;
};

/** What a search is near to, as a request gives it. */
export interface NearInput {
  text?: string | null | undefined;
  vector?: readonly number[] | null | undefined;
  /** Ids of stored rows to be near to, and with them ids of rows to be away from. */
  like?: readonly string[] | null | undefined;
  unlike?: readonly string[] | null | undefined;
}

/**
 * The k rows nearest to a text, to a vector or to examples, whichever is given; behind the cursor `after`, if there is one.
 * @throws FunesError BAD_USER_INPUT unless it is exactly one, and for a vector of another length; see also `checkK`,
 * `checkText` and `readSearchOptions`.
 */
export async function searchNear<Filters, M extends Match<unknown>>(
  loader: SearchLoader<Filters, M>,
  near: NearInput,
  search: SearchArguments<Filters>,
): Promise<Paged<M>[]> {
  const request = { near: readNear(near), ...readSearch(search) };
  const { mode } = request.options;
  if (mode !== 'SEMANTIC' && !('text' in request.near)) {
    throw new FunesError('BAD_USER_INPUT', `options.mode ${mode} searches by words: give text to search by.`);
  }
  return loadPage(loader, request, search.after);
}

/** Loads the page of a list behind a cursor, or its first. @throws FunesError BAD_USER_INPUT for a cursor of another list. */
export async function loadPage<Filters, M extends Match<unknown>>(
  loader: SearchLoader<Filters, M>,
  request: SearchKey<Filters>,
  cursor: string | null | undefined,
): Promise<Paged<M>[]> {
  const { near, filters, options } = request;
  const tag = queryTag({ list: loader.name, near, filters, options });
  if (cursor != null && !hasPages(options)) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'after reads on in a list, and options.diversity chooses a list as a whole: raise k, or leave one of them out.',
    );
  }
  const after = cursor == null ? undefined : readCursor(cursor, tag, isRanked(options));
  const matches = await loader.load({ ...request, after, pages: true }).catch((error: unknown) => {
    throw cursor != null && databaseError(error)?.code === 'BAD_USER_INPUT' ? notACursor(cursor) : error;
  });
  return matches.map((match) => ({
    ...match,
    cursor: () => match.place && writeCursor(tag, match.place),
  }));
}

/**
 * The k rows nearest to a text, or to the stored row itself when there is none; never the row itself.
 * @throws FunesError as `searchNear`.
 */
export async function similarTo<Filters, M extends Match<{ id: string }>>(
  loader: SearchLoader<Filters, M>,
  self: { id: string },
  text: string | null | undefined,
  search: SearchArguments<Filters>,
): Promise<M[]> {
  const request = readSearch(search);
  if (text == null) return loader.load({ near: { id: self.id }, ...request });
  const { diversity, percentile } = request.options;
  if (diversity !== undefined || percentile !== undefined) {
    // The row itself would count among what the others are compared with.
    return loader.load({ near: { ...readNear({ text }), except: self.id } as Near, ...request });
  }
  // One more than asked for, because the row itself may be among them; so that rows asked with one text share a search.
  const matches = await loader.load({ near: readNear({ text }), ...request, k: request.k + 1 });
  return matches.filter(({ row }) => row.id !== self.id).slice(0, request.k);
}

/** Checks what all searches have in common. @throws FunesError as `checkK` and `readSearchOptions`. */
export function readSearch<Filters>({ k, filters, options, reportAs }: SearchArguments<Filters>) {
  checkK(k);
  return { k, filters: filters ?? undefined, options: readSearchOptions(options), reportAs };
}

function readNear({ text, vector, like, unlike }: NearInput): Near {
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
