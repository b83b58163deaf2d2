import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { refuseReadOnly } from '../../src/database/standing.ts';
import { convertedModelFolder } from '../../src/embedding/model-cache.ts';
import { databaseUrl, onServer } from '../../testkit/server-database.ts';
import { freshRole, password } from '../support/owned-database.ts';
import { testModelCache } from '../support/real-embedder.ts';
import { launch } from '../support/served-process.ts';

const template = inject('databaseTemplate');
const { serverUrl } = template as { serverUrl: string };

let dataDir: string;
let made = 0;
beforeAll(async () => {
  if (template.engine === 'embedded') return;
  await convertedModelFolder(testModelCache);
  dataDir = await mkdtemp(join(tmpdir(), 'funes-refused-'));
  await symlink(testModelCache, join(dataDir, 'models'), 'junction');
});
afterAll(async () => {
  if (dataDir) await rm(dataDir, { recursive: true, force: true });
});

/** The URL of a new database, on which these statements have been run. */
async function databaseWith(statements: readonly string[], options = ''): Promise<string> {
  const name = `funes_refused_${process.pid}_${Date.now()}_${made++}`;
  await onServer(serverUrl, `create database ${name} ${options}`);
  onTestFinished(() => onServer(serverUrl, `drop database ${name} with (force)`));
  for (const statement of statements) {
    await onServer(databaseUrl(serverUrl, name), statement.replaceAll('DATABASE', name));
  }
  return databaseUrl(serverUrl, name);
}

/** What a server says that does not start, without `funes: `. */
async function refusal(url: string): Promise<string> {
  const server = launch(dataDir, { DATABASE_URL: url, FUNES_DATABASE_CONNECT_TIMEOUT: '10min' });
  expect(await server.ended).toBe(1);
  expect(server.output()).toBe('');
  const [line = '', ...more] = server.errorOutput().trimEnd().split('\n');
  expect(more).toEqual([]);
  expect(line).toMatch(/^funes: \S/);
  expect(line).not.toMatch(/Failed query|\bselect\b|\bcreate table\b|node_modules|\.ts:\d/i);
  return line.slice('funes: '.length);
}

const catalog = `select (select count(*) from pg_class) || ' ' || (select count(*) from pg_namespace) as things`;

describe.skipIf(template.engine === 'embedded')(
  'a server is refused at once, with one sentence and status 1:',
  () => {
    test('one without TLS if TLS is asked for', async () => {
      const url = await databaseWith([]);
      expect(await refusal(`${url}?sslmode=require`)).toMatch(
        /^funes_refused_\S+ on \S+ offers no TLS, and DATABASE_URL asks for it \(sslmode\)\. Correct DATABASE_URL, or unset/,
      );
    });

    test('a read-only database', async () => {
      const url = await databaseWith(['alter database DATABASE set default_transaction_read_only = on']);
      expect(await refusal(url)).toMatch(
        /^The database "\S+" of DATABASE_URL is read-only \(default_transaction_read_only is on\)\. Turn that off/,
      );
    });

    test('a standby', () => {
      const standing = {
        ...{ user: 'me', isSuperuser: false, isOwner: true, database: 'd', identity: '' },
        readOnly: 'standby' as const,
      };
      expect(() => refuseReadOnly(standing, 'DATABASE_URL')).toThrow(
        'The server of DATABASE_URL is a standby, which takes no writes. Name the primary server in DATABASE_URL.',
      );
    });

    test('one without the extension, for a user who may not create it', async () => {
      const role = freshRole('plain');
      const url = new URL(await databaseWith([]));
      await onServer(serverUrl, `create role ${role} login password '${password}'`);
      onTestFinished(() => onServer(serverUrl, `drop role ${role}`));
      url.username = role;
      url.password = password;
      expect(await refusal(url.href)).toMatch(
        /^The database \S+ has no extension vector, and the user \S+ may not create it\. Let a superuser run CREATE EXTENSION vector/,
      );
    });

    test.each([
      ['alone', []],
      [
        'with migrations of its own',
        [
          'create schema drizzle',
          'create table drizzle.__drizzle_migrations (id serial primary key, hash text, created_at bigint)',
          "insert into drizzle.__drizzle_migrations (hash, created_at) values ('other', 1)",
        ],
      ],
    ])('a table of another application, %s', async (_, more) => {
      const url = await databaseWith(['create table memories (id int primary key, note text)', ...more]);
      const things = async () => {
        const { default: postgres } = await import('postgres');
        const client = postgres(url, { max: 1 });
        const rows = [...(await client.unsafe(catalog))];
        await client.end();
        return rows;
      };
      const before = await things();
      expect(await refusal(url)).toMatch(
        /^The database belongs to another application: its schema public has memories, and no migration of funes was applied\. Nothing was/,
      );
      expect(await things()).toEqual(before);
    });

    test('a database that is not UTF8', async () => {
      const url = await databaseWith([], "encoding 'LATIN1' locale 'C' template template0");
      expect(await refusal(url)).toMatch(
        /^The database \S+ on \S+ has the encoding LATIN1, which cannot store every text; funes needs UTF8\. Create one with/,
      );
    });

    test.each([
      [
        'whose list of migrations has other columns',
        ['create schema drizzle', 'create table drizzle.__drizzle_migrations (n int)'],
      ],
      [
        'in which a function has a name of funes',
        ['create function funes_key(text) returns int language sql as $$ select 1 $$'],
      ],
      ['whose schema is gone', ['drop schema public cascade']],
    ])('one that fails in another way: %s', async (_, statements) => {
      expect(await refusal(await databaseWith(statements))).not.toBe('');
    });
  },
);
