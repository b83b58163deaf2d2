import { afterAll, beforeAll, expect, test } from 'vitest';
import { withConnection } from '../../../src/database/connection.ts';
import { FunesError } from '../../../src/errors.ts';
import { createLogger } from '../../../src/log.ts';
import { keyLookUp } from '../../../src/security/key-lookup.ts';
import { revokeKey } from '../../../src/security/keys.ts';
import { localViewer } from '../../../src/viewer.ts';
import { recordStatements } from '../../../testkit/statements.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { until } from '../http/served-schema.ts';
import { makeKey } from './support.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase({ poolSize: 2 });
});
afterAll(() => database.close());

const log = createLogger({ level: 'silent' });

/** Looks keys up as a server does, and counts its look-ups. */
function lookUpWith(keepMs: number) {
  const recorded = recordStatements(database.pool);
  const find = keyLookUp(recorded.database, { keepMs, log });
  return { find, sent: () => recorded.statements.filter(({ text }) => text.includes('funes_key')).length };
}

test('requests that wait for a connection share one look-up, even if no answer is kept', async () => {
  const { key } = await makeKey({ database }, 'ana');
  const { find, sent } = lookUpWith(0);
  const { pool } = database;
  const held = await Promise.all(Array.from({ length: pool.size }, () => pool.reserve()));
  const waiting = Array.from({ length: 10 }, () => find(key));
  for (const connection of held) connection.release();
  expect(await Promise.all(waiting)).toEqual(
    waiting.map(() => ({ userId: 'ana', role: 'user', keyPrefix: key.slice(0, 14) })),
  );
  expect(sent()).toBe(1);
});

test('a request that comes after a look-up was sent does not share it, because the key may be revoked by now', async () => {
  const { key, row } = await makeKey({ database }, 'ana');
  const { find, sent } = lookUpWith(0);
  const first = find(key);
  await until(() => sent() === 1);
  const revoked = revokeKey(database.pool, localViewer, row.id);
  const second = revoked.then(() => find(key));
  const third = find(key);
  expect(await second).toBeUndefined();
  // The revocation runs on another connection. These two may be read before it or after it.
  await Promise.all([first, third]);
  expect(sent()).toBeGreaterThanOrEqual(2);
});

test('with a time to keep, requests share a look-up that was sent', async () => {
  const { key } = await makeKey({ database }, 'ana');
  const { find, sent } = lookUpWith(60_000);
  const first = find(key);
  await until(() => sent() === 1);
  await Promise.all([first, find(key), find(`funes_${'A'.repeat(43)}`)]);
  await find(key);
  expect(sent()).toBe(2);
});

test('a look-up that failed is not kept, so requests are answered as soon as the database is back', async () => {
  const { key } = await makeKey({ database }, 'ana');
  const { find } = lookUpWith(60_000);
  await database.pool.reserve().then((connection) => connection.release());
  await database.loseConnections();
  for (;;) {
    const answer = await find(key).catch((error: unknown) => error);
    if (!(answer instanceof Error)) break;
    expect(answer).toMatchObject({ code: 'UNAVAILABLE' });
    // If the failure were kept, this would never end: let the runner's limit be seen.
    await new Promise(setImmediate);
  }
});

/** As many keys as a flood of them has, each looked up. */
async function flood(find: (key: string) => Promise<unknown>, count: number): Promise<void> {
  const invented = Array.from({ length: count }, (_, i) => `funes_${String(i).padStart(43, '0')}`);
  expect(await Promise.all(invented.map(find))).toEqual(invented.map(() => undefined));
}

test('invented keys displace no good one, however many there are', async () => {
  const { key } = await makeKey({ database }, 'ana');
  const { find, sent } = lookUpWith(600_000);
  await find(key);
  // A cache that they shared would hold 10,000 keys.
  await flood(find, 10_001);
  expect(sent()).toBe(10_002);
  await find(key);
  expect(sent()).toBe(10_002);
});

test.each([0, 60_000])(
  'whose key is good is no stranger from then on, with answers kept for %i ms',
  async (keepMs) => {
    const { key, row } = await makeKey({ database }, 'ana');
    const { find } = lookUpWith(keepMs);
    expect(find.isStranger(key)).toBe(true);
    await find(key);
    expect(find.isStranger(key)).toBe(false);
    // What costs no look-up is nobody to be afraid of.
    expect(find.isStranger('malformed')).toBe(false);
    await revokeKey(database.pool, localViewer, row.id);
    if (keepMs > 0) find.forget('ana');
    expect(await find(key)).toBeUndefined();
    expect(find.isStranger(key)).toBe(true);
  },
);

test('whose key has expired is a stranger again', async () => {
  const { key, row } = await makeKey({ database }, 'ana');
  const { find } = lookUpWith(0);
  await find(key);
  await withConnection(database.pool, (connection) =>
    connection.unsafe(`update api_keys set expires_at = now() - interval '1 s' where id = ${row.id}`),
  );
  expect(await find(key)).toBeUndefined();
  expect(find.isStranger(key)).toBe(true);
});

test('a database that fails makes a stranger of nobody', async () => {
  const { key } = await makeKey({ database }, 'ana');
  let broken = false;
  const reserve: typeof database.pool.reserve = (options) =>
    broken ? Promise.reject(new FunesError('UNAVAILABLE', 'down')) : database.pool.reserve(options);
  const { pool } = database;
  const find = keyLookUp(
    {
      ...pool,
      prepare: pool.prepare,
      localSettings: pool.localSettings,
      expectPooler: () => pool.expectPooler(),
      reserve,
    },
    { keepMs: 0, log },
  );
  await find(key);
  broken = true;
  await expect(find(key)).rejects.toThrow('down');
  expect(find.isStranger(key)).toBe(false);
  broken = false;
  expect(await find(key)).toMatchObject({ userId: 'ana' });
});
