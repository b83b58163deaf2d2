import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSchema } from '../../../resolvers/schema.ts';
import { rolesFor } from '../../../src/security/access.ts';
import type { ViewerRole } from '../../../src/viewer.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { bearer, makeKey } from './support.ts';

const roles = ['admin', 'user', 'reader'] as const;

/** A mutation that succeeds for whoever may call it, and what only administrators and what users may call. */
interface Case {
  roles: readonly ViewerRole[];
  /** @param id of a memory of the user; of a document, an archived memory or a key where the mutation is about one. */
  call(ids: Ids): string;
}

interface Ids {
  userId: string;
  memory: string;
  archived: string;
  document: string;
  key: string;
  /** A text that no other call has. */
  text: string;
}

const writers = ['admin', 'user'] as const;
const administrators = ['admin'] as const;

/** Written by hand from the documentation of roles, and not from the code. */
const mutations: Record<string, Case> = {
  createMemory: { roles: writers, call: () => 'createMemory(input: { content: "a" }) { id }' },
  createMemories: { roles: writers, call: () => 'createMemories(inputs: [{ content: "a" }]) { id }' },
  updateMemory: {
    roles: writers,
    call: ({ memory }) => `updateMemory(id: "${memory}", input: { content: "b" }) { id }`,
  },
  deleteMemory: { roles: writers, call: ({ memory }) => `deleteMemory(id: "${memory}")` },
  deleteMemories: { roles: writers, call: ({ memory }) => `deleteMemories(ids: ["${memory}"])` },
  deleteMemoriesWhere: {
    roles: writers,
    call: () => 'deleteMemoriesWhere(filters: {}, all: true, dryRun: true) { count }',
  },
  archiveMemories: {
    roles: writers,
    call: () => 'archiveMemories(input: { importanceBelow: 1, dryRun: true }) { count }',
  },
  restoreMemories: { roles: writers, call: ({ archived }) => `restoreMemories(ids: ["${archived}"])` },
  restoreMemoriesWhere: {
    roles: writers,
    call: () => 'restoreMemoriesWhere(filters: {}, all: true, dryRun: true) { count }',
  },
  ingestDocument: {
    roles: writers,
    call: ({ text }) => `ingestDocument(input: { filename: "a.txt", content: "${text}" }) { created }`,
  },
  updateDocument: {
    roles: writers,
    call: ({ document }) => `updateDocument(id: "${document}", input: { filename: "b.txt" }) { id }`,
  },
  deleteDocument: { roles: writers, call: ({ document }) => `deleteDocument(id: "${document}")` },
  deleteDocumentsWhere: {
    roles: writers,
    call: () => 'deleteDocumentsWhere(filters: {}, all: true, dryRun: true) { count }',
  },
  recordToolUse: { roles: writers, call: () => 'recordToolUse(name: "hammer") { usageCount }' },
  registerTools: {
    roles: administrators,
    call: () => 'registerTools(inputs: [{ toolName: "hammer", toolDescription: "Drives nails" }]) { id }',
  },
  deleteTool: { roles: administrators, call: () => 'deleteTool(name: "saw")' },
  createKey: { roles: administrators, call: () => 'createKey(input: { userId: "new" }) { key }' },
  forgetUser: {
    roles: writers,
    call: ({ userId }) => `forgetUser(userId: "${userId}") { memories }`,
  },
  revokeKey: { roles: administrators, call: ({ key }) => `revokeKey(id: "${key}") { id }` },
};

/** Queries that are not for everybody. */
const queries: Record<string, Case> = {
  keys: { roles: administrators, call: () => 'keys { totalCount }' },
  audit: { roles: administrators, call: () => 'audit { totalCount }' },
  integrity: { roles: administrators, call: () => 'integrity { ok }' },
  indexes: { roles: administrators, call: () => 'indexes { name }' },
};

const schema = buildSchema();
let server: TestServer;
const keys = {} as Record<ViewerRole, string>;
let texts = 0;

type Headers = Record<string, string>;
const send = (query: string, headers: Headers) => server.raw(query, {}, headers);

beforeAll(async () => {
  server = await startTestServer({ settings: { FUNES_AUTH: 'keys' } });
  for (const role of roles) keys[role] = (await makeKey(server, role, role)).key;
  await send(
    'mutation { registerTools(inputs: [{ toolName: "hammer", toolDescription: "Drives nails" }]) { id } }',
    bearer(keys.admin),
  );
});
afterAll(() => server.close());

/** Stores, as an administrator, what a call of `userId` is about. */
async function idsOf(userId: string): Promise<Ids> {
  texts++;
  const { data, errors } = (await send(
    `mutation {
      createMemory(input: { content: "a", userId: "${userId}" }) { id }
      archived: createMemory(input: { content: "z", userId: "${userId}" }) { id }
      ingestDocument(input: { filename: "a.txt", content: "stored ${texts}", userId: "${userId}" }) { document { id } }
    }`,
    bearer(keys.admin),
  )) as { data: Record<string, { id: string; document: { id: string } }>; errors?: unknown };
  expect(errors).toBeUndefined();
  const { row } = await makeKey(server, userId);
  return {
    userId,
    memory: data.createMemory?.id ?? '',
    archived: data.archived?.id ?? '',
    document: data.ingestDocument?.document.id ?? '',
    key: row.id,
    text: `new ${texts}`,
  };
}

/** The contents but for the last uses of keys, which are noted at any time. */
const contents = async () => {
  const { api_keys: _noted, ...rest } = await server.contents();
  return { ...rest, keys: await server.sql('select id, revoked_at from api_keys order by id') };
};

test('every mutation is in the table of this test', () => {
  expect(Object.keys(mutations).sort()).toEqual(
    Object.keys(schema.getMutationType()?.getFields() ?? {}).sort(),
  );
});

test('a mutation without a rule stops the start', () => {
  expect(() => rolesFor({ name: 'dropEverything', kind: 'mutation' })).toThrow(
    'does not say who may call the mutation dropEverything',
  );
});

describe.each([
  ['with a key of role admin', 'admin', () => bearer(keys.admin), 'admin'],
  ['with a key of role user', 'user', () => bearer(keys.user), 'user'],
  ['with a key of role reader', 'reader', () => bearer(keys.reader), 'reader'],
  [
    'with an administrator’s key, acting for a user',
    'user',
    () => ({ ...bearer(keys.admin), 'x-funes-user': 'acted' }),
    'acted',
  ],
] as const)('%s', (_, role, headers, userId) => {
  test.each(Object.entries(mutations))(
    '%s is done, or FORBIDDEN without any effect',
    async (name, { roles, call }) => {
      const ids = await idsOf(userId);
      if (name === 'restoreMemories')
        await send(
          `mutation { archiveMemories(input: { filters: { content: { eq: "z" } }, dryRun: false }) { count } }`,
          bearer(keys.admin),
        );
      const before = await contents();
      const answer = await send(`mutation { ${call(ids)} }`, headers());
      if ((roles as readonly string[]).includes(role)) {
        expect(answer.errors).toBeUndefined();
        return;
      }
      expect(answer).toMatchObject({
        errors: [
          {
            message: expect.stringMatching(new RegExp(` may call ${name}, and this request `)),
            extensions: { code: 'FORBIDDEN' },
            path: [name],
          },
        ],
      });
      expect(await contents()).toEqual(before);
    },
  );

  test.each(Object.entries(queries))('%s is answered, or FORBIDDEN', async (_name, { roles, call }) => {
    const { errors } = await send(`{ ${call(await idsOf(userId))} }`, headers());
    if ((roles as readonly string[]).includes(role)) expect(errors).toBeUndefined();
    else expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  });

  test('every other query is answered', async () => {
    for (const owner of [userId, 'somebody']) await idsOf(owner);
    const { data, errors } = (await send(
      `{ memories(first: 200) { totalCount edges { node { userId } } } documents { totalCount } chunks { totalCount } tools { totalCount }
        similarMemories(text: "a") { memory { userId similar { memory { userId } } } } recall(text: "a") { __typename } exportUser { totalCount } }`,
      headers(),
    )) as { data: { similarMemories: { memory: { userId: string } }[] }; errors?: unknown };
    expect(errors).toBeUndefined();
    const users = new Set(JSON.stringify(data).match(/"userId":"[^"]*"/g));
    if (role === 'admin') expect(users.size).toBeGreaterThan(1);
    else expect([...users]).toEqual([`"userId":"${userId}"`]);
  });
});

describe('a user who names another user', () => {
  const asUser = (query: string) => send(query, bearer(keys.user));

  test.each([
    ['createMemory(input: { content: "a", userId: "other" }) { id }', 'input.userId'],
    [
      'createMemories(inputs: [{ content: "a" }, { content: "b", userId: "other" }]) { id }',
      'inputs[1].userId',
    ],
    [
      'ingestDocument(input: { filename: "a.txt", content: "c", userId: "other" }) { created }',
      'input.userId',
    ],
  ])('is refused by %s', async (call, inputPath) => {
    const before = await contents();
    expect(await asUser(`mutation { ${call} }`)).toMatchObject({
      errors: [
        {
          message: `${inputPath} is "other", and this request is by "user". Only an administrator writes rows of other users. Leave it out.`,
          extensions: { code: 'FORBIDDEN' },
        },
      ],
    });
    expect(await contents()).toEqual(before);
  });

  test('may name itself', async () => {
    expect(
      await asUser('mutation { createMemory(input: { content: "a", userId: "user" }) { userId } }'),
    ).toMatchObject({ data: { createMemory: { userId: 'user' } } });
  });

  test('finds nothing by a filter', async () => {
    await idsOf('other');
    expect(
      await asUser(`{ memories(filters: { userId: { eq: "other" } }) { totalCount }
        similarMemories(text: "a", filters: { userId: { eq: "other" } }) { score } }`),
    ).toMatchObject({ data: { memories: { totalCount: 0 }, similarMemories: [] } });
  });
});
