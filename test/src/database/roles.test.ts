import { expect, inject, onTestFinished, test } from 'vitest';
import { migrate } from '../../../src/database/migrate.ts';
import { openPool, type Pool } from '../../../src/database/pool.ts';
import { ensureRoles, missingStatements } from '../../../src/database/roles.ts';
import { openTestDatabase } from '../../support/database.ts';

const isEmbedded = inject('databaseTemplate').engine === 'embedded';

async function onConnection<T>(
  pool: Pool,
  work: (connection: Awaited<ReturnType<Pool['reserve']>>) => Promise<T>,
): Promise<T> {
  const connection = await pool.reserve();
  try {
    return await work(connection);
  } finally {
    connection.release();
  }
}

/** An empty database whose owner may neither create roles nor is a superuser. */
async function openAsPlainOwner() {
  const database = await openTestDatabase({ empty: true });
  const name = `funes_test_owner_${process.pid}_${Date.now()}`;
  const url = new URL(database.database as string);
  await onConnection(database.pool, async (connection) => {
    await connection.unsafe(`create role ${name} login password 'secret'`);
    await connection.unsafe(`alter database ${url.pathname.slice(1)} owner to ${name}`);
    await connection.unsafe('create extension vector');
  });
  url.username = name;
  url.password = 'secret';
  const pool = openPool({ database: url.href, poolSize: 1 });
  onTestFinished(async () => {
    await pool.close();
    await onConnection(database.pool, async (connection) => {
      await connection.unsafe(`alter database ${url.pathname.slice(1)} owner to current_user`);
      await connection.unsafe(`drop owned by ${name} cascade`);
      await connection.unsafe(`drop role ${name}`);
    });
    await database.close();
  });
  return { administrator: database.pool, pool };
}

test.skipIf(isEmbedded)(
  'an owner who may not create roles is told what an administrator can run, and goes on after it',
  async () => {
    const { administrator, pool } = await openAsPlainOwner();
    const statements = await onConnection(pool, missingStatements);
    expect(statements.at(-1)).toMatch(
      /^grant funes_\w+ to funes_test_owner_\d+_\d+ with set true, inherit false$|^grant funes_\w+ to \w+$/,
    );
    await expect(migrate(pool)).rejects.toMatchObject({
      name: 'FunesError',
      code: 'UNAVAILABLE',
      message: `The user of the database may not create the roles that requests run as. Let an administrator of the database run: ${statements.map((statement) => `${statement};`).join(' ')}`,
    });
    await onConnection(administrator, async (connection) => {
      for (const statement of statements) await connection.unsafe(statement);
    });
    expect(await migrate(pool)).toContain('0005_row_level_security');
    expect(await onConnection(pool, missingStatements)).toEqual([]);
  },
);

test('roles can be made by many databases at once', async () => {
  const databases = await Promise.all([openTestDatabase(), ...(isEmbedded ? [] : [openTestDatabase()])]);
  onTestFinished(async () => {
    for (const database of databases) await database.close();
  });
  await Promise.all(databases.map(({ pool }) => onConnection(pool, ensureRoles)));
  for (const { pool } of databases) expect(await onConnection(pool, missingStatements)).toEqual([]);
});
