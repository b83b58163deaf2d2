import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import { documentChunks } from '../../schema/index.ts';
import { type Database, transaction } from '../database/transaction.ts';
import { FunesError, quote } from '../errors.ts';
import { wholeCharacters } from '../input/characters.ts';
import { checkId, checkLimit } from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import { type Viewer, visibleTo } from '../viewer.ts';
import { checkPageSize, type Listed, type Page, toPage } from './pages.ts';
import { type ChunkRow, chunkColumns } from './rows.ts';

export const chunkList: Listed<ChunkRow, 'ID' | 'CREATED_AT'> = {
  name: 'chunks',
  table: documentChunks,
  id: documentChunks.id,
  userId: documentChunks.userId,
  columns: chunkColumns,
  orders: { ID: documentChunks.id, CREATED_AT: documentChunks.createdAt },
};

/** Reads the chunks with these ids that the viewer may see. */
export async function readChunks(
  database: Database,
  viewer: Viewer,
  ids: readonly string[],
): Promise<ChunkRow[]> {
  for (const id of ids) checkId(id, 'id');
  const condition = and(inArray(documentChunks.id, [...ids]), visibleTo(viewer, documentChunks.userId));
  return transaction(database, viewer, { access: 'read' }, (tx) =>
    tx.select(chunkColumns).from(documentChunks).where(condition),
  );
}

/** Where a chunk is in its document. */
export interface ChunkAddress {
  documentId: string;
  chunkIndex: number;
}

/** Reads the chunks at these addresses in one statement, in the order of the addresses. Returns null for a missing chunk. */
export async function readChunksAt(
  database: Database,
  viewer: Viewer,
  addresses: readonly ChunkAddress[],
): Promise<(ChunkRow | null)[]> {
  const wanted = sql`unnest(${bigints(addresses.map(({ documentId }) => documentId))}::bigint[], ${bigints(addresses.map(({ chunkIndex }) => chunkIndex))}::int[])`;
  const rows = await transaction(database, viewer, { access: 'read' }, (tx) =>
    tx
      .select(chunkColumns)
      .from(documentChunks)
      .innerJoin(
        sql`${wanted} as wanted (document_id, chunk_index)`,
        sql`${documentChunks.documentId} = wanted.document_id and ${documentChunks.chunkIndex} = wanted.chunk_index`,
      )
      .where(visibleTo(viewer, documentChunks.userId)),
  );
  const found = new Map(rows.map((row) => [chunkAddressKey(row), row]));
  return addresses.map((address) => found.get(chunkAddressKey(address)) ?? null);
}

/** A request for a page of one document's chunks, in the document's order. */
export interface DocumentChunksRequest {
  documentId: string;
  first: number;
  /** The index of the last chunk before the page. -1 if the page starts with the first chunk. */
  afterIndex: number;
}

/**
 * Parses the size and the cursor of a page. Each request is parsed by itself, so that a wrong one does not fail the
 * others of its statement.
 * @throws FunesError BAD_USER_INPUT for a negative size or a cursor of another list. LIMIT_EXCEEDED for a size above
 *   the limit.
 */
export function parseDocumentChunksRequest(
  documentId: string,
  first: number,
  after: string | null | undefined,
): DocumentChunksRequest {
  checkPageSize(first);
  return { documentId, first, afterIndex: after == null ? -1 : parseCursor(documentId, after) };
}

/** Reads a page for each request, in their order. One statement reads the pages of any number of documents. */
export async function readChunkPages(
  database: Database,
  viewer: Viewer,
  requests: readonly DocumentChunksRequest[],
): Promise<Page<ChunkRow>[]> {
  const numbers = (values: readonly (string | number)[], type: SQL) => sql`${bigints(values)}::${type}[]`;
  const wanted = sql`unnest(${numbers(
    requests.map((r) => r.documentId),
    sql`bigint`,
  )},
    ${numbers(
      requests.map((r) => r.afterIndex),
      sql`int`,
    )}, ${numbers(
      requests.map((r) => r.first + 1),
      sql`int`,
    )})
    with ordinality as wanted (document_id, after_index, rows, n)`;
  const conditions: SQL | undefined = and(
    eq(documentChunks.documentId, sql`wanted.document_id`),
    sql`${documentChunks.chunkIndex} > wanted.after_index`,
    visibleTo(viewer, documentChunks.userId),
  );
  const page = sql`select ${documentChunks.id}, ${documentChunks.userId} from ${documentChunks}
    where ${conditions} order by ${documentChunks.chunkIndex} limit wanted.rows`;
  const rows = await transaction(database, viewer, { access: 'read' }, (tx) =>
    tx
      .select({ n: sql<number>`wanted.n::int`, row: chunkColumns })
      .from(sql`${wanted} cross join lateral (${page}) as page`)
      .innerJoin(
        documentChunks,
        and(eq(documentChunks.id, sql`page.id`), eq(documentChunks.userId, sql`page.user_id`)),
      )
      .orderBy(sql`wanted.n`, documentChunks.chunkIndex),
  );
  return requests.map(({ first, afterIndex }, i) => {
    const chunks = rows.filter(({ n }) => n === i + 1).map(({ row }) => row);
    const edges = chunks.slice(0, first).map((node) => ({ cursor: cursorOf(node), node }));
    return toPage(edges, chunks.length > first, afterIndex >= 0);
  });
}

/** A request for a part of a document's text. Both numbers are in UTF-16 code units, as the offsets of chunks are. */
export interface DocumentTextRequest {
  documentId: string;
  /** Where the part begins. */
  offset: number;
  /** The most units of the part. */
  limit: number;
}

/**
 * Checks the numbers of a request.
 * @throws FunesError BAD_USER_INPUT for a negative number. LIMIT_EXCEEDED for a part that is too long.
 */
export function parseDocumentTextRequest(
  documentId: string,
  offset: number,
  limit: number,
): DocumentTextRequest {
  checkLimit(offset, 'offset', 0, greatestOffset);
  checkLimit(limit, 'limit', 0, limits.textPartLength);
  return { documentId, offset, limit };
}

/** The greatest `start_offset` that PostgreSQL's integer can hold. */
const greatestOffset = 2 ** 31 - 1;

/**
 * Reads a part of a document's text for each request, in their order. One statement reads the parts of any number of documents, and
 * of each document only the chunks that have some of the part. A part ends with the text. If it would begin or end inside a
 * surrogate pair, it begins or ends before that pair, so that the parts of a text still join to the text.
 */
export async function readDocumentTexts(
  database: Database,
  viewer: Viewer,
  requests: readonly DocumentTextRequest[],
): Promise<string[]> {
  const visible = visibleTo(viewer, documentChunks.userId);
  const wanted = sql`unnest(${bigints(requests.map((r) => r.documentId))}::bigint[],
    ${bigints(requests.map((r) => r.offset))}::bigint[], ${bigints(requests.map((r) => r.offset + r.limit))}::bigint[])
    with ordinality as wanted (document_id, part_start, part_end, n)`;
  // The offset is never negative. The index of offsets is used only if the query says so.
  const inDocument = and(
    eq(documentChunks.documentId, sql`wanted.document_id`),
    sql`${documentChunks.startOffset} >= 0`,
  );
  // There is no gap between chunks. So the last one that begins at or before the part has the beginning of the part.
  const first = sql`(select max(${documentChunks.startOffset}) from ${documentChunks}
    where ${and(inDocument, sql`${documentChunks.startOffset} <= wanted.part_start`, visible)})`;
  const chunks = sql`select ${documentChunks.startOffset}, ${documentChunks.endOffset}, ${documentChunks.content} from ${documentChunks}
    where ${and(inDocument, sql`${documentChunks.startOffset} >= ${first}`, sql`${documentChunks.startOffset} < wanted.part_end`, visible)}`;
  const rows = await transaction(database, viewer, { access: 'read' }, (tx) =>
    tx
      .select({
        n: sql<number>`wanted.n::int`,
        start: sql<number>`part.start_offset`,
        end: sql<number>`part.end_offset`,
        content: sql<string>`part.content`,
      })
      .from(sql`${wanted} cross join lateral (${chunks}) as part`)
      .orderBy(sql`wanted.n`, sql`part.start_offset`),
  );
  return requests.map(({ offset, limit }, i) => {
    let text = '';
    let next = offset;
    for (const { start, end, content } of rows.filter(({ n }) => n === i + 1)) {
      // A chunk repeats the end of the previous one, and has no half of a pair.
      const from = wholeCharacters(content, next - start);
      const to = wholeCharacters(content, Math.min(end, offset + limit) - start);
      if (to <= from) continue;
      text += content.slice(from, to);
      next = start + to;
    }
    return text;
  });
}

function cursorOf({ documentId, chunkIndex }: ChunkAddress): string {
  return Buffer.from(`document ${documentId} chunk ${chunkIndex}`).toString('base64url');
}

function parseCursor(documentId: string, after: string): number {
  const [, document, index] =
    /^document (\d+) chunk (\d{1,9})$/.exec(Buffer.from(after, 'base64url').toString()) ?? [];
  if (document !== documentId || index === undefined) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `after must be a cursor of this document's chunks, not ${quote(after)}.`,
    );
  }
  return Number(index);
}

/** Returns PostgreSQL's text form of an array of integers. */
function bigints(values: readonly (string | number)[]): string {
  return `{${values.join(',')}}`;
}

/** Returns a string that is equal for equal addresses. */
export function chunkAddressKey({ documentId, chunkIndex }: ChunkAddress): string {
  return `${documentId}/${chunkIndex}`;
}
