import { PgDatabase, PgDialect } from 'drizzle-orm/pg-core';
import { type PostgresJsQueryResultHKT, PostgresJsSession } from 'drizzle-orm/postgres-js';
import type { ReservedSql, Sql } from 'postgres';
import type { Viewer } from '../viewer.ts';
import { poolerCode } from './errors.ts';
import { hasOwnRowsOnly, identityProblem, identityStatements } from './identity.ts';
import type { Pool } from './pool.ts';
import { type LocalSettings, setLocal } from './session-settings.ts';

/** The pool of connections, as transactions use it. */
export type Database = Pick<Pool, 'reserve' | 'prepare' | 'localSettings' | 'expectPooler'>;

/** A transaction, in which functions of store and search run their statements. */
export type Transaction = PgDatabase<PostgresJsQueryResultHKT, Record<string, never>>;

export type { LocalSettings };

export type TransactionOptions = {
  settings?: LocalSettings;
  /** Called for each statement that `work` sends. */
  onStatement?: (() => void) | undefined;
} & (
  | { access: 'write' }
  /** `single` means that `work` sends at most one statement. COMMIT then follows the statement at once. */
  | { access: 'read'; single?: boolean }
);

const dialect = new PgDialect();

/**
 * Runs `work` in a transaction of its own, as `viewer`. Requests have no other way to the database.
 *
 * A search is one statement, so the round trips of its transaction count:
 * - BEGIN and every SET LOCAL go in one message. The statements of `work` follow at once on the same connection, without
 *   waiting for the answer. If a setting fails, the transaction is aborted and the statements fail too; the first error is
 *   thrown.
 * - A read returns its result before COMMIT is answered, because nothing depends on the answer. The connection is released
 *   after the answer.
 * - COMMIT follows a `single` statement without waiting for its answer.
 *
 * (postgres.js waits once for the types of the parameters: at the first use of a statement on a connection, or each time if
 * prepared statements are off.)
 *
 * If an error tells that a pooler is in the way of sessions, the pool goes over to settings of each transaction, and `work` runs
 * once more, in a new transaction: so it may change nothing but what its result is made of.
 *
 * @throws whatever `work` throws, after the transaction has ended; FunesError UNAVAILABLE if the database cannot be reached.
 */
export async function transaction<T>(
  database: Database,
  viewer: Viewer,
  options: TransactionOptions,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  if (!database.prepare) return attempt(database, viewer, options, work);
  const signs = new PoolerSigns();
  try {
    return await attempt(database, viewer, options, work, signs);
  } catch (error) {
    const code = signs.found ?? poolerCode(error);
    // After COMMIT was sent, the transaction may have taken place.
    if (code === undefined || signs.committing) throw error;
    database.expectPooler({ reason: code });
    return attempt(database, viewer, options, work);
  }
}

/** What an attempt tells about a pooler: another statement than the one whose error is thrown may have met it. */
class PoolerSigns {
  found: string | undefined;
  committing = false;

  readonly look = (error: unknown): void => {
    this.found ??= poolerCode(error);
  };
}

async function attempt<T>(
  database: Database,
  viewer: Viewer,
  options: TransactionOptions,
  work: (tx: Transaction) => Promise<T>,
  signs?: PoolerSigns,
): Promise<T> {
  const { access, settings, onStatement } = options;
  const single = options.access === 'read' && options.single === true;
  // PostgreSQL analyses a prepared statement under row-level security anew whenever it runs as another role than last time. The
  // mark makes another statement of it.
  const mark = hasOwnRowsOnly(viewer) ? ' -- app' : '';
  const connection = await database.reserve();
  const opening = connection.unsafe(begin(access, viewer, database.localSettings, settings)).execute();
  opening.catch(() => {}); // awaited below; until then, a BEGIN that fails would be an unhandled rejection
  let only: Statement | undefined;
  let finished: Promise<void> | undefined;
  const send: Send = (query, parameters) => {
    if (only !== undefined)
      throw new Error('A second statement came in a transaction that is for a single one.');
    onStatement?.();
    const statement: Statement = connection.unsafe(query + mark, parameters, { prepare: database.prepare });
    if (signs !== undefined) Promise.prototype.then.call(statement, undefined, signs.look); // `statement.then` would send it
    if (single) {
      only = statement.execute();
      finished = finish(connection, 'COMMIT', statement);
      finished.catch(() => {});
    }
    return statement;
  };
  let result: T;
  try {
    result = await work(transactionOver(send));
    await opening;
    if (only?.retried) throw only.retried;
  } catch (error) {
    const first = await opening.then(
      () => error,
      (openingError: unknown) => identityProblem(openingError) ?? openingError,
    );
    // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK.
    await (finished ?? finish(connection, 'ROLLBACK')).catch(() => {});
    throw first;
  }
  if (signs !== undefined) signs.committing = true;
  finished ??= finish(connection, 'COMMIT');
  if (access === 'write') await finished;
  else finished.catch(() => {});
  return result;
}

function begin(
  access: 'read' | 'write',
  viewer: Viewer,
  ofPool: LocalSettings,
  settings: LocalSettings = {},
): string {
  const mode = access === 'read' || viewer.role === 'reader' ? 'only' : 'write';
  return [
    `begin read ${mode}`,
    ...setLocal(ofPool),
    ...identityStatements(viewer),
    ...setLocal(settings),
  ].join('; ');
}

async function finish(
  connection: ReservedSql,
  statement: 'COMMIT' | 'ROLLBACK',
  before?: Statement,
): Promise<void> {
  try {
    const { command } = await connection.unsafe(statement);
    // PostgreSQL answers COMMIT with ROLLBACK if an earlier statement failed and `work` ignored the error.
    if (command !== statement)
      throw new Error(`The transaction ended with ${command} instead of ${statement}.`);
  } finally {
    await before?.catch(() => {});
    connection.release();
  }
}

/**
 * A statement of postgres.js. If a prepared statement fails because a table has changed, postgres.js sends it once more, even
 * if the transaction has ended. The second answer was read outside the transaction and must not be used. `retried` is the
 * first error.
 */
type Statement = ReturnType<ReservedSql['unsafe']> & { retried?: Error };

/** Sends a statement. */
export type Send = (query: string, parameters: never[]) => Statement;

/** Makes Drizzle's interface to a transaction whose statements are sent by `send`. */
export function transactionOver(send: Send): Transaction {
  // Drizzle's session uses only `unsafe` of a client. Drizzle's own driver would send every statement with `prepare: false`.
  const session = new PostgresJsSession({ unsafe: send } as unknown as Sql, dialect, undefined);
  return new PgDatabase(dialect, session, undefined);
}
