import { type Database, type Transaction, type TransactionOptions, transaction } from './transaction.ts';

/**
 * Runs `work` in a transaction that has the rows of all users: the second door to the database, for work that belongs to no user,
 * such as noting when a key was used. A resolver cannot import it (`.dependency-cruiser.mjs`), so no request comes in here.
 * @throws as `transaction`.
 */
export function maintenance<T>(
  database: Database,
  options: TransactionOptions,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  return transaction(database, { userId: '', role: 'admin' }, options, work);
}
