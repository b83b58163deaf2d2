import { and, asc, eq, inArray, ne, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { LRUCache } from 'lru-cache';
import { type VectorInput, vectorLiteral } from '../../schema/columns/vector.ts';
import { documentChunks, memories, toolEmbeddings } from '../../schema/index.ts';
import { type Compiled, compile } from '../database/compiled.ts';
import { type Database, type Transaction, transaction } from '../database/transaction.ts';
import {
  type ChunkRow,
  chunkColumns,
  type MemoryRow,
  memoryColumns,
  type ToolRow,
  toolColumns,
} from '../store/rows.ts';
import { type Viewer, visibleTo } from '../viewer.ts';
import type { Match } from './matches.ts';
import { isRanked } from './options.ts';
import {
  notExcepted,
  queryOf,
  reachOf,
  readingOptions,
  type SearchRequest,
  type Target,
  targetRows,
} from './request.ts';
import { type RankedTable, ranked } from './sql/candidates.ts';
import { hitColumns, hitOrder, toLists, withinDistance } from './sql/hits.ts';
import { nearest } from './sql/nearest.ts';

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
  fields: memoryColumns,
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
  fields: chunkColumns,
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
  fields: toolColumns,
  sourceText: sql`source.tool_description`,
};

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
  if (only && targets.length === 1 && plain && only.except === undefined) {
    return [await searchByVector(database, viewer, searched, only.vector, query, request)];
  }
  const hits = hitsOf(
    sql`${targetRows(targets)} cross join lateral ${
      plain
        ? nearest(searched, { ...query, operand: sql`query.vector` })
        : ranked(searched, { ...query, vector: sql`query.vector`, text: sql`query.text` })
    } as hit`,
    sql`query.n`,
  );
  const found = await runSearch(database, viewer, searched, request, (tx) =>
    selectHits(tx, searched, hits, request),
  );
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
  const found = await runSearch(database, viewer, searched, request, (tx) =>
    selectHits(tx, searched, hits, request),
  );
  return ids.map((id) => found.get(id) ?? []);
}

/** The rows nearest to one vector: what most requests ask, so here it counts what is done beside the search itself. */
async function searchByVector<Row extends { id: string }>(
  database: Database,
  viewer: Viewer,
  searched: Searchable<Row>,
  vector: VectorInput,
  query: ReturnType<typeof queryOf>,
  request: SearchRequest,
): Promise<Match<Row>[]> {
  const statement = compiledSearch(searched, query, request);
  const values = { vector: vectorLiteral(vector) };
  const found = await runSearch(database, viewer, searched, request, (tx) => statement(tx, values));
  return found.get('1') ?? [];
}

/** Kept statements of `compiledSearch`, for what is searched and by all else that they depend on. */
const compiledSearches = new WeakMap<object, LRUCache<string, Compiled<unknown>>>();
const MOST_KEPT = 200;

/**
 * The statement of a search, with its vector as the placeholder `vector`. It is kept only when the search has no
 * conditions, so that nothing of one request, such as who asks, can come into another's.
 */
function compiledSearch<Row>(
  searched: Searchable<Row>,
  query: ReturnType<typeof queryOf>,
  request: SearchRequest,
): Compiled<FoundHits<Row>> {
  const make = () =>
    compile((builder) => {
      const near = nearest(searched, { ...query, operand: sql`${sql.placeholder('vector')}::vector` });
      return selectHits(builder, searched, hitsOf(sql`${near} as hit`, sql`1::bigint`), request);
    });
  if (query.conditions || request.after) return make();
  let kept = compiledSearches.get(searched);
  if (kept === undefined) {
    kept = new LRUCache({ max: MOST_KEPT });
    compiledSearches.set(searched, kept);
  }
  const { k, options, pages } = request;
  const key = JSON.stringify([k, options, pages, query.report]);
  const known = kept.get(key) as ReturnType<typeof make> | undefined;
  if (known !== undefined) return known;
  const statement = make();
  kept.set(key, statement);
  return statement;
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
  request: SearchRequest,
  read: (tx: Transaction) => Promise<FoundHits<Row>>,
): Promise<Map<string, Match<Row>[]>> {
  const found = await transaction(
    database,
    viewer,
    readingOptions(request, reachOf(searched, request)),
    read,
  );
  return toLists(found, request, ({ row }) => row as Row);
}

type FoundHits<Row> = Awaited<ReturnType<typeof selectHits<Row>>>;

function selectHits<Row>(
  builder: Transaction,
  searched: Searchable<Row>,
  hits: Hits,
  request: SearchRequest,
) {
  const sameRow = searched.hit.map((column) => eq(column, sql`hit.${sql.identifier(column.name)}`));
  return builder
    .select({ ...hitColumns(hits.key, request), row: searched.fields })
    .from(hits.from)
    .innerJoin(searched.table, and(...sameRow))
    .where(and(hits.where, withinDistance(request)))
    .orderBy(asc(hits.key), hitOrder(request), asc(searched.id));
}
