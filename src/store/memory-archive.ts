import { and, asc, count, eq, getTableColumns, inArray, lt, or, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { memories, memoriesArchive } from '../../schema/index.ts';
import { type Transaction, transaction } from '../database/transaction.ts';
import { FunesError, quote } from '../errors.ts';
import { compileMemoryFilters, type MemoryFilters } from '../filters/filters.ts';
import { InputPath } from '../filters/input-path.ts';
import { parseDate } from '../filters/operands.ts';
import { checkBatch, checkId, checkRange } from '../input/checks.ts';
import type { Services } from '../services.ts';
import { type Viewer, visibleTo } from '../viewer.ts';
import type { Listed } from './pages.ts';
import { type MemoryRow, memoryColumns } from './rows.ts';
import { deleteRows, requireCondition, type WhereRequest } from './where.ts';

/** Which memories to archive. A memory must meet every condition that is set. */
export interface ArchiveRequest {
  /** The memory was stored before this time. */
  olderThan?: Date | null | undefined;
  /** The memory is less important than this, 0 to 1. */
  importanceBelow?: number | null | undefined;
  filters?: MemoryFilters | null | undefined;
  /** Only counts and shows the memories. */
  dryRun: boolean;
}

/** What was archived. In a dry run, what would be archived. */
export interface Archived {
  count: number;
  /** The oldest of the memories, at most `archiveSampleSize`. */
  sample: MemoryRow[];
}

/** How many of the archived memories are shown. */
export const archiveSampleSize = 10;

type Sampled = MemoryRow & { total: number };

/** The archive under the name of the live memories, so that filters of memories are conditions of both. */
const archive = alias(memoriesArchive, 'memories');

export const archivedMemoryList: Listed<
  MemoryRow,
  'ARCHIVED_AT' | 'CREATED_AT' | 'UPDATED_AT' | 'IMPORTANCE_SCORE' | 'ID'
> = {
  name: 'archivedMemories',
  table: archive,
  id: archive.id,
  userId: archive.userId,
  columns: { ...memoryColumns, archivedAt: archive.archivedAt },
  orders: {
    ARCHIVED_AT: archive.archivedAt,
    CREATED_AT: archive.createdAt,
    UPDATED_AT: archive.updatedAt,
    IMPORTANCE_SCORE: archive.importanceScore,
    ID: archive.id,
  },
};

const { archivedAt: _archivedAt, ...movedColumns } = getTableColumns(memoriesArchive);
/**
 * The columns that move between the tables: all that is stored of a memory. The values never leave the database, so times keep their
 * microseconds and embeddings their digits. Generated columns are computed again when a memory is restored.
 */
export const movedNames = sql.join(
  Object.values(movedColumns).map(({ name }) => sql.identifier(name)),
  sql`, `,
);

/**
 * Moves memories into the archive in one statement. Neither lists nor searches find archived memories.
 * @throws FunesError BAD_USER_INPUT if the request has no condition, one that is null, or a value is out of its range.
 */
export async function archiveMemories(
  { database }: Pick<Services, 'database'>,
  viewer: Viewer,
  request: ArchiveRequest,
): Promise<Archived> {
  const condition = and(compileConditions(request), visibleTo(viewer, memories.userId)) as SQL;
  const rows = request.dryRun
    ? await transaction(database, viewer, { access: 'read' }, (tx) => readSample(tx, condition))
    : await transaction(database, viewer, { access: 'write' }, (tx) => moveToArchive(tx, condition));
  return { count: rows[0]?.total ?? 0, sample: rows.map(({ total: _total, ...row }) => row) };
}

function compileConditions(request: ArchiveRequest): SQL {
  const { olderThan, importanceBelow, filters } = request;
  for (const name of ['olderThan', 'importanceBelow'] as const) {
    // A condition that was lost on the way must not archive more than was meant.
    if (request[name] === null)
      throw new FunesError(
        'BAD_USER_INPUT',
        `input.${name} is null, which says nothing: send a value, or leave it out.`,
      );
  }
  const condition = and(
    olderThan == null
      ? undefined
      : lt(memories.createdAt, parseDate(olderThan, InputPath.root('input.olderThan'))),
    importanceBelow == null
      ? undefined
      : lt(memories.importanceScore, checkRange(importanceBelow, 'input.importanceBelow', 0, 1)),
    compileMemoryFilters(filters, 'input.filters'),
  );
  if (condition) return condition;
  throw new FunesError(
    'BAD_USER_INPUT',
    'input must say which memories to archive: send at least one of olderThan, importanceBelow and filters. Empty filters do ' +
      'not count.',
  );
}

/** Reads the oldest memories that would be archived, each with the count of all. */
function readSample(tx: Transaction, condition: SQL): Promise<Sampled[]> {
  const total = sql<number>`(select count(*) from ${memories} where ${condition})`.mapWith(Number);
  return tx
    .select({ ...memoryColumns, total })
    .from(memories)
    .where(condition)
    .orderBy(asc(memories.createdAt), asc(memories.id))
    .limit(archiveSampleSize);
}

/** Archives the memories. Returns the oldest of them, each with the count of all. */
function moveToArchive(tx: Transaction, condition: SQL): Promise<Sampled[]> {
  const { embeddingStatus, ...columns } = memoryColumns;
  const moved = tx
    .$with('moved', {})
    .as(
      sql`delete from ${memories} where ${condition} returning ${movedNames}, ${embeddingStatus} as embedding_status`,
    );
  const archived = tx
    .$with('archived', {})
    .as(sql`insert into ${memoriesArchive} (${movedNames}) select ${movedNames} from moved`);
  const sample = tx
    .$with('sample', {
      ...columns,
      embeddingStatus: embeddingStatus.as('embedding_status'),
      archivedAt: sql<Date | null>`archived_at`.mapWith(memoriesArchive.archivedAt).as('archived_at'),
      total: sql<number>`total`.mapWith(Number).as('total'),
    })
    .as(
      sql`select *, now() as archived_at, (select count(*) from moved) as total from moved order by created_at, id limit ${archiveSampleSize}`,
    );
  return tx
    .with(moved, archived, sample)
    .select()
    .from(sample)
    .orderBy(asc(sample.createdAt), asc(sample.id));
}

/**
 * Restores the archived memories with these ids as they were, all or none. Returns how many it restored.
 * @throws FunesError BAD_USER_INPUT or LIMIT_EXCEEDED with the input path of the id. CONFLICT if a live memory has
 *   taken the id or the idempotency key of an archived one.
 */
export async function restoreMemories(
  { database }: Services,
  viewer: Viewer,
  ids: readonly string[],
): Promise<number> {
  for (const [i, id] of checkBatch(ids, 'ids').entries()) checkId(id, `ids[${i}]`);
  const condition = and(inArray(memories.id, [...ids]), visibleTo(viewer, memories.userId)) as SQL;
  const nameOf = (id: string) => `ids[${ids.indexOf(id)}]`;
  return transaction(database, viewer, { access: 'write' }, (tx) => moveBack(tx, condition, nameOf));
}

/** Which archived memories to restore. */
export type RestoreRequest = WhereRequest<MemoryFilters>;

/**
 * Restores the archived memories that pass the filters as they were, all or none.
 * @throws FunesError BAD_USER_INPUT if the filters have no condition and `all` is false. CONFLICT as `restoreMemories`.
 */
export async function restoreMemoriesWhere(
  { database }: Services,
  viewer: Viewer,
  { filters, all, dryRun }: RestoreRequest,
): Promise<Archived> {
  const condition = and(
    requireCondition(compileMemoryFilters(filters), all),
    visibleTo(viewer, memories.userId),
  );
  return transaction(database, viewer, { access: dryRun ? 'read' : 'write' }, async (tx) => {
    const sample = await readArchived(tx, condition);
    if (dryRun) return { count: await countArchived(tx, condition), sample };
    const restored = await moveBack(tx, condition ?? sql`true`, (id) => `archived memory ${id}`);
    return { count: restored, sample: sample.map(({ archivedAt: _archivedAt, ...row }) => row) };
  });
}

/** Reads the oldest archived memories that meet the condition, which is one over `memories`. */
export function readArchived(tx: Transaction, condition: SQL | undefined): Promise<MemoryRow[]> {
  return tx
    .select({ ...memoryColumns, archivedAt: archive.archivedAt })
    .from(archive)
    .where(condition)
    .orderBy(asc(archive.createdAt), asc(archive.id))
    .limit(archiveSampleSize);
}

/** Deletes the archived memories that meet the condition, which is one over `memories`. Returns how many it deleted. */
export const deleteArchived = (tx: Transaction, condition: SQL | undefined): Promise<number> =>
  deleteRows(tx, sql`${memoriesArchive} as memories`, condition);

/** Counts the archived memories that meet the condition, which is one over `memories`. */
export async function countArchived(tx: Transaction, condition: SQL | undefined): Promise<number> {
  const [row] = await tx.select({ rows: count() }).from(archive).where(condition);
  return row?.rows ?? 0;
}

interface MovedBack extends Record<string, unknown> {
  id: string;
  userId: string;
  idempotencyKey: string | null;
  /** False if a live memory has the id or the key. */
  restored: boolean;
}

/**
 * Moves the archived memories that meet the condition back, all or none. Returns how many.
 * @param nameOf names the memory with this id in errors.
 */
async function moveBack(tx: Transaction, condition: SQL, nameOf: (id: string) => string): Promise<number> {
  // A row that cannot be inserted is skipped and does not fail the statement, so the error can name the row.
  const rows = await tx.execute<MovedBack>(sql`
    with moved as (delete from ${memoriesArchive} as memories where ${condition} returning ${movedNames}),
    restored as (
      insert into ${memories} (${movedNames}) overriding system value select ${movedNames} from moved
      on conflict do nothing returning id, user_id
    )
    select moved.id, moved.user_id as "userId", moved.idempotency_key as "idempotencyKey", restored.id is not null as restored
    from moved left join restored using (id, user_id) order by moved.id`);
  const refused = rows.find(({ restored }) => !restored);
  if (refused) throw await notRestored(tx, refused, nameOf, rows);
  return rows.length;
}

/** Returns why a memory stays in the archive. If you throw the error, the transaction moves no memory. */
async function notRestored(
  tx: Transaction,
  { id, userId, idempotencyKey }: MovedBack,
  nameOf: (id: string) => string,
  rows: readonly MovedBack[],
): Promise<FunesError> {
  const sameKey = idempotencyKey === null ? undefined : eq(memories.idempotencyKey, idempotencyKey);
  const [live] = await tx
    .select({ id: memories.id })
    .from(memories)
    .where(and(eq(memories.userId, userId), or(eq(memories.id, id), sameKey)))
    .orderBy(sql`${memories.id} = ${id}::bigint desc`)
    .limit(1);
  const [what, key] = [nameOf(id), `idempotencyKey ${quote(idempotencyKey)}`];
  if (!live)
    return conflict(`The memory that blocked ${what} was removed meanwhile. Send the request again.`);
  if (live.id === id)
    return conflict(
      `${what}: another memory has the id ${quote(id)} now. Delete that memory first, or leave ${what} out.`,
    );
  if (rows.some((row) => row.restored && row.id === live.id))
    return conflict(`${what} and ${nameOf(live.id)} have the same ${key}. Restore only one of them.`);
  return conflict(
    `${what} has the ${key}, which memory ${live.id} has taken meanwhile. Delete that memory first, or leave ${what} out.`,
  );
}

const conflict = (message: string) => new FunesError('CONFLICT', `${message} Nothing was restored.`);
