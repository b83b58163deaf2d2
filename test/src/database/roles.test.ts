import { expect, inject, onTestFinished, test } from 'vitest';
import { withConnection } from '../../../src/database/connection.ts';
import { migrate } from '../../../src/database/migrate.ts';
import { ensureRoles, missingStatements } from '../../../src/database/roles.ts';
import { openTestDatabase } from '../../support/database.ts';
import { openOwnedDatabase } from '../../support/owned-database.ts';

const isEmbedded = inject('databaseTemplate').engine === 'embedded';

test.skipIf(isEmbedded)(
  'an owner who may not create roles is told what an administrator can run, and goes on after it',
  async () => {
    const { administrator, ownerPool: pool } = await openOwnedDatabase({ mayGrant: false });
    const statements = await withConnection(pool, missingStatements);
    expect(statements.at(-1)).toMatch(
      /^grant funes_\w+ to funes_test_owner_\w+ with set true, inherit false$|^grant funes_\w+ to \w+$/,
    );
    await expect(migrate(pool)).rejects.toMatchObject({
      name: 'FunesError',
      code: 'UNAVAILABLE',
      message: `The user of the database may not create the roles that requests run as. Let an administrator of the database run: ${statements.map((statement) => `${statement};`).join(' ')}`,
    });
    await withConnection(administrator, async (connection) => {
      for (const statement of statements) await connection.unsafe(statement);
    });
    expect(await migrate(pool)).toContain('0005_row_level_security');
    expect(await withConnection(pool, missingStatements)).toEqual([]);
  },
);

test('roles can be made by many databases at once', async () => {
  const databases = await Promise.all([openTestDatabase(), ...(isEmbedded ? [] : [openTestDatabase()])]);
  onTestFinished(async () => {
    for (const database of databases) await database.close();
  });
  await Promise.all(databases.map(({ pool }) => withConnection(pool, ensureRoles)));
  for (const { pool } of databases) expect(await withConnection(pool, missingStatements)).toEqual([]);
});
