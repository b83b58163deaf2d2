import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  const inputs = Array.from({ length: 30 }, (_, n) => `{ content: "the ferry of pier ${n}" }`);
  const { errors } = await server.raw(`mutation { createMemories(inputs: [${inputs}]) { id } }`);
  expect(errors).toBeUndefined();
});
afterAll(() => server.close());

const nested = (k: number) =>
  `{ memories(first: 30) { edges { node { similar(k: ${k}) { memory { similar(k: ${k}) { memory { id } } } } } } } }`;

test('similar within similar is refused before it is searched when it asks for too much together', async () => {
  let answer: Awaited<ReturnType<TestServer['raw']>> | undefined;
  const statements = await server.statementsOf(async () => {
    answer = await server.raw(nested(200));
  });
  expect(answer?.errors).toHaveLength(1);
  // Each of 30 rows asks for 200 matches, and so does each of their 29 neighbours.
  expect(answer?.errors?.[0]?.message).toMatch(/ask for 180000 matches and more; at most 100000 are allowed/);
  expect(answer?.errors?.[0]?.extensions?.code).toBe('LIMIT_EXCEEDED');
  expect(statements).toHaveLength(2);
});

test('similar within similar is answered below that', async () => {
  const { data, errors } = await server.raw(nested(29));
  expect(errors).toBeUndefined();
  expect(JSON.stringify(data).match(/"id"/g)).toHaveLength(30 * 29 * 29);
});
