import { and, asc, eq, inArray, isNotNull, ne, type SQL, sql } from 'drizzle-orm';
import { documentChunks, documents } from '../../../schema/index.ts';
import { type Database, transaction } from '../../database/transaction.ts';
import { type ChunkRow, chunkColumns, type DocumentRow, documentColumns } from '../../store/rows.ts';
import { type Viewer, visibleTo } from '../../viewer.ts';
import type { Match } from '../matches.ts';
import { isRanked, usesIndex } from '../options.ts';
import { behindDistance, behindInRounds, roundOf, roundsUntil } from '../paging.ts';
import {
  notExcepted,
  queryOf,
  reachOf,
  readingOptions,
  type SearchRequest,
  type Target,
  targetRows,
} from '../request.ts';
import { newestOf, notNewer, type RankedTable, ranked } from './candidates.ts';
import { distanceTo } from './distance.ts';
import { hitColumns, hitOrder, toLists, withinDistance } from './hits.ts';
import { type NearestQuery, nearest } from './nearest.ts';
import { bestRows, scoringSteps } from './scoring.ts';

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
  nearest: (query) => sql`(select best.*, chunk_id as id from ${byBestChunk(query)} best)`,
};

// Nearest chunks to read for k documents: the documents among them are the nearest ones, in order, as soon as there are
// k of them. Several chunks of one document are often near together.
const CHUNKS_PER_DOCUMENT = 10;
const LEAST_CHUNKS = 100;

// Documents whose means are compared to find the nearest k: the order by best chunk is not quite the order by mean.
const MEANS_PER_DOCUMENT = 4;
const LEAST_MEANS = 40;
const EVERY = 2_147_483_647;

/** Characters of a document that asks by its words: a tsvector, in which they are looked up, takes no more than 1 MB. */
const ASKING_LENGTH = sql.raw('200000');

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
  const filters = chunkConditions(viewer, request.conditions);
  const conditions = and(filters, notExcepted(documentChunks.documentId, targets));
  const found = await runDocumentSearch(database, viewer, request, {
    from: sql`${targetRows(targets)} cross join lateral ${
      isRanked(request.options)
        ? byRankedChunk(conditions, filters, request, { vector: sql`query.vector`, text: sql`query.text` })
        : byBestChunk({ ...queryOf(request, conditions, filters), operand: sql`query.vector` })
    } as hit`,
    key: sql`query.n`,
  });
  return targets.map((_, i) => found.get(String(i + 1)) ?? []);
}

/**
 * The `k` documents nearest to each of the stored documents `ids`, never itself: the distance is between the means of
 * the two documents' chunks, and `chunk` is the one nearest to the asking document's mean. One statement. Candidates are
 * the documents of the chunks nearest to that mean; with `exact` every document is compared. By words, or by both, a document
 * asks with its mean and all its text, and another is as good as its best chunk.
 */
export async function searchDocumentsByRows(
  database: Database,
  viewer: Viewer,
  ids: readonly string[],
  request: SearchRequest,
): Promise<DocumentMatch[][]> {
  const { mode } = request.options;
  const asking = and(
    inArray(documentChunks.documentId, [...ids]),
    mode === 'KEYWORD' ? undefined : isNotNull(documentChunks.embedding),
    visibleTo(viewer, documentChunks.userId),
  );
  const text =
    mode === 'SEMANTIC'
      ? sql``
      : sql`, left(string_agg(content, ' ' order by chunk_index), ${ASKING_LENGTH}) as text`;
  const means = sql`(select document_id, avg(embedding) as vector${text} from ${documentChunks}
    where ${asking} group by document_id)`;
  const filters = chunkConditions(viewer, request.conditions);
  const conditions = and(filters, ne(documentChunks.documentId, sql`source.document_id`));
  const found = await runDocumentSearch(database, viewer, request, {
    from: sql`${means} as source cross join lateral ${
      mode === 'SEMANTIC'
        ? byMean(conditions, filters, request)
        : byRankedChunk(conditions, filters, request, { vector: meanVector, text: sql`source.text` })
    } as hit`,
    key: sql`source.document_id`,
    ...(mode === 'SEMANTIC' && { by: 'mean' }),
  });
  return ids.map((id) => found.get(id) ?? []);
}

/** The mean that documents are to be near to. */
const meanVector = sql`source.vector`;

/** Conditions on documents, as conditions on their chunks. */
export function chunkConditions(viewer: Viewer, documentConditions: SQL | undefined): SQL | undefined {
  const matching =
    documentConditions &&
    sql`(${documentChunks.documentId}, ${documentChunks.userId}) in
      (select ${documents.id}, ${documents.userId} from ${documents} where ${documentConditions})`;
  return and(visibleTo(viewer, documentChunks.userId), matching);
}

/** A subselect of documents with `chunk_id` and `distance` of their best chunk; it keeps the promise of k by itself. */
export function byBestChunk({ operand, conditions, filters, k, options, after, report }: NearestQuery): SQL {
  const past = after && behindDistance(after, sql`document_id`);
  const how = (candidates: SQL, completed: SQL) =>
    report ? sql`, ${candidates} as candidates, ${completed} as completed` : sql``;
  const everyDocument = (guard: SQL | undefined, completes: SQL) => sql`select * from (
      select distinct on (document_id) id as chunk_id, document_id, user_id,
        ${distanceTo(documentChunks.embedding, options.metric, operand)} as distance${how(sql`count(*) over ()`, completes)}
      from ${documentChunks} where ${and(guard, isNotNull(documentChunks.embedding), conditions)}
      order by document_id, distance, id) every_document${past ? sql` where ${past}` : sql``}
    order by distance, document_id limit ${k}`;
  if (!usesIndex(options)) return sql`(${everyDocument(undefined, sql`false`)})`;
  const chunks = nearest(documentChunkTable, {
    ...{ operand, conditions, filters, options, report },
    k: chunksFor((after?.seen ?? 0) + k),
  });
  const enough = sql`(select count(*) from best${past ? sql` where ${past}` : sql``}) >= ${k}`;
  return sql`(with best as materialized (
      select distinct on (document_id) id as chunk_id, document_id, user_id, distance${how(sql`candidates`, sql`completed`)}
      from ${chunks} chunks order by document_id, distance, id),
    completed as materialized (${everyDocument(sql`not ${enough}`, sql`true`)})
    (select * from best where ${and(enough, past)} order by distance, document_id limit ${k})
    union all select * from completed)`;
}

/** The same by everything else that can rank chunks: a document is as good as its best chunk. */
function byRankedChunk(
  conditions: SQL | undefined,
  filters: SQL | undefined,
  request: SearchRequest,
  near: { vector: SQL; text: SQL },
): SQL {
  const best = ranked(documentChunkTable, { ...queryOf(request, conditions, filters), ...near });
  return sql`(select best.*, id as chunk_id from ${best} best)`;
}

/**
 * Documents by the distance of their means to `source.vector`, and by what else can rank those. On later pages candidates
 * come in rounds, see `paging.ts`: the order by best chunk is not that by means.
 */
export function byMean(conditions: SQL | undefined, filters: SQL | undefined, request: SearchRequest): SQL {
  const { k, options, after } = request;
  const size = meansFor(request);
  const query = queryOf(
    request,
    and(conditions, notNewer(documentChunkTable, after?.basis?.newest[0])),
    filters,
  );
  const candidates = byBestChunk({ ...query, operand: meanVector, after: undefined, k: meansReach(request) });
  const found = query.report ? sql`, candidate.candidates, candidate.completed, false as capped` : sql``;
  const means = sql`select candidate.chunk_id, candidate.document_id, candidate.user_id, mean.vector as embedding,
      ${roundOf(sql`candidate.place`, size, after)} as round,
      ${distanceTo(sql`mean.vector`, options.metric, meanVector)} as distance${found}
    from (select *, row_number() over (order by distance, document_id) as place from ${candidates} nearest) candidate
    cross join lateral (select avg(member.embedding) as vector from document_chunks member
      where member.document_id = candidate.document_id and member.user_id = candidate.user_id) mean`;
  if (isRanked(options)) return byRankedMean(means, request);
  const id = sql`document_id`;
  const past = after
    ? sql` where ${behindInRounds(after, 'distance', { column: id, behind: sql`${after.id}::bigint` })}`
    : sql``;
  return sql`(select * from (${means}) by_mean${past} order by ${after ? sql`round, ` : sql``}distance, document_id limit ${k})`;
}

function byRankedMean(means: SQL, request: SearchRequest): SQL {
  const query = { ...queryOf(request, undefined, undefined), text: undefined };
  const place = sql`document_id`;
  const features = sql`features as materialized (
    select by_mean.*, true as candidate, 0::float8 as bm25 from (${means}) by_mean)`;
  return bestRows(
    [features, ...scoringSteps(documentChunkTable, query, { key: place, context: false })],
    query,
    {
      columns: sql`chunk_id, document_id, user_id`,
      rows: sql`scored best`,
      place,
      sources: [{ newest: newestOf(documentChunkTable), words: sql`null` }],
      report: sql`max(candidates) over () as candidates, bool_or(completed) over () as completed, false as capped`,
      embedded: sql`select chosen.*, features.embedding from chosen join features using (document_id)`,
    },
  );
}

/** How many documents' means are compared in a round. */
function meansFor({ k, options, after }: SearchRequest): number {
  return options.exact ? EVERY : Math.max((after?.k ?? k) * MEANS_PER_DOCUMENT, LEAST_MEANS);
}

function meansReach(request: SearchRequest): number {
  return Math.min(meansFor(request) * roundsUntil(request.after), EVERY);
}

function chunksFor(k: number): number {
  return Math.max(k * CHUNKS_PER_DOCUMENT, LEAST_CHUNKS);
}

/** For how many chunks the vector index is to be looked through by a search for documents, by their best chunks or by means. */
export function chunkReach(request: SearchRequest<unknown>, by: 'chunk' | 'mean' = 'chunk'): number {
  return chunksFor(
    by === 'mean' ? meansReach(request as SearchRequest) : reachOf(documentChunkTable, request),
  );
}

async function runDocumentSearch(
  database: Database,
  viewer: Viewer,
  request: SearchRequest,
  hits: { from: SQL; key: SQL; by?: 'mean' },
): Promise<Map<string, DocumentMatch[]>> {
  const rows = await transaction(
    database,
    viewer,
    readingOptions(request, chunkReach(request, hits.by)),
    (tx) =>
      tx
        .select({ ...hitColumns(hits.key, request), row: documentColumns, chunk: chunkColumns })
        .from(hits.from)
        .innerJoin(
          documentChunks,
          and(eq(documentChunks.id, sql`hit.chunk_id`), eq(documentChunks.userId, sql`hit.user_id`)),
        )
        .innerJoin(
          documents,
          and(eq(documents.id, sql`hit.document_id`), eq(documents.userId, sql`hit.user_id`)),
        )
        .where(withinDistance(request))
        .orderBy(asc(hits.key), hitOrder(request), asc(documents.id)),
  );
  return toLists(
    rows,
    request,
    ({ row }) => row,
    ({ chunk }) => ({ chunk }),
  );
}
