import { and, asc, eq, inArray, lte, ne, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { type VectorInput, vectorLiteral } from '../../schema/columns/vector.ts';
import { documentChunks, memories, toolEmbeddings } from '../../schema/index.ts';
import { type Database, type TransactionOptions, transaction } from '../database/transaction.ts';
import {
  type ChunkRow,
  chunkFields,
  type MemoryRow,
  memoryFields,
  type ToolRow,
  toolFields,
} from '../store/rows.ts';
import { type Viewer, visibleTo } from '../viewer.ts';
import { arrayLiteral } from './array-literal.ts';
import { chooseDiverse } from './diversity.ts';
import { type Match, toMatch } from './matches.ts';
import { nearest } from './nearest.ts';
import { hasPages, isRanked, type SearchOptions, searchSettings } from './options.ts';
import { type Basis, type Position, roundsUntil } from './paging.ts';
import { candidatesFor, type RankedTable, ranked } from './ranking.ts';
import type { ReportDraft } from './report.ts';
import type { ScoreParts } from './scoring.ts';

/** A table that can be searched, and what of its rows a match shows. */
export interface Searchable<Row> extends RankedTable {
  /** Owner of a row; undefined where rows are shared by all users. */
  userId: PgColumn | undefined;
  fields: { [Name in keyof Row]: PgColumn | SQL };
  /** The text of a row `source`, for searches by words that are near to a row. */
  sourceText: SQL;
}

export const searchableMemories: Searchable<MemoryRow> = {
  table: memories,
  id: memories.id,
  userId: memories.userId,
  embedding: memories.embedding,
  tsv: memories.contentTsv,
  length: memories.contentLength,
  hit: [memories.id, memories.userId],
  session: { userId: memories.userId, sessionId: memories.sessionId },
  worth: { importance: memories.importanceScore, createdAt: memories.createdAt },
  fields: memoryFields,
  sourceText: sql`source.content`,
};

export const searchableChunks: Searchable<ChunkRow> = {
  table: documentChunks,
  id: documentChunks.id,
  userId: documentChunks.userId,
  embedding: documentChunks.embedding,
  tsv: documentChunks.contentTsv,
  length: documentChunks.contentLength,
  hit: [documentChunks.id, documentChunks.userId],
  fields: chunkFields,
  sourceText: sql`source.content`,
};

export const searchableTools: Searchable<ToolRow> = {
  table: toolEmbeddings,
  id: toolEmbeddings.id,
  userId: undefined,
  embedding: toolEmbeddings.embedding,
  tsv: toolEmbeddings.contentTsv,
  length: toolEmbeddings.contentLength,
  hit: [toolEmbeddings.id],
  fields: toolFields,
  sourceText: sql`source.tool_description`,
};

/** What a search asks for, apart from what it is near to. */
export interface SearchRequest<Conditions = SQL | undefined> {
  k: number;
  /** The compiled filters, over the searched table's own columns. */
  conditions: Conditions;
  options: SearchOptions;
  /** Only rows behind this place of the list. */
  after?: Position | undefined;
  /** The list is read in pages: matches have a `place`. */
  pages?: boolean | undefined;
  /** Candidates come in rounds though only distances rank them. */
  inRounds?: boolean | undefined;
  /** Somebody wants to know how the rows are found. */
  report?: ReportDraft | undefined;
}

/** What a search is near to: a vector and, when words count too, the text it was made of. */
export interface Target {
  vector: VectorInput;
  text?: string | undefined;
  /** A row that is no match. Either all targets of a search have one, or none. */
  except?: string | undefined;
}

/**
 * The `k` best rows for each target, best first, equal ones by id: one list a target, in their order. One statement,
 * however many there are: several become rows that a LATERAL join searches one after the other.
 */
export async function searchByVectors<Row extends { id: string }>(
  database: Database,
  viewer: Viewer,
  searched: Searchable<Row>,
  targets: readonly Target[],
  request: SearchRequest,
): Promise<Match<Row>[][]> {
  const conditions = and(searched.userId && visibleTo(viewer, searched.userId), request.conditions);
  const query = queryOf(request, and(conditions, notExcepted(searched.id, targets)), conditions);
  const [only] = targets;
  const plain = !isRanked(request.options);
  const hits =
    only && targets.length === 1 && plain && only.except === undefined
      ? hitsOf(
          sql`${nearest(searched, { ...query, operand: sql`${vectorLiteral(only.vector)}::vector` })} as hit`,
          sql`1::bigint`,
        )
      : hitsOf(
          sql`${targetRows(targets)} cross join lateral ${
            plain
              ? nearest(searched, { ...query, operand: sql`query.vector` })
              : ranked(searched, { ...query, vector: sql`query.vector`, text: sql`query.text` })
          } as hit`,
          sql`query.n`,
        );
  const found = await runSearch(database, viewer, searched, hits, request);
  return targets.map((_, i) => found.get(String(i + 1)) ?? []);
}

/**
 * The `k` best rows for each of the stored rows `ids`, never the row itself: one list an id, in their order; empty
 * for a row that has no embedding yet, except by KEYWORD. One statement; the vectors stay in the database.
 */
export async function searchByRows<Row extends { id: string }>(
  database: Database,
  viewer: Viewer,
  searched: Searchable<Row>,
  ids: readonly string[],
  request: SearchRequest,
): Promise<Match<Row>[][]> {
  const filters = and(searched.userId && visibleTo(viewer, searched.userId), request.conditions);
  const query = queryOf(request, and(filters, ne(searched.id, sql`source.id`)), filters);
  const vector = sql`source.embedding`;
  const search = isRanked(request.options)
    ? ranked(searched, { ...query, vector, text: searched.sourceText })
    : nearest(searched, { ...query, operand: vector });
  const hits = hitsOf(
    sql`${searched.table} as source cross join lateral ${search} as hit`,
    sql`source.id`,
    and(
      inArray(sql`source.id`, [...ids]),
      searched.userId && visibleTo(viewer, sql`source.user_id`),
      request.options.mode === 'KEYWORD' ? undefined : sql`source.embedding is not null`,
    ),
  );
  const found = await runSearch(database, viewer, searched, hits, request);
  return ids.map((id) => found.get(id) ?? []);
}

/** The request as `nearest` and `ranked` take it. */
export function queryOf(request: SearchRequest, conditions: SQL | undefined, filters: SQL | undefined) {
  return { ...request, conditions, filters, report: request.report !== undefined };
}

interface Hits {
  from: SQL;
  /** `Hit.key`. */
  key: SQL;
  where: SQL | undefined;
}

function hitsOf(from: SQL, key: SQL, where?: SQL): Hits {
  return { from, key, where };
}

async function runSearch<Row extends { id: string }>(
  database: Database,
  viewer: Viewer,
  searched: Searchable<Row>,
  hits: Hits,
  request: SearchRequest,
): Promise<Map<string, Match<Row>[]>> {
  const sameRow = searched.hit.map((column) => eq(column, sql`hit.${sql.identifier(column.name)}`));
  const found = await transaction(
    database,
    viewer,
    readingOptions(request, reachOf(searched, request)),
    (tx) =>
      tx
        .select({ ...hitColumns(hits.key, request), row: searched.fields })
        .from(hits.from)
        .innerJoin(searched.table, and(...sameRow))
        .where(and(hits.where, withinDistance(request)))
        .orderBy(asc(hits.key), hitOrder(request), asc(searched.id)),
  );
  return toLists(found, request, ({ row }) => row as Row);
}

/** How the transaction of a search that wants so many rows from the vector index is opened. */
export function readingOptions(
  { options, report }: SearchRequest<unknown>,
  wanted: number,
): TransactionOptions {
  return {
    access: 'read',
    settings: searchSettings(options, wanted),
    onStatement: report?.onStatement,
  };
}

/**
 * For how many rows the vector index is to be looked through. A search by distance wants twice as many as it shows, on this
 * page and those before it: the last rows of an index scan are those that it misses most.
 */
export function reachOf(
  target: Pick<RankedTable, 'group'>,
  { k, options, after }: SearchRequest<unknown>,
): number {
  if (isRanked(options)) return candidatesFor(target, after?.k ?? k) * roundsUntil(after);
  return 2 * ((after?.seen ?? 0) + k);
}

const distance = sql<number>`hit.distance`;

/** What a search statement tells of a hit, beside its row. */
interface Hit {
  /** Tells the hits of one target from those of another. */
  key: string;
  kind?: string;
  distance: number;
  score?: number | undefined;
  parts?: ScoreParts | undefined;
  /** On a later page of candidates that come in rounds. */
  round?: number | undefined;
  /** In the first hit of a list that is read in pages. */
  basis?: Basis | null | undefined;
  /** Cosine similarity to each hit of the list, in their order. */
  alike?: number[] | null | undefined;
  candidates?: number | undefined;
  completed?: boolean | undefined;
  capped?: boolean | undefined;
}

type HitColumns = { [Name in Exclude<keyof Hit, 'kind'>]-?: SQL<Hit[Name]> };

/** The columns of a `Hit`, as many as the request needs. */
export function hitColumns(key: SQL, request: SearchRequest<unknown>) {
  const { options, pages, report } = request;
  const ranked = isRanked(options);
  const columns: Partial<HitColumns> = {
    key: sql`${key}::text`,
    distance,
    ...(ranked && { score: sql`hit.score`, parts: sql`hit.parts` }),
    ...(hasRounds(request) && { round: sql`hit.round::float8` }),
    ...(ranked && pages && hasPages(options) && { basis: sql`hit.basis` }),
    ...(options.diversity !== undefined && { alike: sql`to_json(hit.alike)` }),
    ...(report && {
      candidates: sql`hit.candidates::float8`,
      completed: sql`hit.completed`,
      capped: ranked ? sql`hit.capped` : sql`false`,
    }),
  };
  return columns as HitColumns;
}

function hasRounds({ options, after, inRounds }: SearchRequest<unknown>): boolean {
  return after !== undefined && (isRanked(options) || inRounds === true);
}

/** Best first. */
export function hitOrder(request: SearchRequest<unknown>): SQL {
  const order = isRanked(request.options) ? sql`hit.score desc` : asc(distance);
  return hasRounds(request) ? sql`hit.round, ${order}` : order;
}

/**
 * The threshold of a search by distance alone. Inside the search it would keep the vector index from being used, so it
 * is applied to what was found; a ranked search applies it to its candidates.
 */
export function withinDistance({ options, report }: SearchRequest<unknown>): SQL | undefined {
  // A report is about rows beyond the threshold, too: see `toLists`.
  return options.maxDistance === undefined || isRanked(options) || report
    ? undefined
    : lte(distance, options.maxDistance);
}

/** The matches of each target by its key, at most k each. */
export function toLists<H extends Hit, Row extends { id: string }, M extends Match<Row>>(
  hits: readonly H[],
  request: SearchRequest<unknown>,
  rowOf: (hit: H) => Row,
  more: (hit: H) => Omit<M, keyof Match<Row>> = () => ({}) as Omit<M, keyof Match<Row>>,
): Map<string, M[]> {
  const groups = new Map<string, H[]>();
  for (const hit of hits) {
    const group = groups.get(hit.key);
    if (group) group.push(hit);
    else groups.set(hit.key, [hit]);
  }
  return new Map([...groups].map(([key, group]) => [key, toList(group, request, rowOf, more)]));
}

function toList<H extends Hit, Row extends { id: string }, M extends Match<Row>>(
  hits: readonly H[],
  request: SearchRequest<unknown>,
  rowOf: (hit: H) => Row,
  more: (hit: H) => Omit<M, keyof Match<Row>>,
): M[] {
  const { k, options, pages, report } = request;
  const [first] = hits;
  if (first) report?.add(first);
  const { maxDistance = Number.POSITIVE_INFINITY } = options;
  const basis = first?.basis ?? undefined;
  const within = report ? hits.filter((hit) => hit.distance <= maxDistance) : hits;
  return chooseDiverse(within, k, options).map((hit, i) => {
    const row = rowOf(hit);
    const place = pages && hasPages(options) ? placeOf(hit, row, i + 1, basis, request) : null;
    return { ...toMatch(row, hit, place, options), ...more(hit) } as M;
  });
}

function placeOf(
  { kind, distance, score, round = 0 }: Hit,
  { id }: { id: string },
  onPage: number,
  basis: Basis | undefined,
  { k, after }: SearchRequest<unknown>,
): Position {
  return {
    seen: (after?.seen ?? 0) + onPage,
    k: after?.k ?? k,
    round,
    value: score ?? distance,
    id,
    ...(kind && { kind }),
    ...(basis && { basis }),
  };
}

/** Targets as rows of a FROM item `query (vector, text, n)`, numbered from 1; sent as few parameters, read once. */
export function targetRows(targets: readonly Target[]): SQL {
  const vectors = arrayLiteral(targets.map(({ vector }) => vectorLiteral(vector)));
  const texts = arrayLiteral(targets.map(({ text }) => text ?? ''));
  if (!targets.some(({ except }) => except)) {
    return sql`unnest(${vectors}::vector[], ${texts}::text[]) with ordinality as query (vector, text, n)`;
  }
  const excepted = arrayLiteral(targets.map(({ except }) => except ?? '0'));
  return sql`unnest(${vectors}::vector[], ${texts}::text[], ${excepted}::bigint[])
    with ordinality as query (vector, text, excepted, n)`;
}

/** The condition that leaves out the row which a target excepts, by the `id` of the rows that are searched. */
export function notExcepted(id: PgColumn, targets: readonly Target[]): SQL | undefined {
  return targets.some(({ except }) => except) ? ne(id, sql`query.excepted`) : undefined;
}
