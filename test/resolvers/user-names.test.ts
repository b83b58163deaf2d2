import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const inputs: Record<string, string> = {
  createMemory: 'mutation ($user: String!) { createMemory(input: { content: "x", userId: $user }) { id } }',
  createMemories:
    'mutation ($user: String!) { createMemories(inputs: [{ content: "x", userId: $user }]) { id } }',
  ingestDocument:
    'mutation ($user: String!) { ingestDocument(input: { filename: "a.txt", content: "x", userId: $user }) { created } }',
  createKey: 'mutation ($user: String!) { createKey(input: { userId: $user, role: USER }) { key } }',
  exportUser: 'query ($user: String!) { exportUser(userId: $user) { totalCount } }',
  forgetUser: 'mutation ($user: String!) { forgetUser(userId: $user) { memories } }',
};

describe.each(Object.entries(inputs))('a user in %s', (_, query) => {
  test.each([
    ['ana\nroot', /userId contains U\+000A, which does not show in a name: "ana\\nroot"\. Remove it\.$/],
    ['ana\t', /userId contains U\+0009, /],
    ['ana\u0085', /userId contains U\+0085, which does not show in a name: "ana\\u0085"/],
    ['a\u202eb', /userId contains U\+202E, which does not show in a name: "a\\u202eb"/],
    ['a\u2066b', /userId contains U\+2066, /],
    ['\u200fana', /userId contains U\+200F, /],
    [' ana', /userId begins or ends with a blank: " ana"\. Remove it\.$/],
    ['ana\u00a0', /userId begins or ends with a blank: /],
  ])('is not named %j', async (user, message) => {
    const { errors } = await server.raw(query, { user });
    expect(errors).toMatchObject([
      { message: expect.stringMatching(message), extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  test('may have blanks inside, and joined letters', async () => {
    for (const user of ['Ana de la Cruz', 'می\u200cخواهم'])
      expect((await server.raw(query, { user })).errors).toBeUndefined();
  });
});
