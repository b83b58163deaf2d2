import type { Database } from './transaction.ts';

const origins = new WeakMap<Database, Database>();

/** Notes that `view` is a database behind something that watches it, such as one that counts the rows of a request. */
export function noteView(view: Database, database: Database): void {
  origins.set(view, originOf(database));
}

/** Returns the database behind a view, which all requests share; a database without a view is its own. Use it as a key. */
export function originOf(database: Database): Database {
  return origins.get(database) ?? database;
}
