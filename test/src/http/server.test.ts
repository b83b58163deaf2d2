import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { FunesError } from '../../../src/errors.ts';
import { schemaOf, serveSchema, until } from './served-schema.ts';

const hello = schemaOf('type Query { hello(name: String!): String! } type Mutation { write: Int }', {
  hello: (_, { name }) => `hello ${name}`,
  write: () => 1,
});

describe('GraphQL over HTTP', () => {
  test('POST answers a query with variables', async () => {
    const server = await serveSchema({ schema: hello });
    const answer = await server.graphql('query ($name: String!) { hello(name: $name) }', { name: 'Irineo' });
    expect(answer).toMatchObject({ status: 200, data: { hello: 'hello Irineo' } });
  });

  test('a failure of the server while it looks at variables is no fault of the client', async () => {
    const schema = schemaOf('input In { a: Int } type Query { take(in: In): Int }', { take: () => 1 });
    const server = await serveSchema({ schema });
    const send = () => server.graphql('query ($in: In) { take(in: $in) }', { in: { b: 1 } });
    expect(await send()).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    Object.assign(schema.getType('In') ?? {}, {
      getFields: () => {
        throw new Error('A bug.');
      },
    });
    expect(await send()).toMatchObject({
      status: 500,
      errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    });
  });

  test('a client that asks for application/graphql-response+json gets it', async () => {
    const server = await serveSchema({ schema: hello });
    const response = await server.post(
      { query: '{ __typename }' },
      { accept: 'application/graphql-response+json' },
    );
    expect(response.headers.get('content-type')).toBe('application/graphql-response+json; charset=utf-8');
  });

  test('GET answers a query and refuses a mutation', async () => {
    const server = await serveSchema({ schema: hello });
    const get = (query: string) =>
      fetch(`${server.url}/graphql?query=${encodeURIComponent(query)}`, {
        headers: { 'apollo-require-preflight': '1' },
      });
    expect(await (await get('{ hello(name: "x") }')).json()).toEqual({ data: { hello: 'hello x' } });
    const refused = await get('mutation { write }');
    expect(refused.status).toBe(405);
    expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });

  test('a request that a web form could send is refused (CSRF)', async () => {
    const server = await serveSchema({ schema: hello });
    const get = await fetch(`${server.url}/graphql?query={__typename}`);
    expect(get.status).toBe(400);
    const form = await server.post('query=mutation{write}', {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(form.status).toBe(415);
  });

  test('introspection answers unless it is switched off, and then no message suggests names', async () => {
    const open = await serveSchema({ schema: hello });
    expect((await open.graphql('{ __schema { queryType { name } } }')).status).toBe(200);

    const closed = await serveSchema({ schema: hello, config: { introspection: false } });
    const answer = await closed.graphql('{ __schema { queryType { name } } }');
    expect(answer).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    expect((await closed.graphql('{ helo }')).errors?.[0]?.message).toBe(
      'Cannot query field "helo" on type "Query".',
    );
  });

  test('a context that cannot be made refuses the request with its code and status', async () => {
    const server = await serveSchema({
      schema: hello,
      createContext: () => Promise.reject(new FunesError('UNAUTHENTICATED', 'This key is not known.')),
    });
    expect(await server.graphql('{ __typename }')).toMatchObject({
      status: 401,
      errors: [{ message: 'This key is not known.', extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });
});

describe('requests that are no GraphQL', () => {
  test.each([
    [
      'JSON that is cut off',
      '{"query": ',
      'application/json',
      400,
      expect.stringContaining('not valid JSON'),
    ],
    ['no body', '', 'application/json', 400, 'The request has no body. Send {"query": "..."} as JSON.'],
    [
      'text',
      '{ __typename }',
      'text/plain',
      415,
      'The content type of this request is "text/plain". Send GraphQL as JSON, with the header "content-type: application/json".',
    ],
    [
      'a list of operations',
      '[{"query":"{__typename}"}]',
      'application/json',
      400,
      expect.stringContaining('Send one operation in each request'),
    ],
    ['a number', '5', 'application/json', 400, expect.stringContaining('is no JSON object with keys')],
    [
      'a key __proto__',
      '{"query":"{__typename}","variables":{"__proto__":{}}}',
      'application/json',
      400,
      expect.stringContaining('__proto__'),
    ],
  ])('%s is refused as BAD_USER_INPUT', async (_, body, contentType, status, message) => {
    const server = await serveSchema({ schema: hello });
    const response = await server.post(body, { 'content-type': contentType });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }],
    });
    expect(server.log.at(-1)).toMatchObject({ msg: 'request', status, codes: ['BAD_USER_INPUT'] });
  });

  test('another path is NOT_FOUND, another method is told which to use', async () => {
    const server = await serveSchema({ schema: hello });
    const path = await fetch(`${server.url}/grapql?secret=1`);
    expect(path.status).toBe(404);
    expect(await path.json()).toEqual({
      errors: [
        {
          message: 'There is nothing at "/grapql". GraphQL is at /graphql, a page at /.',
          extensions: { code: 'NOT_FOUND' },
        },
      ],
    });
    const method = await fetch(`${server.url}/graphql`, { method: 'DELETE' });
    expect([method.status, method.headers.get('allow')]).toEqual([405, 'GET, POST']);
  });

  test('a path that cannot be decoded is BAD_USER_INPUT', async () => {
    const server = await serveSchema({ schema: hello });
    const response = await fetch(`${server.url}/%zz`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });
});

describe('the body limit', () => {
  const limit = 1024 ** 2;
  const query = JSON.stringify({ query: '{ __typename }', extensions: { padding: '' } });
  const ofLength = (length: number) => query.replace('""', `"${'x'.repeat(length - query.length)}"`);

  test('a body of exactly the limit is read', async () => {
    const server = await serveSchema({ schema: hello, config: { bodyLimit: limit } });
    expect((await server.post(ofLength(limit))).status).toBe(200);
  });

  test.each([
    ['one byte more', limit + 1],
    ['20 times as much', limit * 20],
  ])('%s is LIMIT_EXCEEDED, also when its length is not announced', async (_, length) => {
    const server = await serveSchema({ schema: hello, config: { bodyLimit: limit } });
    const refusal = (problem: string) => ({
      errors: [
        {
          message: `The request ${problem} (FUNES_BODY_LIMIT). Send less at once.`,
          extensions: { code: 'LIMIT_EXCEEDED' },
        },
      ],
    });
    const announced = await server.post(ofLength(length));
    expect(announced.status).toBe(413);
    expect(await announced.json()).toEqual(refusal(`has ${length} bytes; at most 1 MB is allowed`));

    const chunked = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Blob([ofLength(length)]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(chunked.status).toBe(413);
    expect(await chunked.json()).toEqual(refusal('has more than 1 MB, which is the most that is allowed'));
  });
});

test('a client that is refused while it still sends can read the answer and use the connection again', async () => {
  const server = await serveSchema({ schema: hello, config: { bodyLimit: 1024 } });
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1').setEncoding('utf8');
  let received = '';
  socket.on('data', (text) => {
    received += text;
  });
  const body = 'x'.repeat(4_000_000);
  const head = `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
  socket.write(`${head}content-length: ${body.length}\r\n\r\n${body.slice(0, 10_000)}`);
  await until(() => received.includes('LIMIT_EXCEEDED'));
  expect(received).toMatch(/^HTTP\/1.1 413 /);

  received = '';
  socket.write(`${body.slice(10_000)}${head}content-length: 26\r\n\r\n{"query":"{ __typename }"}`);
  await until(() => received.includes('"Query"') || socket.destroyed);
  expect(received).toMatch(/^HTTP\/1.1 200 /);
  socket.destroy();
});

describe('listening', () => {
  test('a port that is taken is named, with what to do', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await expect(serveSchema({ schema: hello, config: { port } })).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${port}: another program listens there. Stop it, or set PORT to another number`,
    );
    taken.close();
  });

  test('an address that this machine does not have is named', async () => {
    await expect(serveSchema({ schema: hello, config: { host: '192.0.2.1' } })).rejects.toThrow(
      'Cannot listen on 192.0.2.1:0: this machine has no such address. Set HOST to one it has.',
    );
  });

  test.each([
    ['localhost', /^http:\/\/localhost:\d+$/],
    ['0.0.0.0', /^http:\/\/127\.0\.0\.1:\d+$/],
  ])('on %s its url can be used on this machine', async (host, url) => {
    const server = await serveSchema({ schema: hello, config: { host } });
    expect(server.url).toMatch(url);
    expect((await server.graphql('{ __typename }')).status).toBe(200);
  });
});

describe('closing', () => {
  const forever = 2 ** 31 - 1;

  function slowServer() {
    let release: (value: string) => void = () => {};
    let arrived = 0;
    const blocked = new Promise<string>((resolve) => {
      release = resolve;
    });
    const schema = schemaOf('type Query { slow: String }', {
      slow: () => {
        arrived++;
        return blocked;
      },
    });
    return { schema, release, arrived: () => arrived };
  }

  test('waits for the requests in flight, answers them, and accepts no further connection', async () => {
    const { schema, release, arrived } = slowServer();
    const server = await serveSchema({ schema });
    const inFlight = [server.graphql('{ slow }'), server.graphql('{ slow }')];
    await until(() => arrived() === 2);

    let closed = false;
    const closing = server.close({ graceMs: forever }).then(() => {
      closed = true;
    });
    await expect
      .poll(() =>
        fetch(server.url).then(
          () => 'answered',
          () => 'refused',
        ),
      )
      .toBe('refused');
    expect(closed).toBe(false);

    release('done');
    for (const { data } of await Promise.all(inFlight)) expect(data).toEqual({ slow: 'done' });
    await closing;
    expect(server.log.filter((line) => line.msg === 'request')).toHaveLength(2);
  });

  test('does not wait for connections that are kept alive', async () => {
    const server = await serveSchema({ schema: hello });
    await server.graphql('{ __typename }');
    await server.close({ graceMs: forever }); // Fastify keeps an idle connection for 72 s, longer than a test may take.
  });

  test('cuts off what is not answered when the grace is over', async () => {
    const { schema, arrived } = slowServer();
    const server = await serveSchema({ schema });
    const request = httpRequest(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    }).end('{"query":"{ slow }"}');
    const cut = once(request, 'error');
    await until(() => arrived() === 1);
    await server.close({ graceMs: 1 });
    expect((await cut)[0]).toMatchObject({ code: 'ECONNRESET' });
  });

  test('asked twice, closes once', async () => {
    const server = await serveSchema({ schema: hello });
    await Promise.all([server.close(), server.close()]);
    await expect(fetch(server.url)).rejects.toThrow();
  });
});
