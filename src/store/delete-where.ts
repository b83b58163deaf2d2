import { and, asc, type SQL } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { documents, memories } from '../../schema/index.ts';
import { type Transaction, transaction } from '../database/transaction.ts';
import {
  compileDocumentFilters,
  compileMemoryFilters,
  type DocumentFilters,
  type MemoryFilters,
} from '../filters/filters.ts';
import type { Services } from '../services.ts';
import { type Viewer, visibleTo } from '../viewer.ts';
import { archiveSampleSize, countArchived, deleteArchived, readArchived } from './memory-archive.ts';
import { type DocumentRow, documentColumns, type MemoryRow, memoryColumns } from './rows.ts';
import { deleteRows, requireCondition, type WhereRequest } from './where.ts';

/** How many of the deleted rows are shown. */
export const deletedSampleSize = archiveSampleSize;

/** What was deleted. In a dry run, what would be deleted. */
export interface Deleted<Row> {
  count: number;
  /** The oldest of the rows, at most `deletedSampleSize`. */
  sample: Row[];
}

/**
 * Deletes the memories that pass the filters, in one transaction: live ones, or those in the archive.
 * @throws FunesError BAD_USER_INPUT if the filters have no condition and `all` is false.
 */
export async function deleteMemoriesWhere(
  { database }: Services,
  viewer: Viewer,
  { filters, all, dryRun, archived }: WhereRequest<MemoryFilters> & { archived: boolean },
): Promise<Deleted<MemoryRow>> {
  const condition = and(
    requireCondition(compileMemoryFilters(filters), all),
    visibleTo(viewer, memories.userId),
  );
  return transaction(database, viewer, { access: dryRun ? 'read' : 'write' }, async (tx) => {
    if (archived) {
      const sample = await readArchived(tx, condition);
      return { count: await (dryRun ? countArchived : deleteArchived)(tx, condition), sample };
    }
    const sample = await tx
      .select(memoryColumns)
      .from(memories)
      .where(condition)
      .orderBy(asc(memories.createdAt), asc(memories.id))
      .limit(deletedSampleSize);
    return { count: await (dryRun ? countRows : deleteRows)(tx, memories, condition), sample };
  });
}

/**
 * Deletes the documents that pass the filters, with their chunks, in one transaction.
 * @throws FunesError BAD_USER_INPUT if the filters have no condition and `all` is false.
 */
export async function deleteDocumentsWhere(
  { database }: Services,
  viewer: Viewer,
  { filters, all, dryRun }: WhereRequest<DocumentFilters>,
): Promise<Deleted<DocumentRow>> {
  const condition = and(
    requireCondition(compileDocumentFilters(filters), all),
    visibleTo(viewer, documents.userId),
  );
  return transaction(database, viewer, { access: dryRun ? 'read' : 'write' }, async (tx) => {
    const sample = await tx
      .select(documentColumns)
      .from(documents)
      .where(condition)
      .orderBy(asc(documents.createdAt), asc(documents.id))
      .limit(deletedSampleSize);
    return { count: await (dryRun ? countRows : deleteRows)(tx, documents, condition), sample };
  });
}

const countRows = (tx: Transaction, table: PgTable, condition: SQL | undefined): Promise<number> =>
  tx.$count(table, condition);
