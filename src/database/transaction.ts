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

export interface TransactionOptions {
  access: 'read' | 'write';
  settings?: LocalSettings;
  /** `work` sends one statement, so that COMMIT can follow it at once. Only of a read: a write must see its result first. */
  single?: boolean;
  /** Called for each statement that `work` sends. */
  onStatement?: (() => void) | undefined;
}

const dialect = new PgDialect();

/**
 * Runs `work` in a transaction of its own, as `viewer`. The only way to the database for a request.
 *
 * A search is one statement, so what its transaction costs beside it counts. BEGIN and every SET LOCAL travel in one
 * message that is not waited for: the statements of `work` follow it at once on the same connection, and one round trip
 * answers them all. When a setting fails, they fail too, because the transaction is then aborted; the first error is
 * the one thrown. A read gives its result before COMMIT has come back, as nothing depends on it; its connection is
 * released only afterwards. The COMMIT of a single statement even travels with it: each message less is a tenth of what
 * a search by the index costs.
 *
 * @throws whatever `work` throws, after ROLLBACK; FunesError UNAVAILABLE when the database cannot be reached.
 */
export async function transaction<T>(
  database: Database,
  _viewer: Viewer,
  { access, settings, single, onStatement }: TransactionOptions,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const connection = await database.reserve();
  const opening = connection.unsafe(begin(access, { ...database.localSettings, ...settings })).execute();
  opening.catch(() => {}); // awaited below; without this a failing BEGIN would count as unhandled meanwhile
  let finished: Promise<void> | undefined;
  const send: Send = (query, parameters) => {
    onStatement?.();
    const statement = connection.unsafe(query, parameters, { prepare: database.prepare });
    if (single) {
      statement.execute();
      finished ??= finish(connection, 'COMMIT');
      finished.catch(() => {});
    }
    return statement;
  };
  let result: T;
  try {
    result = await work(transactionOver(send));
    await opening;
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

async function finish(connection: ReservedSql, statement: 'COMMIT' | 'ROLLBACK'): Promise<void> {
  try {
    const { command } = await connection.unsafe(statement);
    // PostgreSQL answers COMMIT with ROLLBACK when a statement before it failed and the error was swallowed.
    if (command !== statement)
      throw new Error(`The transaction ended with ${command} instead of ${statement}.`);
  } finally {
    connection.release();
  }
}

export type Send = (query: string, parameters: never[]) => ReturnType<ReservedSql['unsafe']>;

/** Drizzle over whatever sends its statements. */
export function transactionOver(send: Send): Transaction {
  // Drizzle's session needs no more of a client than `unsafe`; its own driver would send `prepare: false`.
  const session = new PostgresJsSession({ unsafe: send } as unknown as Sql, dialect, undefined);
  return new PgDatabase(dialect, session, undefined);
}
