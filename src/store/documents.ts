import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import { documents } from '../../schema/index.ts';
import { databaseError } from '../database/errors.ts';
import { type Database, type Transaction, transaction } from '../database/transaction.ts';
import { FunesError, quote } from '../errors.ts';
import { checkId } from '../input/checks.ts';
import { mergeMetadata } from '../input/merge-patch.ts';
import type { Services } from '../services.ts';
import { type Viewer, visibleTo } from '../viewer.ts';
import type { Listed } from './pages.ts';
import { type Claimed, readClaimedChunks } from './pending.ts';
import { withinQuota } from './quota.ts';
import { type DocumentRow, documentColumns } from './rows.ts';
import { type ChunkValues, insertChunks, type NewChunks, replaceChunks } from './written-chunks.ts';

/** The values of a document that is written, without its chunks. */
export interface DocumentValues {
  userId: string;
  filename: string;
  filePath: string | null;
  fileType: string;
  fileSize: number;
  contentHash: string;
  metadata: Record<string, unknown>;
  /** Default: now. */
  createdAt?: Date;
}

/** What changes in a document. */
export interface DocumentChange {
  values: Partial<Omit<DocumentValues, 'userId'>>;
  /** A JSON Merge Patch of the metadata. */
  mergeMetadata?: Record<string, unknown> | undefined;
  /** What replaces all old chunks. */
  chunks?: NewChunks | undefined;
}

/** A document that was written, and those of its new chunks that the caller embeds. */
export interface WrittenDocument {
  document: DocumentRow;
  waiting: Claimed[];
}

export const documentList: Listed<
  DocumentRow,
  'CREATED_AT' | 'PROCESSED_AT' | 'UPDATED_AT' | 'FILENAME' | 'ID'
> = {
  name: 'documents',
  table: documents,
  id: documents.id,
  userId: documents.userId,
  columns: documentColumns,
  orders: {
    CREATED_AT: documents.createdAt,
    PROCESSED_AT: documents.processedAt,
    UPDATED_AT: documents.updatedAt,
    FILENAME: documents.filename,
    ID: documents.id,
  },
};

/** Reads the documents with these ids that the viewer may see. */
export async function readDocuments(
  database: Database,
  viewer: Viewer,
  ids: readonly string[],
): Promise<DocumentRow[]> {
  const condition = visibleDocuments(viewer, ids);
  return transaction(database, viewer, { access: 'read' }, (tx) =>
    tx.select(documentColumns).from(documents).where(condition),
  );
}

/** Reads the document of `userId` that was made from the bytes with this SHA-256. Returns undefined if there is none. */
export async function readDocumentByHash(
  database: Database,
  viewer: Viewer,
  userId: string,
  contentHash: string,
): Promise<DocumentRow | undefined> {
  const [row] = await transaction(database, viewer, { access: 'read' }, (tx) =>
    tx
      .select(documentColumns)
      .from(documents)
      .where(sameBytes(viewer, userId, contentHash)),
  );
  return row;
}

/** The name by which a user's document is known again. */
export interface FileName {
  field: 'filePath' | 'filename';
  value: string;
}

/**
 * Reads the document of `userId` with this name. Returns undefined if there is none.
 * @throws FunesError CONFLICT that names the documents if there are several.
 */
export async function readDocumentToReplace(
  database: Database,
  viewer: Viewer,
  userId: string,
  name: FileName,
): Promise<DocumentRow | undefined> {
  const rows = await transaction(database, viewer, { access: 'read' }, (tx) =>
    tx
      .select(documentColumns)
      .from(documents)
      .where(and(hasName(userId, name), visibleTo(viewer, documents.userId)))
      .orderBy(documents.id)
      .limit(mostNamed + 1),
  );
  if (rows.length <= 1) return rows[0];
  const ids = rows.slice(0, mostNamed).map(({ id }) => id);
  const list = `${ids.join(', ')}${rows.length > mostNamed ? ' and more' : ''}`;
  throw new FunesError(
    'CONFLICT',
    `Several documents have the ${name.field} ${quote(name.value)}: ${list}. Change one of them by updateDocument, or delete ` +
      'those that you do not need.',
  );
}

/** Ids that an error names. */
const mostNamed = 10;

function hasName(userId: string, { field, value }: FileName): SQL | undefined {
  return and(eq(documents.userId, userId), eq(documents[field], value));
}

/** How a document is created. */
export interface CreateOptions {
  /** How long the caller may take to embed the chunks. Until then nobody else does; undefined if the caller does not. */
  leaseMs?: number | undefined;
  /** Creates nothing if the user has a document with this name. Requests with one name wait for each other. */
  unlessNamed?: FileName | undefined;
}

/**
 * Stores a document with its chunks in one transaction. Only chunks with vectors of the client's own have embeddings then. If
 * another request stored the same bytes meanwhile, returns that document, and `created` is false. Returns undefined if the user has a
 * document with the name `unlessNamed`.
 */
export async function createDocument(
  { database, quota }: Pick<Services, 'database' | 'quota'>,
  viewer: Viewer,
  values: DocumentValues,
  chunks: readonly ChunkValues[],
  { leaseMs, unlessNamed }: CreateOptions = {},
): Promise<(WrittenDocument & { created: boolean }) | undefined> {
  return transaction(database, viewer, { access: 'write' }, async (tx) => {
    if (unlessNamed && (await isNamed(tx, values.userId, unlessNamed))) return undefined;
    const created = await withinQuota(tx, quota, [values.userId], async () => {
      const [document] = await tx
        .insert(documents)
        .values({ ...values, totalChunks: chunks.length })
        .onConflictDoNothing({ target: [documents.userId, documents.contentHash] })
        .returning(documentColumns);
      return document && { document, waiting: await insertChunks(tx, document, chunks, leaseMs) };
    });
    if (created) return { ...created, created: true };
    const [first] = await tx
      .select(documentColumns)
      .from(documents)
      .where(sameBytes(viewer, values.userId, values.contentHash));
    if (!first)
      throw new FunesError(
        'CONFLICT',
        'Another request deleted this document meanwhile. Send the document again.',
      );
    return { document: first, waiting: [], created: false };
  });
}

/** Whether the user has a document with this name. Until the transaction ends, no other one gets an answer for the name. */
async function isNamed(tx: Transaction, userId: string, name: FileName): Promise<boolean> {
  const key = JSON.stringify(['funes document', userId, name.field, name.value]);
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`);
  const rows = await tx.select({ id: documents.id }).from(documents).where(hasName(userId, name)).limit(1);
  return rows.length > 0;
}

/**
 * Changes a document in one transaction.
 * @throws FunesError NOT_FOUND. CONFLICT that names another document with these bytes.
 */
export async function updateDocument(
  { database, quota }: Pick<Services, 'database' | 'quota'>,
  viewer: Viewer,
  id: string,
  { values, mergeMetadata: patch, chunks: replacement }: DocumentChange,
): Promise<WrittenDocument> {
  const condition = visibleDocuments(viewer, [id]);
  let owner: string | undefined;
  return transaction(database, viewer, { access: 'write' }, async (tx) => {
    const [current] = await tx.select(documentColumns).from(documents).where(condition).for('update');
    if (!current) throw documentNotFound(id);
    owner = current.userId;
    const changes = {
      ...values,
      ...(patch && { metadata: mergeMetadata(current.metadata, patch) }),
      ...(replacement && { totalChunks: replacement.chunks.length, processedAt: sql`now()` }),
    };
    if (Object.keys(changes).length === 0) return { document: current, waiting: [] };
    return withinQuota(tx, quota, [current.userId], async () => {
      if (replacement === undefined) {
        const [updated] = await tx.update(documents).set(changes).where(condition).returning(documentColumns);
        if (!updated) throw documentNotFound(id);
        return { document: updated, waiting: [] };
      }
      await replaceChunks(tx, current, changes, replacement);
      const [replaced] = await tx.select(documentColumns).from(documents).where(condition);
      if (!replaced) throw documentNotFound(id);
      const waiting = replacement.leaseMs === undefined ? [] : await readClaimedChunks(tx, replaced);
      return { document: replaced, waiting };
    });
  }).catch(async (error: unknown) => {
    const { contentHash } = values;
    if (databaseError(error)?.code !== 'CONFLICT' || owner === undefined || contentHash === undefined)
      throw error;
    const twin = await readDocumentByHash(database, viewer, owner, contentHash);
    throw twin === undefined || twin.id === id ? error : sameBytesAs(twin);
  });
}

/** Returns the error for bytes that another document of the user has. */
export function sameBytesAs({ id, filename }: DocumentRow): FunesError {
  return new FunesError(
    'CONFLICT',
    `Document ${id} (${quote(filename)}) consists of exactly these bytes, and a user can have such a document only once. Use ` +
      'that document, or delete it first.',
  );
}

/** Deletes a document with its chunks. Returns whether there was one. */
export async function deleteDocument(database: Database, viewer: Viewer, id: string): Promise<boolean> {
  const condition = visibleDocuments(viewer, [id]);
  const deleted = await transaction(database, viewer, { access: 'write' }, (tx) =>
    tx.delete(documents).where(condition).returning({ id: documents.id }),
  );
  return deleted.length > 0;
}

/** Returns the error for an id that no document of the viewer has. */
export function documentNotFound(id: string): FunesError {
  return new FunesError('NOT_FOUND', `There is no document with id ${quote(id)}.`);
}

function sameBytes(viewer: Viewer, userId: string, contentHash: string): SQL | undefined {
  return and(
    eq(documents.userId, userId),
    eq(documents.contentHash, contentHash),
    visibleTo(viewer, documents.userId),
  );
}

function visibleDocuments(viewer: Viewer, ids: readonly string[]): SQL | undefined {
  for (const id of ids) checkId(id, 'id');
  return and(inArray(documents.id, [...ids]), visibleTo(viewer, documents.userId));
}
