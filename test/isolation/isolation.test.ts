import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { buildSchema } from '../../resolvers/schema.ts';
import type { Embedder } from '../../src/embedding/embedder.ts';
import * as viewers from '../../src/viewer.ts';
import { HashEmbedder } from '../../testkit/hash-embedder.ts';
import { bearer } from '../src/security/support.ts';
import { openTestDatabase } from '../support/database.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type AttackReport, asAttacker, attack, isRefused, post, storedRows } from './attack.ts';
import { attacker, isolationSeed, keys, ownedRows, victim } from './data.ts';
import { Reach } from './reach.ts';

// One user sends requests about the rows of another. `npm run test:isolation -- 10000` sends more of them, by another seed.

const requests = Number(process.env.ISOLATION_REQUESTS ?? 1600);
const seed = Number(process.env.ISOLATION_SEED ?? 20_261);
const inControls = 300;
const leastReached = 20;

const schema = buildSchema();
const servers: TestServer[] = [];

async function start(embedder: Embedder = new HashEmbedder()): Promise<TestServer> {
  const settings = { FUNES_AUTH: 'keys', FUNES_RATE_LIMIT: 'off', FUNES_COST_LIMIT: '1000000000' };
  // One connection, so that the fields of a request are answered in the same order on two servers.
  const database = await openTestDatabase({ seed: isolationSeed, poolSize: 1, statementTimeoutMs: 30_000 });
  const server = await startTestServer({ database, settings, embedder });
  servers.push(server);
  return server;
}

let server: TestServer;
beforeEach(async () => {
  server = await start();
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const started of servers.splice(0)) await started.close();
});

const dropPolicies = async () => {
  for (const table of Object.keys(ownedRows))
    await server.sql(`alter table ${table} disable row level security`);
};
const dropConditions = () => vi.spyOn(viewers, 'visibleTo').mockReturnValue(undefined);

const summary = ({ requests: sent, leaks, codes, victims }: AttackReport) =>
  `seed ${seed}: ${sent} requests, ${leaks.length} leaks; codes: ${JSON.stringify(codes)}; ` +
  `${victims.answered} of ${victims.requests} requests of the other user at the same time returned rows of that user`;

test(`${requests} requests that name what is another user’s learn and change nothing of it`, async () => {
  const twin = await start();
  for (const table of Object.keys(ownedRows))
    await twin.sql(`delete from ${table} where user_id = $1`, [victim]);
  const before = await storedRows(server, victim);

  const report = await attack({ schema, server, twin, requests, seed, stopsAtLeak: true });
  console.log(`${summary(report)}\nReached with something of the other user:\n${report.reach.table()}`);

  expect(report.requests).toBe(requests);
  expect(report.reach.below(leastReached)).toEqual([]);
  expect(report.victims.answered).toBeGreaterThan(report.victims.requests / 4);
  expect(await storedRows(server, victim)).toBe(before);
}, 0);

describe('of the two walls', () => {
  test('the conditions of the statements hold without the policies of the database', async () => {
    await dropPolicies();
    const before = await storedRows(server, victim);
    const report = await attack({ schema, server, requests: inControls, seed, stopsAtLeak: true });
    expect(report.leaks).toEqual([]);
    expect(await storedRows(server, victim)).toBe(before);
  }, 0);

  test('the policies of the database hold without the conditions of the statements', async () => {
    const conditions = dropConditions();
    const before = await storedRows(server, victim);
    const report = await attack({ schema, server, requests: inControls, seed, stopsAtLeak: true });
    expect(conditions).toHaveBeenCalled();
    expect(report.leaks).toEqual([]);
    expect(await storedRows(server, victim)).toBe(before);
  }, 0);

  test('one must stand: without both, these requests learn and change much', async () => {
    dropConditions();
    // A request that is refused with FORBIDDEN would be with both walls, too.
    const reach = new Reach(schema, isRefused(schema));
    let leaks = 0;
    // The requests delete rows of the victim, and nothing can be learnt of those. So each part of them finds all rows.
    const parts = 3;
    for (let part = 0; part < parts; part++) {
      if (part > 0) server = await start();
      await dropPolicies();
      const before = await storedRows(server, victim);
      const report = await attack({
        schema,
        server,
        reach,
        requests: inControls / parts,
        seed: seed + part,
        stopsAtLeak: false,
        watchesRows: true,
      });
      console.log(`without conditions and policies: ${summary(report)}`);
      leaks += report.leaks.length;
      expect(await storedRows(server, victim)).not.toBe(before);
    }
    console.log(`without conditions and policies: ${leaks} of ${inControls} requests leak`);
    // 0.3 is what is wanted, and 0.44 or more was measured.
    expect(leaks / inControls).toBeGreaterThan(0.35);
  }, 0);
});

describe('what is kept by the name of a user', () => {
  test.each([
    [
      'exported',
      'query',
      (name: string) => `exportUser(userId: "${name}") { totalCount edges { node { row } } }`,
    ],
    [
      'forgotten',
      'mutation',
      (name: string) => `forgetUser(userId: "${name}", dryRun: false) { memories keys }`,
    ],
    [
      'counted to be forgotten',
      'mutation',
      (name: string) => `forgetUser(userId: "${name}") { memories keys }`,
    ],
  ])('cannot be %s by another user, nor whether there is such a user', async (_, kind, field) => {
    const before = await storedRows(server, victim);
    for (const headers of asAttacker) {
      const [known, unknown] = [victim, 'nobody'].map((name) =>
        post(server, `${kind} { ${field(name)} }`, {}, headers),
      );
      const { errors, data } = (await known) ?? {};
      expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
      const alike = JSON.stringify({ errors, data }).replaceAll(victim, 'nobody');
      expect(JSON.parse(alike)).toEqual({ errors: (await unknown)?.errors, data: (await unknown)?.data });
    }
    expect(await storedRows(server, victim)).toBe(before);
  });

  test('is in the cache of search texts under the user whose rows are searched', async () => {
    const asked: [text: string, user: string][] = [];
    const embedder: Embedder = new HashEmbedder();
    const embedQuery = embedder.embedQuery.bind(embedder);
    embedder.embedQuery = (text, user) => {
      asked.push([text, user]);
      return embedQuery(text, user);
    };
    const recorded = await start(embedder);
    const texts = ['similarMemories', 'similarChunks', 'similarDocuments', 'similarTools', 'recall'];
    const fields = texts.map((text) => `${text}(text: "${text}") { __typename }`);
    const query = `{ ${fields.join(' ')} memories(first: 1) { edges { node { similar(text: "nested") { score } } } } }`;
    for (const headers of [bearer(keys.victim), ...asAttacker]) {
      const user = asAttacker.includes(headers) ? attacker : victim;
      expect((await post(recorded, query, {}, headers)).errors).toBeUndefined();
      expect(asked.splice(0).sort()).toEqual([...texts, 'nested'].map((text) => [text, user]).sort());
    }
  });
});
