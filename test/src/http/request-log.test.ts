import { expect, test } from 'vitest';
import { FunesError } from '../../../src/errors.ts';
import { schemaOf, serveSchema } from './served-schema.ts';

const schema = schemaOf('type Query { echo(text: String!): String missing: Int gone: Int }', {
  echo: (_, { text }) => text,
  missing: () => {
    throw new FunesError('NOT_FOUND', 'There is no memory "Funes remembered".');
  },
  gone: () => {
    throw new FunesError('NOT_FOUND', 'Nothing.');
  },
});

const text = 'Funes remembered every leaf of every tree';

test('a request is one line with its operation, status, duration and user, and nothing of what was said', async () => {
  const server = await serveSchema({ schema });
  await server.graphql('query Remember($text: String!) { echo(text: $text) }', { text });

  expect(server.log).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      method: 'POST',
      path: '/graphql',
      status: 200,
      ms: expect.any(Number),
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      operation: 'Remember',
      user: 'default_user',
      msg: 'request',
    },
  ]);
});

test('an operation without a name is logged as null, and each code of its errors once', async () => {
  const server = await serveSchema({ schema });
  await server.graphql('{ missing gone also: echo }');
  await server.graphql('{ missing gone }');
  expect(server.log).toMatchObject([
    { operation: null, codes: ['BAD_USER_INPUT'], status: 400 },
    { operation: null, codes: ['NOT_FOUND'], status: 200 },
  ]);
  expect(JSON.stringify(server.log)).not.toContain('Funes remembered');
});

test('the text of a query in a URL is not logged', async () => {
  const server = await serveSchema({ schema });
  const url = `${server.url}/graphql?query=${encodeURIComponent(`{ echo(text: "${text}") }`)}`;
  await fetch(url, { headers: { 'apollo-require-preflight': '1' } });
  await fetch(`${server.url}/${encodeURIComponent(text)}`);
  expect(server.log).toMatchObject([
    { method: 'GET', path: '/graphql', status: 200, operation: null },
    { method: 'GET', path: null, status: 404, codes: ['NOT_FOUND'] },
  ]);
  expect(JSON.stringify(server.log)).not.toContain('leaf');
});

test('a name of thousands of letters is cut', async () => {
  const server = await serveSchema({ schema });
  await server.graphql(`query ${'A'.repeat(5000)} { __typename }`);
  expect(server.log[0]?.operation).toBe('A'.repeat(100));
});
