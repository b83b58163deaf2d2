import type { ReservedSql } from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openClient } from '../../../src/database/client.ts';
import { guardReservation } from '../../../src/database/reservation.ts';
import { watchConnection } from '../../../testkit/statements.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase({ poolSize: 1 });
});
afterAll(() => db.close());

const limits = {
  greetingPatienceMs: 5000,
  patienceMs: 5000,
  onAnswer: () => {},
  onSilent: () => new Error('silent'),
  onStuck: () => new Error('stuck'),
  onRelease: () => {},
};

test('a guarded reservation sends nothing of its own when it begins with BEGIN, else one empty statement', async () => {
  const { database } = db;
  const client = openClient({
    database: typeof database === 'string' ? database : database.connection,
    connections: 1,
    connectTimeoutMs: 5000,
    prepare: true,
    session: {},
    applicationName: 'funes',
    logger: undefined,
    onclose: () => {},
  });
  await client.unsafe('');
  const sent = async (use: (connection: ReservedSql) => Promise<unknown>) => {
    const reserved = await client.reserve();
    const texts: string[] = [];
    const connection = guardReservation(
      watchConnection(reserved, (text) => texts.push(text)),
      limits,
    );
    await use(connection);
    connection.release();
    return texts;
  };
  const add = 'select $1::int + 1 as sum';
  expect(
    await sent(async (connection) => {
      connection.unsafe('begin').execute();
      const [[row]] = await Promise.all([
        connection.unsafe(add, [1]).execute(),
        connection.unsafe('commit').execute(),
      ]);
      expect(row).toEqual({ sum: 2 });
    }),
  ).toEqual(['begin', add, 'commit']);
  expect(await sent((connection) => connection.unsafe(add, [1]))).toEqual(['', add]);
  await client.end();
});
