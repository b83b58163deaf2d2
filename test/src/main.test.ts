import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { convertedModelFolder } from '../../src/embedding/model-cache.ts';
import { testModelCache } from '../support/real-embedder.ts';
import { type LaunchedProcess, launch } from '../support/served-process.ts';

// All tests use one server, from its start to its end, in this order.
let dataDir: string;
let server: LaunchedProcess;
const launched: LaunchedProcess[] = [];

function start(settings: Record<string, string> = {}): LaunchedProcess {
  const started = launch(dataDir, settings);
  launched.push(started);
  return started;
}

beforeAll(async () => {
  await convertedModelFolder(testModelCache);
  dataDir = await mkdtemp(join(tmpdir(), 'funes-main-'));
  await symlink(testModelCache, join(dataDir, 'models'), 'junction');
  server = start();
  await server.url;
});
afterAll(async () => {
  for (const { signal, ended } of launched) {
    signal('SIGTERM');
    await ended;
  }
  await rm(dataDir, { recursive: true, force: true });
});

async function send(query: string): Promise<unknown> {
  const response = await fetch(`${await server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return response.json();
}

test('what it prints names address, database and model, and a first query that works', async () => {
  const url = await server.url;
  const banner = server.output();
  expect(banner).toContain(`GraphQL   ${url}/graphql`);
  expect(banner).toContain(`Explorer  ${url}/\n`);
  expect(banner).toContain(`Database  the embedded database in ${join(dataDir, 'database')}, PostgreSQL `);
  expect(banner).toContain('Model     all-MiniLM-L6-v2\n');
  expect(banner).toContain('Access    FUNES_AUTH is off: everybody on this machine is an administrator');

  const query = /paste a first query:\n(.*)\n"npm run demo"/s.exec(banner)?.[1] ?? '';
  const answer = (await send(query)) as {
    data: { createMemories: { content: string; similar: { memory: { content: string } }[] }[] };
  };
  expect(answer).not.toHaveProperty('errors');
  expect(answer.data.createMemories).toHaveLength(6);
  expect(answer.data.createMemories[0]).toMatchObject({
    content: 'Leo scored the winning goal on Sunday.',
    similar: [{ memory: { content: 'Our team won the football match at the weekend.' } }],
  });
});

test('a wrong setting ends it with status 1 and says what is allowed', async () => {
  const wrong = start({ PORT: 'http', FUNES_EMBEDDING_MODEL: 'no such model' });
  expect(await wrong.ended).toBe(1);
  expect(wrong.errorOutput()).toMatch(/^funes: The settings are wrong, so nothing was started:\n/);
  expect(wrong.errorOutput()).toContain('  - PORT is "http"; it must be a whole number from 0 to 65535');
  expect(wrong.errorOutput()).toContain('  - FUNES_EMBEDDING_MODEL is "no such model"; it must be a folder');
  expect(wrong.output()).toBe('');
});

test('a second one on the same folder ends with status 1 and names the first, before it has a model', async () => {
  const second = start();
  expect(await second.ended).toBe(1);
  expect(second.errorOutput()).toContain(
    `funes: The data folder ${join(dataDir, 'database')} is in use by another funes server, process ${server.pid}.`,
  );
  expect(second.output()).not.toContain('Embedding model loaded');
});

test('what was acknowledged is there after kill -9 and another start', async () => {
  const { data } = (await send(
    'mutation { createMemory(input: { content: "Kept whatever happens." }) { id } }',
  )) as { data: { createMemory: { id: string } } };
  server.signal('SIGKILL');
  expect(await server.ended).toBeNull();
  server = start();
  expect(await send(`{ memory(id: "${data.createMemory.id}") { content } }`)).toEqual({
    data: { memory: { content: 'Kept whatever happens.' } },
  });
});

test('it says that it is ready, and counts what it does', async () => {
  const url = await server.url;
  expect(await (await fetch(`${url}/health/ready`)).json()).toEqual({
    status: 'ready',
    database: 'ready',
    migrations: 'ready',
    model: 'ready',
  });
  await send('{ similarMemories(text: "who kept it?") { similarity } }');
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('\nfunes_requests_total{operation="similarMemories",outcome="OK"} 1\n');
  expect(metrics).toContain('\nfunes_query_vectors_total{cache="miss"} 1\n');
  expect(metrics).toContain('\nfunes_pool_connections_limit 1\n');
  expect(metrics).toMatch(/\nfunes_statements_total\{outcome="ok"\} [1-9]/);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s lets a request in flight finish and ends it with status 0',
  async (name) => {
    if (name === 'SIGTERM') server = start(); // SIGINT has ended the first
    const body = JSON.stringify({ query: '{ memories(first: 0) { totalCount } }' });
    const url = await server.url;
    const inFlight = request(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        expect: '100-continue',
      },
    });
    const answered = once(inFlight, 'response') as Promise<[IncomingMessage]>;
    inFlight.flushHeaders();
    await once(inFlight, 'continue'); // The server has the request and waits for its body.
    server.signal(name);
    const others = () =>
      fetch(url).then(
        () => 'answered',
        () => 'refused',
      );
    await expect.poll(others, { timeout: 20_000 }).toBe('refused');

    inFlight.end(body);
    const [response] = await answered;
    let text = '';
    for await (const part of response.setEncoding('utf8')) text += part;
    expect(JSON.parse(text)).toEqual({ data: { memories: { totalCount: 7 } } });
    expect(await server.ended).toBe(0);
    expect(server.errorOutput()).toBe('');
  },
);
