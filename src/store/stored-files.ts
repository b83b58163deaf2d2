import { and, eq, type SQL, sql } from 'drizzle-orm';
import { makePgArray } from 'drizzle-orm/pg-core';
import { isPending } from '../../schema/columns/common.ts';
import { documentChunks, documents } from '../../schema/index.ts';
import { type Database, transaction } from '../database/transaction.ts';
import { type Viewer, visibleTo } from '../viewer.ts';
import type { DocumentRow } from './rows.ts';

/** What tells whether a document is that of a file. */
export interface StoredFile
  extends Pick<DocumentRow, 'id' | 'userId' | 'filePath' | 'fileType' | 'contentHash' | 'totalChunks'> {
  /** Whether one of its chunks waits for its embedding. */
  isWaiting: boolean;
}

/** By what documents are looked for: any of these. */
export interface FileSearch {
  paths: readonly string[];
  hashes: readonly string[];
  /** All documents whose paths begin so. */
  prefixes: readonly string[];
}

const namesPerStatement = 1000;

/** Reads the documents of `userId` that fit, each once. */
export async function readStoredFiles(
  database: Database,
  viewer: Viewer,
  userId: string,
  { paths, hashes, prefixes }: FileSearch,
): Promise<StoredFile[]> {
  const found = new Map<string, StoredFile>();
  const isWaiting = sql<boolean>`(${documents.id}, ${documents.userId}) in (
    select ${documentChunks.documentId}, ${documentChunks.userId} from ${documentChunks} where ${isPending(documentChunks)})`;
  const read = async (condition: SQL) => {
    const rows = await transaction(database, viewer, { access: 'read' }, (tx) =>
      tx
        .select({
          id: documents.id,
          userId: documents.userId,
          filePath: documents.filePath,
          fileType: documents.fileType,
          contentHash: documents.contentHash,
          totalChunks: documents.totalChunks,
          isWaiting,
        })
        .from(documents)
        .where(and(eq(documents.userId, userId), visibleTo(viewer, documents.userId), condition)),
    );
    for (const row of rows) found.set(row.id, row);
  };
  const list = (values: readonly string[], start: number) =>
    sql`any(${makePgArray(values.slice(start, start + namesPerStatement))}::text[])`;
  for (let start = 0; start < paths.length; start += namesPerStatement)
    await read(sql`${documents.filePath} = ${list(paths, start)}`);
  for (let start = 0; start < hashes.length; start += namesPerStatement)
    await read(sql`${documents.contentHash} = ${list(hashes, start)}`);
  for (const prefix of prefixes) await read(sql`starts_with(${documents.filePath}, ${prefix})`);
  return [...found.values()];
}

/** Deletes the document of a file with its chunks, unless it has another path or other bytes by now. Returns whether it did. */
export async function deleteStoredFile(
  database: Database,
  viewer: Viewer,
  { id, userId, filePath, contentHash }: StoredFile,
): Promise<boolean> {
  const deleted = await transaction(database, viewer, { access: 'write' }, (tx) =>
    tx
      .delete(documents)
      .where(
        and(
          eq(documents.id, id),
          eq(documents.userId, userId),
          visibleTo(viewer, documents.userId),
          eq(documents.contentHash, contentHash),
          sql`${documents.filePath} is not distinct from ${filePath}`,
        ),
      )
      .returning({ id: documents.id }),
  );
  return deleted.length > 0;
}
