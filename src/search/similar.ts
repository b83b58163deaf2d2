import { databaseError } from '../database/errors.ts';
import { FunesError } from '../errors.ts';
import { notACursor, parseCursor, queryTag, writeCursor } from './cursor.ts';
import type { SearchKey, SearchLoader } from './loader.ts';
import type { Match } from './matches.ts';
import { checkK, parseSearchOptions, type SearchOptionsInput } from './options.ts';
import { listOrder } from './plan.ts';
import { parseQuery, type QueryInput, type SearchQuery } from './query.ts';

/** The arguments of every search, beside its query. */
export interface SearchArguments<Filters> {
  k: number;
  filters?: Filters | null | undefined;
  options?: SearchOptionsInput | null | undefined;
  /** The cursor of a match: the page begins behind it. Only for lists that are read in pages. */
  after?: string | null | undefined;
  /** The field of the response that asks, if the client wants a report. */
  reportAs?: string | undefined;
}

/** A match of a list that is read in pages. */
export type Paged<M> = M & {
  /** Writes the cursor of this match; null if the list has no pages. A function, so that only requested cursors cost time. */
  cursor: () => string | null;
};

/**
 * Searches for the k best matches of a text, a vector or examples, behind the cursor `after` if there is one.
 * @throws FunesError as `parseQuery`, `checkK` and `parseSearchOptions`; BAD_USER_INPUT for a mode that needs words without a text.
 */
export async function searchNear<Filters, M extends Match<unknown>>(
  loader: SearchLoader<Filters, M>,
  query: QueryInput,
  search: SearchArguments<Filters>,
): Promise<Paged<M>[]> {
  const request = { query: parseQuery(query), ...parseSearch(search) };
  const { mode } = request.options;
  if (mode !== 'SEMANTIC' && !('text' in request.query)) {
    throw new FunesError('BAD_USER_INPUT', `options.mode ${mode} searches by words: send text.`);
  }
  return loadPage(loader, request, search.after);
}

/** Loads the page behind a cursor, or the first page. @throws FunesError BAD_USER_INPUT for a cursor of another list. */
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
      'after asks for a later page, but options.diversity chooses a list as a whole, without pages: raise k, or leave one of them out.',
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
 * Searches for the k best matches of a text, or of the stored row `self` if there is no text. `self` is never a match.
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
    // Both options compare rows with each other; `self` must not be among them.
    const query = { ...parseQuery({ text }), except: self.id } as SearchQuery;
    return loader.load({ query, ...request });
  }
  // One match more, because `self` may be among them. In this way all rows that are asked with one text share a search.
  const matches = await loader.load({ query: parseQuery({ text }), ...request, k: request.k + 1 });
  return matches.filter(({ row }) => row.id !== self.id).slice(0, request.k);
}

/** Parses the arguments that all searches have. @throws FunesError as `checkK` and `parseSearchOptions`. */
export function parseSearch<Filters>({ k, filters, options, reportAs }: SearchArguments<Filters>) {
  checkK(k);
  return { k, filters: filters ?? undefined, options: parseSearchOptions(options), reportAs };
}
