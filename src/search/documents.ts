import { and, asc, eq, inArray, isNotNull, ne, type SQL, sql } from 'drizzle-orm';
import { documentChunks, documents } from '../../schema/index.ts';
import { type Database, transaction } from '../database/transaction.ts';
import { FunesError } from '../errors.ts';
import { type ChunkRow, chunkFields, type DocumentRow, documentFields } from '../store/rows.ts';
import { type Viewer, visibleTo } from '../viewer.ts';
import { distanceTo } from './distance.ts';
import type { Match } from './matches.ts';
import { nearest, usesIndex } from './nearest.ts';
import { type SearchOptions, searchSettings } from './options.ts';
import { isRanked, type RankedTable, ranked } from './ranking.ts';
import {
  hitColumns,
  hitOrder,
  type SearchRequest,
  type Target,
  targetRows,
  toLists,
  withinDistance,
} from './search.ts';

/** A document that was found, with the chunk of it that is nearest. */
export interface DocumentMatch extends Match<DocumentRow> {
  chunk: ChunkRow;
}

/** Chunks as a search for documents sees them: each document by its best one. */
export const documentChunkTable: RankedTable = {
  table: documentChunks,
  id: documentChunks.id,
  embedding: documentChunks.embedding,
  tsv: documentChunks.contentTsv,
  length: documentChunks.contentLength,
  group: documentChunks.documentId,
  hit: [documentChunks.id, documentChunks.documentId, documentChunks.userId],
};

// Nearest chunks to read for k documents: the documents among them are the nearest ones, in order, as soon as there are
// k of them. Several chunks of one document are often near together.
const CHUNKS_PER_DOCUMENT = 10;
const LEAST_CHUNKS = 100;

// Documents whose means are compared to find the nearest k: the order by best chunk is not quite the order by mean.
const MEANS_PER_DOCUMENT = 4;
const LEAST_MEANS = 40;
const EVERY = 2_147_483_647;

/**
 * The `k` documents nearest to each vector, a document being as near as its best chunk; nearest first, one list a
 * vector. One statement.
 */
export async function searchDocumentsByVectors(
  database: Database,
  viewer: Viewer,
  targets: readonly Target[],
  request: SearchRequest,
): Promise<DocumentMatch[][]> {
  const conditions = chunkConditions(viewer, request.conditions);
  const found = await runDocumentSearch(database, viewer, request, {
    from: sql`${targetRows(targets)} cross join lateral ${
      isRanked(request.options)
        ? byRankedChunk(conditions, request)
        : byBestChunk(sql`query.vector`, conditions, conditions, request)
    } as hit`,
    key: sql`query.n`,
  });
  return targets.map((_, i) => found.get(String(i + 1)) ?? []);
}

/**
 * The `k` documents nearest to each of the stored documents `ids`, never itself: the distance is between the means of
 * the two documents' chunks, and `chunk` is the one nearest to the asking document's mean. One statement. Candidates are
 * the documents of the chunks nearest to that mean; with `exact` every document is compared.
 */
export async function searchDocumentsByRows(
  database: Database,
  viewer: Viewer,
  ids: readonly string[],
  request: SearchRequest,
): Promise<DocumentMatch[][]> {
  const asking = and(
    inArray(documentChunks.documentId, [...ids]),
    isNotNull(documentChunks.embedding),
    visibleTo(viewer, documentChunks.userId),
  );
  const means = sql`(select document_id, avg(embedding) as vector from ${documentChunks}
    where ${asking} group by document_id)`;
  refuseRanked(request.options);
  const filters = chunkConditions(viewer, request.conditions);
  const conditions = and(filters, ne(documentChunks.documentId, sql`source.document_id`));
  const found = await runDocumentSearch(database, viewer, request, {
    from: sql`${means} as source cross join lateral ${byMean(conditions, filters, request)} as hit`,
    key: sql`source.document_id`,
  });
  return ids.map((id) => found.get(id) ?? []);
}

/** @throws FunesError BAD_USER_INPUT for options that do not apply to means of chunks. */
export function refuseRanked(options: SearchOptions): void {
  if (isRanked(options)) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'A document itself is compared by the mean of its chunks, with the options metric, maxDistance, exact and efSearch: ' +
        'leave the others out, or give text.',
    );
  }
}

/** Conditions on documents, as conditions on their chunks. */
export function chunkConditions(viewer: Viewer, documentConditions: SQL | undefined): SQL | undefined {
  const matching =
    documentConditions &&
    sql`(${documentChunks.documentId}, ${documentChunks.userId}) in
      (select ${documents.id}, ${documents.userId} from ${documents} where ${documentConditions})`;
  return and(visibleTo(viewer, documentChunks.userId), matching);
}

/** A subselect of documents with `chunk_id` and `distance` of their best chunk; it keeps the promise of k by itself. */
export function byBestChunk(
  operand: SQL,
  conditions: SQL | undefined,
  filters: SQL | undefined,
  { k, options }: SearchRequest,
): SQL {
  const everyDocument = (guard: SQL | undefined) => sql`select * from (
      select distinct on (document_id) id as chunk_id, document_id, user_id,
        ${distanceTo(documentChunks.embedding, options.metric, operand)} as distance
      from ${documentChunks} where ${and(guard, isNotNull(documentChunks.embedding), conditions)}
      order by document_id, distance, id) every_document
    order by distance, document_id limit ${k}`;
  if (!usesIndex(options)) return sql`(${everyDocument(undefined)})`;
  const chunks = nearest(documentChunkTable, { operand, k: chunksFor(k), conditions, filters, options });
  const enough = sql`(select count(*) from best) >= ${k}`;
  return sql`(with best as materialized (
      select distinct on (document_id) id as chunk_id, document_id, user_id, distance
      from ${chunks} chunks order by document_id, distance, id),
    completed as materialized (${everyDocument(sql`not ${enough}`)})
    (select * from best where ${enough} order by distance, document_id limit ${k})
    union all select * from completed)`;
}

/** The same by everything else that can rank chunks: a document is as good as its best chunk. */
function byRankedChunk(conditions: SQL | undefined, request: SearchRequest): SQL {
  const best = ranked(documentChunkTable, {
    ...request,
    conditions,
    filters: conditions,
    vector: sql`query.vector`,
    text: sql`query.text`,
  });
  const alike = request.options.diversity === undefined ? sql`` : sql`, alike`;
  return sql`(select id as chunk_id, document_id, user_id, distance, score, parts${alike} from ${best} best)`;
}

/** The same by distance of the documents' means; `source.vector` is the mean to be near to. */
export function byMean(conditions: SQL | undefined, filters: SQL | undefined, request: SearchRequest): SQL {
  const { k, options } = request;
  const vector = sql`source.vector`;
  const candidates = byBestChunk(vector, conditions, filters, {
    ...request,
    k: options.exact ? EVERY : Math.max(k * MEANS_PER_DOCUMENT, LEAST_MEANS),
  });
  return sql`(select candidate.chunk_id, candidate.document_id, candidate.user_id,
      ${distanceTo(sql`mean.vector`, options.metric, vector)} as distance
    from ${candidates} candidate
    cross join lateral (select avg(member.embedding) as vector from document_chunks member
      where member.document_id = candidate.document_id and member.user_id = candidate.user_id) mean
    order by distance, candidate.document_id limit ${k})`;
}

export function chunksFor(k: number): number {
  return Math.max(k * CHUNKS_PER_DOCUMENT, LEAST_CHUNKS);
}

async function runDocumentSearch(
  database: Database,
  viewer: Viewer,
  { k, options }: SearchRequest,
  hits: { from: SQL; key: SQL },
): Promise<Map<string, DocumentMatch[]>> {
  const rows = await transaction(
    database,
    viewer,
    { access: 'read', settings: searchSettings(options, chunksFor(k)) },
    (tx) =>
      tx
        .select({ ...hitColumns(hits.key, options), row: documentFields, chunk: chunkFields })
        .from(hits.from)
        .innerJoin(
          documentChunks,
          and(eq(documentChunks.id, sql`hit.chunk_id`), eq(documentChunks.userId, sql`hit.user_id`)),
        )
        .innerJoin(
          documents,
          and(eq(documents.id, sql`hit.document_id`), eq(documents.userId, sql`hit.user_id`)),
        )
        .where(withinDistance(options))
        .orderBy(asc(hits.key), hitOrder(options), asc(documents.id)),
  );
  return toLists(
    rows,
    k,
    options,
    ({ row }) => row,
    ({ chunk }) => ({ chunk }),
  );
}
