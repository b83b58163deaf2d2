import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { openPool, type Pool } from '../../../src/database/pool.ts';
import { awaitDatabase, serverProblem, vectorProblem } from '../../../src/database/readiness.ts';
import { databaseUrl, onServer } from '../../../testkit/server-database.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

const where = 'things on db.example:5432';
const template = inject('databaseTemplate');
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function openUrl(url: string): Pool {
  const pool = openPool({ database: url, poolSize: 1 });
  cleanUps.push(() => pool.close());
  return pool;
}

async function openDatabase(): Promise<TestDatabase> {
  const database = await openTestDatabase({ empty: true });
  cleanUps.push(() => database.close());
  return database;
}

/** A port that forwards every connection to the test database, from the moment it listens. */
function portTo({ database }: TestDatabase): Server {
  const target = typeof database === 'string' ? new URL(database) : database.connection;
  const server = createServer((client) => {
    const upstream: Socket =
      target instanceof URL ? connect(Number(target.port || 5432), target.hostname) : connect(target);
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
    client.pipe(upstream).pipe(client);
  });
  cleanUps.push(() => new Promise((resolve) => server.close(resolve)));
  return server;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('waiting for the database', () => {
  test('tells the versions of a server that can serve', async () => {
    const { pool } = await openDatabase();
    expect(await awaitDatabase(pool, { where, withinMs: 0 })).toEqual({
      server: expect.stringMatching(/^1[5-9]/),
      vector: expect.stringMatching(/^0\.\d+\.\d+$/),
    });
  });

  test('goes on trying until the server is there, and says so', async () => {
    const database = await openDatabase();
    const port = await freePort();
    const server = portTo(database);
    const path = typeof database.database === 'string' ? new URL(database.database).pathname : '/postgres';
    const user = typeof database.database === 'string' ? new URL(database.database).username : 'postgres';
    const pool = openUrl(`postgres://${user}@127.0.0.1:${port}${path}`);
    const warnings: string[] = [];
    const logger = {
      warn: (_: unknown, message: string) => {
        warnings.push(message);
        if (warnings.length === 2) server.listen(port, '127.0.0.1');
      },
    };
    await awaitDatabase(pool, { where, withinMs: 30_000, logger });
    expect(warnings.length).toBeGreaterThanOrEqual(2);
    expect(warnings[0]).toBe(`No connection to ${where} yet; trying again.`);
    await pool.close();
  });

  test('gives up on a server that is down, and says what to do', async () => {
    const pool = openUrl(`postgres://someone:a-secret@127.0.0.1:${await freePort()}/things`);
    const refused = awaitDatabase(pool, { where, withinMs: 150 });
    await expect(refused).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message:
        `There is no connection to ${where} after 0.15 s (ECONNREFUSED). Start that server, correct DATABASE_URL, or ` +
        'unset DATABASE_URL to use the embedded database.',
    });
  });

  test('gives up on a host that does not exist', async () => {
    const pool = openUrl('postgres://someone@no-such-host.invalid/things');
    await expect(awaitDatabase(pool, { where, withinMs: 0 })).rejects.toThrow(/\((ENOTFOUND|EAI_AGAIN)\)/);
  });
});

describe.runIf(template.engine === 'postgres')('a server', () => {
  const serverUrl = template.engine === 'postgres' ? template.serverUrl : '';

  test('without the database is refused at once', async () => {
    const pool = openUrl(databaseUrl(serverUrl, 'funes_no_such_database'));
    await expect(awaitDatabase(pool, { where, withinMs: 60_000 })).rejects.toThrow(
      `There is no such database: ${where}. Create it (createdb). Correct DATABASE_URL, or unset`,
    );
  });

  test('that does not let the user in is refused at once, without the password', async () => {
    const url = new URL(serverUrl);
    url.username = 'funes_no_such_role';
    url.password = 'a-secret';
    const refused = await awaitDatabase(openUrl(url.href), { where, withinMs: 60_000 }).catch(
      (error) => error,
    );
    expect(refused).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/user or password/),
    });
    expect(refused.message).not.toContain('secret');
  });

  test('that refuses a parameter of the URL is refused at once, naming it', async () => {
    const url = new URL(serverUrl);
    url.searchParams.set('no_such_parameter', '1');
    await expect(awaitDatabase(openUrl(url.href), { where, withinMs: 60_000 })).rejects.toThrow(
      /no_such_parameter/,
    );
  });

  test('whose user may not create the extension says who has to do what', async () => {
    const { database } = await openDatabase();
    const role = `funes_test_role_${process.pid}`;
    await onServer(serverUrl, `create role ${role} login password 'a-secret'`);
    cleanUps.unshift(() => onServer(serverUrl, `drop role ${role}`)); // This runs last, after the database is dropped.
    const url = new URL(String(database));
    url.username = role;
    url.password = 'a-secret';
    await expect(awaitDatabase(openUrl(url.href), { where, withinMs: 60_000 })).rejects.toThrow(
      `the user ${role} may not create it. Let a superuser run CREATE EXTENSION vector in the database`,
    );
    await onServer(String(database), 'create extension vector');
    expect((await awaitDatabase(openUrl(url.href), { where, withinMs: 0 })).vector).toMatch(/^0\./);
  });
});

describe('the oldest server', () => {
  test.each([
    [150_000, '15.0'],
    [170_002, '17.2 (Debian 17.2-1.pgdg120+1)'],
    [180_006, '18.6'],
  ])('may be %i', (number, version) => expect(serverProblem(number, version, where)).toBeUndefined());

  test('is 15: one before is named with its version', () => {
    expect(serverProblem(140_015, '14.15 (Ubuntu 14.15-0ubuntu0.22.04.1)', where)?.message).toBe(
      `The server of ${where} is PostgreSQL 14.15 (Ubuntu 14.15-0ubuntu0.22.04.1); funes needs 15 or newer. Upgrade it, ` +
        'set DATABASE_URL to a newer server, or unset DATABASE_URL to use the embedded database.',
    );
  });
});

describe('the extension vector', () => {
  const state = { installed: null, available: '0.8.0', mayCreate: true, user: 'app', database: 'things' };

  test.each([
    ['is installed', { installed: '0.8.0' }],
    ['is installed, and its files are gone from a newer server', { installed: '0.8.7', available: null }],
    ['is of version 1', { installed: '1.0' }],
    ['can be created', {}],
  ])('serves when it %s', (_, change) =>
    expect(vectorProblem({ ...state, ...change }, where)).toBeUndefined(),
  );

  test.each([
    ['is not there', { available: null }, /has no extension vector\. Install pgvector 0\.8 or newer/],
    [
      'can only be created too old',
      { available: '0.7.4' },
      /has pgvector 0\.7\.4; funes needs 0\.8.*Install/,
    ],
    [
      'is too old and can be updated',
      { installed: '0.5.1' },
      /version 0\.5\.1;.*ALTER EXTENSION vector UPDATE in/,
    ],
    [
      'is too old, as its files are',
      { installed: '0.5.1', available: '0.7.0' },
      /Install pgvector.*then run ALTER/,
    ],
    [
      'may not be created',
      { mayCreate: false },
      /user app may not create it\. Let a superuser run CREATE EXTENSION/,
    ],
  ])('is refused when it %s, with what to do', (_, change, message) => {
    const problem = vectorProblem({ ...state, ...change }, where);
    expect(problem).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(message) });
    expect(problem?.message).toContain('unset DATABASE_URL to use the embedded database');
  });
});
