import { sql } from 'drizzle-orm';
import { documentChunks, documents, memories, memoriesArchive } from '../../schema/index.ts';
import { type Database, type Transaction, transaction } from '../database/transaction.ts';
import { FunesError, quote } from '../errors.ts';
import type { Quota } from '../services.ts';
import type { Viewer } from '../viewer.ts';

/** The bytes of texts and metadata of a memory, live or archived, or of a chunk. */
export const textBytes = sql`octet_length(content) + coalesce(octet_length(content_summary), 0) + octet_length(metadata::text)`;
/** The bytes of texts and metadata of a document, without its chunks. */
export const documentBytes = sql`octet_length(filename) + coalesce(octet_length(file_path), 0) + octet_length(metadata::text)`;

interface Usage {
  rows: number;
  bytes: number;
}

/** What a write adds for one user. */
export interface Addition extends Usage {
  userId: string;
}

/**
 * Refuses a write that will be above the quota, before its texts are embedded. `withinQuota` decides in the write itself, because
 * other writes may come between.
 * @param additions what is added at least.
 * @throws FunesError LIMIT_EXCEEDED.
 */
export async function checkQuota(
  database: Database,
  viewer: Viewer,
  quota: Quota | undefined,
  additions: readonly Addition[],
): Promise<void> {
  if (quota === undefined || (quota.rows === null && quota.bytes === null)) return;
  const added = new Map<string, Usage>();
  for (const { userId, rows, bytes } of additions) {
    const sum = added.get(userId) ?? { rows: 0, bytes: 0 };
    added.set(userId, { rows: sum.rows + rows, bytes: sum.bytes + bytes });
  }
  await transaction(database, viewer, { access: 'read' }, async (tx) => {
    for (const [user, { rows, bytes }] of added) {
      const before = await readUsage(tx, user);
      refuseAbove(quota, user, before, { rows: before.rows + rows, bytes: before.bytes + bytes });
    }
  });
}

/**
 * Runs a write, and refuses it if a user then has more than the quota allows. A write that leaves a user with no more than
 * before is allowed, also above the quota. Writes for one user wait for each other, because two that are within the quota can
 * be above it together.
 * @param userIds the owners of the rows that are written.
 * @throws FunesError LIMIT_EXCEEDED; the caller's transaction then undoes the write.
 */
export async function withinQuota<T>(
  tx: Transaction,
  quota: Quota | undefined,
  userIds: readonly string[],
  write: () => Promise<T>,
): Promise<T> {
  if (quota === undefined) return write();
  // In one order, so that two batches for the same users do not wait for each other.
  const users = [...new Set(userIds)].sort();
  const before = new Map<string, Usage>();
  for (const user of users) {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`funes quota of ${user}`}, 0))`);
    before.set(user, await readUsage(tx, user));
  }
  const result = await write();
  for (const user of users) {
    const usage = await readUsage(tx, user);
    refuseAbove(quota, user, before.get(user) ?? { rows: 0, bytes: 0 }, usage);
  }
  return result;
}

function refuseAbove(quota: Quota, user: string, before: Usage, after: Usage): void {
  for (const measure of ['rows', 'bytes'] as const) {
    const most = quota[measure];
    if (most === null || after[measure] <= most || after[measure] <= before[measure]) continue;
    throw new FunesError(
      'LIMIT_EXCEEDED',
      `With this, the user ${quote(user)} would store ${after[measure]} ${measure}; at most ${most} are allowed to one ` +
        `user (FUNES_QUOTA_${measure.toUpperCase()}). Delete something first.`,
    );
  }
}

/**
 * What a user stores: memories, those in the archive too, documents and chunks. Bytes are those of texts and metadata,
 * without embeddings and indexes.
 */
async function readUsage(tx: Transaction, userId: string): Promise<Usage> {
  const [usage] = await tx.execute<{ rows: string; bytes: string }>(sql`
    select count(*) as rows, coalesce(sum(bytes), 0) as bytes from (
      select ${textBytes} as bytes from ${memories} where user_id = ${userId}
      union all
      select ${textBytes} from ${memoriesArchive} where user_id = ${userId}
      union all
      select ${documentBytes} from ${documents} where user_id = ${userId}
      union all
      select ${textBytes} from ${documentChunks} where user_id = ${userId}
    ) stored`);
  return { rows: Number(usage?.rows), bytes: Number(usage?.bytes) };
}
