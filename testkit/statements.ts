import type { ReservedSql } from 'postgres';
import type { Database } from '../src/database/transaction.ts';

export interface Statement {
  text: string;
  parameters: readonly unknown[];
  /** What was set in its transaction. */
  settings: string;
}

/** Hears of a statement when it has been handed to the connection, before it is answered. */
export type Heard = (text: string, parameters: readonly unknown[], answer: PromiseLike<unknown>) => void;

/** Makes `heard` hear of each statement that is sent over the connection, whatever it is. */
export function watchConnection(connection: ReservedSql, heard: Heard): ReservedSql {
  const send = connection.unsafe;
  const unsafe = ((text: string, parameters: never[] = [], options = {}) => {
    const answer = send(text, parameters, options);
    heard(text, parameters, answer);
    return answer;
  }) as ReservedSql['unsafe'];
  return Object.assign(connection, { unsafe });
}

/** A database whose connections are watched, each by a `Heard` of its own. */
export function watchDatabase(database: Database, hear: () => Heard): Database {
  return {
    ...database,
    get prepare() {
      return database.prepare;
    },
    get localSettings() {
      return database.localSettings;
    },
    expectPooler: (options) => database.expectPooler(options),
    reserve: async (options) => watchConnection(await database.reserve(options), hear()),
  };
}

/** A database that notes each statement it sends; BEGIN with its settings, COMMIT and ROLLBACK are not counted. */
export function recordStatements(database: Database): { database: Database; statements: Statement[] } {
  const statements: Statement[] = [];
  const watched = watchDatabase(database, () => {
    let settings = '';
    return (text, parameters) => {
      if (/^begin/i.test(text)) settings = text;
      else if (!/^(commit|rollback)/i.test(text)) statements.push({ text, parameters, settings });
    };
  });
  return { database: watched, statements };
}

/**
 * The plan that PostgreSQL makes for a statement with its parameters and settings, one line a node.
 * @param more further settings for the transaction, such as `set local enable_seqscan = off`.
 * @param options further options of EXPLAIN, such as `analyze`, which runs the statement.
 */
export async function explain(
  database: Database,
  statement: Statement,
  more = '',
  options?: string,
): Promise<string> {
  const connection = await database.reserve();
  try {
    await connection.unsafe(`${statement.settings}; ${more}`);
    const rows = await connection.unsafe(
      `explain (costs off${options ? `, ${options}` : ''}) ${statement.text}`,
      [...statement.parameters] as never[],
    );
    await connection.unsafe('rollback');
    // A plan repeats the query vector wherever it uses it.
    return rows.map((row) => String(row['QUERY PLAN']).replace(/'\[[^\]]{50,}\]'/g, "'[…]'")).join('\n');
  } finally {
    connection.release();
  }
}
