import { withConnection } from './connection.ts';
import { causeWithCode } from './errors.ts';
import type { Pool } from './pool.ts';
import { startupParameters } from './session-settings.ts';

/** Whether to use named prepared statements. `auto`: unless the database is behind a pooler. */
export type PreparedStatements = boolean | 'auto';

/** What is in the way of sessions, for people; undefined if nothing is. */
export type PoolerSign = string | undefined;

const ownTables = ['memories', 'documents', 'document_chunks', 'tool_embeddings'];

interface Session {
  pid: number;
  vector: string | null;
  home: string;
  /** A JSON array of names. */
  path: string;
  statementTimeout: string;
  lockTimeout: string;
}

/**
 * Finds out whether the connections of the pool have a session each, and where tables and extension are. The pool then sends its
 * settings accordingly.
 *
 * A pooler names another process in its greeting than the one that runs the statements, because it makes keys of its own for
 * cancelling. And one that drops the parameters of a start leaves the session with other settings.
 *
 * @returns the sign of a pooler, if this call found one.
 * @throws whatever the database answers.
 */
export async function probeSessions(pool: Pool, preparedStatements: PreparedStatements): Promise<PoolerSign> {
  if (pool.isEmbedded) return undefined;
  try {
    return await probe(pool, preparedStatements);
  } catch (error) {
    const refused = pool.isPooled ? undefined : causeWithCode(error, '08P01');
    if (refused === undefined) throw error;
    // PgBouncer refuses the parameters of a start that it does not know.
    pool.expectPooler({ prepare: preparedStatements === true });
    await probe(pool, preparedStatements);
    return refused.message;
  }
}

async function probe(pool: Pool, preparedStatements: PreparedStatements): Promise<PoolerSign> {
  const { session, greeted } = await withConnection(pool, async (connection) => {
    // Without parameters, because PgBouncer may give the session away between the messages of a statement that has some.
    const result = await connection.unsafe<Session[]>(`
      select pg_backend_pid() as pid,
        (select nspname from pg_extension join pg_namespace n on n.oid = extnamespace where extname = 'vector') as vector,
        coalesce(
          (select nspname from pg_class join pg_namespace n on n.oid = relnamespace
            where relname in (${ownTables.map((name) => `'${name}'`).join(', ')}) and relkind in ('r', 'p')
            group by nspname having count(*) = ${ownTables.length}
            order by array_position(current_schemas(false), nspname), nspname <> 'public', nspname limit 1),
          nullif(current_schema(), 'pg_catalog'),
          'public') as home,
        to_json(current_schemas(false))::text as path,
        (select setting from pg_settings where name = 'statement_timeout') as "statementTimeout",
        (select setting from pg_settings where name = 'lock_timeout') as "lockTimeout"`);
    const [row] = result;
    if (row === undefined) throw new Error('The database did not say what its session is.');
    return { session: row, greeted: (result as unknown as { state: { pid: number } }).state.pid };
  });
  const sign = pool.isPooled ? undefined : poolerSign(session, greeted, pool.statementTimeoutMs);
  if (sign !== undefined) pool.expectPooler({ prepare: preparedStatements === true });
  const { home, vector } = session;
  const wanted = [...new Set([home, vector ?? home])];
  const path = JSON.parse(session.path) as string[];
  pool.useSchemas({ home, vector: vector ?? undefined }, { isInUse: isSame(path, wanted) });
  return sign;
}

function poolerSign(
  { pid, statementTimeout, lockTimeout }: Session,
  greeted: number,
  statementTimeoutMs: number,
): PoolerSign {
  if (pid !== greeted) return 'sessions are shared';
  const asked = startupParameters(statementTimeoutMs, undefined);
  return statementTimeout === asked.statement_timeout && lockTimeout === asked.lock_timeout
    ? undefined
    : 'settings of a session are dropped';
}

const isSame = (one: readonly string[], other: readonly string[]) =>
  one.length === other.length && one.every((name, i) => name === other[i]);
