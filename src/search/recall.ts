import { FunesError } from '../errors.ts';
import { checkText } from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import type { RecalledRow } from './kinds.ts';
import { type KindFilters, type KindName, kinds } from './kinds.ts';
import type { SearchLoader } from './loader.ts';
import type { Match } from './matches.ts';
import type { RecallScope } from './searches.ts';
import { loadPage, type Paged, parseSearch, type SearchArguments } from './similar.ts';

export type RecallLoader = SearchLoader<RecallScope, Match<RecalledRow>>;

/**
 * Searches for the k best rows of all `kinds`, best first, equal scores ordered by kind and id.
 * @throws FunesError BAD_USER_INPUT for no kinds, for a kind that is there twice, for filters of a kind that is not there, and for
 * `weights` unless memories are the only kind; see also `checkK`, `checkText` and `parseSearchOptions`.
 */
export async function recall(
  loader: RecallLoader,
  text: string,
  search: Omit<SearchArguments<KindFilters>, 'filters'> & {
    kinds: readonly KindName[];
    filters?: KindFilters | null | undefined;
  },
): Promise<Paged<Match<RecalledRow>>[]> {
  const scope = { kinds: checkKinds(search.kinds), filters: search.filters ?? {} };
  checkFilters(scope);
  const { options, ...request } = parseSearch(search);
  if (options.weights && scope.kinds.some((kind) => kind !== 'MEMORY')) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'options.weights is for memories, nothing else has an importance: leave it out, or ask for kinds: [MEMORY].',
    );
  }
  const query = { text: checkText(text, 'text', limits.queryLength) };
  return loadPage(loader, { query, ...request, filters: scope, options }, search.after);
}

function checkKinds(names: readonly KindName[]): readonly KindName[] {
  if (names.length === 0) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'kinds is empty: name what to recall, or leave it out for memories and chunks.',
    );
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new FunesError('BAD_USER_INPUT', `kinds has ${twice} twice: name each kind once.`);
  return names;
}

function checkFilters({ kinds: asked, filters }: RecallScope): void {
  for (const { name: kind, filters: name } of Object.values(kinds)) {
    if (filters[name] != null && !asked.includes(kind)) {
      throw new FunesError(
        'BAD_USER_INPUT',
        `filters.${name} is given, and ${kind} is not among kinds: add it there, or leave the filters out.`,
      );
    }
  }
}
