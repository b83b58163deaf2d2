import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { audit, type auditActions } from '../../schema/index.ts';
import type { Database, Transaction } from '../database/transaction.ts';
import { checkOptionalText } from '../input/checks.ts';
import type { Viewer } from '../viewer.ts';
import { type CountedPage, type Listed, readPage } from './pages.ts';

/** What the audit notes. */
export type AuditAction = (typeof auditActions)[number];

/** A line of the audit. */
export type AuditRow = typeof audit.$inferSelect;

/** A line to add. Who did it follows from the viewer. */
export interface AuditEntry {
  action: AuditAction;
  /** The user whom it is about. */
  about: string;
  details: Record<string, unknown>;
}

/** Which page of the audit. */
export interface AuditRequest {
  first: number;
  after?: string | null | undefined;
  action?: AuditAction | null | undefined;
  about?: string | null | undefined;
}

const auditList: Listed<AuditRow, 'CREATED_AT'> = {
  name: 'audit',
  table: audit,
  id: audit.id,
  userId: audit.about,
  columns: getTableColumns(audit),
  orders: { CREATED_AT: audit.createdAt },
};

/** Adds a line to the audit, in the transaction of what it tells. */
export async function writeAudit(tx: Transaction, viewer: Viewer, entry: AuditEntry): Promise<void> {
  const { userId, actor = null, keyPrefix = null } = viewer;
  // Drizzle's insert names each column. The roles of requests may set neither the id nor the time.
  await tx.execute(
    sql`insert into ${audit} (user_id, action, by_user_id, actor, key_prefix, details)
      values (${entry.about}, ${entry.action}, ${userId}, ${actor}, ${keyPrefix}, ${JSON.stringify(entry.details)}::text::jsonb)`,
  );
}

/**
 * Reads a page of the audit, newest first. The database lets only administrators read it.
 * @throws FunesError BAD_USER_INPUT or LIMIT_EXCEEDED with the input path; otherwise as `readPage`.
 */
export async function readAudit(
  database: Database,
  viewer: Viewer,
  { first, after, action, about }: AuditRequest,
): Promise<CountedPage<AuditRow>> {
  checkOptionalText(about, 'about', 100);
  const conditions = and(
    action == null ? undefined : eq(audit.action, action),
    about == null ? undefined : eq(audit.about, about),
  );
  const orderBy = { field: 'CREATED_AT', direction: 'DESC' } as const;
  return readPage(database, viewer, auditList, conditions, { first, after, orderBy });
}
