import { and, asc, eq, inArray, notInArray, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { documentChunks, documents } from '../../schema/index.ts';
import { type Database, transaction } from '../database/transaction.ts';
import { FunesError, quote } from '../errors.ts';
import { chunkColumns, type DocumentRow, documentColumns } from '../store/rows.ts';
import { type Viewer, visibleTo } from '../viewer.ts';
import type { Match } from './matches.ts';
import { isRanked } from './options.ts';
import { queryOf, reachOf, readingOptions, type SearchRequest } from './request.ts';
import type { Searchable } from './search.ts';
import { ranked } from './sql/candidates.ts';
import { byMean, chunkConditions, chunkReach, type DocumentMatch } from './sql/documents.ts';
import { hitColumns, hitOrder, toLists, withinDistance } from './sql/hits.ts';
import { nearest } from './sql/nearest.ts';

/** Ids of rows to be near to, one at least, and of rows to be away from. */
export interface Examples {
  like: readonly string[];
  unlike: readonly string[];
}

const key = sql`1`;
const operand = sql`source.vector`;

/**
 * The `k` rows nearest to `2 * mean(like) - mean(unlike)`, scaled to length 1; without `unlike` to `mean(like)`. This is
 * Rocchio's relevance feedback (in "The SMART Retrieval System", 1971) with the mean of the liked for a query and weights
 * of 1, and what Qdrant's recommend API calls `average_vector`. Each example counts once, and none is a match. One
 * statement; the vectors stay in the database.
 * @param name what a row is called in messages.
 * @throws FunesError NOT_FOUND for ids that the viewer sees no row with, CONFLICT for rows that have no embedding yet.
 */
export async function searchByExamples<Row extends { id: string }>(
  database: Database,
  viewer: Viewer,
  searched: Searchable<Row>,
  name: string,
  examples: Examples,
  request: SearchRequest,
): Promise<Match<Row>[]> {
  const ids = [...examples.like, ...examples.unlike];
  const visible = searched.userId && visibleTo(viewer, searched.userId);
  const rows = sql`select ${searched.id} as id, ${searched.embedding} as vector from ${searched.table}
    where ${and(inArray(searched.id, ids), visible)}`;
  const filters = and(visible, request.conditions);
  const query = queryOf(request, and(filters, notInArray(searched.id, ids)), filters);
  const hits = isRanked(request.options)
    ? ranked(searched, { ...query, vector: operand, text: undefined })
    : nearest(searched, { ...query, operand });
  const sameRow = searched.hit.map((column) => eq(column, sql`hit.${sql.identifier(column.name)}`));
  const found = await transaction(
    database,
    viewer,
    readingOptions(request, reachOf(searched, request)),
    (tx) =>
      tx
        .select({ ...sourceColumns, ...hitColumns(key, request), row: searched.fields })
        .from(fromExamples(rows, examples, hits, request))
        .leftJoin(searched.table, and(...sameRow))
        .orderBy(hitOrder(request), asc(searched.id)),
  );
  checkFound(found[0], ids, name);
  return toLists(hitsAmong(found), request, ({ row }) => row as Row).get('1') ?? [];
}

/** The same for documents, by the means of their chunks; `chunk` is the one nearest to what the examples say. */
export async function searchDocumentsByExamples(
  database: Database,
  viewer: Viewer,
  examples: Examples,
  asked: SearchRequest,
): Promise<DocumentMatch[]> {
  const request = { ...asked, inRounds: true };
  const ids = [...examples.like, ...examples.unlike];
  const rows = sql`select ${documents.id} as id, (select avg(member.embedding) from document_chunks member
      where member.document_id = ${documents.id} and member.user_id = ${documents.userId}) as vector
    from ${documents} where ${and(inArray(documents.id, ids), visibleTo(viewer, documents.userId))}`;
  const filters = chunkConditions(viewer, request.conditions);
  const hits = byMean(and(filters, notInArray(documentChunks.documentId, ids)), filters, request);
  const found = await transaction(
    database,
    viewer,
    readingOptions(request, chunkReach(request, 'mean')),
    (tx) =>
      tx
        .select({
          ...sourceColumns,
          ...hitColumns(key, request),
          row: documentColumns,
          chunk: chunkColumns,
        })
        .from(fromExamples(rows, examples, hits, request))
        .leftJoin(
          documentChunks,
          and(eq(documentChunks.id, sql`hit.chunk_id`), eq(documentChunks.userId, sql`hit.user_id`)),
        )
        .leftJoin(
          documents,
          and(eq(documents.id, sql`hit.document_id`), eq(documents.userId, sql`hit.user_id`)),
        )
        .orderBy(hitOrder(request), asc(documents.id)),
  );
  checkFound(found[0], ids, 'document');
  const matches = toLists<(typeof found)[number], DocumentRow, DocumentMatch>(
    hitsAmong(found),
    request,
    ({ row }) => row as DocumentRow,
    ({ chunk }) => ({ chunk: chunk as DocumentMatch['chunk'] }),
  );
  return matches.get('1') ?? [];
}

/** What was found of the examples, beside each hit; one row without a hit when there is none. */
const sourceColumns = {
  known: sql<string[]>`to_json(source.known)`,
  pending: sql<string[]>`to_json(source.pending)`,
  isHit: sql<boolean>`hit.distance is not null`,
};

function fromExamples(rows: SQL, { like, unlike }: Examples, hits: SQL, request: SearchRequest): SQL {
  const among = (ids: readonly string[]): SQLWrapper =>
    ids.length === 0 ? sql`false` : inArray(sql`id`, [...ids]);
  return sql`(
    select known, pending, l2_normalize(case when away is null then near else near + near - away end) as vector
    from (
      select coalesce(array_agg(id::text), '{}') as known,
        coalesce(array_agg(id::text) filter (where vector is null), '{}') as pending,
        avg(vector) filter (where ${among(like)}) as near,
        avg(vector) filter (where ${among(unlike)}) as away
      from (${rows}) example) mean) source
    left join lateral ${hits} as hit on ${withinDistance(request) ?? sql`true`}`;
}

function hitsAmong<H extends { isHit: boolean }>(rows: readonly H[]): H[] {
  return rows.filter(({ isHit }) => isHit);
}

function checkFound(
  row: { known: string[]; pending: string[] } | undefined,
  ids: readonly string[],
  name: string,
): void {
  const known = new Set(row?.known);
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) {
    throw new FunesError('NOT_FOUND', `There is no ${name} with id ${listed(unknown)}.`);
  }
  if (row && row.pending.length > 0) {
    throw new FunesError(
      'CONFLICT',
      `What ${name} ${listed(row.pending)} is like is not known yet, as its embedding is PENDING: ` +
        'leave it out, or ask again later.',
    );
  }
}

/** The first of many, for a message. */
function listed(ids: readonly string[]): string {
  const shown = ids.slice(0, 10).map((id) => quote(id));
  return `${shown.join(', ')}${ids.length > shown.length ? ` and ${ids.length - shown.length} more` : ''}`;
}
