import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { bearer, makeKey, sendRaw } from './support.ts';

const store = (content: string) => `mutation { createMemory(input: { content: "${content}" }) { userId } }`;
const list = '{ memories { edges { node { content userId similar { memory { userId } } } } } }';

describe.each(['off', 'keys'])('with FUNES_AUTH=%s, an administrator', (auth) => {
  let server: TestServer;
  const credentials = {} as Record<'admin' | 'user' | 'reader', string[]>;
  beforeAll(async () => {
    server = await startTestServer({ settings: { FUNES_AUTH: auth } });
    for (const role of ['admin', 'user', 'reader'] as const) {
      const { key } = await makeKey(server, role, role);
      credentials[role] = ['authorization', bearer(key).authorization];
    }
    for (const userId of ['ana', 'bob'])
      for (const content of ['one', 'two'])
        await server.sql(`insert into memories (user_id, content) values ('${userId}', '${content}')`);
  });
  afterAll(() => server.close());

  const actAs = (user: string, query: string) =>
    sendRaw(server.url, [...credentials.admin, 'x-funes-user', Buffer.from(user).toString('latin1')], query);

  test('has the rows and rights of the user that X-Funes-User names', async () => {
    expect(await actAs('zoe', store('hers'))).toMatchObject({ data: { createMemory: { userId: 'zoe' } } });
    const { data } = await actAs('ana', list);
    expect(JSON.stringify(data)).toContain('"content":"two"');
    expect(new Set(JSON.stringify(data).match(/"userId":"[^"]*"/g))).toEqual(new Set(['"userId":"ana"']));
    expect(
      await actAs('ana', 'mutation { createMemory(input: { content: "x", userId: "bob" }) { id } }'),
    ).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    expect(await actAs('ana', 'mutation { deleteTool(name: "x") }')).toMatchObject({
      errors: [
        {
          message:
            'Only administrators may call deleteTool, and this request acts for a user (X-Funes-User) and has the rights of that user.',
        },
      ],
    });
  });

  test.each(['Ünal', '李雷', 'a, b', '100%', "'; drop table memories; --", '👩‍🚀'])(
    'acts for %s',
    async (user) => {
      expect(await actAs(user, store('x'))).toMatchObject({ data: { createMemory: { userId: user } } });
    },
  );

  test('is logged beside the user', async () => {
    await actAs('ana', 'query Acted { __typename }');
    expect(server.log.at(-1)).toMatchObject({
      operation: 'Acted',
      user: 'ana',
      actor: auth === 'off' ? 'default_user' : 'admin',
    });
  });

  test.each([
    [['x-funes-user', ''], 'BAD_USER_INPUT', 'The header X-Funes-User must not be blank.'],
    [['x-funes-user', '\u00a0'], 'BAD_USER_INPUT', 'The header X-Funes-User is not UTF-8.'],
    [['x-funes-user', 'x'.repeat(101)], 'LIMIT_EXCEEDED', 'The header X-Funes-User has 101 characters'],
    [['x-funes-user', 'a\u00e2\u0080\u00aeb'], 'BAD_USER_INPUT', 'The header X-Funes-User contains U+202E'],
    [['x-funes-user', 'J\u00fcrgen'], 'BAD_USER_INPUT', 'The header X-Funes-User is not UTF-8.'],
    [['x-funes-user', 'a', 'X-Funes-User', 'b'], 'BAD_USER_INPUT', 'The header X-Funes-User was sent twice.'],
  ])('is refused with the headers %j', async (headers, code, message) => {
    const answer = await sendRaw(server.url, [...credentials.admin, ...headers], store('refused'));
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer).toMatchObject({
      errors: [{ message: expect.stringContaining(message), extensions: { code } }],
    });
    expect(await server.sql("select id from memories where content = 'refused'")).toEqual([]);
  });

  if (auth === 'off') return;

  test('cannot pass for the command line in the audit by its name', async () => {
    const { key } = await makeKey(server, 'command line', 'admin');
    const send = (...headers: string[]) =>
      sendRaw(
        server.url,
        ['authorization', bearer(key).authorization, ...headers],
        '{ exportUser(first: 1) { totalCount } }',
      );
    expect(await send('x-funes-user', 'ana')).toMatchObject({
      status: 403,
      errors: [
        {
          message: expect.stringMatching(/^In the audit "command line" is the command line, so /),
          extensions: { code: 'FORBIDDEN' },
        },
      ],
    });
    expect(await send()).toMatchObject({ status: 200 });
    expect(await server.sql("select by_user_id, actor from audit where action = 'USER_EXPORTED'")).toEqual([
      { by_user_id: 'command line', actor: null },
    ]);
  });

  test.each(['user', 'reader'] as const)(
    'is who a %s is not, but everybody may name itself',
    async (role) => {
      expect(await sendRaw(server.url, [...credentials[role], 'x-funes-user', 'ana'], list)).toMatchObject({
        status: 403,
        errors: [
          {
            message: `The header X-Funes-User names "ana", and this request is by "${role}". Only an administrator acts for another user. Leave the header out.`,
            extensions: { code: 'FORBIDDEN' },
          },
        ],
      });
      const own = await sendRaw(server.url, [...credentials[role], 'x-funes-user', role], store('own'));
      // A reader stays a reader.
      if (role === 'user') expect(own).toMatchObject({ data: { createMemory: { userId: role } } });
      else expect(own).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    },
  );

  test('is somebody with a key: without one, the header changes nothing', async () => {
    for (const name of ['ana', '', 'x'.repeat(200)])
      expect(await sendRaw(server.url, ['x-funes-user', name])).toMatchObject({ status: 401 });
  });
});
