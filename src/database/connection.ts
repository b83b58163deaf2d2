import type { ReservedSql } from 'postgres';
import type { Pool } from './pool.ts';
import { setLocal } from './session-settings.ts';

/**
 * Runs `work` on a connection of its own, as the user of the connection and outside any transaction. Behind a pooler it is one
 * transaction, because the settings of the pool last no longer. Requests use `transaction`.
 * @throws whatever `work` throws; FunesError UNAVAILABLE as `Pool.reserve`.
 */
export async function withConnection<T>(
  pool: Pick<Pool, 'reserve' | 'localSettings'>,
  work: (connection: ReservedSql) => Promise<T>,
): Promise<T> {
  const connection = await pool.reserve();
  const settings = setLocal(pool.localSettings);
  try {
    if (settings.length === 0) return await work(connection);
    await connection.unsafe(['begin', ...settings].join('; '));
    const result = await work(connection);
    await connection.unsafe('commit');
    return result;
  } catch (error) {
    if (settings.length > 0) await connection.unsafe('rollback').catch(() => {});
    throw error;
  } finally {
    connection.release();
  }
}
