import DataLoader from 'dataloader';
import type { Database } from '../database/transaction.ts';
import type { Embedder } from '../embedding/embedder.ts';
import type { Generations } from '../generations.ts';
import type { Viewer } from '../viewer.ts';
import type { Position } from './cursor.ts';
import { search } from './execute.ts';
import type { MatchScores } from './matches.ts';
import type { Mode, SearchOptions } from './options.ts';
import type { EmbeddedQuery, QueryBatch, SearchQuery } from './query.ts';
import { ReportDraft, type SearchReport } from './report.ts';
import type { SearchDefinition } from './searches.ts';
import { isOutdated } from './sql/hits.ts';

/** One search that a field of a request asks for. */
export interface SearchKey<Filters> {
  query: SearchQuery;
  k: number;
  filters: Filters | undefined;
  options: SearchOptions;
  after?: Position | undefined;
  pages?: boolean | undefined;
  /** The field of the response that asks, if the client wants a report. */
  reportAs?: string | undefined;
}

/** How often a search begins again because the model has changed meanwhile. */
const MOST_TRIES = 5;

export type SearchLoader<Filters, M> = DataLoader<SearchKey<Filters>, M[]>;

/**
 * Gathers the searches of one request. Searches that differ only in their query become one statement: `similar` of fifty rows is
 * one statement, and fifty aliases with fifty texts are one call of the embedder and one statement. Each request makes a loader of
 * its own, because the matches depend on the viewer.
 * @param reports receives a report for each statement that a field wants one of.
 * @param signal says that the client left: search texts that still wait are then not embedded.
 */
export function createSearchLoader<Filters, Found extends { row: { id: string } }, Conditions>(
  {
    database,
    embedder,
    generations,
  }: { database: Database; embedder: Embedder; generations?: Generations | undefined },
  viewer: Viewer,
  definition: SearchDefinition<Filters, Found, Conditions>,
  reports: SearchReport[] = [],
  signal?: AbortSignal,
): SearchLoader<Filters, Found & MatchScores> {
  type Matches = (Found & MatchScores)[];

  /** One list for each key, in the order of the keys. The keys differ only in their query. */
  async function run(keys: readonly SearchKey<Filters>[]): Promise<Matches[]> {
    const [{ k, filters, options, after, pages }] = keys as [SearchKey<Filters>];
    const fields = keys.flatMap(({ reportAs }) => reportAs ?? []);
    const report = fields.length > 0 ? new ReportDraft(fields) : undefined;
    const request = { k, conditions: definition.compile(filters), options, after, pages, report };
    const queries = keys.map(({ query }) => query);
    const { lists, indexes } = await searchInOneModel(queries, options.mode, (batch) =>
      search(database, viewer, definition, batch, request),
    );
    if (report) reports.push(report.finished());
    return indexes.map((index) => lists[index] ?? []);
  }

  /** Searches with the embedder of the installation's model. If that is another by now, embeds and searches again. */
  async function searchInOneModel(
    queries: readonly SearchQuery[],
    mode: Mode,
    searchFor: (batch: QueryBatch) => Promise<Matches[]>,
  ): Promise<{ lists: Matches[]; indexes: number[] }> {
    for (let tries = 1; ; tries++) {
      const { batch, indexes } = await batchOf(queries, () => embedderFor(mode), viewer.userId, signal);
      try {
        return { lists: await searchFor(batch), indexes };
      } catch (error) {
        if (generations === undefined || tries === MOST_TRIES || !isOutdated(error)) throw error;
        generations.refresh();
      }
    }
  }

  /** The embedder of texts to search for. Words need none, so for them any will do. */
  async function embedderFor(mode: Mode): Promise<Embedder & { unused?: boolean }> {
    if (generations === undefined) return embedder;
    return generations.current().catch((error: unknown) => {
      if (mode !== 'KEYWORD') throw error;
      const embedQuery = (text: string, userId: string) => embedder.embedQuery(text, userId);
      return Object.assign(Object.create(embedder) as Embedder, { embedQuery, unused: true });
    });
  }

  return new DataLoader(
    async (keys) => {
      const lists = new Array<Matches | Error>(keys.length);
      await Promise.all(
        [...groupBy(keys, groupKey).values()].map(async (indexes) => {
          const found = await run(indexes.map((index) => keys[index] as SearchKey<Filters>)).catch(asError);
          for (const [i, index] of indexes.entries())
            lists[index] = found instanceof Error ? found : (found[i] ?? []);
        }),
      );
      return lists;
    },
    // `batchOf` merges equal searches by text; a cache would need whole vectors in its keys.
    { name: definition.name, cache: false },
  );
}

/** Searches with an equal group key differ only in the text, vector or row. Searches by examples do not differ at all. */
function groupKey<Filters>({ query, k, filters, options, after, pages }: SearchKey<Filters>): string {
  const form =
    'examples' in query
      ? query.examples
      : 'id' in query
        ? 'id'
        : ['except' in query, 'vector' in query ? query.model : undefined];
  return JSON.stringify([form, k, filters ?? null, options, after ?? null, pages ?? false]);
}

/** Makes a batch of queries of one form, each text once; `indexes` has the index of each query's list. */
async function batchOf(
  queries: readonly SearchQuery[],
  embedderOf: () => Promise<Embedder & { unused?: boolean }>,
  userId: string,
  signal: AbortSignal | undefined,
): Promise<{ batch: QueryBatch; indexes: number[] }> {
  const [first] = queries;
  if (first && 'examples' in first) {
    return { batch: { by: 'examples', examples: first.examples }, indexes: queries.map(() => 0) };
  }
  const ids = queries.flatMap((query) => ('id' in query ? [query.id] : []));
  if (ids.length > 0) return { batch: { by: 'rows', ids }, indexes: [...ids.keys()] };
  const { values, indexes } = distinct(queries);
  const named = first && 'vector' in first ? first.model : undefined;
  if (named !== undefined) {
    const vectors = values.flatMap((query) => ('vector' in query ? [{ vector: query.vector }] : []));
    return {
      batch: { by: 'vectors', queries: vectors, model: { name: named, isCurrent: false, isNamed: true } },
      indexes,
    };
  }
  const embedder = await embedderOf();
  const embedded = await Promise.all(values.map((query) => embed(query, embedder, userId, signal)));
  const model = { name: embedder.model, isCurrent: !embedder.unused };
  return { batch: { by: 'vectors', queries: embedded, model }, indexes };
}

async function embed(
  query: SearchQuery,
  embedder: Embedder,
  userId: string,
  signal: AbortSignal | undefined,
): Promise<EmbeddedQuery> {
  if ('text' in query) return { ...query, vector: await embedder.embedQuery(query.text, userId, signal) };
  if ('vector' in query) return { vector: query.vector, text: undefined };
  throw new TypeError('A search for rows came among searches for vectors.');
}

/** Each text once, and for each query the index of its value. */
function distinct(queries: readonly SearchQuery[]): { values: SearchQuery[]; indexes: number[] } {
  const values: SearchQuery[] = [];
  const seen = new Map<unknown, number>();
  const indexes = queries.map((query) => {
    const identity = 'text' in query && query.except === undefined ? query.text : query;
    const index = seen.get(identity) ?? values.push(query) - 1;
    seen.set(identity, index);
    return index;
  });
  return { values, indexes };
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

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
