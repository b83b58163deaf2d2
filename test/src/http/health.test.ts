import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startApi } from '../../../src/composition.ts';
import { loadConfig } from '../../../src/config.ts';
import { openPool } from '../../../src/database/pool.ts';
import { createLogger } from '../../../src/log.ts';
import { readinessChecker } from '../../../src/readiness.ts';
import { HashEmbedder } from '../../../testkit/hash-embedder.ts';
import { openTestDatabase } from '../../support/database.ts';
import { FallibleEmbedder } from '../../support/fallible-embedder.ts';
import { startFreezingProxy } from '../../support/freezing-proxy.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { sharedChunker } from '../../support/shared-chunker.ts';
import { sharedExtractor } from '../../support/shared-extractor.ts';
import { bearer, makeKey } from '../security/support.ts';
import { schemaOf, serveSchema, until } from './served-schema.ts';

async function ask(url: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${url}/health/ready`, { headers });
  return { status: answer.status, ...((await answer.json()) as object) };
}

const allReady = { status: 'ready', database: 'ready', migrations: 'ready', model: 'ready' };

describe('a server with keys', () => {
  let server: TestServer;
  let embedder: FallibleEmbedder;

  beforeEach(async () => {
    embedder = new FallibleEmbedder();
    server = await startTestServer({ embedder, settings: { FUNES_AUTH: 'keys' } });
  });
  afterEach(() => server.close());

  test('is ready for everybody who asks', async () => {
    const answer = await fetch(`${server.url}/health/ready`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual(allReady);
  });

  test('says that the model does not compute, and to administrators why, until it computes again', async () => {
    const { key: admin } = await makeKey(server, 'root', 'admin');
    const { key: user } = await makeKey(server, 'ana', 'user');
    embedder.stopped = true;
    const stopped = { ...allReady, status: 503, model: 'not ready' };
    for (const headers of [{}, bearer(user), bearer(`funes_${'C'.repeat(43)}`)])
      expect(await ask(server.url, headers)).toEqual({ ...stopped, status: 'not ready' });
    expect(await ask(server.url, bearer(admin))).toEqual({
      ...stopped,
      status: 'not ready',
      details: { model: expect.stringContaining('The embedding model stopped.') },
    });
    embedder.stopped = false;
    expect(await ask(server.url)).toEqual({ ...allReady });
  });

  test('says that a migration is pending, and to administrators which', async () => {
    const { key } = await makeKey(server, 'root', 'admin');
    const [latest] = await server.sql<{ id: number }>(
      'select max(id) as id from drizzle.__drizzle_migrations',
    );
    await server.sql(`delete from drizzle.__drizzle_migrations where id = ${latest?.id}`);
    expect(await ask(server.url)).toEqual({ ...allReady, status: 'not ready', migrations: 'not ready' });
    expect(await ask(server.url, bearer(key))).toMatchObject({
      database: 'ready',
      details: { migrations: expect.stringMatching(/^Pending: \d{4}_\w+\. Run "funes migrate"\.$/) },
    });
  });
});

test('a database that cannot be reached makes the server not ready and still live, and it is ready again by itself', async () => {
  const database = await openTestDatabase();
  const proxy = await startFreezingProxy(database.database);
  const pool = openPool({ database: proxy.url, poolSize: 1 });
  const config = loadConfig({ env: { PORT: '0' }, envFile: '/nowhere/.env' });
  const embedder = new HashEmbedder();
  const api = await startApi(config, {
    database: pool,
    embedder,
    extractor: sharedExtractor,
    chunker: sharedChunker,
    log: createLogger({ level: 'silent' }),
    checkReadiness: readinessChecker({ pool, embedder, withinMs: 200, keepMs: 0 }),
  });
  onTestFinished(async () => {
    await api.close({ graceMs: 0 });
    await pool.close();
    await proxy.close();
    await database.close();
  });
  const isReady = async () => (await fetch(`${api.url}/health/ready`)).status === 200;
  await expect.poll(isReady, { timeout: 20_000 }).toBe(true); // the first look also connects
  proxy.freeze();
  // Without authentication everybody is an administrator.
  await expect
    .poll(() => ask(api.url), { timeout: 20_000 })
    .toEqual({
      ...allReady,
      status: 'not ready',
      database: 'not ready',
      migrations: 'not ready',
      details: { database: expect.stringMatching(/^(It did not answer within|The database cannot be)/) },
    });
  expect((await fetch(`${api.url}/health/live`)).status).toBe(200);
  proxy.thaw();
  await expect.poll(isReady, { timeout: 20_000 }).toBe(true);
});

test('all who ask at one time share one look', async () => {
  let looks = 0;
  const reserve = async () => {
    looks += 1;
    throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  };
  const check = readinessChecker({
    pool: { reserve } as never,
    embedder: new HashEmbedder(),
    keepMs: 60_000,
  });
  await Promise.all(Array.from({ length: 20 }, () => check()));
  await check();
  expect(looks).toBe(1);
});

test('a server that drains is not ready, and answers what is in flight', async () => {
  let finish: (value: string) => void = () => {};
  const held = new Promise<string>((resolve) => {
    finish = resolve;
  });
  let arrived = false;
  const schema = schemaOf('type Query { slow: String }', {
    slow: () => {
      arrived = true;
      return held;
    },
  });
  const server = await serveSchema({ schema });
  const inFlight = server.graphql('{ slow }');
  await until(() => arrived);

  // The first half of a request is in flight, too.
  const { hostname, port } = new URL(server.url);
  const probe = connect(Number(port), hostname);
  await once(probe, 'connect');
  probe.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(probe, 'data');
  probe.write('GET /health/ready HTTP/1.1\r\n');
  let answer = '';
  probe.setEncoding('utf8').on('data', (text) => {
    answer += text;
  });
  await server.graphql('{ __typename }'); // by its answer the half has arrived
  const closing = server.close({ graceMs: 600_000 });
  probe.write('Host: localhost\r\n\r\n');
  await once(probe, 'end');
  expect(answer).toContain('HTTP/1.1 503');
  expect(answer).toContain('{"status":"draining"}');

  finish('done');
  expect(await inFlight).toMatchObject({ status: 200, data: { slow: 'done' } });
  await closing;
});
