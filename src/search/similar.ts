import { databaseError } from '../database/errors.ts';
import { FunesError } from '../errors.ts';
import { notACursor, parseCursor, queryTag, writeCursor } from './cursor.ts';
import type { SearchKey, SearchLoader } from './loader.ts';
import type { Match } from './matches.ts';
import { checkK, parseSearchOptions, type SearchOptionsInput } from './options.ts';
import { listOrder } from './plan.ts';
import { parseQuery, type QueryInput, type SearchQuery } from './query.ts';

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

/**
 * The k rows nearest to a text, to a vector or to examples, whichever is given; behind the cursor `after`, if there is one.
 * @throws FunesError BAD_USER_INPUT unless it is exactly one, and for a vector of another length; see also `checkK`,
 * `checkText` and `parseSearchOptions`.
 */
export async function searchNear<Filters, M extends Match<unknown>>(
  loader: SearchLoader<Filters, M>,
  query: QueryInput,
  search: SearchArguments<Filters>,
): Promise<Paged<M>[]> {
  const request = { query: parseQuery(query), ...parseSearch(search) };
  const { mode } = request.options;
  if (mode !== 'SEMANTIC' && !('text' in request.query)) {
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
  const { query, filters, options } = request;
  const order = listOrder(options);
  const tag = queryTag({ list: loader.name, near: query, filters, options });
  if (cursor != null && order === 'DIVERSITY') {
    throw new FunesError(
      'BAD_USER_INPUT',
      'after reads on in a list, and options.diversity chooses a list as a whole: raise k, or leave one of them out.',
    );
  }
  const after = cursor == null ? undefined : parseCursor(cursor, tag, order === 'SCORE');
  const matches = await loader.load({ ...request, after, pages: true }).catch((error: unknown) => {
    throw cursor != null && databaseError(error)?.code === 'BAD_USER_INPUT' ? notACursor(cursor) : error;
  });
  return matches.map((match) => ({
    ...match,
    cursor: () => match.position && writeCursor(tag, match.position),
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
  const request = parseSearch(search);
  if (text == null) return loader.load({ query: { id: self.id }, ...request });
  const { diversity, percentile } = request.options;
  if (diversity !== undefined || percentile !== undefined) {
    // The row itself would count among what the others are compared with.
    const query = { ...parseQuery({ text }), except: self.id } as SearchQuery;
    return loader.load({ query, ...request });
  }
  // One more than asked for, because the row itself may be among them; so that rows asked with one text share a search.
  const matches = await loader.load({ query: parseQuery({ text }), ...request, k: request.k + 1 });
  return matches.filter(({ row }) => row.id !== self.id).slice(0, request.k);
}

/** Checks what all searches have in common. @throws FunesError as `checkK` and `parseSearchOptions`. */
export function parseSearch<Filters>({ k, filters, options, reportAs }: SearchArguments<Filters>) {
  checkK(k);
  return { k, filters: filters ?? undefined, options: parseSearchOptions(options), reportAs };
}
