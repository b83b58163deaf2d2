import { and, eq, gt, gte, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { z } from 'zod';
import { documents } from '../../schema/index.ts';
import { causeWithCode } from '../database/errors.ts';
import { type Database, type Transaction, transaction } from '../database/transaction.ts';
import { FunesError, quote } from '../errors.ts';
import { BIGINT_MAX, checkUserName } from '../input/checks.ts';
import { decodeCursor, encodeCursor } from '../input/cursor-text.ts';
import type { Services } from '../services.ts';
import { ownerOf, type Viewer } from '../viewer.ts';
import { writeAudit } from './audit.ts';
import { auditNotes, nameOfLine } from './audit-notes.ts';
import { type CountedPage, checkPageSize, toPage } from './pages.ts';
import { type PersonalKind, type PersonalTable, personalTables } from './personal-tables.ts';

/** Which page of an export. */
export interface ExportRequest {
  /** Whose rows. The viewer's own if it is left out. */
  userId?: string | null | undefined;
  first: number;
  after?: string | null | undefined;
  /** Whether the rows have their vectors. */
  vectors: boolean;
}

/** A row of a person. */
export interface PersonalRow {
  kind: PersonalKind;
  id: string;
  /** All that is stored of it, by the names of the API. */
  row: Record<string, unknown>;
}

/** How many rows of a person there are, or were deleted. */
export type PersonalCounts = Record<PersonalKind, number>;

/** The last row of the page before. */
interface Position extends Pick<PersonalRow, 'kind' | 'id'> {
  /** Whether a row of another kind with the same id came next. Without that, such a row has moved there since, and was read. */
  hasTwin: boolean;
}

const tables = Object.entries(personalTables) as [PersonalKind, PersonalTable][];
const lastStep = Math.max(...tables.map(([, { exportStep }]) => exportStep));
const cursorShape = z.tuple([
  z.literal('export'),
  z.string(),
  z.enum(Object.keys(personalTables) as PersonalKind[]),
  // A check after another one is made even if that one failed, and BigInt throws for a text without digits.
  z.string().refine((id) => /^\d{1,19}$/.test(id) && BigInt(id) <= BIGINT_MAX),
  z.boolean(),
]);

/**
 * Reads a page of all rows of a person. The cursor names the last row, so that pages neither repeat nor leave out a row that was
 * there from the first page to the last, also if it moves between the memories and the archive. A page writes a line into the
 * audit, in its transaction, unless this process has written that line within the last hour: a cursor proves nothing, because
 * anybody can make one up.
 * @throws FunesError FORBIDDEN if somebody who is no administrator names another user. BAD_USER_INPUT or LIMIT_EXCEEDED.
 */
export async function exportUser(
  database: Database,
  viewer: Viewer,
  { userId: named, first, after, vectors }: ExportRequest,
): Promise<CountedPage<PersonalRow>> {
  const userId = named == null ? viewer.userId : checkPerson(viewer, named);
  checkPageSize(first);
  const position = after == null ? undefined : parseCursor(after, userId);
  const read = (tx: Transaction) => readRows(tx, viewer, userId, { position, limit: first + 1, vectors });
  const line = { action: 'USER_EXPORTED', about: userId } as const;
  const rows = await auditNotes(database).once(nameOfLine(viewer, line), {
    read: () => transaction(database, viewer, { access: 'read' }, read),
    write: () =>
      transaction(database, withAudit(viewer), { access: 'write' }, async (tx) => {
        await writeAudit(tx, viewer, { ...line, details: await countRows(tx, viewer, userId) });
        return read(tx);
      }),
  });
  const edges = rows.slice(0, first).map((node, i) => {
    const cursor = cursorOf({ ...node, hasTwin: areTwins(node, rows[i + 1]) }, userId);
    return { cursor, node };
  });
  return {
    ...toPage(edges, rows.length > first, position !== undefined),
    totalCount: () =>
      transaction(database, viewer, { access: 'read' }, async (tx) =>
        Object.values(await countRows(tx, viewer, userId)).reduce((sum, count) => sum + count, 0),
      ),
  };
}

/** Which person to forget. */
export interface ForgetRequest {
  userId: string;
  /** Only counts the rows. */
  dryRun: boolean;
}

/**
 * Deletes all rows of a person in one transaction, and returns how many there were. In a dry run, how many there are. The audit keeps
 * its lines, and has one more; but who forgets again within the hour, where nothing is left, adds none.
 * @param forgetKeys drops what this process keeps about the keys of a user.
 * @throws FunesError FORBIDDEN if somebody who is no administrator names another user. BAD_USER_INPUT or LIMIT_EXCEEDED. CONFLICT if rows
 *   of the person keep being written meanwhile; then none was deleted.
 */
export async function forgetUser(
  { database, embedder, generations }: Pick<Services, 'database' | 'embedder' | 'generations'>,
  viewer: Viewer,
  { userId: named, dryRun }: ForgetRequest,
  forgetKeys: (userId: string) => void,
): Promise<PersonalCounts> {
  const userId = checkPerson(viewer, named);
  if (dryRun) {
    const counts = await transaction(database, viewer, { access: 'read' }, (tx) =>
      countRows(tx, viewer, userId),
    );
    return { ...noRows(), ...counts, AUDIT: 0 };
  }
  const entry = { action: 'USER_FORGOTTEN', about: userId } as const;
  const [notes, line] = [auditNotes(database), nameOfLine(viewer, entry)];
  const counts = await againAfterDeadlock(() =>
    transaction(database, viewer, { access: 'write' }, async (tx) => {
      // Two that forget one person at the same time would wait for rows of each other.
      await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`funes forgets ${userId}`}, 0))`);
      const deleted = await deleteRows(tx, userId);
      const { AUDIT: _kept, ...details } = deleted;
      if (Object.values(details).some((count) => count > 0) || !notes.has(line))
        await writeAudit(tx, viewer, { ...entry, details });
      return deleted;
    }),
  );
  notes.add(line);
  (generations ?? embedder).forget(userId);
  forgetKeys(userId);
  return counts;
}

function checkPerson(viewer: Viewer, userId: string): string {
  checkUserName(userId, 'userId');
  return ownerOf(viewer, userId, 'userId', 'Only an administrator exports or forgets another user.');
}

/** A reader writes nothing but the line of the audit that tells of its export. The policies let it write no other line. */
function withAudit(viewer: Viewer): Viewer {
  return viewer.role === 'reader' ? { ...viewer, role: 'user' } : viewer;
}

function exportedTo(viewer: Viewer): [PersonalKind, PersonalTable][] {
  return tables.filter(([, { exportedFor }]) => exportedFor === 'everybody' || viewer.role === 'admin');
}

function noRows(): PersonalCounts {
  return Object.fromEntries(tables.map(([kind]) => [kind, 0])) as PersonalCounts;
}

/** Counts the rows of a person, of each kind that the viewer may export. */
async function countRows(tx: Transaction, viewer: Viewer, userId: string): Promise<Partial<PersonalCounts>> {
  const counts = exportedTo(viewer).map(
    ([kind, { table, userId: owner }]) =>
      sql`(select count(*) from ${table} where ${owner} = ${userId})::int as ${sql.identifier(kind)}`,
  );
  const [row] = await tx.execute<Record<PersonalKind, number>>(sql`select ${sql.join(counts, sql`, `)}`);
  return { ...row };
}

interface RowsRequest {
  /** The rows come after this position. */
  position: Position | undefined;
  limit: number;
  vectors: boolean;
}

/** Reads rows step by step, until there are `limit`. */
async function readRows(
  tx: Transaction,
  viewer: Viewer,
  userId: string,
  { position, limit, vectors }: RowsRequest,
): Promise<PersonalRow[]> {
  const rows: PersonalRow[] = [];
  const firstStep = position ? personalTables[position.kind].exportStep : 0;
  for (let step = firstStep; step <= lastStep && rows.length < limit; step++) {
    const after = step === firstStep ? position : undefined;
    const missing = limit - rows.length;
    const parts = exportedTo(viewer)
      .filter(([, { exportStep }]) => exportStep === step)
      .map(([kind, table]) => selectRows(kind, table, { userId, after, limit: missing, vectors }));
    if (parts.length === 0) continue;
    // One statement, so that a row which moves from one table to the other meanwhile is found in one of them.
    const found = await tx.execute<PersonalRow & Record<string, unknown>>(
      sql`select kind, id::text as id, "row" from (${sql.join(parts, sql` union all `)}) found order by found.id, kind limit ${missing}`,
    );
    rows.push(...found);
  }
  return rows;
}

interface PartRequest {
  userId: string;
  after: Position | undefined;
  limit: number;
  vectors: boolean;
}

function selectRows(
  kind: PersonalKind,
  { table, id, userId: owner, columns, embedding }: PersonalTable,
  { userId, after, limit, vectors }: PartRequest,
): SQL {
  const fields = Object.entries(columns).map(([name, column]) => sql`${name}::text, ${asJson(column)}`);
  if (embedding && vectors) fields.push(sql`'embedding', ${embedding}::real[]`);
  // Equal ids of two kinds are in the order of the kinds.
  const beyond = after && (after.hasTwin && kind > after.kind ? gte(id, after.id) : gt(id, after.id));
  const condition = and(eq(owner, userId), beyond);
  return sql`(select ${kind}::text as kind, ${id} as id, json_build_object(${sql.join(fields, sql`, `)}) as "row"
    from ${table} where ${condition} order by ${id} limit ${limit})`;
}

/** The value as the API writes it. An id is a text there, because a number of JSON may lose digits. */
function asJson(column: PgColumn): SQL {
  return column.columnType === 'PgId' ? sql`${column}::text` : sql`${column}`;
}

/**
 * Deletes the rows of a person. A memory that a request moves into the archive or out of it meanwhile can escape one round of
 * statements, so the rounds end with one that finds nothing.
 * @throws FunesError CONFLICT if the last round that is allowed finds rows, too.
 */
async function deleteRows(tx: Transaction, userId: string): Promise<PersonalCounts> {
  const counts = noRows();
  const deletable = tables.filter(([, { forgotten }]) => forgotten === 'deleted');
  for (let round = 1; round <= mostRounds; round++) {
    let found = 0;
    for (const [kind, table] of deletable) {
      const { rows, chunks } = await deleteFrom(tx, table, userId);
      counts[kind] += rows;
      counts.CHUNK += chunks;
      found += rows;
    }
    if (found === 0) return counts;
  }
  throw new FunesError(
    'CONFLICT',
    `Rows of ${quote(userId)} are written faster than they can be deleted, so none was deleted. Revoke the keys of this user and stop what ` +
      'writes for them, then send forgetUser again.',
  );
}

/** Requests that were under way when it began may add rows in many rounds; who goes on writing is refused in the end. */
const mostRounds = 50;

/**
 * Deletes the rows of a person in one table. Rows are locked by id first, as most statements lock them that change several, so that
 * few wait for each other in a circle. Chunks go with their document, which is locked before them everywhere; a constraint makes sure
 * that a document counts its chunks.
 */
async function deleteFrom(
  tx: Transaction,
  { table, id, userId: owner }: PersonalTable,
  userId: string,
): Promise<{ rows: number; chunks: number }> {
  const own = eq(owner, userId);
  const chunks = table === documents ? sql`coalesce(sum(total_chunks), 0)` : sql`0`;
  const returned = table === documents ? documents.totalChunks : id;
  // Keys are few, and the role of a user may not lock one.
  const deletion =
    table === personalTables.KEY.table
      ? sql`deleted as (delete from ${table} where ${own} returning ${returned})`
      : sql`locked as materialized (select ${id} as locked_id from ${table} where ${own} order by ${id} for update),
        deleted as (delete from ${table} using locked where ${id} = locked_id and ${own} returning ${returned})`;
  const [row] = await tx.execute<{ rows: number; chunks: number }>(
    sql`with ${deletion} select count(*)::int as rows, (${chunks})::int as chunks from deleted`,
  );
  return { rows: row?.rows ?? 0, chunks: row?.chunks ?? 0 };
}

const mostAttempts = 3;

/** Runs a transaction, and again if PostgreSQL ended it because it and another one waited for each other. */
async function againAfterDeadlock<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      // deadlock_detected
      if (attempt === mostAttempts || !causeWithCode(error, '40P01')) throw error;
    }
  }
}

/** Whether two rows of an export that follow each other have one id in two tables between which rows move. */
function areTwins(row: PersonalRow, next: PersonalRow | undefined): boolean {
  const step = ({ kind }: PersonalRow) => personalTables[kind].exportStep;
  return next !== undefined && next.id === row.id && step(next) === step(row);
}

function cursorOf({ kind, id, hasTwin }: Position, userId: string): string {
  return encodeCursor(['export', userId, kind, id, hasTwin]);
}

function parseCursor(cursor: string, userId: string): Position {
  const parsed = cursorShape.safeParse(decodeCursor(cursor));
  if (!parsed.success || parsed.data[1] !== userId) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `after must be a cursor of an export of ${quote(userId)}, not ${quote(cursor)}.`,
    );
  }
  const [, , kind, id, hasTwin] = parsed.data;
  return { kind, id, hasTwin };
}
