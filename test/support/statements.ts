import type { ReservedSql } from 'postgres';
import type { Database } from '../../src/database/transaction.ts';

export interface Statement {
  text: string;
  parameters: readonly unknown[];
  /** What was set in its transaction. */
  settings: string;
}

/** A database that notes each statement it sends; BEGIN with its settings, COMMIT and ROLLBACK are not counted. */
export function recordStatements(database: Database): { database: Database; statements: Statement[] } {
  const statements: Statement[] = [];
  const reserve: Database['reserve'] = async (options) => {
    const connection = await database.reserve(options);
    const send = connection.unsafe;
    let settings = '';
    const unsafe = ((text: string, parameters: never[] = [], sendOptions = {}) => {
      if (/^begin/i.test(text)) settings = text;
      else if (!/^(commit|rollback)/i.test(text)) statements.push({ text, parameters, settings });
      return send(text, parameters, sendOptions);
    }) as ReservedSql['unsafe'];
    return Object.assign(connection, { unsafe });
  };
  return {
    database: { ...database, prepare: database.prepare, localSettings: database.localSettings, reserve },
    statements,
  };
}

/**
 * The plan that PostgreSQL makes for a statement with its parameters and settings, one line a node.
 * @param more further settings for the transaction, such as `set local enable_seqscan = off`.
 */
export async function explain(database: Database, statement: Statement, more = ''): Promise<string> {
  const connection = await database.reserve();
  try {
    await connection.unsafe(`${statement.settings}; ${more}`);
    const rows = await connection.unsafe(`explain (costs off) ${statement.text}`, [
      ...statement.parameters,
    ] as never[]);
    await connection.unsafe('rollback');
    // A plan repeats the query vector wherever it uses it.
    return rows.map((row) => String(row['QUERY PLAN']).replace(/'\[[^\]]{50,}\]'/g, "'[…]'")).join('\n');
  } finally {
    connection.release();
  }
}
