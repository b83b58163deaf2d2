import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { Transaction } from '../database/transaction.ts';
import { FunesError } from '../errors.ts';

/** Rows that a mutation changes by a condition. */
export interface WhereRequest<Filters> {
  filters: Filters;
  /** Whether all rows are meant if the filters have no condition. */
  all: boolean;
  /** Only counts and shows the rows. */
  dryRun: boolean;
}

/**
 * Returns the condition of a mutation that changes all rows which meet it.
 * @throws FunesError BAD_USER_INPUT if there is none and the client did not say that it means all.
 */
export function requireCondition(condition: SQL | undefined, all: boolean): SQL | undefined {
  if (condition || all) return condition;
  throw new FunesError(
    'BAD_USER_INPUT',
    'filters has no condition, so this would be about all that you may see. Say which rows you mean, or set all: true.',
  );
}

/** Deletes the rows of a table that meet the condition. Returns how many it deleted. */
export async function deleteRows(
  tx: Transaction,
  table: SQLWrapper,
  condition: SQL | undefined,
): Promise<number> {
  const [deleted] = await tx.execute<{ count: string }>(sql`
    with deleted as (delete from ${table} where ${condition ?? sql`true`} returning 1) select count(*) from deleted`);
  return Number(deleted?.count);
}
