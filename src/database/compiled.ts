import { is, Placeholder } from 'drizzle-orm';
import type { PgPreparedQuery, PreparedQueryConfig } from 'drizzle-orm/pg-core';
import { type Transaction, transactionOver } from './transaction.ts';

/** Sends a compiled query with `values` for its placeholders. @throws as a query of `tx` does. */
export type Compiled<Rows> = (tx: Transaction, values: Readonly<Record<string, unknown>>) => Promise<Rows>;

/**
 * Compiles a query once, so that many transactions can send it. (Drizzle's `prepare` ties a query to one session.)
 *
 * @param build returns the query, with `sql.placeholder` for the values that differ. Placeholders of one name become one
 *   parameter, so all of them must have one type.
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
