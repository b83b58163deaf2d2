import { sql } from 'drizzle-orm';
import { documentChunks, documents, memories, memoriesArchive } from '../../schema/index.ts';
import type { Transaction } from '../database/transaction.ts';
import { FunesError, quote } from '../errors.ts';
import type { Quota } from '../services.ts';

interface Usage {
  rows: number;
  bytes: number;
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
    for (const measure of ['rows', 'bytes'] as const) {
      const most = quota[measure];
      if (most === null || usage[measure] <= most || usage[measure] <= (before.get(user)?.[measure] ?? 0))
        continue;
      throw new FunesError(
        'LIMIT_EXCEEDED',
        `With this, the user ${quote(user)} would store ${usage[measure]} ${measure}; at most ${most} are allowed to one ` +
          `user (FUNES_QUOTA_${measure.toUpperCase()}). Delete something first.`,
      );
    }
  }
  return result;
}

/**
 * What a user stores: memories, those in the archive too, documents and chunks. Bytes are those of texts and metadata,
 * without embeddings and indexes.
 */
async function readUsage(tx: Transaction, userId: string): Promise<Usage> {
  const text = sql`octet_length(content) + coalesce(octet_length(content_summary), 0) + octet_length(metadata::text)`;
  const [usage] = await tx.execute<{ rows: string; bytes: string }>(sql`
    select count(*) as rows, coalesce(sum(bytes), 0) as bytes from (
      select ${text} as bytes from ${memories} where user_id = ${userId}
      union all
      select ${text} from ${memoriesArchive} where user_id = ${userId}
      union all
      select octet_length(filename) + coalesce(octet_length(file_path), 0) + octet_length(metadata::text)
        from ${documents} where user_id = ${userId}
      union all
      select ${text} from ${documentChunks} where user_id = ${userId}
    ) stored`);
  return { rows: Number(usage?.rows), bytes: Number(usage?.bytes) };
}
