import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Embedder } from '../../../src/embedding/embedder.ts';
import { bearer, makeKey } from '../../src/security/support.ts';
import { loadRealEmbedder } from '../../support/real-embedder.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

// What the model computes is counted, because a time would not tell.

let embedder: Embedder;
let server: TestServer;
let computed = 0;
const keys = {} as Record<'root' | 'ana' | 'bob', Record<string, string>>;

beforeAll(async () => {
  embedder = await loadRealEmbedder({
    onBatch: ({ texts }) => {
      computed += texts;
    },
  });
  server = await startTestServer({ embedder, settings: { FUNES_AUTH: 'keys' } });
});
afterAll(async () => {
  await server.close();
  await embedder.close();
});
beforeEach(async () => {
  keys.root = bearer((await makeKey(server, 'root', 'admin')).key);
  for (const name of ['ana', 'bob'] as const) keys[name] = bearer((await makeKey(server, name)).key);
});

/** How many texts the model computes for a search. */
async function textsFor(text: string, headers: Record<string, string>): Promise<number> {
  const before = computed;
  const { errors } = await server.raw(
    'query ($text: String!) { similarMemories(text: $text) { score } recall(text: $text) { __typename } }',
    { text },
    headers,
  );
  expect(errors).toBeUndefined();
  return computed - before;
}

const forget = (userId: string) =>
  server.raw(
    'mutation ($userId: String!) { forgetUser(userId: $userId, dryRun: false) { keys } }',
    { userId },
    keys.root,
  );

test('a text that another user has just searched for is computed again, and one’s own is not', async () => {
  const text = 'the merger that nobody knows of';
  expect(await textsFor(text, keys.ana)).toBe(1);
  expect(await textsFor(text, keys.ana)).toBe(0);
  expect(await textsFor(text, keys.bob)).toBe(1);
  expect(await textsFor(text, keys.root)).toBe(1);
  for (const headers of [keys.ana, keys.bob, keys.root]) expect(await textsFor(text, headers)).toBe(0);
});

test('an administrator who acts for a user has what that user has searched for', async () => {
  const text = 'the key below the third stone';
  const acting = { ...keys.root, 'x-funes-user': 'ana' };
  expect(await textsFor(text, keys.ana)).toBe(1);
  expect(await textsFor(text, acting)).toBe(0);
  expect(await textsFor(text, keys.root)).toBe(1);
});

test('what a user has searched for is forgotten with the user', async () => {
  const text = 'a doctor for the left knee';
  for (const headers of [keys.ana, keys.bob]) expect(await textsFor(text, headers)).toBe(1);
  expect((await forget('ana')).errors).toBeUndefined();
  const again = bearer((await makeKey(server, 'ana')).key);
  expect(await textsFor(text, again)).toBe(1);
  expect(await textsFor(text, keys.bob)).toBe(0);
});
