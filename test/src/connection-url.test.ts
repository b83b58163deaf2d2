import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import {
  ignoredParameters,
  parameterProblems,
  parseConnectionUrl,
  urlParameters,
} from '../../src/connection-url.ts';

const server = (host: string, port = 5432, address?: string) => ({ host, address, port });

test.each([
  ['postgres://u:p%40ss@db.example/My-DB%20x', { user: 'u', password: 'p@ss', database: 'My-DB x' }],
  ['postgres://u@[::1]:5433/d', { addresses: [server('::1', 5433)] }],
  ['postgres://u@[::1]/d', { addresses: [server('::1')] }],
  [
    'postgresql://one:1,two:2,[fe80::1]:3/d',
    { addresses: [server('one', 1), server('two', 2), server('fe80::1', 3)] },
  ],
  ['postgres://one,two/d?port=6543', { addresses: [server('one', 6543), server('two', 6543)] }],
  ['postgres:///d?host=one,two&port=1,2', { addresses: [server('one', 1), server('two', 2)] }],
  ['postgres:///d?host=/run/postgresql', { addresses: [server('/run/postgresql')] }],
  ['postgres://%2Frun%2Fpostgresql/d', { addresses: [server('/run/postgresql')] }],
  ['postgres://one/d?hostaddr=192.0.2.1', { addresses: [server('one', 5432, '192.0.2.1')] }],
  ['postgres:///?host=one&dbname=d&user=u&password=p', { user: 'u', password: 'p', database: 'd' }],
  [
    'postgres://one/d?sslmode=require&options=-c%20jit%3Doff&work_mem=8MB',
    { parameters: { sslmode: 'require', options: '-c jit=off' }, settings: { work_mem: '8MB' } },
  ],
])('%s is understood', (url, expected) => {
  expect(parseConnectionUrl(url)).toMatchObject(expected);
});

test.each([
  'mysql://one/d',
  'postgres://one:port/d',
  'postgres://one:70000/d',
  'postgres://[::1/d',
  'postgres://one/d%',
  'postgres://one/d%ff',
  'postgres://one,two/d?port=1,2,3',
  'postgres://one,two/d?hostaddr=192.0.2.1',
  'postgres://u:p@ss@one/d',
  'postgres://u:p/ss@one/d',
  'postgres://u:p#ss@one/d',
])('%s is none', (url) => {
  expect(parseConnectionUrl(url)).toBeUndefined();
});

test.each([
  [
    'sslmode=always',
    'The parameter sslmode of DATABASE_URL must be one of disable, allow, prefer, require, verify-ca, verify-full.',
  ],
  [
    'target_session_attrs=standby',
    'The parameter target_session_attrs of DATABASE_URL must be one of any, read-write, primary.',
  ],
  [
    'service=mine',
    'DATABASE_URL has the parameter service, which funes does not know how to obey. Leave it out.',
  ],
  ['sslrootcert=/nowhere/root.crt', 'The file that sslrootcert of DATABASE_URL names cannot be read.'],
])('%s is a wrong setting', (query, problem) => {
  const url = `postgres://one/d?${query}`;
  const parsed = parseConnectionUrl(url);
  expect(parsed && parameterProblems('DATABASE_URL', parsed)).toEqual([problem]);
  expect(() => loadConfig({ env: { DATABASE_URL: url }, envFile: '/nowhere/.env' })).toThrow(problem);
});

test('the start says in a line which parameters it ignores', () => {
  const lines = (query: string) => {
    const parsed = parseConnectionUrl(`postgres://one/d?${query}`);
    return parsed && ignoredParameters('DATABASE_URL', parsed);
  };
  expect(lines('sslmode=prefer&channel_binding=prefer&pgbouncer=true')).toEqual([]);
  expect(lines('keepalives=1&connect_timeout=5')).toEqual([
    'DATABASE_URL has parameters that funes ignores: keepalives, connect_timeout.',
  ]);
  expect(lines('channel_binding=require')).toEqual([
    'DATABASE_URL asks for channel binding, which funes does not do. sslmode=verify-full keeps others from listening, too.',
  ]);
});

test('docs/postgresql.md says of each parameter what the code does', () => {
  const page = readFileSync(new URL('../../docs/postgresql.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (`[a-z_`, ]+`) \| (understood|ignored|refused)\b/gm)];
  const listed = rows.flatMap(([, names = '', treatment]) =>
    [...names.matchAll(/`([a-z_]+)`/g)].map(([, name]) => [name, treatment]),
  );
  expect(Object.fromEntries(listed)).toEqual(urlParameters);
  expect(listed).toHaveLength(Object.keys(urlParameters).length);
});
