import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { MemoryResolver } from '../../resolvers/memory/memory-resolver.ts';
import { memories, toolEmbeddings } from '../../schema/index.ts';
import { openPool } from '../../src/database/pool.ts';
import { type Transaction, transaction } from '../../src/database/transaction.ts';
import { localViewer } from '../../src/viewer.ts';
import { openTestDatabase } from '../support/database.ts';
import { startFreezingProxy } from '../support/freezing-proxy.ts';
import { loadRealEmbedder } from '../support/real-embedder.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

// Every kind of failure, sent through the whole server. What goes out has a code and a sentence, and never SQL, a parameter, a
// path or a stack. The log above debug has neither SQL nor parameters.

const stored = 'the memory of user 7';
const bodyLimit = 100_000;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    settings: { FUNES_BODY_LIMIT: `${bodyLimit}B` },
  });
});
afterAll(() => server.close());
beforeEach(() => {
  vi.restoreAllMocks();
});

const sqlText =
  /\b(select|update|delete|insert|set) ["'*(a-z$]|\bfrom ["a-z]+ where|returning|Failed query|params|\$\d/i;
const codeText = /\/(home|tmp|etc|usr|work|src|node_modules)\b|\.(ts|js|mjs)\b|\bat [\w.]+ \(|^\s+at /m;

interface Sent {
  status: number;
  text: string;
  errors: { message: string; extensions: { code: string; id?: string }; path?: unknown[] }[];
  log: Record<string, unknown>[];
}

/** Sends a body, and checks that neither the answer nor the log tells more than it may. */
async function send(
  body: string,
  to = server,
  { headers = {}, method = 'POST' }: { headers?: Record<string, string>; method?: string } = {},
): Promise<Sent> {
  const before = to.log.length;
  const response = await fetch(`${to.url}/graphql`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  const text = await response.text();
  await vi.waitUntil(() => to.log.slice(before).some(({ msg }) => msg === 'request'));
  const log = to.log.slice(before);
  expect(text).not.toContain(stored);
  expect(text).not.toMatch(sqlText);
  expect(text).not.toMatch(codeText);
  const logged = JSON.stringify(log);
  expect(logged).not.toContain(stored);
  expect(logged).not.toMatch(/(select|update|delete from|insert into) ["'*($]|\bfrom "|Failed query|params/i);
  return { status: response.status, text, log, ...JSON.parse(text) };
}

const ask = (query: string, variables: object = {}, to = server) =>
  send(JSON.stringify({ query, variables }), to);

/** Lets the field `memory` of the real schema do something else. */
function plant(work: () => unknown) {
  vi.spyOn(MemoryResolver.prototype, 'memory').mockImplementation(async () => work() as never);
}

/** Lets it send statements, as code does that does not check its input. */
const plantStatements = (work: (tx: Transaction) => Promise<unknown>, { database } = server) =>
  plant(() =>
    transaction(database.pool, localViewer, { access: 'write' }, async (tx) => {
      await work(tx);
      return null;
    }),
  );

const failed = /^The server failed on this request\. Look for the id [\w-]{36} in its log\.$/;

describe('a statement that the database refuses', () => {
  const tool = { toolName: 'clock', toolDescription: stored };
  const memory = { userId: 'ana', content: stored };
  test.each<[string, (tx: Transaction) => Promise<unknown>, code: string, message: RegExp | string]>([
    [
      'for a value that may be there only once',
      (tx) => tx.insert(toolEmbeddings).values([tool, tool]),
      'CONFLICT',
      'A tool with this name exists already.',
    ],
    [
      'for a check',
      (tx) => tx.insert(memories).values({ ...memory, importanceScore: 7 }),
      'BAD_USER_INPUT',
      'importanceScore must be between 0 and 1.',
    ],
    [
      'for a value that is missing',
      (tx) => tx.insert(memories).values({ ...memory, source: null as never }),
      'BAD_USER_INPUT',
      'A value is missing for source.',
    ],
    [
      'for a value of another form',
      (tx) => tx.execute(sql`select ${stored}::int`),
      'BAD_USER_INPUT',
      'A value has a form that its field does not allow.',
    ],
    [
      'for a column that is not there',
      (tx) => tx.execute(sql`select no_such_column from memories where content = ${stored}`),
      'INTERNAL_SERVER_ERROR',
      failed,
    ],
    ['for its grammar', (tx) => tx.execute(sql.raw(`selekt '${stored}'`)), 'INTERNAL_SERVER_ERROR', failed],
    [
      'for a right that the role of requests does not have',
      (tx) =>
        tx
          .execute(sql`select set_config('role', 'funes_app', true)`)
          .then(() => tx.execute(sql`select ${stored} from pg_authid`)),
      'INTERNAL_SERVER_ERROR',
      failed,
    ],
  ])('%s', async (_, work, code, message) => {
    plantStatements(work);
    const { status, errors, log } = await ask('{ memory(id: "1") { id } }');
    expect(status).toBe(200);
    expect(errors).toMatchObject([{ path: ['memory'], extensions: { code } }]);
    expect(errors[0]?.message).toMatch(message);
    const internal = code === 'INTERNAL_SERVER_ERROR';
    expect(log.filter(({ level }) => level === 'error')).toHaveLength(internal ? 1 : 0);
    if (internal) expect(log).toContainEqual(expect.objectContaining({ errorId: errors[0]?.extensions.id }));
  });
});

test('a statement that is over the timeout is ended, and the limit is named', async () => {
  const hurried = await startTestServer({ settings: { FUNES_STATEMENT_TIMEOUT: '300ms' } });
  onTestFinished(() => hurried.close());
  plantStatements(
    (tx) => tx.execute(sql`select ${stored}::text, count(*) from generate_series(1, 1000000000000)`),
    hurried,
  );
  const { errors, log } = await ask('{ memory(id: "1") { id } }', {}, hurried);
  expect(errors).toMatchObject([
    {
      message:
        'The database needed too long for this request (statement timeout, 0.3 s). Ask for less at once, or narrow the filters.',
      extensions: { code: 'LIMIT_EXCEEDED' },
    },
  ]);
  expect(log.filter(({ level }) => level === 'error')).toEqual([]);
});

describe('a bug in a resolver', () => {
  const text = `select * from memories where content = '${stored}' params: ${stored}\n    at ${stored} (/home/funes/src/x.ts:1:1)`;
  const changed = new TypeError(text);
  String(changed.stack);
  changed.message = 'another message';
  test.each<[string, () => unknown]>([
    [
      'that throws an error with SQL in its message',
      () => {
        throw new TypeError(text);
      },
    ],
    [
      'that throws an error whose message was changed after it was made',
      () => {
        throw changed;
      },
    ],
    [
      'that throws an error within others',
      () => {
        throw new Error(text, { cause: new AggregateError([new Error(text)], text) });
      },
    ],
    [
      'that throws an error with the statement in its fields',
      () => {
        const fields = { query: text, parameters: [stored], detail: text, where: text, code: 'XX000' };
        throw Object.assign(new Error(text), fields);
      },
    ],
    [
      'that throws an error whose name and code are long texts',
      () => {
        throw Object.assign(new Error('x'), { name: text, code: text, constraint_name: text });
      },
    ],
    [
      'that throws a text',
      () => {
        throw text;
      },
    ],
    [
      'that throws an object',
      () => {
        throw { message: text, stack: text, toString: () => text };
      },
    ],
    ['that reads a file which is missing', () => readFileSync('/etc/funes/secret.ts')],
    ['that returns a row of another form', () => ({ id: { text }, content: stored })],
  ])('%s', async (_, work) => {
    plant(work);
    const { status, errors, log } = await ask('{ memory(id: "1") { id content } }');
    expect(status).toBe(200);
    const [error] = errors;
    expect(error?.message).toMatch(failed);
    const ids = { id: expect.any(String), requestId: expect.any(String) };
    expect(error?.extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', ...ids });
    expect(log.filter(({ level }) => level === 'error')).toMatchObject([{ errorId: error?.extensions.id }]);
  });

  test('is logged with the frames of our own code', async () => {
    plant(() => {
      throw new TypeError(text);
    });
    const { log } = await ask('{ memory(id: "1") { id } }');
    const [line] = log.filter(({ level }) => level === 'error');
    expect(JSON.stringify(line)).toContain('failures.test.ts');
    expect(line).toMatchObject({ err: { name: 'TypeError' } });
  });
});

describe('a database that is down', () => {
  async function startBehindProxy(settings: Record<string, string> = {}) {
    const database = await openTestDatabase();
    const proxy = await startFreezingProxy(database.database);
    const pool = openPool({ database: proxy.url, poolSize: 1 });
    const started = await startTestServer({
      settings,
      database: {
        ...database,
        pool,
        close: async () => {
          await pool.close();
          await database.close();
        },
      },
    });
    onTestFinished(() => started.close());
    expect((await ask('{ memories { totalCount } }', {}, started)).errors).toBeUndefined();
    await proxy.close();
    return started;
  }

  test.each([
    ['a list', '{ memories { totalCount } }', { data: null }],
    ['a row', '{ memory(id: "1") { id } }', { data: { memory: null } }],
    ['a search', `{ similarMemories(text: "${stored}") { score } }`, { data: null }],
    ['a write', `mutation { createMemory(input: { content: "${stored}" }) { id } }`, { data: null }],
  ])('fails %s', async (_, query, data) => {
    const down = await startBehindProxy();
    const answer = await ask(query, {}, down);
    expect(answer).toMatchObject({
      ...data,
      errors: [
        {
          message: 'The database cannot be reached. Try again in a few seconds.',
          extensions: { code: 'UNAVAILABLE' },
        },
      ],
    });
    expect(answer.log).toContainEqual(expect.objectContaining({ level: 'warn' }));
  });
});

test('a look-up of a key that fails by a bug of ours refuses the request, and says nothing of the key', async () => {
  const broken = await startTestServer({ settings: { FUNES_AUTH: 'keys', FUNES_KEY_CACHE: '0' } });
  onTestFinished(() => broken.close());
  await broken.sql('drop function funes_key(text)');
  const key = `funes_${'A'.repeat(43)}`;
  const { status, errors, log } = await send('{"query":"{ __typename }"}', broken, {
    headers: { authorization: `Bearer ${key}` },
  });
  expect(status).toBe(500);
  expect(errors).toMatchObject([
    { message: expect.stringMatching(failed), extensions: { code: 'INTERNAL_SERVER_ERROR' } },
  ]);
  expect(JSON.stringify(log)).not.toContain(key);
});

describe('an embedder whose thread ends', () => {
  // One word a letter: more tokens than one round of the embedder takes.
  const long = (letters: number) => `${stored} ${'a b c d '.repeat(letters / 4)}`;

  test.each([
    [
      'fails a search',
      'query ($text: String!) { similarMemories(text: $text) { score } }',
      { text: long(9000) },
      {
        data: null,
        errors: [
          {
            message:
              'The embedding model stopped during this request, and is being started again. Send the request again.',
            extensions: { code: 'UNAVAILABLE' },
          },
        ],
      },
    ],
    [
      'leaves a row without embedding',
      'mutation ($text: String!) { createMemory(input: { content: $text }) { embeddingStatus } }',
      { text: long(40_000) },
      { data: { createMemory: { embeddingStatus: 'PENDING' } } },
    ],
  ])('%s', async (_, query, variables, expected) => {
    const workers: Worker[] = [];
    const note = (worker: Worker) => workers.push(worker);
    process.on('worker', note);
    let ended: Promise<unknown> | undefined;
    const embedder = await loadRealEmbedder({
      // After the first round, of which there is a next one.
      onBatch: () => {
        ended ??= workers[0]?.terminate();
      },
    });
    process.off('worker', note);
    const started = await startTestServer({ embedder });
    onTestFinished(async () => {
      await started.close();
      await embedder.close();
    });
    const answer = await ask(query, variables, started);
    await ended;
    expect(answer).toMatchObject(expected);
    expect(answer.log).toContainEqual(expect.objectContaining({ level: 'warn' }));
  });
});

describe('a request that cannot be carried out', () => {
  test.each<[string, string, number, string, RegExp]>([
    [
      'a variable of another type',
      JSON.stringify({
        query: 'query ($k: Int!) { similarMemories(text: "x", k: $k) { score } }',
        variables: { k: 'x' },
      }),
      400,
      'BAD_USER_INPUT',
      /^Variable "\$k" got invalid value "x"; Int cannot represent non-integer value: "x"$/,
    ],
    [
      'a field that is not there',
      JSON.stringify({ query: '{ nothing }' }),
      400,
      'BAD_USER_INPUT',
      /^Cannot query field "nothing" on type "Query"\.$/,
    ],
    ['text that is no GraphQL', JSON.stringify({ query: '{' }), 400, 'BAD_USER_INPUT', /^Syntax Error: /],
    [
      'text that is no JSON',
      `{"query": "${stored}`,
      400,
      'BAD_USER_INPUT',
      /^The body of the request is not valid JSON/,
    ],
    ['JSON of another form', `["${stored}"]`, 400, 'BAD_USER_INPUT', /./],
    ['no text', '', 400, 'BAD_USER_INPUT', /^The request has no body\./],
    [
      'a text that is too large',
      JSON.stringify({ query: '{ __typename }', padding: stored.repeat(bodyLimit / stored.length + 1) }),
      413,
      'LIMIT_EXCEEDED',
      /^The request has 1\d{5} bytes; at most 100000 bytes is allowed \(FUNES_BODY_LIMIT\)/,
    ],
  ])('%s', async (_, body, status, code, message) => {
    const answer = await send(body);
    expect(answer.status).toBe(status);
    expect(answer.errors).toMatchObject([{ message: expect.stringMatching(message), extensions: { code } }]);
    expect(answer.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
