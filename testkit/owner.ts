import type { Database, Transaction } from '../src/database/transaction.ts';
import { transactionOver } from '../src/database/transaction.ts';

/**
 * Runs `work` in a transaction as the user of the connection, who owns the tables: what no request may do, such as to change the
 * schema.
 */
export async function asOwner<T>(database: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const connection = await database.reserve();
  try {
    await connection.unsafe('begin');
    const result = await work(transactionOver((query, parameters) => connection.unsafe(query, parameters)));
    await connection.unsafe('commit');
    return result;
  } catch (error) {
    await connection.unsafe('rollback').catch(() => {});
    throw error;
  } finally {
    connection.release();
  }
}
