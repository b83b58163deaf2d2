import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createMetrics, type Metrics } from '../../../src/metrics/metrics.ts';
import { loadRealEmbedder } from '../../support/real-embedder.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { bearer, makeKey } from '../security/support.ts';

/** The values of `/metrics`, by name with labels as they are written. */
type Values = Record<string, number>;

function parse(text: string): Values {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

async function read(url: string, headers: Record<string, string> = {}): Promise<Values> {
  const answer = await fetch(`${url}/metrics`, { headers });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  return parse(await answer.text());
}

const secret = 'the harbour pilot whispers';

describe('what is counted', () => {
  let metrics: Metrics;
  let server: TestServer;

  beforeEach(async () => {
    metrics = createMetrics({ poolSize: 3 });
    server = await startTestServer({ metrics });
    return () => server.close();
  });

  test('requests by root field and outcome, with how long they took', async () => {
    const { raw, url } = server;
    await raw(`mutation { createMemory(input: { content: "${secret}" }) { id } }`);
    await raw('query Memories { memories { totalCount } }');
    await raw(
      'query Memories { again: memories { totalCount } ...F } fragment F on Query { memories { totalCount } }',
    );
    await raw('{ memories { totalCount } tools { totalCount } }');
    await raw('{ __typename }');
    await raw('{ memory(id: "x") { id } }');
    await raw(`{ ${'no'.repeat(20)} }`);
    await raw('{');
    await fetch(`${url}/nowhere`);
    const values = await read(url);
    const requests = Object.entries(values).filter(([name]) => name.startsWith('funes_requests_total'));
    expect(Object.fromEntries(requests)).toEqual({
      'funes_requests_total{operation="createMemory",outcome="OK"}': 1,
      'funes_requests_total{operation="memories",outcome="OK"}': 2,
      'funes_requests_total{operation="several",outcome="OK"}': 1,
      'funes_requests_total{operation="schema",outcome="OK"}': 1,
      'funes_requests_total{operation="memory",outcome="BAD_USER_INPUT"}': 1,
      'funes_requests_total{operation="refused",outcome="BAD_USER_INPUT"}': 2,
    });
    expect(values['funes_request_duration_seconds_count{operation="memories"}']).toBe(2);
    expect(values['funes_request_duration_seconds_bucket{le="+Inf",operation="memories"}']).toBe(2);
  });

  test('a client that left', async () => {
    const left = request(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': 100 },
    });
    left.on('error', () => {});
    left.write('{');
    await new Promise((resolve) => left.on('socket', (socket) => socket.on('connect', resolve)));
    // By this answer the head of the request has arrived.
    await read(server.url);
    left.destroy();
    await expect
      .poll(() => read(server.url), { timeout: 20_000 })
      .toMatchObject({ 'funes_requests_total{operation="refused",outcome="CLIENT_LEFT"}': 1 });
  });

  test('statements and connections, and none is in use after the requests', async () => {
    const sent = await server.statementsOf(async () => {
      await Promise.all([1, 2, 3, 4].map(() => server.raw('{ memories { totalCount } }')));
      await server.raw('{ memories(after: "x") { totalCount } }');
    });
    const count = sent.length;
    expect(count).toBeGreaterThan(0);
    // A connection is released after the answer to COMMIT, which a read does not wait for.
    await expect
      .poll(() => read(server.url), { timeout: 20_000 })
      .toMatchObject({
        'funes_statements_total{outcome="ok"}': count,
        funes_statement_duration_seconds_count: count,
        funes_pool_connections_limit: 3,
        funes_pool_connections_in_use: 0,
        funes_pool_waiting: 0,
        funes_pool_wait_seconds_count: count,
      });
  });

  test('who waits for a connection while all are in use', async () => {
    const all = Array.from({ length: server.database.pool.size }, () => server.database.pool.reserve());
    const held = await Promise.all(all);
    const waiting = server.raw('{ memories { totalCount } }');
    await expect.poll(() => read(server.url), { timeout: 20_000 }).toMatchObject({ funes_pool_waiting: 1 });
    for (const connection of held) connection.release();
    await waiting;
    expect(await read(server.url)).toMatchObject({ funes_pool_waiting: 0 });
  });

  test('rows, in the log line of a request', async () => {
    const inputs = [1, 2, 3].map((n) => `{ content: "${secret} ${n}" }`);
    await server.raw(`mutation Write { createMemories(inputs: [${inputs}]) { id } }`);
    await server.raw('query List { memories(first: 3) { edges { node { id } } } }');
    await server.raw('query Count { memories(first: 0) { totalCount } }');
    await server.raw('query Nothing { __typename }');
    const rowsOf = (name: string) => server.log.find(({ operation }) => operation === name)?.rows;
    expect(rowsOf('Write')).toBeGreaterThanOrEqual(3);
    expect(rowsOf('List')).toBe(3);
    expect(rowsOf('Count')).toBe(2); // the count, and the row by which a page knows that there are more
    expect(rowsOf('Nothing')).toBeUndefined();
    expect(JSON.stringify(server.log)).not.toContain(secret);
  });

  test('the process and its event loop', async () => {
    const values = await read(server.url);
    expect(values.nodejs_eventloop_lag_p99_seconds).toBeGreaterThan(0);
    expect(values.process_resident_memory_bytes).toBeGreaterThan(1e7);
  });

  test('nothing that somebody sent is in a label', async () => {
    const names = ['Alpha', 'Beta', 'Gamma'].map((name) => `${name}${'x'.repeat(20)}`);
    await server.raw(
      `mutation ${names[0]} { ${names[1]}: createMemory(input: { content: "${secret}" }) { id } }`,
    );
    await server.raw(`query ${names[2]} { similarMemories(text: "${secret}") { similarity } }`);
    const before = Object.keys(await read(server.url)).length;
    for (let i = 0; i < 30; i++) {
      await server.raw(`query Q${i} { a${i}: memories { totalCount } }`);
      await server.raw(`{ nothing${i} }`);
    }
    const { text } = await metrics.exposition();
    for (const sent of [...names, secret, 'harbour', 'nothing', 'Q1', 'default_user'])
      expect(text).not.toContain(sent);
    // The first `memories` and the first refusal make series, and thirty make no more.
    const grown = Object.keys(parse(text)).filter((name) => name.includes('operation=')).length;
    await server.raw('query Another { b: memories { totalCount } }');
    await server.raw('{ nothingElse }');
    const after = Object.keys(await read(server.url)).filter((name) => name.includes('operation=')).length;
    expect(after).toBe(grown);
    expect(before).toBeGreaterThan(0);
  });
});

test('texts that wait by lane, batches, and search texts that were in the cache', async () => {
  const metrics = createMetrics({ poolSize: 1 });
  const waiting: number[] = [];
  const observer = {
    ...metrics.embedding,
    onWaiting: (lane: 'query' | 'write' | 'background', change: number) => {
      metrics.embedding.onWaiting(lane, change);
      waiting.push(change);
    },
  };
  const embedder = await loadRealEmbedder({ observer });
  const values = async () => parse((await metrics.exposition()).text);
  const writes = embedder.embed(['one', 'two', 'three']);
  const background = embedder.embed(['four'], { background: true });
  const queries = Promise.all([embedder.embedQuery('five', 'ana'), embedder.embedQuery('five', 'ana')]);
  expect(await values()).toMatchObject({
    'funes_embedding_waiting_texts{lane="write"}': 3,
    'funes_embedding_waiting_texts{lane="background"}': 1,
    'funes_embedding_waiting_texts{lane="query"}': 1,
  });
  await Promise.all([writes, background, queries]);
  const left = new AbortController();
  const dropped = embedder.embed(['six', 'seven'], { signal: left.signal });
  left.abort(new Error('left'));
  await expect(dropped).rejects.toThrow('left');
  const late = embedder.embed(['eight']).catch(() => {});
  await embedder.close();
  await late;
  expect(await values()).toMatchObject({
    'funes_embedding_waiting_texts{lane="write"}': 0,
    'funes_embedding_waiting_texts{lane="background"}': 0,
    'funes_embedding_waiting_texts{lane="query"}': 0,
    'funes_embedding_batch_texts_sum{lane="write"}': 3,
    'funes_embedding_batch_texts_sum{lane="background"}': 1,
    'funes_embedding_batch_texts_sum{lane="query"}': 1,
    'funes_embedding_round_seconds_count{lane="write"}': 1,
    'funes_query_vectors_total{cache="hit"}': 1,
    'funes_query_vectors_total{cache="miss"}': 1,
  });
  expect(waiting.reduce((sum, change) => sum + change, 0)).toBe(0);
});

describe('who may read them', () => {
  let withKeys: TestServer;
  let local: TestServer;
  let off: TestServer;

  beforeAll(async () => {
    const start = (mode: string, settings = {}) =>
      startTestServer({
        metrics: createMetrics({ poolSize: 1 }),
        settings: { FUNES_METRICS: mode, ...settings },
      });
    withKeys = await start('key', { FUNES_AUTH: 'keys' });
    local = await start('loopback', { FUNES_AUTH: 'keys' });
    off = await start('off');
  });
  afterAll(() => Promise.all([withKeys.close(), local.close(), off.close()]));

  const ask = async (url: string, headers = {}) => {
    const answer = await fetch(`${url}/metrics`, { headers });
    return { status: answer.status, text: await answer.text(), headers: answer.headers };
  };

  test('off: nobody', async () => {
    expect(await ask(off.url)).toMatchObject({ status: 404 });
  });

  test('loopback: programs on this machine, and nobody through a proxy', async () => {
    expect(await ask(local.url)).toMatchObject({ status: 200 });
    for (const header of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) {
      const { status, text } = await ask(local.url, { [header]: '127.0.0.1' });
      expect(status).toBe(403);
      expect(text).toContain('FUNES_METRICS');
    }
  });

  test('key: administrators', async () => {
    const { key: admin } = await makeKey(withKeys, 'root', 'admin');
    const { key: user } = await makeKey(withKeys, 'ana', 'user');
    expect(await ask(withKeys.url, bearer(admin))).toMatchObject({ status: 200 });
    expect(await ask(withKeys.url, bearer(user))).toMatchObject({ status: 403 });
    expect(await ask(withKeys.url, { ...bearer(admin), 'x-funes-user': 'ana' })).toMatchObject({
      status: 403,
    });
    const refused = await ask(withKeys.url);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect(refused.text).not.toContain('funes_requests_total');
  });
});
