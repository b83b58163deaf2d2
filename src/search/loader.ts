import DataLoader from 'dataloader';
import type { SQL } from 'drizzle-orm';
import type { VectorInput } from '../../schema/columns/vector.ts';
import type { Database } from '../database/transaction.ts';
import type { Embedder } from '../embedding/embedder.ts';
import { FunesError } from '../errors.ts';
import { limits } from '../input/limits.ts';
import type { Viewer } from '../viewer.ts';
import type { Examples } from './examples.ts';
import { isRanked, type SearchOptions, usesIndex } from './options.ts';
import type { Position } from './paging.ts';
import { ReportDraft, type SearchReport } from './report.ts';
import type { SearchRequest, Target } from './request.ts';

/**
 * What a search is near to: a text (except the stored row with this id), a vector, the stored row with this id, or what
 * examples have in common.
 */
export type Near =
  | { text: string; except?: string }
  | { vector: VectorInput }
  | { id: string }
  | { examples: Examples };

/** One search that a field of a request asks for. */
export interface SearchKey<Filters> {
  near: Near;
  k: number;
  filters: Filters | undefined;
  options: SearchOptions;
  after?: Position | undefined;
  pages?: boolean | undefined;
  /** The field of the response that asks, when a report is wanted. */
  reportAs?: string | undefined;
}

/** How one kind of row is searched. */
export interface SearchKind<Filters, M, Conditions = SQL | undefined> {
  /** What is found, for messages and cursors. */
  name: string;
  compile: (filters: Filters | undefined) => Conditions;
  byVectors: (
    database: Database,
    viewer: Viewer,
    targets: readonly Target[],
    request: SearchRequest<Conditions>,
  ) => Promise<M[][]>;
  /** Undefined where there is nothing to be near to but texts and vectors. */
  byRows?: (
    database: Database,
    viewer: Viewer,
    ids: readonly string[],
    request: SearchRequest<Conditions>,
  ) => Promise<M[][]>;
  byExamples?: (
    database: Database,
    viewer: Viewer,
    examples: Examples,
    request: SearchRequest<Conditions>,
  ) => Promise<M[]>;
}

/** Counts what the searches of one request ask for: each level of `similar` within `similar` multiplies it. */
export class MatchBudget {
  private asked = 0;

  /** @throws FunesError LIMIT_EXCEEDED when it is too much together; before anything of it is searched. */
  take(matches: number): void {
    this.asked += matches;
    if (this.asked <= limits.matches) return;
    throw new FunesError(
      'LIMIT_EXCEEDED',
      `The searches of this request ask for ${this.asked} matches and more; at most ${limits.matches} are allowed. ` +
        'Lower k or first, or ask for fewer levels at a time.',
    );
  }
}

export type SearchLoader<Filters, M> = DataLoader<SearchKey<Filters>, M[]>;

/**
 * Gathers the searches of one request. Those that differ only in what they are near to become one statement: fifty rows
 * that are each asked for `similar` cost one, and fifty aliases with fifty texts one call of the embedder and one.
 * Made per request, as what it gives is what this viewer may see.
 * @param budget what all searches of the request share.
 * @param reports gets a report for each statement of which a field wants one.
 */
export function createSearchLoader<Filters, M, Conditions = SQL | undefined>(
  { database, embedder }: { database: Database; embedder: Embedder },
  viewer: Viewer,
  kind: SearchKind<Filters, M, Conditions>,
  budget: MatchBudget,
  reports: SearchReport[] = [],
): SearchLoader<Filters, M> {
  async function targetOf(near: Near): Promise<Target> {
    if ('text' in near) return { ...near, vector: await embedder.embedQuery(near.text) };
    if ('vector' in near) return { vector: near.vector, text: undefined };
    throw new TypeError('A search for rows came to the search for vectors.');
  }

  async function run(keys: readonly SearchKey<Filters>[]): Promise<M[][]> {
    budget.take(keys.length * (keys[0]?.k ?? 0));
    const fields = keys.flatMap(({ reportAs }) => reportAs ?? []);
    if (fields.length === 0) return search(keys, undefined);
    const { options } = keys[0] as SearchKey<Filters>;
    const used = options.mode === 'KEYWORD' || usesIndex(options);
    const draft = new ReportDraft(fields, { used, ranked: isRanked(options) });
    const lists = await search(keys, draft);
    reports.push(draft.finished());
    return lists;
  }

  async function search(
    keys: readonly SearchKey<Filters>[],
    report: ReportDraft | undefined,
  ): Promise<M[][]> {
    const [first] = keys;
    if (!first) return [];
    const { k, filters, options, after, pages } = first;
    const request = { k, conditions: kind.compile(filters), options, after, pages, report };
    const ids = keys.flatMap(({ near }) => ('id' in near ? [near.id] : []));
    report?.searchesFor(new Set(ids).size || 1);
    if (ids.length > 0 && kind.byRows) return kind.byRows(database, viewer, ids, request);
    if ('examples' in first.near && kind.byExamples) {
      const list = await kind.byExamples(database, viewer, first.near.examples, request);
      return keys.map(() => list);
    }
    const nears = distinct(keys.map(({ near }) => near));
    report?.searchesFor(nears.values.length);
    const targets = await Promise.all(nears.values.map(targetOf));
    const lists = await kind.byVectors(database, viewer, targets, request);
    return nears.places.map((place) => lists[place] ?? []);
  }

  return new DataLoader(
    async (keys) => {
      const lists = new Array<M[] | Error>(keys.length);
      await Promise.all(
        [...groupBy(keys, groupKey).values()].map(async (places) => {
          const found = await run(places.map((place) => keys[place] as SearchKey<Filters>)).catch(asError);
          for (const [i, place] of places.entries())
            lists[place] = found instanceof Error ? found : (found[i] ?? []);
        }),
      );
      return lists;
    },
    // Equal searches meet in `run`; a cache would need the whole vector as its key.
    { name: kind.name, cache: false },
  );
}

/** Searches with the same group key differ only in the text, vector or row; those by examples not at all. */
function groupKey<Filters>({ near, k, filters, options, after, pages }: SearchKey<Filters>): string {
  const form = 'examples' in near ? near.examples : 'id' in near ? 'id' : 'except' in near;
  return JSON.stringify([form, k, filters ?? null, options, after ?? null, pages ?? false]);
}

function groupBy<T>(values: readonly T[], key: (value: T) => string): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const [i, value] of values.entries()) {
    const name = key(value);
    const group = groups.get(name);
    if (group) group.push(i);
    else groups.set(name, [i]);
  }
  return groups;
}

/** Each text once, and for every element the place of its value. */
function distinct(nears: readonly Near[]): { values: Near[]; places: number[] } {
  const values: Near[] = [];
  const seen = new Map<unknown, number>();
  const places = nears.map((near) => {
    const identity = 'text' in near && near.except === undefined ? near.text : near;
    const place = seen.get(identity) ?? values.push(near) - 1;
    seen.set(identity, place);
    return place;
  });
  return { values, places };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
