import { withConnection } from '../database/connection.ts';
import type { Pool } from '../database/pool.ts';
import { readMissingStatements } from '../database/roles.ts';
import type { Viewer } from '../viewer.ts';
import { type ReadOnly, readAsAdministrator } from './doctor.ts';
import type { Query } from './finding.ts';

/**
 * Returns how a command reads the rows of all users: as its own user, if that is the owner of the tables, whom no policy binds; or as
 * an administrator. The owner can read a database whose roles are missing, or that has no roles yet.
 */
export async function readOnlyFor(pool: Pool, viewer: Viewer): Promise<ReadOnly> {
  const isOwner = await withConnection(pool, async (connection) => {
    const [row] = await connection<{ owns: boolean }[]>`
      select bool_and(pg_has_role(relowner, 'USAGE')) as owns from pg_class
      where relnamespace = current_schema()::regnamespace and relkind = 'r'`;
    return row?.owns !== false;
  });
  if (!isOwner && (await readMissingStatements(pool)).length === 0) return readAsAdministrator(pool, viewer);
  return (work, settings = {}) =>
    withConnection(pool, async (connection) => {
      const set = Object.entries({ ...pool.localSettings, ...settings });
      const query: Query = async (text) => [...(await connection.unsafe(text))] as never;
      await connection.unsafe(
        ['begin read only', ...set.map(([name, value]) => `set local ${name} = ${value}`)].join('; '),
      );
      try {
        return await work(query);
      } finally {
        await connection.unsafe('rollback').catch(() => {});
      }
    });
}
