import { is, Placeholder } from 'drizzle-orm';
import type { PgPreparedQuery, PreparedQueryConfig } from 'drizzle-orm/pg-core';
import { type Transaction, transactionOver } from './transaction.ts';

/** Sends a query that was compiled before, with these values for its placeholders. @throws as a query of `tx` does. */
export type Compiled<Rows> = (tx: Transaction, values: Readonly<Record<string, unknown>>) => Promise<Rows>;

/**
 * Compiles a query once, to be sent by many transactions: Drizzle's own `prepare` ties it to one session.
 *
 * @param build gives the query, with `sql.placeholder` for what differs each time. One that is named at several places
 *   becomes one parameter, so it must stand for the same type at each.
 */
export function compile<Rows>(build: (builder: Transaction) => Preparable<Rows>): Compiled<Rows> {
  const prepared = build(builder).prepare('') as unknown as PreparedInternals<Rows>;
  Object.assign(prepared, shareParameters(prepared));
  return (tx, values) => {
    const { client } = tx._.session as unknown as { client: unknown };
    return Object.assign(Object.create(prepared) as typeof prepared, { client }).execute(values);
  };
}

interface Preparable<Rows> {
  prepare(name: string): PgPreparedQuery<PreparedQueryConfig & { execute: Rows }>;
}

/** The parts of Drizzle's prepared query that its types leave out. */
interface PreparedInternals<Rows> {
  client: unknown;
  queryString: string;
  params: unknown[];
  execute(values: Readonly<Record<string, unknown>>): Promise<Rows>;
}

const builder = transactionOver(() => {
  throw new Error('A query was sent while it was being compiled.');
});

function shareParameters({
  queryString,
  params,
}: Pick<PreparedInternals<unknown>, 'queryString' | 'params'>) {
  const shared: unknown[] = [];
  const numberOf = new Map<string, number>();
  const numbers = params.map((parameter) => {
    const name = is(parameter, Placeholder) ? parameter.name : undefined;
    const number = (name !== undefined && numberOf.get(name)) || shared.push(parameter);
    if (name !== undefined) numberOf.set(name, number);
    return number;
  });
  return {
    params: shared,
    queryString: queryString.replace(/\$(\d+)/g, (_, old) => `$${numbers[Number(old) - 1]}`),
  };
}
