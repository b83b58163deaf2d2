import { and, asc, eq, inArray, lte, ne, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { type VectorInput, vectorLiteral } from '../../schema/columns/vector.ts';
import { documentChunks, memories, toolEmbeddings } from '../../schema/index.ts';
import { type Database, transaction } from '../database/transaction.ts';
import {
  type ChunkRow,
  chunkFields,
  type MemoryRow,
  memoryFields,
  type ToolRow,
  toolFields,
} from '../store/rows.ts';
import { type Viewer, visibleTo } from '../viewer.ts';
import { chooseDiverse } from './diversity.ts';
import { type Match, toMatch } from './matches.ts';
import { nearest } from './nearest.ts';
import { type SearchOptions, searchSettings } from './options.ts';
import { candidatesFor, isRanked, type RankedTable, ranked, type ScoreParts } from './ranking.ts';

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
}

/** What a search is near to: a vector and, when words count too, the text it was made of. */
export interface Target {
  vector: VectorInput;
  text: string | undefined;
}

/**
 * The `k` best rows for each target, best first, equal ones by id: one list a target, in their order. One statement,
 * however many there are: several become rows that a LATERAL join searches one after the other.
 */
export async function searchByVectors<Row>(
  database: Database,
  viewer: Viewer,
  searched: Searchable<Row>,
  targets: readonly Target[],
  request: SearchRequest,
): Promise<Match<Row>[][]> {
  const conditions = and(searched.userId && visibleTo(viewer, searched.userId), request.conditions);
  const query = { ...request, conditions, filters: conditions };
  const [only] = targets;
  const plain = !isRanked(request.options);
  const hits =
    only && targets.length === 1 && plain
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
export async function searchByRows<Row>(
  database: Database,
  viewer: Viewer,
  searched: Searchable<Row>,
  ids: readonly string[],
  request: SearchRequest,
): Promise<Match<Row>[][]> {
  const filters = and(searched.userId && visibleTo(viewer, searched.userId), request.conditions);
  const query = { ...request, filters, conditions: and(filters, ne(searched.id, sql`source.id`)) };
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

interface Hits {
  from: SQL;
  /** Tells the hits of one target from those of another. */
  key: SQL;
  where: SQL | undefined;
}

function hitsOf(from: SQL, key: SQL, where?: SQL): Hits {
  return { from, key, where };
}

async function runSearch<Row>(
  database: Database,
  viewer: Viewer,
  searched: Searchable<Row>,
  hits: Hits,
  { k, options }: SearchRequest,
): Promise<Map<string, Match<Row>[]>> {
  const sameRow = searched.hit.map((column) => eq(column, sql`hit.${sql.identifier(column.name)}`));
  const found = await transaction(
    database,
    viewer,
    { access: 'read', settings: searchSettings(options, isRanked(options) ? candidatesFor(searched, k) : k) },
    (tx) =>
      tx
        .select({ ...hitColumns(hits.key, options), row: searched.fields })
        .from(hits.from)
        .innerJoin(searched.table, and(...sameRow))
        .where(and(hits.where, withinDistance(options)))
        .orderBy(asc(hits.key), hitOrder(options), asc(searched.id)),
  );
  return toLists(found, k, options, ({ row }) => row as Row);
}

const distance = sql<number>`hit.distance`;

/** What every search statement selects of its hits, beside their rows. */
export function hitColumns(key: SQL, options: SearchOptions) {
  const ranked = isRanked(options);
  return {
    key: sql<string>`${key}::text`,
    distance,
    score: ranked ? sql<number>`hit.score` : sql<null>`null`,
    parts: ranked ? sql<ScoreParts>`hit.parts` : sql<null>`null`,
    alike: options.diversity === undefined ? sql<null>`null` : sql<number[]>`to_json(hit.alike)`,
  };
}

/** Best first. */
export function hitOrder(options: SearchOptions): SQL {
  return isRanked(options) ? sql`hit.score desc` : asc(distance);
}

/**
 * The threshold of a search by distance alone. Inside the search it would keep the vector index from being used, so it
 * is applied to what was found; a ranked search applies it to its candidates.
 */
export function withinDistance(options: SearchOptions): SQL | undefined {
  return options.maxDistance === undefined || isRanked(options)
    ? undefined
    : lte(distance, options.maxDistance);
}

interface Hit {
  key: string;
  distance: number;
  score: number | null;
  parts: ScoreParts | null;
  alike: number[] | null;
}

/** The matches of each target by its key, at most k each. */
export function toLists<H extends Hit, Row, M extends Match<Row>>(
  hits: readonly H[],
  k: number,
  options: SearchOptions,
  rowOf: (hit: H) => Row,
  more: (hit: H) => Omit<M, keyof Match<Row>> = () => ({}) as Omit<M, keyof Match<Row>>,
): Map<string, M[]> {
  const groups = new Map<string, H[]>();
  for (const hit of hits) {
    const group = groups.get(hit.key);
    if (group) group.push(hit);
    else groups.set(hit.key, [hit]);
  }
  return new Map(
    [...groups].map(([key, group]) => [
      key,
      chooseDiverse(group, k, options).map(
        (hit) => ({ ...toMatch(rowOf(hit), hit, options), ...more(hit) }) as M,
      ),
    ]),
  );
}

/** Targets as rows of a FROM item `query (vector, text, n)`, numbered from 1; sent as two parameters, read once. */
export function targetRows(targets: readonly Target[]): SQL {
  const vectors = arrayLiteral(targets.map(({ vector }) => vectorLiteral(vector)));
  const texts = arrayLiteral(targets.map(({ text }) => text ?? ''));
  return sql`unnest(${vectors}::vector[], ${texts}::text[]) with ordinality as query (vector, text, n)`;
}

/** PostgreSQL's text form of an array of texts. */
function arrayLiteral(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
