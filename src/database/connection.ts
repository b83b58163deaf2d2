import type { ReservedSql } from 'postgres';
import type { Pool } from './pool.ts';

/**
 * Runs `work` on a connection of its own, outside any transaction and as the user of the connection. Requests use `transaction`.
 * @throws whatever `work` throws; FunesError UNAVAILABLE as `Pool.reserve`.
 */
export async function withConnection<T>(
  pool: Pick<Pool, 'reserve'>,
  work: (connection: ReservedSql) => Promise<T>,
): Promise<T> {
  const connection = await pool.reserve();
  try {
    return await work(connection);
  } finally {
    connection.release();
  }
}
