import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { FunesError } from '../../../src/errors.ts';
import { byUserOrAddress } from '../../../src/http/rate-limit.ts';
import type { HttpConfig } from '../../../src/http/server.ts';
import { localViewer } from '../../../src/viewer.ts';
import { schemaOf, serveSchema, until } from './served-schema.ts';

const schema = schemaOf('type Query { a: Int }', { a: () => 1 });

/** Sends a request with a Host header, which `fetch` does not allow. */
function getFrom(
  url: string,
  host: string,
  path = '/',
): Promise<{ status: number | undefined; headers: Headers }> {
  return new Promise((resolve, reject) => {
    request(url + path, { headers: { host } }, (response) => {
      const headers = new Headers(response.headers as Record<string, string>);
      resolve({ status: response.statusCode, headers });
      response.resume();
    })
      .on('error', reject)
      .end();
  });
}

test('an answer of the API may do nothing in a browser, and is not framed or guessed at', async () => {
  const server = await serveSchema({ schema });
  const answers = [
    [await server.post({ query: '{ a }' }), 200],
    [await fetch(`${server.url}/nothing`), 404],
    [await fetch(`${server.url}/%zz`), 400],
    [await getFrom(server.url, 'evil.example'), 403],
    [await getFrom(server.url, 'evil.example', '/%zz'), 403],
  ] as const;
  for (const [answer, status] of answers) {
    expect(answer.status).toBe(status);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-security-policy':
        "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
    // The proxy with the certificate decides about this for its domain.
    expect(answer.headers.get('strict-transport-security')).toBeNull();
    expect(answer.headers.get('x-powered-by')).toBeNull();
  }
});

test('a request whose URL cannot be decoded is refused and logged once, and there is no page for it', async () => {
  const server = await serveSchema({ schema });
  for (const method of ['GET', 'POST', 'DELETE'])
    expect(await (await fetch(`${server.url}/%zz`, { method })).json()).toEqual({
      errors: [
        {
          message: "The request cannot be read: '/%zz' is not a valid url component.",
          extensions: { code: 'BAD_USER_INPUT' },
        },
      ],
    });
  await until(() => server.log.length === 3);
  expect(server.log).toMatchObject(
    ['GET', 'POST', 'DELETE'].map((method) => ({ method, status: 400, codes: ['BAD_USER_INPUT'] })),
  );
  expect((await fetch(`${server.url}/unreadable`)).status).toBe(404);
});

test('the page of the Sandbox alone may load from another host, and each page has one policy', async () => {
  const server = await serveSchema({ schema });
  const policyOf = async (path: string) =>
    (await fetch(server.url + path)).headers.get('content-security-policy') ?? '';
  expect(await policyOf('/')).toContain('https://embeddable-sandbox.cdn.apollographql.com');
  expect(await policyOf('/graphiql')).not.toContain('https:');
  expect(await policyOf('/graphql?query={a}')).not.toContain('https:');
  for (const path of ['/', '/graphiql']) expect((await policyOf(path)).match(/default-src/g)).toHaveLength(1);
});

test('a persisted query is refused, as is one by its hash alone', async () => {
  const server = await serveSchema({ schema });
  const extensions = {
    persistedQuery: {
      version: 1,
      sha256Hash: 'ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38',
    },
  };
  for (const body of [{ extensions }, { query: '{ a }', extensions }]) {
    const answer = (await (await server.post(body)).json()) as { errors: object[]; data?: unknown };
    expect(answer.errors).toMatchObject([
      { message: 'PersistedQueryNotSupported', extensions: { code: 'BAD_USER_INPUT' } },
    ]);
    expect(answer.data).toBeUndefined();
  }
});

test('several operations in one body are refused', async () => {
  const server = await serveSchema({ schema });
  const answer = await server.post([{ query: '{ a }' }, { query: '{ a }' }]);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
});

test('/health/live answers everybody, also where nobody is authenticated, and its line is for debug', async () => {
  const refusing = {
    schema,
    createContext: () => Promise.reject(new FunesError('UNAUTHENTICATED', 'This key is not known.')),
  };
  const server = await serveSchema(refusing);
  const answer = await fetch(`${server.url}/health/live`);
  expect([answer.status, await answer.json()]).toEqual([200, { status: 'live' }]);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  await server.post({ query: '{ a }' });
  await until(() => server.log.length > 0);
  expect(server.log.map(({ path }) => path)).toEqual(['/graphql']);

  const talkative = await serveSchema({ ...refusing, level: 'debug' });
  await fetch(`${talkative.url}/health/live`);
  await until(() => talkative.log.some(({ path }) => path === '/health/live'));
});

test('a rate is counted for each name, and one request too many is refused with the time to wait', async () => {
  const users = ['ana', 'ana', 'ana', 'ben', 'ana'];
  const server = await serveSchema({
    schema,
    config: { rateLimit: 3 },
    rateLimitKey: byUserOrAddress,
    createContext: () => ({ viewer: { userId: users.shift() ?? '', role: 'user' } }),
  });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await server.post({ query: '{ a }' })).status);
  expect(statuses).toEqual([200, 200, 200, 200]);

  const refused = await server.post({ query: '{ a }' });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({
    errors: [
      {
        message: expect.stringMatching(
          /^This is request 4 within a minute; at most 3 are allowed \(FUNES_RATE_LIMIT\)\. Try again in \d+ s\.$/,
        ),
        extensions: { code: 'LIMIT_EXCEEDED' },
      },
    ],
  });
  await until(() => server.log.length === 5);
  expect(server.log.at(-1)).toMatchObject({ status: 429, codes: ['LIMIT_EXCEEDED'], user: 'ana' });
});

test.each([
  ['UNAUTHENTICATED', [401, 401, 429, 429]],
  ['FORBIDDEN', [403, 403, 429, 429]],
  ['UNAVAILABLE', [503, 503, 503, 503]],
  ['INTERNAL_SERVER_ERROR', [500, 500, 500, 500]],
] as const)(
  'a request that ends %s counts for its address only if the client is at fault',
  async (code, expected) => {
    const server = await serveSchema({
      schema,
      config: { rateLimit: 2 },
      rateLimitKey: byUserOrAddress,
      createContext: () => Promise.reject(new FunesError(code, 'No.')),
    });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await server.post({ query: '{ a }' })).status);
    expect(statuses).toEqual(expected);
  },
);

test('nobody finds out who a stranger is whose address has sent too many bad keys', async () => {
  let asked = 0;
  const strangers = [true, true, true, true, false, true];
  const server = await serveSchema({
    schema,
    config: { rateLimit: 2 },
    rateLimitKey: byUserOrAddress,
    isStranger: () => strangers.shift() ?? true,
    createContext: () => {
      asked++;
      return strangers.length === 1
        ? { viewer: { userId: 'ana', role: 'user' } }
        : Promise.reject(new FunesError('UNAUTHENTICATED', 'This key is not known.'));
    },
  });
  const statuses: number[] = [];
  for (let i = 0; i < 6; i++) statuses.push((await server.post({ query: '{ a }' })).status);
  expect(statuses).toEqual([401, 401, 429, 429, 200, 429]);
  expect(asked).toBe(3);
});

test('addresses of one network of IPv6 count together, and those of IPv4 apart, however they are written', async () => {
  const server = await serveSchema({
    schema,
    config: { rateLimit: 1, trustProxy: ['127.0.0.1'] },
    rateLimitKey: byUserOrAddress,
    createContext: () => Promise.reject(new FunesError('UNAUTHENTICATED', 'This key is not known.')),
  });
  const statusOf = async (address: string) =>
    (await server.post({ query: '{ a }' }, { 'x-forwarded-for': address })).status;
  expect(await statusOf('2001:db8:1:2::1')).toBe(401);
  expect(await statusOf('2001:db8:1:2:ffff:ffff:ffff:ffff')).toBe(429);
  expect(await statusOf('2001:db8:1:3::1')).toBe(401);
  expect(await statusOf('198.51.100.1')).toBe(401);
  expect(await statusOf('198.51.100.2')).toBe(401);
  expect(await statusOf('::ffff:198.51.100.1')).toBe(429);
});

describe('a request of nobody is refused before its body is read', () => {
  const refusing = (config: Partial<HttpConfig> = {}) =>
    serveSchema({
      schema,
      config,
      createContext: () => Promise.reject(new FunesError('UNAUTHENTICATED', 'This key is not known.')),
    });
  const refusal = {
    errors: [{ message: 'This key is not known.', extensions: { code: 'UNAUTHENTICATED' } }],
  };

  test.each([
    ['is no JSON', '{"query": ', 'application/json'],
    ['is missing', '', 'application/json'],
    ['is of another type', '<x/>', 'application/xml'],
    ['is too large', 'x'.repeat(3_000_000), 'application/json'],
  ])('when it %s', async (_, body, contentType) => {
    const server = await refusing({ bodyLimit: 1024 ** 2 });
    const answer = await server.post(body, { 'content-type': contentType });
    expect([answer.status, await answer.json()]).toEqual([401, refusal]);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('when none of it has arrived, and the connection can be used again', async () => {
    const server = await refusing();
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1').setEncoding('utf8');
    let received = '';
    socket.on('data', (text) => {
      received += text;
    });
    const body = 'x'.repeat(2_000_000);
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    await until(() => received.includes('UNAUTHENTICATED'));
    expect(received).toMatch(/^HTTP\/1.1 401 /);
    received = '';
    socket.write(`${body}GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await until(() => received.includes('"live"') || socket.destroyed);
    expect(received).toMatch(/^HTTP\/1.1 200 /);
    socket.destroy();
  });

  test('but a browser may ask by CORS what it may send, and a person is led to the page', async () => {
    const server = await refusing({ corsOrigins: ['https://app.example.com'] });
    const preflight = await fetch(`${server.url}/graphql`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example.com', 'access-control-request-method': 'POST' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://app.example.com',
    ]);
    const visit = await fetch(`${server.url}/graphql`, { headers: { accept: 'text/html' } });
    expect([visit.status, new URL(visit.url).pathname]).toEqual([200, '/']);
  });
});

test('requests whose body cannot be read count for their user', async () => {
  const server = await serveSchema({
    schema,
    config: { rateLimit: 2 },
    rateLimitKey: byUserOrAddress,
    createContext: () => ({ viewer: { userId: 'ana', role: 'user' } }),
  });
  const statuses: number[] = [];
  for (let i = 0; i < 3; i++) statuses.push((await server.post('{"query": ')).status);
  expect(statuses).toEqual([400, 400, 429]);
});

test('no request is limited without a name, with the rate off, or outside the API', async () => {
  const nameless = await serveSchema({ schema, config: { rateLimit: 1 }, rateLimitKey: () => undefined });
  const off = await serveSchema({ schema, config: { rateLimit: null }, rateLimitKey: byUserOrAddress });
  const named = await serveSchema({ schema, config: { rateLimit: 1 }, rateLimitKey: byUserOrAddress });
  for (let i = 0; i < 3; i++) {
    expect((await nameless.post({ query: '{ a }' })).status).toBe(200);
    expect((await off.post({ query: '{ a }' })).status).toBe(200);
    expect((await fetch(`${named.url}/health/live`)).status).toBe(200);
  }
});

test('X-Forwarded-For counts only from a proxy that FUNES_TRUST_PROXY names', async () => {
  const statusesOf = async (trustProxy: string[], addresses: string[]) => {
    const server = await serveSchema({
      schema,
      config: { rateLimit: 1, trustProxy },
      rateLimitKey: ({ ip }) => ip,
      createContext: () => ({ viewer: localViewer }),
    });
    const statuses: number[] = [];
    for (const address of addresses)
      statuses.push((await server.post({ query: '{ a }' }, { 'x-forwarded-for': address })).status);
    return statuses;
  };
  const addresses = ['198.51.100.1', '198.51.100.2', '198.51.100.1'];
  expect(await statusesOf(['127.0.0.0/8'], addresses)).toEqual([200, 200, 429]);
  expect(await statusesOf([], addresses)).toEqual([200, 429, 429]);
  expect(await statusesOf(['10.0.0.0/8'], addresses)).toEqual([200, 429, 429]);
  // What a client claims before the proxy adds the address that it saw does not count.
  const claimed = ['203.0.113.7, 198.51.100.1', '203.0.113.8, 198.51.100.1'];
  expect(await statusesOf(['127.0.0.1'], claimed)).toEqual([200, 429]);
});
