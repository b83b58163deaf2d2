import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from '../database/pool.ts';
import { FunesError } from '../errors.ts';

/** How often the progress of a long statement is read. */
const lookEveryMs = 500;

/** How far a long statement is. Without `total`, `done` is the time in seconds. */
export interface UpkeepProgress {
  readonly done: number;
  readonly total?: number;
  readonly unit: string;
}

/**
 * Runs statements one after the other, outside any transaction and without a limit on their time.
 * @param onProgress is told how far they are, from a second connection where the pool has one.
 * @returns how long they took, in milliseconds.
 * @throws FunesError UNAVAILABLE behind a pooler.
 */
export async function runAlone(
  pool: Pool,
  statements: readonly string[],
  onProgress: (progress: UpkeepProgress) => void = () => {},
): Promise<number> {
  if (pool.isPooled) {
    throw new FunesError(
      'UNAVAILABLE',
      'Indexes are built and tables vacuumed in a session of their own, and the connection leads through a pooler that gives each ' +
        'transaction another session. Set FUNES_MIGRATE_URL to a direct connection of the owner of the tables.',
    );
  }
  const connection = await pool.reserve({ statementTimeoutMs: 0 });
  const since = performance.now();
  const end = new AbortController();
  let watching: Promise<void> | undefined;
  try {
    const [session] = await connection.unsafe<{ pid: number; timeout: string }[]>(
      "select pg_backend_pid() as pid, current_setting('statement_timeout') as timeout",
    );
    watching = watch(pool, session?.pid ?? 0, since, onProgress, end.signal);
    try {
      await connection.unsafe('set statement_timeout = 0');
      for (const statement of statements) await connection.unsafe(statement);
    } finally {
      await connection.unsafe(`set statement_timeout = '${session?.timeout ?? 0}'`).catch(() => {});
    }
    return performance.now() - since;
  } finally {
    connection.release();
    end.abort();
    await watching;
  }
}

/** Tells from time to time how far the statement of a session is, until it ends. */
async function watch(
  pool: Pool,
  pid: number,
  since: number,
  onProgress: (progress: UpkeepProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await delay(lookEveryMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const counted = pool.isEmbedded || pool.size < 2 ? undefined : await readProgress(pool, pid);
    onProgress(counted ?? { done: Math.round((performance.now() - since) / 1000), unit: 'seconds' });
  }
}

/** Reads what the server says of the build. Undefined between two phases, and if no connection is free. */
async function readProgress(pool: Pool, pid: number): Promise<UpkeepProgress | undefined> {
  try {
    const connection = await pool.reserve();
    try {
      const [row] = await connection.unsafe<{ done: string; total: string; unit: string }[]>(`
        select case when tuples_total > 0 then tuples_done else blocks_done end as done,
          case when tuples_total > 0 then tuples_total else blocks_total end as total,
          case when tuples_total > 0 then 'rows' else 'blocks' end || ' (' || phase || ')' as unit
        from pg_stat_progress_create_index where pid = ${pid}`);
      if (row === undefined || Number(row.total) === 0) return undefined;
      return { done: Number(row.done), total: Number(row.total), unit: row.unit };
    } finally {
      connection.release();
    }
  } catch {
    return undefined; // the build itself tells what is wrong
  }
}
