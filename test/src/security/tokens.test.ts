import { createHmac, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../../src/config.ts';
import { describeAccess } from '../../../src/security/authenticate.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { bearer, sendRaw } from './support.ts';

const whoAmI = 'mutation { createMemory(input: { content: "mine" }) { userId } }';
const secret = 'a secret that is long enough for HS256, and for HS512, which wants more';
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const seconds = () => Math.floor(Date.now() / 1000);

function startWithTokens(settings: Record<string, string>): Promise<TestServer> {
  return startTestServer({ settings: { FUNES_AUTH: 'jwt', ...settings } });
}

const refusedBecause = (reason: string) => ({
  status: 401,
  errors: [{ message: `The token is not valid: ${reason}.`, extensions: { code: 'UNAUTHENTICATED' } }],
});

const missing = {
  status: 401,
  errors: [
    {
      message:
        'This request has no token, or not exactly one. Send it as the header "Authorization: Bearer TOKEN".',
      extensions: { code: 'UNAUTHENTICATED' },
    },
  ],
};

describe('tokens that are checked with a secret', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startWithTokens({
      FUNES_JWT_SECRET: secret,
      FUNES_JWT_ISSUER: 'https://login.example.com',
      FUNES_JWT_AUDIENCE: 'funes',
      FUNES_JWT_CLOCK_SKEW: '10s',
      FUNES_JWT_ROLE_CLAIM: 'https://example.com/role',
    });
  });
  afterAll(() => server.close());

  const claims = { iss: 'https://login.example.com', aud: 'funes', sub: 'ana', exp: seconds() + 3600 };
  const sign = (payload: JWTPayload, { alg = 'HS256', by = secret } = {}) =>
    new SignJWT(payload).setProtectedHeader({ alg }).sign(Buffer.from(by));
  const send = (token: string, query = whoAmI) => server.raw(query, {}, bearer(token));

  test.each(['ana', 'Ünal', '李雷', 'x'.repeat(100), "'; drop table memories; --"])(
    'name the user %s',
    async (sub) => {
      expect(await send(await sign({ ...claims, sub }))).toMatchObject({
        data: { createMemory: { userId: sub } },
      });
    },
  );

  test('may have several audiences, and expire in the future', async () => {
    const payload = { ...claims, aud: ['other', 'funes'], exp: seconds() + 60, nbf: seconds() - 60 };
    expect(await send(await sign(payload))).toMatchObject({
      status: 200,
      data: { createMemory: { userId: 'ana' } },
    });
  });

  test.each([
    ['admin', 'done'],
    ['user', 'Only administrators'],
    ['reader', 'Only administrators'],
    [undefined, 'Only administrators'],
  ])('have the role %s', async (role, expected) => {
    const token = await sign({ ...claims, ...(role && { 'https://example.com/role': role }) });
    const { data, errors } = await send(token, 'mutation { deleteTool(name: "x") }');
    expect(errors?.[0]?.message ?? (data && 'done')).toContain(expected);
    const { errors: writing } = await send(token);
    if (role === 'reader') expect(writing).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    else expect(writing).toBeUndefined();
  });

  test.each([['owner'], ['Admin'], [''], [null], [1], [['admin']], [{ admin: true }]])(
    'with the role %j are refused',
    async (role) => {
      expect(await send(await sign({ ...claims, 'https://example.com/role': role }))).toMatchObject(
        refusedBecause('its claim "https://example.com/role" must be one of admin, user, reader'),
      );
    },
  );

  test('with the role in a claim of another name are a user', async () => {
    const token = await sign({ ...claims, role: 'admin' });
    expect(await send(token, 'mutation { deleteTool(name: "x") }')).toMatchObject({
      errors: [{ extensions: { code: 'FORBIDDEN' } }],
    });
  });

  test.each<[string, JWTPayload, string]>([
    ['expired', { exp: seconds() - 3600 }, 'it has expired'],
    ['without an end', { exp: undefined } as never, 'it does not say when it expires (exp)'],
    ['expired a little more than the clocks may differ', { exp: seconds() - 12 }, 'it has expired'],
    ['not valid yet', { nbf: seconds() + 3600 }, 'it is not valid yet (nbf)'],
    ['for another audience', { aud: 'other' }, 'it is for another audience (aud)'],
    ['for no audience', { aud: undefined } as never, 'it is for another audience (aud)'],
    ['of another issuer', { iss: 'https://evil.example' }, 'it is of another issuer (iss)'],
    ['of nobody', { sub: undefined } as never, 'it names no user (sub)'],
    ['of a number', { sub: 7 } as never, 'it names no user (sub)'],
    ['of a list', { sub: ['ana'] } as never, 'it names no user (sub)'],
    ['of a blank user', { sub: ' ' }, 'the user (sub) must not be blank'],
    ['of an empty user', { sub: '' }, 'the user (sub) must not be blank'],
    [
      'of a name in two lines',
      { sub: 'a\nb' },
      'the user (sub) contains U+000A, which does not show in a name: "a\\nb". Remove it',
    ],
    [
      'of a name with a blank',
      { sub: 'ana ' },
      'the user (sub) begins or ends with a blank: "ana ". Remove it',
    ],
    [
      'of a user that is too long',
      { sub: 'x'.repeat(101) },
      'the user (sub) has 101 characters; at most 100 are allowed',
    ],
    [
      'of a user that cannot be stored',
      { sub: 'a\0b' },
      'the user (sub) contains a NUL character (U+0000): "a\\u0000b". Remove it',
    ],
  ])('that are %s are refused', async (_, change, reason) => {
    expect(await send(await sign({ ...claims, ...change }))).toMatchObject(refusedBecause(reason));
  });

  test('that expired a moment ago pass, because clocks differ', async () => {
    expect(await send(await sign({ ...claims, exp: seconds() - 2 }))).toMatchObject({ status: 200 });
  });

  test('signed with another secret, or changed, are refused', async () => {
    expect(await send(await sign(claims, { by: `${secret}!` }))).toMatchObject(
      refusedBecause('its signature is wrong'),
    );
    const [header, , signature] = (await sign(claims)).split('.');
    expect(await send(`${header}.${encoded({ ...claims, sub: 'root' })}.${signature}`)).toMatchObject(
      refusedBecause('its signature is wrong'),
    );
  });

  test.each(['none', 'None', 'NONE'])('with the algorithm %s are refused', async (alg) => {
    for (const signature of ['', 'x']) {
      const answer = await sendRaw(server.url, [
        'authorization',
        `Bearer ${encoded({ alg, typ: 'JWT' })}.${encoded(claims)}.${signature}`,
      ]);
      expect(answer).toMatchObject({ status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    }
  });

  test('with an algorithm that is not allowed are refused, even with the right secret', async () => {
    const token = await sign(claims, { alg: 'HS512' });
    expect(await send(token)).toMatchObject(
      refusedBecause('it is signed with an algorithm that FUNES_JWT_ALGORITHMS does not allow'),
    );
  });

  test.each(['x', 'a.b', 'a.b.c', 'e30.e30.', `${'a'.repeat(5000)}.b.c`, `funes_${'A'.repeat(43)}`])(
    'like %s are malformed',
    async (token) => {
      expect(await send(token)).toMatchObject({
        status: 401,
        errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
      });
    },
  );

  test('that are missing or sent twice are refused', async () => {
    const token = await sign(claims);
    expect(await sendRaw(server.url, [])).toMatchObject({
      ...missing,
      headers: { 'www-authenticate': 'Bearer' },
    });
    const twice = ['authorization', `Bearer ${token}`, 'authorization', `Bearer ${token}`];
    expect(await sendRaw(server.url, twice)).toMatchObject(missing);
    expect(await sendRaw(server.url, ['authorization', `Bearer ${token} ${token}`])).toMatchObject(missing);
  });

  test('are in no line of the log', async () => {
    const token = await sign({ ...claims, sub: 'logged' });
    await send(token);
    await send(`${token}x`);
    expect(server.log.at(-2)).toMatchObject({ user: 'logged' });
    expect(JSON.stringify(server.log)).not.toContain(token.slice(-20));
  });
});

interface Jwks {
  url: string;
  keys: JWK[];
  /** How often it was fetched. */
  fetches: number;
  close(): Promise<void>;
}

/** Serves a JWKS on loopback, as an identity provider does. */
async function serveJwks(...keys: JWK[]): Promise<Jwks> {
  const server: Server = createServer((_request, response) => {
    jwks.fetches++;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: jwks.keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const jwks: Jwks = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    keys,
    fetches: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return jwks;
}

async function makePair(kid: string, alg = 'ES256') {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const sign = (payload: JWTPayload = { sub: 'ana' }, header: object = { kid }) =>
    new SignJWT({ exp: seconds() + 3600, ...payload })
      .setProtectedHeader({ alg, ...header })
      .sign(privateKey);
  return { publicKey, sign, jwk: { ...(await exportJWK(publicKey)), kid, alg } satisfies JWK };
}

describe('tokens that are checked with a JWKS', () => {
  async function start(jwks: Jwks, settings: Record<string, string> = {}) {
    const server = await startWithTokens({ FUNES_JWT_JWKS_URL: jwks.url, ...settings });
    onTestFinished(async () => {
      await server.close();
      await jwks.close();
    });
    return (token: string) => server.raw(whoAmI, {}, bearer(token));
  }

  test.each(['RS256', 'PS512', 'ES384', 'EdDSA'])('may be signed with %s', async (alg) => {
    const pair = await makePair('one', alg);
    const send = await start(await serveJwks(pair.jwk));
    expect(await send(await pair.sign())).toMatchObject({ data: { createMemory: { userId: 'ana' } } });
  });

  test('make one fetch, for many at once and later', async () => {
    const pair = await makePair('one');
    const jwks = await serveJwks(pair.jwk);
    const send = await start(jwks);
    const token = await pair.sign();
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(token)));
    answers.push(await send(await pair.sign({ sub: 'bob' })));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(jwks.fetches).toBe(1);
  });

  test('are accepted by a new key soon after a rotation, and no longer by the old one', async () => {
    const [before, after] = [await makePair('before'), await makePair('after')];
    const jwks = await serveJwks(before.jwk);
    const send = await start(jwks);
    expect(await send(await before.sign())).toMatchObject({ status: 200 });
    jwks.keys = [after.jwk];
    const token = await after.sign();
    while ((await send(token)).status !== 200);
    expect(jwks.fetches).toBe(2);
    expect(await send(await before.sign())).toMatchObject(
      refusedBecause('the key that signed it is not known'),
    );
  });

  test('of unknown keys are refused, and many make few fetches', async () => {
    const [known, unknown] = [await makePair('known'), await makePair('unknown')];
    const jwks = await serveJwks(known.jwk);
    const send = await start(jwks);
    const began = performance.now();
    for (let i = 0; i < 20; i++)
      expect(await send(await unknown.sign({ sub: 'ana' }, { kid: `invented ${i}` }))).toMatchObject(
        refusedBecause('the key that signed it is not known'),
      );
    expect(jwks.fetches).toBeLessThanOrEqual(2 + (performance.now() - began) / 1000);
    // Its name alone makes no key known.
    expect(await send(await unknown.sign({ sub: 'ana' }, { kid: 'known' }))).toMatchObject(
      refusedBecause('its signature is wrong'),
    );
  });

  test('that use the public key as a secret are refused (key confusion)', async () => {
    const pair = await makePair('one', 'RS256');
    const jwks = await serveJwks(pair.jwk);
    const send = await start(jwks);
    const head = `${encoded({ alg: 'HS256', kid: 'one' })}.${encoded({ sub: 'root', role: 'admin', exp: seconds() + 3600 })}`;
    for (const form of [await exportSPKI(pair.publicKey), JSON.stringify(pair.jwk), pair.jwk.n ?? ''])
      expect(
        await send(`${head}.${createHmac('sha256', form).update(head).digest('base64url')}`),
      ).toMatchObject(
        refusedBecause('it is signed with an algorithm that FUNES_JWT_ALGORITHMS does not allow'),
      );
    // Refused before anything is fetched.
    expect(jwks.fetches).toBe(0);
  });

  test('cannot bring their own key', async () => {
    const [known, own] = [await makePair('known'), await makePair('own')];
    const send = await start(await serveJwks(known.jwk));
    for (const header of [{ jwk: own.jwk }, { jwk: own.jwk, kid: 'known' }, { jku: 'http://127.0.0.1:1/' }])
      expect(await send(await own.sign({ sub: 'root' }, header))).toMatchObject({ status: 401 });
  });

  test('of an algorithm beside the list are refused', async () => {
    const pair = await makePair('one', 'RS256');
    const send = await start(await serveJwks(pair.jwk), { FUNES_JWT_ALGORITHMS: 'ES256,EdDSA' });
    expect(await send(await pair.sign())).toMatchObject(
      refusedBecause('it is signed with an algorithm that FUNES_JWT_ALGORITHMS does not allow'),
    );
  });

  test.each([
    ['cannot be reached', (jwks: Jwks) => jwks.close()],
    ['is no JWKS', (jwks: Jwks) => void Object.assign(jwks, { keys: 'none' })],
  ])('are UNAVAILABLE while the JWKS %s, and never UNAUTHENTICATED', async (_, spoil) => {
    const pair = await makePair('one');
    const jwks = await serveJwks(pair.jwk);
    const send = await start(jwks);
    await spoil(jwks);
    expect(await send(await pair.sign())).toMatchObject({
      status: 503,
      errors: [
        {
          message:
            'The keys that tokens are checked with (FUNES_JWT_JWKS_URL) cannot be read. Try again in a few seconds.',
          extensions: { code: 'UNAVAILABLE' },
        },
      ],
    });
  });

  test('are accepted while the JWKS cannot be reached, if its keys were read before', async () => {
    const pair = await makePair('one');
    const jwks = await serveJwks(pair.jwk);
    const send = await start(jwks);
    expect(await send(await pair.sign())).toMatchObject({ status: 200 });
    await jwks.close();
    expect(await send(await pair.sign({ sub: 'bob' }))).toMatchObject({
      data: { createMemory: { userId: 'bob' } },
    });
  });
});

test('a secret of 64 random bytes in hex works for every HS algorithm', async () => {
  const long = randomBytes(64).toString('hex');
  const server = await startWithTokens({
    FUNES_JWT_SECRET: long,
    FUNES_JWT_ALGORITHMS: 'HS256, HS384,HS512',
  });
  onTestFinished(() => server.close());
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    const token = await new SignJWT({ sub: alg, exp: seconds() + 60 })
      .setProtectedHeader({ alg })
      .sign(Buffer.from(long));
    expect(await server.raw(whoAmI, {}, bearer(token))).toMatchObject({
      data: { createMemory: { userId: alg } },
    });
  }
});

test.each([
  [{}, '. NOT checked: issuer (FUNES_JWT_ISSUER is not set), audience (FUNES_JWT_AUDIENCE is not set)'],
  [{ FUNES_JWT_ISSUER: 'https://i' }, '. NOT checked: audience (FUNES_JWT_AUDIENCE is not set)'],
  [{ FUNES_JWT_AUDIENCE: 'funes' }, '. NOT checked: issuer (FUNES_JWT_ISSUER is not set)'],
  [{ FUNES_JWT_ISSUER: 'https://i', FUNES_JWT_AUDIENCE: 'funes' }, ''],
])('the start of the server says what of tokens is not checked with %j', (settings, line) => {
  const env = { FUNES_AUTH: 'jwt', FUNES_JWT_SECRET: secret, ...settings };
  expect(describeAccess(loadConfig({ env, envFile: '/nowhere/.env' }))).toBe(
    `by token (Authorization: Bearer ...), checked with FUNES_JWT_SECRET${line}`,
  );
});
