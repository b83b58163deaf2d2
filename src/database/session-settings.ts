/**
 * The settings that statements and answers rely on, with the values that PostgreSQL has by default. A database, a role or a
 * configuration file may have others. What only a planner decides by is left as the administrator has set it.
 */
const reliedOn: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  array_nulls: 'on',
  transform_null_equals: 'off',
  standard_conforming_strings: 'on',
  row_security: 'on',
  exit_on_error: 'off',
  gin_fuzzy_search_limit: '0',
  // The statement timeout ends a wait for a lock, too.
  lock_timeout: '0',
};

const isolation = 'read committed';

/** Where the names in statements are looked up. */
export interface SchemaPath {
  /** The schema of the tables. */
  readonly home: string;
  /** The schema of the extension `vector`; undefined if it is not there yet, because a migration makes it in `home`. */
  readonly vector: string | undefined;
}

/** The value of `search_path` for these schemas. */
export function searchPath({ home, vector }: SchemaPath): string {
  return [...new Set([home, vector ?? home])].map(quoteIdentifier).join(', ');
}

/** A name as an identifier of SQL. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Names and values for `SET LOCAL`. They are not escaped, so they must never contain text of a request. */
export type LocalSettings = Readonly<Record<string, string | number>>;

/** The statements that make these settings for the rest of a transaction. */
export function setLocal(settings: LocalSettings): string[] {
  return Object.entries(settings).map(([name, value]) => `set local ${name} = ${value}`);
}

/** The parameters with which a session of PostgreSQL starts, if no pooler shares it. */
export function startupParameters(
  statementTimeoutMs: number,
  path: SchemaPath | undefined,
): Record<string, string> {
  return {
    ...reliedOn,
    default_transaction_isolation: isolation,
    statement_timeout: String(statementTimeoutMs),
    ...(path && { search_path: searchPath(path) }),
  };
}

/** The same settings as names and values for SET LOCAL, which stand directly behind BEGIN in each transaction. */
export function transactionParameters(
  statementTimeoutMs: number,
  path: SchemaPath | undefined,
): LocalSettings {
  return {
    // Before any query of the transaction; afterwards PostgreSQL refuses to change the isolation.
    transaction_isolation: `'${isolation}'`,
    ...Object.fromEntries(Object.entries(reliedOn).map(([name, value]) => [name, `'${value}'`])),
    statement_timeout: statementTimeoutMs,
    ...(path && { search_path: searchPath(path) }),
  };
}
