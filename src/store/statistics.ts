import { type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { documentChunks, documents, memories, memoriesArchive, toolEmbeddings } from '../../schema/index.ts';
import { type Database, transaction } from '../database/transaction.ts';
import { type Viewer, visibleTo } from '../viewer.ts';
import { countEmbeddings, type EmbeddingCount } from './embedding-counts.ts';
import { checkPageSize } from './pages.ts';
import { documentBytes, textBytes } from './quota.ts';

/** The kinds of rows that statistics are about. */
export const StatsKind = {
  MEMORY: 'MEMORY',
  ARCHIVED_MEMORY: 'ARCHIVED_MEMORY',
  DOCUMENT: 'DOCUMENT',
  CHUNK: 'CHUNK',
  TOOL: 'TOOL',
} as const;
export type StatsKind = (typeof StatsKind)[keyof typeof StatsKind];

/** What there is of one kind. */
export interface KindStats {
  kind: StatsKind;
  rows: number;
  /** Of texts and metadata, without embeddings and indexes. */
  bytes: number;
  oldest: Date | null;
  newest: Date | null;
  /** Empty for documents: their chunks have embeddings. */
  embeddings: Omit<EmbeddingCount, 'kind'>[];
}

/** What one user has. */
export interface UserStats {
  userId: string;
  rows: number;
  bytes: number;
  memories: number;
  archivedMemories: number;
  documents: number;
  chunks: number;
}

interface Counted {
  table: PgTable;
  /** Undefined if all users share the rows. */
  userId: PgColumn | undefined;
  createdAt: PgColumn;
  bytes: SQL;
}

const owned = (
  table: PgTable & { userId: PgColumn; createdAt: PgColumn },
  bytes: SQL = textBytes,
): Counted => ({
  table,
  userId: table.userId,
  createdAt: table.createdAt,
  bytes,
});

const counted: Readonly<Record<StatsKind, Counted>> = {
  MEMORY: owned(memories),
  ARCHIVED_MEMORY: owned(memoriesArchive),
  DOCUMENT: owned(documents, documentBytes),
  CHUNK: owned(documentChunks),
  TOOL: {
    table: toolEmbeddings,
    userId: undefined,
    createdAt: toolEmbeddings.createdAt,
    bytes: sql`octet_length(tool_name) + octet_length(tool_description) + coalesce(octet_length(tool_parameters::text), 0)`,
  },
};

/** Counts the rows that the viewer may see, with their bytes and their age, by kind. */
export async function readKindStats(database: Database, viewer: Viewer): Promise<KindStats[]> {
  const kinds = Object.entries(counted).map(([kind, { table, userId, createdAt, bytes }], position) => {
    const condition = userId && visibleTo(viewer, userId);
    return sql`select ${position}::int as position, ${kind} as kind, count(*) as rows, coalesce(sum(${bytes}), 0) as bytes,
      min(${createdAt}) as oldest, max(${createdAt}) as newest
      from ${table} ${condition ? sql`where ${condition}` : sql``}`;
  });
  const [rows, embeddings] = await Promise.all([
    transaction(database, viewer, { access: 'read', single: true }, (tx) =>
      tx.execute<{
        kind: StatsKind;
        rows: string;
        bytes: string;
        oldest: string | null;
        newest: string | null;
      }>(
        sql`select kind, rows, bytes, oldest, newest from (${sql.join(kinds, sql` union all `)}) as kinds order by position`,
      ),
    ),
    countEmbeddings(database, viewer),
  ]);
  return rows.map(({ kind, rows: count, bytes, oldest, newest }) => ({
    kind,
    rows: Number(count),
    bytes: Number(bytes),
    oldest: oldest === null ? null : new Date(oldest),
    newest: newest === null ? null : new Date(newest),
    embeddings: embeddings.filter((one) => one.kind === kind).map(({ kind: _kind, ...rest }) => rest),
  }));
}

const tablesOfUsers = (['MEMORY', 'ARCHIVED_MEMORY', 'DOCUMENT', 'CHUNK'] as const).map((kind) => {
  const { table, bytes } = counted[kind];
  return sql`select ${kind} as kind, user_id, count(*) as rows, sum(${bytes}) as bytes from ${table} group by user_id`;
});
const rowsOfUsers = sql.join(tablesOfUsers, sql` union all `);

/** Counts the users who have rows. For administrators: others have one user, themselves. */
export async function countUsers(database: Database, viewer: Viewer): Promise<number> {
  const [row] = await transaction(database, viewer, { access: 'read', single: true }, (tx) =>
    tx.execute<{ count: string }>(
      sql`select count(distinct user_id) as count from (${rowsOfUsers}) as stored`,
    ),
  );
  return Number(row?.count ?? 0);
}

/**
 * Reads what the users have who have most rows, in that order. For administrators.
 * @throws FunesError BAD_USER_INPUT or LIMIT_EXCEEDED for a wrong `first`.
 */
export async function readUserStats(database: Database, viewer: Viewer, first: number): Promise<UserStats[]> {
  checkPageSize(first);
  const of = (kind: StatsKind) => sql`coalesce(sum(rows) filter (where kind = ${kind}), 0)`;
  const rows = await transaction(database, viewer, { access: 'read', single: true }, (tx) =>
    tx.execute<{ userId: string } & Record<Exclude<keyof UserStats, 'userId'>, string>>(sql`
      select user_id as "userId", sum(rows) as rows, sum(bytes) as bytes, ${of('MEMORY')} as memories,
        ${of('ARCHIVED_MEMORY')} as "archivedMemories", ${of('DOCUMENT')} as documents, ${of('CHUNK')} as chunks
      from (${rowsOfUsers}) as stored group by user_id order by sum(rows) desc, user_id collate "C" limit ${first}`),
  );
  return rows.map(({ userId, ...numbers }) => {
    const number = (name: keyof typeof numbers) => Number(numbers[name]);
    return {
      userId,
      rows: number('rows'),
      bytes: number('bytes'),
      memories: number('memories'),
      archivedMemories: number('archivedMemories'),
      documents: number('documents'),
      chunks: number('chunks'),
    };
  });
}
