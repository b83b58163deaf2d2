import type { ReservedSql } from 'postgres';
import { noteView } from '../database/origin.ts';
import type { Database } from '../database/transaction.ts';

/** Hears how connections and statements are used. It never hears a statement's text or its parameters. */
export interface DatabaseObserver {
  /** A connection is waited for. Returns what is called when the waiting ends, with whether there is a connection. */
  onWait?(): (reserved: boolean) => void;
  onRelease?(): void;
  /** A statement was answered. BEGIN, COMMIT and ROLLBACK with what goes with them are no statements. */
  onStatement?(answer: StatementAnswer): void;
}

export interface StatementAnswer {
  ms: number;
  /** Rows that it read or wrote; 0 if it failed. */
  rows: number;
  failed: boolean;
}

const isTransactionControl = (text: string) => /^(?:begin|commit|rollback)\b/i.test(text);

/** Returns a database whose use `observer` hears of. It is the database in everything else. */
export function observeDatabase<D extends Database>(database: D, observer: DatabaseObserver): D {
  const reserve: Database['reserve'] = async (options) => {
    const endWait = observer.onWait?.();
    let connection: ReservedSql;
    try {
      connection = await database.reserve(options);
    } catch (error) {
      endWait?.(false);
      throw error;
    }
    endWait?.(true);
    return observeConnection(connection, observer);
  };
  // A proxy, because what a database says of itself may change while it is used.
  const view = new Proxy(database, {
    get: (target, name) => (name === 'reserve' ? reserve : Reflect.get(target, name)),
  });
  noteView(view, database);
  return view;
}

/** A reservation is made for each user anew, so it can be changed. */
function observeConnection(connection: ReservedSql, observer: DatabaseObserver): ReservedSql {
  const { unsafe, release } = connection;
  let released = false;
  const observed = {
    unsafe: (...[text, ...rest]: Parameters<ReservedSql['unsafe']>) => {
      const statement = unsafe(text, ...rest);
      if (observer.onStatement !== undefined && !isTransactionControl(text))
        observeStatement(statement, observer);
      return statement;
    },
    release: () => {
      release();
      if (released) return;
      released = true;
      observer.onRelease?.();
    },
  };
  return Object.assign(connection, observed) as ReservedSql;
}

function observeStatement(statement: ReturnType<ReservedSql['unsafe']>, observer: DatabaseObserver): void {
  const began = performance.now();
  const ended = (rows: number, failed: boolean) =>
    observer.onStatement?.({ ms: performance.now() - began, rows, failed });
  // `statement.then` would send the statement.
  Promise.prototype.then.call(
    statement,
    (result: { count?: number | null }) => ended(result.count ?? 0, false),
    () => ended(0, true),
  );
}
