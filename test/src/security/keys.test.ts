import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { clientOf } from '../../../demo/client.ts';
import { startApi } from '../../../src/composition.ts';
import { loadConfig } from '../../../src/config.ts';
import { openPool } from '../../../src/database/pool.ts';
import { createLogger } from '../../../src/log.ts';
import { hashOfKey, revokeKey } from '../../../src/security/keys.ts';
import { localViewer } from '../../../src/viewer.ts';
import { HashEmbedder } from '../../../testkit/hash-embedder.ts';
import { CreateKeyDocument, KeysDocument, RevokeKeyDocument } from '../../generated/operations.ts';
import { openTestDatabase } from '../../support/database.ts';
import { startFreezingProxy } from '../../support/freezing-proxy.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { sharedChunker } from '../../support/shared-chunker.ts';
import { sharedExtractor } from '../../support/shared-extractor.ts';
import { bearer, makeKey, sendRaw, until } from './support.ts';

const refusal =
  'This request has no valid key: it is missing, malformed, unknown, revoked or expired, or was sent twice. Send one key as the ' +
  'header "Authorization: Bearer funes_...".';
const unauthenticated = {
  status: 401,
  errors: [{ message: refusal, extensions: { code: 'UNAUTHENTICATED' } }],
};
const inAnHour = () => new Date(Date.now() + 3_600_000);

/** A server whose requests need a key, and an administrator of it. */
async function startWithKeys(keyCache: string) {
  const server = await startTestServer({
    settings: { FUNES_AUTH: 'keys', FUNES_KEY_CACHE: keyCache },
  });
  const { key: admin } = await makeKey(server, 'root', 'admin');
  const as =
    (key: string) =>
    (query: { toString(): string }, variables: object = {}) =>
      server.raw(query.toString(), variables, bearer(key));
  return { server, as, admin: as(admin) };
}

type Data = Record<string, never> & {
  createKey: { key: string; apiKey: Record<string, string | null> & { id: string } };
  revokeKey: Record<string, string | null>;
  keys: {
    totalCount: number;
    edges: { cursor: string; node: Record<string, string | null> }[];
    pageInfo: { hasNextPage: boolean };
  };
};
const dataOf = (answer: { data?: unknown; errors?: unknown }) => {
  expect(answer.errors).toBeUndefined();
  return answer.data as Data;
};

describe('with a look-up for every request', () => {
  let server: TestServer;
  let as: Awaited<ReturnType<typeof startWithKeys>>['as'];
  let admin: ReturnType<typeof as>;
  beforeAll(async () => {
    ({ server, as, admin } = await startWithKeys('0'));
  });
  afterAll(() => server.close());

  describe('a key', () => {
    test('is shown once, stored as a hash, and recognised by its beginning', async () => {
      const input = { userId: 'ana', role: 'USER', expiresAt: inAnHour().toISOString() };
      const { key, apiKey } = dataOf(await admin(CreateKeyDocument, { input })).createKey;
      expect(key).toMatch(/^funes_[A-Za-z0-9_-]{43}$/);
      expect(apiKey).toMatchObject({ ...input, prefix: key.slice(0, 14), lastUsedAt: null, revokedAt: null });
      const [stored] = await server.sql<{ row: string; hash: string }>(
        'select k::text as row, hash from api_keys k where id = $1',
        [apiKey.id],
      );
      expect(stored?.hash).toBe(hashOfKey(key));
      expect(stored?.row).not.toContain(key.slice(14));

      const listed = dataOf(await admin(KeysDocument)).keys;
      expect(listed.edges[0]?.node).toEqual(apiKey);
      expect(JSON.stringify(listed)).not.toContain(key);
    });

    test('is as random as its length says', async () => {
      const keys = await Promise.all(Array.from({ length: 20 }, () => makeKey(server, 'many')));
      expect(new Set(keys.map(({ key }) => key.slice(6, 14))).size).toBe(20);
      for (const { key } of keys) expect(Buffer.from(key.slice(6), 'base64url')).toHaveLength(32);
    });

    test('names the user and the role of its requests', async () => {
      const { key } = await makeKey(server, 'bea');
      const store = 'mutation { createMemory(input: { content: "mine" }) { userId } }';
      expect(await as(key)(store)).toMatchObject({ status: 200, data: { createMemory: { userId: 'bea' } } });
      const { key: reader } = await makeKey(server, 'bea', 'reader');
      expect(await as(reader)('{ memories { edges { node { content } } } }')).toMatchObject({
        data: { memories: { edges: [{ node: { content: 'mine' } }] } },
      });
      expect(await as(reader)(store)).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    });

    test('is in no line of the log, which names its user', async () => {
      const { key } = await makeKey(server, 'logged');
      await as(key)('query Logged { __typename }');
      await as(`${key.slice(0, -1)}!`)('query Refused { __typename }');
      const lines = server.log.filter(({ msg }) => msg === 'request');
      expect(lines.filter(({ user }) => user === 'logged')).toMatchObject([{ operation: 'Logged' }]);
      expect(lines.at(-1)).toMatchObject({ status: 401, codes: ['UNAUTHENTICATED'] });
      expect(JSON.stringify(server.log)).not.toContain(key.slice(6, 30));
    });
  });

  describe('a request is refused before anything of it runs', () => {
    const refused = async (headers: string[], statements = 0) => {
      const before = await server.sql('select count(*) from memories');
      const sent = await server.statementsOf(async () => {
        const answer = await sendRaw(
          server.url,
          headers,
          'mutation { createMemory(input: { content: "written" }) { id } }',
        );
        expect(answer).toMatchObject(unauthenticated);
        expect(answer.headers['www-authenticate']).toBe('Bearer');
      });
      // The last use of a good key, which was sent before, may be noted at any time.
      expect(sent.filter(({ text }) => !text.startsWith('update "api_keys"'))).toHaveLength(statements);
      expect(await server.sql('select count(*) from memories')).toEqual(before);
    };
    const good = async () => `Bearer ${(await makeKey(server, 'cy')).key}`;

    test('without a key', () => refused([]));
    test.each([
      ['another scheme', (key: string) => key.replace('Bearer', 'Basic')],
      ['no scheme', (key: string) => key.replace('Bearer ', '')],
      ['a key that is cut off', (key: string) => key.slice(0, -1)],
      ['a key with more behind it', (key: string) => `${key}A`],
      ['two keys in one header', (key: string) => `${key}, ${key}`],
      ['nothing behind the scheme', () => 'Bearer '],
      ['megabytes', (key: string) => key + 'x'.repeat(8000)],
    ])('with %s, which is not even looked up', async (_, change) => {
      const key = await good();
      expect(await sendRaw(server.url, ['authorization', key])).toMatchObject({ status: 200 });
      await refused(['authorization', change(key)]);
    });

    test('with a key that was sent twice, even if both are good', async () => {
      const key = await good();
      await refused(['authorization', key, 'Authorization', key]);
      await refused(['authorization', key, 'authorization', 'Bearer x']);
    });

    test('with an unknown key', () => refused(['authorization', `Bearer funes_${'A'.repeat(43)}`], 1));

    test('with a revoked key', async () => {
      const { key, row } = await makeKey(server, 'dan');
      expect(await as(key)('{ __typename }')).toMatchObject({ status: 200 });
      await admin(RevokeKeyDocument, { id: row.id });
      await refused(['authorization', `Bearer ${key}`], 1);
    });

    test('with an expired key', async () => {
      const { key, row } = await makeKey(server, 'eve', 'user', inAnHour());
      expect(await as(key)('{ __typename }')).toMatchObject({ status: 200 });
      await server.sql(
        `update api_keys set expires_at = now() - interval '1 millisecond' where id = ${row.id}`,
      );
      await refused(['authorization', `Bearer ${key}`], 1);
    });
  });

  test('the demo’s client sends its key, and says what to set without one', async () => {
    const { key } = await makeKey(server, 'demo', 'admin');
    const url = `${server.url}/graphql`;
    expect(await clientOf(url, key).send('{ __typename }')).toEqual({ __typename: 'Query' });
    await expect(clientOf(url).send('{ __typename }')).rejects.toThrow(
      'Set FUNES_API_KEY to the key of an administrator.',
    );
  });

  test('the scheme may be written in any case', async () => {
    const { key } = await makeKey(server, 'fay');
    expect(await sendRaw(server.url, ['AUTHORIZATION', `bearer  ${key}`])).toMatchObject({ status: 200 });
  });

  test.each(['/', '/graphiql'])('the page %s needs no key', async (path) => {
    expect((await fetch(server.url + path)).status).toBe(200);
  });

  test('every look-up is a statement that is not kept', async () => {
    const { key } = await makeKey(server, 'gus');
    await as(key)('{ __typename }');
    const sent = await server.statementsOf(async () => {
      for (let i = 0; i < 3; i++) await as(key)('{ __typename }');
    });
    expect(sent.filter(({ text }) => text.includes('funes_key'))).toHaveLength(3);
  });

  test('a look-up can see no row of anybody', async () => {
    const { key } = await makeKey(server, 'hal');
    const [look] = await server.statementsOf(() => as(key)('{ __typename }'));
    expect(look?.settings).toMatch(
      /^begin read only; set local role funes_app; select set_config\('funes.user'/,
    );
    expect(look?.parameters).toEqual([hashOfKey(key)]);
  });

  describe('administrators', () => {
    test('read the list in pages, newest first, revoked keys too', async () => {
      const made = [];
      for (const name of ['one', 'two', 'three']) made.push(await makeKey(server, name, 'reader'));
      await admin(RevokeKeyDocument, { id: made[1]?.row.id });
      const first = dataOf(await admin(KeysDocument, { first: 2 })).keys;
      expect(first.edges.map(({ node }) => node.userId)).toEqual(['three', 'two']);
      expect(first.edges.map(({ node }) => node.revokedAt !== null)).toEqual([false, true]);
      expect(first.pageInfo.hasNextPage).toBe(true);
      const second = dataOf(await admin(KeysDocument, { first: 1, after: first.edges[1]?.cursor })).keys;
      expect(second.edges[0]?.node).toMatchObject({ userId: 'one', role: 'READER' });
      expect(second.totalCount).toBe(first.totalCount);
    });

    test('revoke a key once and for ever', async () => {
      const { row } = await makeKey(server, 'ida');
      const { revokedAt } = dataOf(await admin(RevokeKeyDocument, { id: row.id })).revokeKey;
      expect(revokedAt).not.toBeNull();
      expect(dataOf(await admin(RevokeKeyDocument, { id: row.id })).revokeKey.revokedAt).toBe(revokedAt);
    });

    test.each([
      ['99999999', 'NOT_FOUND', 'There is no key with id "99999999".'],
      ['x', 'BAD_USER_INPUT', 'id must be an id, a whole number like "42", not "x".'],
    ])('cannot revoke the key %s', async (id, code, message) => {
      expect(await admin(RevokeKeyDocument, { id })).toMatchObject({
        errors: [{ message, extensions: { code } }],
      });
    });

    test.each([
      [{ userId: ' ' }, 'BAD_USER_INPUT', 'input.userId must not be blank.'],
      [
        { userId: 'a\u202eb' },
        'BAD_USER_INPUT',
        'input.userId contains U+202E, which does not show in a name: "a\\u202eb". Remove it.',
      ],
      [{ userId: ' ana' }, 'BAD_USER_INPUT', 'input.userId begins or ends with a blank: " ana". Remove it.'],
      [
        { userId: 'x'.repeat(101) },
        'LIMIT_EXCEEDED',
        'input.userId has 101 characters; at most 100 are allowed.',
      ],
      [
        { userId: 'x', expiresAt: '2020-01-01T00:00:00Z' },
        'BAD_USER_INPUT',
        'input.expiresAt must be in the future.',
      ],
      [
        { userId: 'x', role: 'OWNER' },
        'BAD_USER_INPUT',
        expect.stringContaining('"OWNER" does not exist in "UserRole" enum'),
      ],
    ])('cannot make the key %j', async (input, code, message) => {
      const before = await server.sql('select count(*) from api_keys');
      expect(await admin(CreateKeyDocument, { input })).toMatchObject({
        errors: [{ message, extensions: { code } }],
      });
      expect(await server.sql('select count(*) from api_keys')).toEqual(before);
    });
  });
});

describe('with answers that are kept', () => {
  const lookUps = (sent: readonly { text: string }[]) =>
    sent.filter(({ text }) => text.includes('funes_key')).length;

  test('requests share one look-up, of unknown keys too', async () => {
    const { server, as } = await startWithKeys('5min');
    onTestFinished(() => server.close());
    const { key } = await makeKey(server, 'ana');
    for (const [name, status] of [
      [key, 200],
      [`funes_${'B'.repeat(43)}`, 401],
    ] as const) {
      const sent = await server.statementsOf(async () => {
        const answers = await Promise.all(Array.from({ length: 20 }, () => as(name)('{ __typename }')));
        answers.push(await as(name)('{ __typename }'));
        expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => status));
      });
      expect(lookUps(sent)).toBe(1);
    }
  });

  test('a revoked key is refused as soon as the answer is as old as FUNES_KEY_CACHE', async () => {
    const { server, as } = await startWithKeys('300ms');
    onTestFinished(() => server.close());
    const { key, row } = await makeKey(server, 'ana');
    expect(await as(key)('{ __typename }')).toMatchObject({ status: 200 });
    await revokeKey(server.database.pool, localViewer, row.id);
    const revokedAt = performance.now();
    // Each request begins before its answer, so the last one that was let in began in time.
    let lastLetIn = 0;
    await until(
      async () => {
        const began = performance.now();
        const { status } = await as(key)('{ __typename }');
        if (status === 200) lastLetIn = began;
        return status;
      },
      (status) => status === 401,
    );
    expect(lastLetIn - revokedAt).toBeLessThan(300);
  });

  test('a key that expires meanwhile is refused', async () => {
    const { server, as } = await startWithKeys('5min');
    onTestFinished(() => server.close());
    const { key, row } = await makeKey(server, 'ana', 'user', inAnHour());
    await server.sql(
      `update api_keys set expires_at = now() + interval '400 milliseconds' where id = ${row.id}`,
    );
    const sent = await server.statementsOf(() =>
      until(
        () => as(key)('{ __typename }'),
        ({ status }) => status === 401,
      ),
    );
    expect(lookUps(sent)).toBe(1);
  });
});

describe('the last use of a key', () => {
  const lastUse = async (server: TestServer, id: string) =>
    (
      await server.sql<{ at: string | null }>(
        `select last_used_at::text as at from api_keys where id = ${id}`,
      )
    )[0]?.at;

  test('is written once a minute, by all servers together', async () => {
    const { server, as } = await startWithKeys('0');
    onTestFinished(() => server.close());
    const { key, row } = await makeKey(server, 'ana');
    const sent = await server.statementsOf(async () => {
      for (let i = 0; i < 5; i++) await as(key)('{ __typename }');
      await until(
        () => lastUse(server, row.id),
        (at) => at !== null,
      );
    });
    expect(sent.filter(({ text }) => text.startsWith('update "api_keys"'))).toHaveLength(1);

    const config = loadConfig({ env: { PORT: '0', FUNES_AUTH: 'keys' }, envFile: '/nowhere/.env' });
    const noted = await lastUse(server, row.id);
    const useOnAnotherServer = async () => {
      const { pool } = server.database;
      const log = createLogger({ level: 'silent' });
      const services = {
        database: pool,
        embedder: new HashEmbedder(),
        extractor: sharedExtractor,
        chunker: sharedChunker,
        log,
      };
      const other = await startApi(config, services);
      await sendRaw(other.url, ['authorization', `Bearer ${key}`]);
      await other.close({ graceMs: 0 });
    };
    await useOnAnotherServer();
    expect(await lastUse(server, row.id)).toBe(noted);
    await server.sql(`update api_keys set last_used_at = now() - interval '61 seconds' where id = ${row.id}`);
    const old = await lastUse(server, row.id);
    await useOnAnotherServer();
    await until(
      () => lastUse(server, row.id),
      (at) => at !== old,
    );
  });

  // The embedded database has one connection, and nobody else who could lock the row.
  test.runIf(inject('databaseTemplate').engine === 'postgres')(
    'delays nobody while its row is locked',
    async () => {
      const { server, as } = await startWithKeys('0');
      onTestFinished(() => server.close());
      const { key, row } = await makeKey(server, 'ana');
      const connection = await server.database.pool.reserve();
      await connection.unsafe(`begin; select from api_keys where id = ${row.id} for update`);
      expect(await as(key)('{ __typename }')).toMatchObject({ status: 200 });
      await connection.unsafe('rollback');
      connection.release();
    },
  );
});

test('a database that is down makes requests UNAVAILABLE, with good and with unknown keys', async () => {
  const database = await openTestDatabase();
  const proxy = await startFreezingProxy(database.database);
  const pool = openPool({ database: proxy.url, poolSize: 1 });
  const config = loadConfig({
    env: { PORT: '0', FUNES_AUTH: 'keys', FUNES_KEY_CACHE: '0' },
    envFile: '/nowhere/.env',
  });
  const log = createLogger({ level: 'silent' });
  const api = await startApi(config, {
    database: pool,
    embedder: new HashEmbedder(),
    extractor: sharedExtractor,
    chunker: sharedChunker,
    log,
  });
  onTestFinished(async () => {
    await api.close({ graceMs: 0 });
    await pool.close();
    await database.close();
  });
  const { key } = await makeKey({ database: { ...database, pool } }, 'ana');
  expect(await sendRaw(api.url, ['authorization', `Bearer ${key}`])).toMatchObject({ status: 200 });
  await proxy.close();
  for (const sent of [key, `funes_${'C'.repeat(43)}`]) {
    expect(await sendRaw(api.url, ['authorization', `Bearer ${sent}`])).toMatchObject({
      status: 503,
      errors: [{ extensions: { code: 'UNAVAILABLE' } }],
    });
  }
});

describe('bad keys from one address', () => {
  const start = async (settings: Record<string, string>) => {
    const server = await startTestServer({
      settings: { FUNES_AUTH: 'keys', FUNES_KEY_CACHE: '0', FUNES_RATE_LIMIT: '5', ...settings },
    });
    onTestFinished(() => server.close());
    return server;
  };
  const invented = (i: number) => `funes_${String(i).padStart(43, '0')}`;

  test('cost the database no more than the rate allows, and good keys that were seen before work on', async () => {
    const server = await start({});
    const statusOf = async (key: string) => (await server.raw('{ __typename }', {}, bearer(key))).status;
    const [ana, bob] = [(await makeKey(server, 'ana')).key, (await makeKey(server, 'bob')).key];
    expect(await statusOf(ana)).toBe(200);
    const statements = await server.statementsOf(async () => {
      const statuses: number[] = [];
      for (let i = 0; i < 12; i++) statuses.push(await statusOf(invented(i)));
      expect(statuses).toEqual([...Array(5).fill(401), ...Array(7).fill(429)]);
    });
    expect(statements.filter(({ text }) => text.includes('funes_key'))).toHaveLength(5);
    expect(await statusOf(ana)).toBe(200);
    // The price: a key that this server has not seen cannot be told from an invented one.
    expect(await statusOf(bob)).toBe(429);
  });

  test('are not counted while the database does not answer', async () => {
    const server = await start({});
    const { key } = await makeKey(server, 'ana');
    await server.database.pool.close();
    for (let i = 0; i < 8; i++)
      expect(await server.raw('{ __typename }', {}, bearer(key))).toMatchObject({
        status: 503,
        errors: [{ extensions: { code: 'UNAVAILABLE' } }],
      });
  });
});
