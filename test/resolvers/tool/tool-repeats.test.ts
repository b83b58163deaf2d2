import { afterAll, beforeAll, expect, test } from 'vitest';
import { EMBEDDING_DIMENSIONS } from '../../../schema/columns/vector.ts';
import { HashEmbedder } from '../../../testkit/hash-embedder.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
const embedder = new HashEmbedder();
beforeAll(async () => {
  server = await startTestServer({ embedder });
});
afterAll(() => server.close());

const register = async (...inputs: object[]) => {
  const { data, errors } = await server.raw(
    `mutation ($inputs: [RegisterToolInput!]!) { registerTools(inputs: $inputs) {
      id toolName toolDescription toolParameters updatedAt embedding embeddingModel embeddingSource
    } }`,
    { inputs },
  );
  if (errors) throw new Error(errors[0]?.message);
  return (data as { registerTools: Record<string, unknown>[] }).registerTools;
};
const unit = (at: number) => Array.from({ length: EMBEDDING_DIMENSIONS }, (_, i) => (i === at ? 1 : 0));
const tool = (toolName: string, more: object = {}) => ({
  toolName,
  toolDescription: `does ${toolName}`,
  toolParameters: { type: 'object', properties: { a: { type: 'string' } } },
  ...more,
});

test('tools that are as they were are neither embedded nor written', async () => {
  const tools = [tool('b_one'), tool('a_two'), tool('own', { embedding: unit(7), embeddingModel: 'mine' })];
  const first = await register(...tools);
  expect(first[2]).toMatchObject({ embeddingSource: 'CLIENT', embeddingModel: 'mine', embedding: unit(7) });
  const [texts, before] = [embedder.texts, await server.contents()];
  expect(await register(...tools)).toEqual(first);
  expect(embedder.texts).toBe(texts);
  expect(await server.contents()).toEqual(before);
});

test.each([
  ['description', { toolDescription: 'another' }, 1],
  ['parameters', { toolParameters: null }, 1],
  ['vector', { embedding: unit(2), embeddingModel: 'mine' }, 0],
])('of several, only the one with another %s is written', async (what, change, embedded) => {
  const [left, right] = [tool(`left ${what}`), tool(`right ${what}`)];
  const [first] = await register(left, right);
  const { texts } = embedder;
  const [same, changed] = await register(left, { ...right, ...change });
  expect(same).toEqual(first);
  expect(changed).toMatchObject(change);
  expect(embedder.texts).toBe(texts + embedded);
});

test('a tool whose vector is the client’s gets the server’s if it is registered without one', async () => {
  await register(tool('back', { embedding: unit(7), embeddingModel: 'mine' }));
  const [back] = await register(tool('back'));
  expect(back).toMatchObject({ embeddingSource: 'FUNES', embeddingModel: embedder.model });
});
