import { PgDatabase, PgDialect } from 'drizzle-orm/pg-core';
import { type PostgresJsQueryResultHKT, PostgresJsSession } from 'drizzle-orm/postgres-js';
import type { ReservedSql, Sql } from 'postgres';
import type { Viewer } from '../viewer.ts';
import type { Pool } from './pool.ts';

/** The one pool of connections. */
export type Database = Pick<Pool, 'reserve' | 'prepare' | 'localSettings'>;

/** What a store or search function runs its statements in. */
export type Transaction = PgDatabase<PostgresJsQueryResultHKT, Record<string, never>>;

/** Names and values for `SET LOCAL`. Both come from the code and never from a request's text: they are not escaped. */
export type LocalSettings = Readonly<Record<string, string | number>>;

export type TransactionOptions = {
  settings?: LocalSettings;
  /** Called for each statement that `work` sends. */
  onStatement?: (() => void) | undefined;
} & (
  | { access: 'write' }
  /** `single`: `work` sends no more than one statement, so that COMMIT can follow it at once. */
  | { access: 'read'; single?: boolean }
);

const dialect = new PgDialect();

/**
 * Runs `work` in a transaction of its own, as `viewer`. The only way to the database for a request.
 *
 * A search is one statement, so what its transaction costs beside it counts. BEGIN and every SET LOCAL travel in one
 * message that is not waited for: the statements of `work` follow it at once on the same connection. When a setting
 * fails, they fail too, because the transaction is then aborted; the first error is the one thrown. A read gives its
 * result before COMMIT has come back, as nothing depends on it; its connection is released only afterwards. COMMIT does
 * not even wait for a single statement. (On the first use of a statement on a connection, and without prepared
 * statements, postgres.js itself waits once, for the types of the parameters.)
 *
 * @throws whatever `work` throws, when the transaction has ended; FunesError UNAVAILABLE when the database cannot be
 *   reached.
 */
export async function transaction<T>(
  database: Database,
  _viewer: Viewer,
  options: TransactionOptions,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const { access, settings, onStatement } = options;
  const single = options.access === 'read' && options.single === true;
  const connection = await database.reserve();
  const opening = connection.unsafe(begin(access, { ...database.localSettings, ...settings })).execute();
  opening.catch(() => {}); // awaited below; without this a failing BEGIN would count as unhandled meanwhile
  let only: Statement | undefined;
  let finished: Promise<void> | undefined;
  const send: Send = (query, parameters) => {
    if (only !== undefined)
      throw new Error('A second statement came in a transaction that is for a single one.');
    onStatement?.();
    const statement: Statement = connection.unsafe(query, parameters, { prepare: database.prepare });
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
      (openingError: unknown) => openingError,
    );
    // COMMIT of what has failed is a ROLLBACK.
    await (finished ?? finish(connection, 'ROLLBACK')).catch(() => {});
    throw first;
  }
  finished ??= finish(connection, 'COMMIT');
  if (access === 'write') await finished;
  else finished.catch(() => {});
  return result;
}

function begin(access: 'read' | 'write', settings: LocalSettings): string {
  const set = Object.entries(settings).map(([name, value]) => `; set local ${name} = ${value}`);
  return `begin read ${access === 'read' ? 'only' : 'write'}${set.join('')}`;
}

async function finish(
  connection: ReservedSql,
  statement: 'COMMIT' | 'ROLLBACK',
  before?: Statement,
): Promise<void> {
  try {
    const { command } = await connection.unsafe(statement);
    // PostgreSQL answers COMMIT with ROLLBACK when a statement before it failed and the error was swallowed.
    if (command !== statement)
      throw new Error(`The transaction ended with ${command} instead of ${statement}.`);
  } finally {
    await before?.catch(() => {});
    connection.release();
  }
}

/**
 * postgres.js sends a prepared statement again, once, that failed because a table has changed. It does not know that the
 * transaction has ended meanwhile: what comes back was read outside it and is not used. `retried` is the first error.
 */
type Statement = ReturnType<ReservedSql['unsafe']> & { retried?: Error };

export type Send = (query: string, parameters: never[]) => Statement;

/** Drizzle over whatever sends its statements. */
export function transactionOver(send: Send): Transaction {
  // Drizzle's session needs no more of a client than `unsafe`; its own driver would send `prepare: false`.
  const session = new PostgresJsSession({ unsafe: send } as unknown as Sql, dialect, undefined);
  return new PgDatabase(dialect, session, undefined);
}
