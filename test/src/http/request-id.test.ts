import { expect, test } from 'vitest';
import { FunesError } from '../../../src/errors.ts';
import { schemaOf, serveSchema } from './served-schema.ts';

const schema = schemaOf('type Query { broken: Int away: Int missing: Int }', {
  broken: () => {
    throw new Error('A bug with a secret.');
  },
  away: () => {
    throw new FunesError('UNAVAILABLE', 'The database cannot be reached.');
  },
  missing: () => {
    throw new FunesError('NOT_FOUND', 'There is no such memory.');
  },
});

interface Answer {
  errors: { extensions: Record<string, string> }[];
}

test('a request keeps the id that its sender chose: in the header, in the log, and in the errors of the server', async () => {
  const server = await serveSchema({ schema });
  const response = await server.post(
    { query: '{ broken away missing }' },
    { 'x-request-id': 'trace/7-Ab.c' },
  );
  expect(response.headers.get('x-request-id')).toBe('trace/7-Ab.c');
  const { errors } = (await response.json()) as Answer;
  const ofCode = (code: string) => errors.find(({ extensions }) => extensions.code === code)?.extensions;
  expect(ofCode('INTERNAL_SERVER_ERROR')?.requestId).toBe('trace/7-Ab.c');
  expect(ofCode('UNAVAILABLE')?.requestId).toBe('trace/7-Ab.c');
  expect(ofCode('NOT_FOUND')).toEqual({ code: 'NOT_FOUND' });
  // From the line of the request to the line of the error.
  const line = server.log.find(({ msg }) => msg === 'request');
  const errorId = ofCode('INTERNAL_SERVER_ERROR')?.id;
  expect(line).toMatchObject({ requestId: 'trace/7-Ab.c', errorIds: [errorId] });
  expect(server.log).toContainEqual(expect.objectContaining({ level: 'error', errorId }));
});

test('a request without an id gets one of its own, also if it is refused', async () => {
  const server = await serveSchema({ schema });
  const ids = new Set<string | null>();
  for (const path of ['/graphql?query={missing}', '/graphql', '/nowhere', '/health/live', '/%E0%A4%A']) {
    const response = await fetch(`${server.url}${path}`);
    ids.add(response.headers.get('x-request-id'));
  }
  expect(ids).toEqual(new Set(Array.from({ length: 5 }, () => expect.stringMatching(/^[0-9a-f-]{36}$/))));
  expect(server.log.every(({ requestId }) => ids.has(String(requestId)))).toBe(true);
});

test.each(['', 'a b', '"quoted"', '{"json":1}', 'ü', 'x'.repeat(129)])(
  'the id %j could confuse a log, and counts as none',
  async (id) => {
    const server = await serveSchema({ schema });
    const response = await server.post(
      { query: '{ __typename }' },
      { 'x-request-id': Buffer.from(id).toString('latin1') },
    );
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  },
);

test('scripts of allowed origins may read the id', async () => {
  const server = await serveSchema({ schema, config: { corsOrigins: ['https://app.example.com'] } });
  const response = await server.post({ query: '{ __typename }' }, { origin: 'https://app.example.com' });
  expect(response.headers.get('access-control-expose-headers')).toContain('x-request-id');
});
