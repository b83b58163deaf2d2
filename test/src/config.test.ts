import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeDatabaseUrl } from '../../src/config/database-url.ts';
import { clientKey, loadConfig, settingNames } from '../../src/config.ts';
import { FunesError } from '../../src/errors.ts';

let folder: string;
let envFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'funes-config-'));
  envFile = join(folder, 'none.env');
});
afterAll(() => rm(folder, { recursive: true }));

const load = (env: Record<string, string>) => loadConfig({ env, envFile });

function refusal(env: Record<string, string>, file = envFile): string {
  try {
    loadConfig({ env, envFile: file });
  } catch (error) {
    if (error instanceof FunesError) return error.message;
    throw error;
  }
  throw new Error(`These settings were accepted: ${JSON.stringify(env)}`);
}

describe('defaults', () => {
  test('nothing set gives a server on loopback with the embedded database in .funes', () => {
    expect(load({})).toEqual({
      host: '127.0.0.1',
      port: 4000,
      databaseUrl: undefined,
      migrateUrl: undefined,
      allowSuperuser: false,
      dataDir: resolve('.funes'),
      poolSize: 10,
      databaseConnectTimeout: 30_000,
      statementTimeout: 60_000,
      writeWait: 60_000,
      preparedStatements: 'auto',
      embeddingModel: undefined,
      auth: 'off',
      keyCache: 1000,
      jwt: {
        secret: undefined,
        jwksUrl: undefined,
        algorithms: expect.arrayContaining(['RS256', 'ES256', 'EdDSA']),
        issuer: undefined,
        audience: undefined,
        clockSkew: 30_000,
        roleClaim: 'role',
      },
      corsOrigins: ['https://studio.apollographql.com'],
      allowedHosts: [],
      costLimit: 50_000,
      rateLimit: 6_000,
      quota: undefined,
      trustProxy: [],
      bodyLimit: 20 * 1024 * 1024,
      introspection: true,
      metrics: 'loopback',
      logLevel: 'info',
    });
  });

  test('.env.example names every setting, and what it shows as default is the default', async () => {
    const example = await readFile(new URL('../../.env.example', import.meta.url), 'utf8');
    const uncommented = example.replaceAll(/^# ([A-Z_]+=)/gm, '$1');
    const file = join(folder, 'example.env');
    await writeFile(file, uncommented.replace(/^DATABASE_URL=.*$/m, ''));

    for (const name of settingNames) expect(uncommented).toMatch(new RegExp(`^${name}=`, 'm'));
    expect(loadConfig({ env: {}, envFile: file })).toEqual(load({}));
  });
});

describe('sources', () => {
  test('.env is read, and the environment wins over it, also with a blank value', async () => {
    const file = join(folder, 'some.env');
    await writeFile(file, 'PORT=5001\nFUNES_POOL_SIZE=3\nFUNES_DATA_DIR="/srv/my memories"\n');

    const config = loadConfig({ env: { PORT: '5002', FUNES_POOL_SIZE: ' ' }, envFile: file });
    expect(config).toMatchObject({ port: 5002, poolSize: 10, dataDir: '/srv/my memories' });
  });

  test('a .env that cannot be read stops the start', () => {
    expect(refusal({}, folder)).toContain(`The settings file ${folder} cannot be read`);
  });

  test('variables of other programs are none of our business', () => {
    expect(load({ PATH: '/bin', DATABASE_URI: 'x', FUNES_BENCH_DATA: '/data' })).toEqual(load({}));
  });
});

describe('forms', () => {
  test.each([
    [{ PORT: '0' }, { port: 0 }],
    [{ PORT: ' 65535 ' }, { port: 65_535 }],
    [{ HOST: 'LocalHost' }, { host: 'localhost' }],
    [{ HOST: '[::1]' }, { host: '::1' }],
    [{ HOST: '127.8.9.10' }, { host: '127.8.9.10' }],
    [
      { HOST: '0.0.0.0', FUNES_AUTH: 'Keys' },
      { host: '0.0.0.0', auth: 'keys' },
    ],
    [{ FUNES_KEY_CACHE: '0' }, { keyCache: 0 }],
    [
      { DATABASE_URL: 'postgres:///funes?host=/run/postgresql' },
      { databaseUrl: 'postgres:///funes?host=/run/postgresql' },
    ],
    [
      { DATABASE_URL: 'postgres://u:p%40ss@one:1,two:2/d' },
      { databaseUrl: 'postgres://u:p%40ss@one:1,two:2/d' },
    ],
    [
      { DATABASE_URL: 'postgres://app@pooler:6432/d', FUNES_MIGRATE_URL: 'postgres://owner@one/d' },
      { databaseUrl: 'postgres://app@pooler:6432/d', migrateUrl: 'postgres://owner@one/d' },
    ],
    [{ FUNES_ALLOW_SUPERUSER: 'on' }, { allowSuperuser: true }],
    [{ FUNES_WRITE_WAIT: '2min' }, { writeWait: 120_000 }],
    [{ FUNES_WRITE_WAIT: '0' }, { writeWait: 0 }],
    [{ FUNES_STATEMENT_TIMEOUT: '1500' }, { statementTimeout: 1500 }],
    [{ FUNES_STATEMENT_TIMEOUT: '30s' }, { statementTimeout: 30_000 }],
    [{ FUNES_STATEMENT_TIMEOUT: '1.5 min' }, { statementTimeout: 90_000 }],
    [{ FUNES_BODY_LIMIT: '65536' }, { bodyLimit: 65_536 }],
    [{ FUNES_BODY_LIMIT: '512kB' }, { bodyLimit: 524_288 }],
    [{ FUNES_PREPARED_STATEMENTS: 'off' }, { preparedStatements: false }],
    [{ FUNES_PREPARED_STATEMENTS: 'on' }, { preparedStatements: true }],
    [{ FUNES_PREPARED_STATEMENTS: 'Auto' }, { preparedStatements: 'auto' }],
    [{ FUNES_INTROSPECTION: 'FALSE' }, { introspection: false }],
    [{ FUNES_LOG_LEVEL: 'Debug' }, { logLevel: 'debug' }],
    [{ FUNES_EMBEDDING_MODEL: 'Xenova/bge-small-en-v1.5' }, { embeddingModel: 'Xenova/bge-small-en-v1.5' }],
    [{ FUNES_CORS_ORIGINS: 'Off' }, { corsOrigins: [] }],
    [
      { FUNES_CORS_ORIGINS: 'https://App.example.com:443/, http://localhost:5173,' },
      { corsOrigins: ['https://app.example.com', 'http://localhost:5173'] },
    ],
    [{ FUNES_ALLOWED_HOSTS: 'funes, Memory.Example.com' }, { allowedHosts: ['funes', 'memory.example.com'] }],
  ])('%j is understood', (env, expected) => {
    expect(load(env as Record<string, string>)).toMatchObject(expected);
  });

  test.each([
    ['PORT', '65536', 'a whole number from 0 to 65535'],
    ['PORT', '80a', 'a whole number from 0 to 65535'],
    ['PORT', '-1', 'a whole number from 0 to 65535'],
    ['HOST', 'http://localhost', 'an IP address or a host name'],
    ['HOST', '127.1', 'an IP address or a host name'],
    ['FUNES_POOL_SIZE', '0', 'a whole number of connections from 1 to 1000'],
    ['FUNES_POOL_SIZE', '1e2', 'a whole number of connections from 1 to 1000'],
    ['FUNES_WRITE_WAIT', '2h', 'a time from 0s to 1h'],
    ['FUNES_STATEMENT_TIMEOUT', '0', 'a time from 1ms to 1h'],
    ['FUNES_STATEMENT_TIMEOUT', '30 parsecs', 'a time from 1ms to 1h'],
    ['FUNES_DATABASE_CONNECT_TIMEOUT', '5ms', 'a time from 1s to 1h'],
    ['FUNES_BODY_LIMIT', '2TB', 'a size from 1kB to 1GB'],
    ['FUNES_PREPARED_STATEMENTS', 'maybe', 'on, off or auto'],
    ['FUNES_LOG_LEVEL', 'loud', 'one of fatal, error, warn, info, debug, trace, silent'],
    ['FUNES_DATA_DIR', '~/funes', 'a folder'],
    ['FUNES_EMBEDDING_MODEL', 'bge-small', 'a folder that holds config.json'],
    ['FUNES_EMBEDDING_MODEL', './no/such/folder', 'a folder that holds config.json'],
    ['FUNES_EMBEDDING_MODEL', 'https://example.org/model', 'a folder that holds config.json'],
    ['FUNES_CORS_ORIGINS', '*', 'web origins separated by commas'],
    ['FUNES_CORS_ORIGINS', 'https://a.example/path', 'web origins separated by commas'],
    ['FUNES_CORS_ORIGINS', 'null', 'web origins separated by commas'],
    ['FUNES_ALLOWED_HOSTS', 'funes:4000', 'host names separated by commas'],
    ['FUNES_AUTH', 'on', 'off, keys or jwt'],
    ['FUNES_KEY_CACHE', '1h', 'a time from 0 to 5min'],
    ['FUNES_JWT_CLOCK_SKEW', '11min', 'a time from 0 to 10min'],
    ['FUNES_JWT_ALGORITHMS', 'none', 'algorithms separated by commas, of HS256'],
    ['FUNES_JWT_ALGORITHMS', 'HS256,hs512', 'algorithms separated by commas, of HS256'],
    ['FUNES_JWT_JWKS_URL', 'ftp://login.example.com/keys', 'an http or https URL'],
    ['FUNES_JWT_JWKS_URL', 'https://me:secret@login.example.com/keys', 'an http or https URL'],
  ])('%s=%s is refused, quoted, and told what is allowed', (name, value, form) => {
    const message = refusal({ [name]: value });
    expect(message).toContain(`${name} is ${JSON.stringify(value)}; it must be ${form}`);
  });

  test('a value of megabytes is cut in the message', () => {
    expect(refusal({ FUNES_LOG_LEVEL: 'x'.repeat(5_000_000) }).length).toBeLessThan(600);
  });

  test('every wrong setting is named at once', () => {
    const message = refusal({
      PORT: 'http',
      FUNES_POOL_SIZE: 'many',
      DATABASE_URL: 'nonsense',
      HOST: '0.0.0.0',
      FUNES_EMBEDDING_MODEL: 'no such model',
      FUNES_X: '1',
    });
    const names = ['PORT', 'FUNES_POOL_SIZE', 'DATABASE_URL', 'HOST', 'FUNES_EMBEDDING_MODEL', 'FUNES_X'];
    for (const name of names) {
      expect(message).toMatch(new RegExp(`^ {2}- "?${name}"? is`, 'm'));
    }
  });
});

describe('unknown settings', () => {
  test('a mistyped name is refused with the name that was meant', () => {
    expect(refusal({ FUNES_POOLSIZE: '5' })).toContain(
      '"FUNES_POOLSIZE" is not a setting of funes. Did you mean FUNES_POOL_SIZE?',
    );
  });

  test.each(['PORT', 'HOST', 'DATABASE_URL'])(
    'FUNES_%s is refused with the name without the prefix',
    (name) => {
      expect(refusal({ [`FUNES_${name}`]: '5' })).toContain(
        `"FUNES_${name}" is not a setting of funes. Did you mean ${name}?`,
      );
    },
  );

  test('a name like no other is refused without a guess', () => {
    const message = refusal({ FUNES_SOMETHING_ELSE_ENTIRELY: '5' });
    expect(message).toContain('"FUNES_SOMETHING_ELSE_ENTIRELY" is not a setting of funes.\n');
    expect(message).not.toContain('Did you mean');
  });
});

describe('FUNES_MIGRATE_URL', () => {
  const owner = 'postgres://owner:hunter2@one/memory';

  test('is refused without DATABASE_URL', () => {
    expect(refusal({ FUNES_MIGRATE_URL: owner })).toContain(
      'FUNES_MIGRATE_URL is set, and DATABASE_URL is not: the embedded database would start. Set DATABASE_URL too.',
    );
  });

  test('of another database than DATABASE_URL is refused without its password', () => {
    const message = refusal({ FUNES_MIGRATE_URL: owner, DATABASE_URL: 'postgres://app@one/memories' });
    expect(message).toContain('FUNES_MIGRATE_URL and DATABASE_URL name different databases');
    expect(message).not.toContain('hunter2');
  });

  test('that is no URL is refused without its password', () => {
    const message = refusal({ FUNES_MIGRATE_URL: 'hunter2', DATABASE_URL: 'postgres://app@one/memory' });
    expect(message).toContain('FUNES_MIGRATE_URL is not a URL; it must be a URL such as postgres://owner');
    expect(message).not.toContain('hunter2');
  });
});

describe('DATABASE_URL', () => {
  test.each([
    'mysql://u:hunter2@host/d',
    'postgres://u:hunter2@host:99999/d',
    'postgres://u:hunter2/with/slashes@host/d',
    'postgres://u:1/hunter2@host/d',
    'postgres://u:1#hunter2@host/d',
    'postgres://u:1?hunter2@host/d',
    'postgres://u:hunter2%@host/d',
    'u:hunter2@host/d',
    'hunter2',
  ])('%s is refused without its password', (url) => {
    const message = refusal({ DATABASE_URL: url });
    expect(message).toContain('DATABASE_URL is');
    expect(message).toContain('it must be a URL such as postgres://');
    expect(message).not.toContain('hunter2');
  });

  test.each([
    ['postgres://me:hunter2@db.example.com/funes?sslmode=require', 'funes on db.example.com:5432'],
    ['postgresql://me:hunter2@[::1]:6543/a%20b', 'a b on [::1]:6543'],
    ['postgres://me:hunter2@one:1,two:2/d', 'd on one:1'],
    ['postgres:///d?host=/run/postgresql&password=hunter2', 'd on /run/postgresql:5432'],
    ['postgres://localhost', '(default database) on localhost:5432'],
  ])('%s is described as %s', (url, description) => {
    expect(describeDatabaseUrl(url)).toBe(description);
  });
});

describe('listening where others can reach it', () => {
  test.each(['0.0.0.0', '::', '192.168.1.5', 'memory.example.com'])(
    'HOST=%s is refused without authentication',
    (host) => {
      for (const env of [{ HOST: host }, { HOST: host, FUNES_AUTH: 'off' }]) {
        expect(refusal(env)).toContain(
          `HOST is ${JSON.stringify(host)}, which other machines can reach, and FUNES_AUTH is off`,
        );
      }
      expect(load({ HOST: host, FUNES_AUTH: 'keys' })).toMatchObject({ auth: 'keys' });
    },
  );

  test('no longer needs FUNES_TRUSTED_NETWORK, which is gone', () => {
    const message = refusal({ HOST: '0.0.0.0', FUNES_TRUSTED_NETWORK: 'on' });
    expect(message).toContain('"FUNES_TRUSTED_NETWORK" is not a setting of funes.');
    expect(message).toContain('FUNES_AUTH is off');
  });
});

describe('tokens', () => {
  const secret = 'x'.repeat(32);
  const url = 'https://login.example.com/jwks.json';
  const jwt = (env: Record<string, string>) => load({ FUNES_AUTH: 'jwt', ...env }).jwt;

  test('are checked by HS256 alone with a secret, and by public keys alone with a JWKS', () => {
    expect(jwt({ FUNES_JWT_SECRET: secret })).toMatchObject({ secret, algorithms: ['HS256'] });
    const { algorithms } = jwt({ FUNES_JWT_JWKS_URL: url });
    expect(algorithms.length).toBeGreaterThan(5);
    for (const algorithm of algorithms) expect(algorithm).not.toMatch(/^HS|none/);
    expect(jwt({ FUNES_JWT_JWKS_URL: url, FUNES_JWT_ALGORITHMS: 'ES256, EdDSA' }).algorithms).toEqual([
      'ES256',
      'EdDSA',
    ]);
  });

  test.each([
    [{}, 'FUNES_AUTH=jwt needs FUNES_JWT_SECRET or FUNES_JWT_JWKS_URL, and neither is set.'],
    [{ FUNES_JWT_SECRET: secret, FUNES_JWT_JWKS_URL: url }, 'and both are set.'],
    [
      { FUNES_JWT_JWKS_URL: url, FUNES_JWT_ALGORITHMS: 'RS256,HS256' },
      'FUNES_JWT_ALGORITHMS has HS256, and FUNES_JWT_JWKS_URL can only check RS256,',
    ],
    [
      { FUNES_JWT_SECRET: secret, FUNES_JWT_ALGORITHMS: 'RS256' },
      'FUNES_JWT_ALGORITHMS has RS256, and FUNES_JWT_SECRET can only check HS256, HS384, HS512.',
    ],
  ])('with %j are refused', (env, message) => {
    expect(refusal({ FUNES_AUTH: 'jwt', ...(env as Record<string, string>) })).toContain(message);
  });

  test.each(['off', 'keys'])('that FUNES_AUTH=%s would not check are a mistake', (auth) => {
    for (const env of [{ FUNES_JWT_SECRET: secret }, { FUNES_JWT_JWKS_URL: url }])
      expect(refusal({ FUNES_AUTH: auth, ...(env as Record<string, string>) })).toContain(
        `is set, and FUNES_AUTH is ${auth}: tokens would not be checked. Set FUNES_AUTH=jwt.`,
      );
  });

  test('have a secret of 32 bytes at least, which no message shows', () => {
    const message = refusal({ FUNES_AUTH: 'jwt', FUNES_JWT_SECRET: 'hunter2' });
    expect(message).toContain(
      'FUNES_JWT_SECRET is a text of 7 bytes; it must be a text of at least 32 bytes.',
    );
    expect(message).not.toContain('hunter2');
  });
});

test('the key of clients is read from the environment and from .env', async () => {
  const file = join(folder, 'client.env');
  await writeFile(file, 'FUNES_API_KEY=from-file\n');
  expect(clientKey({ env: {}, envFile: file })).toBe('from-file');
  expect(clientKey({ env: { FUNES_API_KEY: 'from-environment' }, envFile: file })).toBe('from-environment');
  expect(clientKey({ env: {}, envFile })).toBeUndefined();
});
