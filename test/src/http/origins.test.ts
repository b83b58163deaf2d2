import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { HttpConfig } from '../../../src/http/server.ts';
import { type ServedSchema, schemaOf, serveSchema } from './served-schema.ts';

const schema = schemaOf('type Query { a: Int }', {});

const preflight = (server: ServedSchema, origin: string) =>
  fetch(`${server.url}/graphql`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,authorization,x-funes-user',
    },
  });

describe('scripts of other origins', () => {
  test.each<[string, Partial<HttpConfig>]>([
    ['https://studio.apollographql.com', {}],
    ['https://app.example.com', { corsOrigins: ['https://app.example.com'] }],
  ])('%s may call the API', async (origin, config) => {
    const server = await serveSchema({ schema, config });
    const asked = await preflight(server, origin);
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-origin')).toBe(origin);
    expect(asked.headers.get('access-control-allow-methods')).toContain('POST');
    expect(asked.headers.get('access-control-allow-headers')).toBe('content-type,authorization,x-funes-user');

    const answer = await server.post({ query: '{ __typename }' }, { origin });
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(answer.headers.get('vary')).toContain('Origin');
    const refused = await server.post('{', { origin });
    expect(refused.headers.get('access-control-allow-origin')).toBe(origin);
  });

  test.each([
    'https://studio.apollographql.com',
    'https://evil.example',
    'http://studio.apollographql.com',
    'https://studio.apollographql.com.evil.example',
    'https://app.example.com:8443',
    'null',
  ])('%s gets no CORS header, neither before nor with an answer', async (origin) => {
    const server = await serveSchema({ schema, config: { corsOrigins: ['https://app.example.com'] } });
    const answers = [
      await preflight(server, origin),
      await server.post({ query: '{ __typename }' }, { origin }),
    ];
    for (const { headers } of answers) {
      expect(headers.get('access-control-allow-origin')).toBeNull();
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    }
  });
});

test('no origin may call the API with an empty list', async () => {
  const server = await serveSchema({ schema, config: { corsOrigins: [] } });
  const { headers } = await preflight(server, 'https://studio.apollographql.com');
  expect(headers.get('access-control-allow-origin')).toBeNull();
});

describe('names of the server', () => {
  /** Sends a request with a Host header, which `fetch` does not allow. */
  const statusFor = (server: ServedSchema, host: string) =>
    new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      request(`${server.url}/`, { headers: { host } }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode, body }));
      })
        .on('error', reject)
        .end();
    });

  test.each([
    'localhost:4000',
    'LOCALHOST',
    'a.localhost:1',
    '127.0.0.1:4000',
    '10.1.2.3',
    '[::1]:4000',
    'memory.example.com:443',
  ])('a request to %s is answered', async (host) => {
    const server = await serveSchema({ schema, config: { allowedHosts: ['memory.example.com'] } });
    expect(await statusFor(server, host)).toMatchObject({ status: 200 });
  });

  test.each([
    'evil.example:4000',
    'memory.example.com.evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'example.com',
  ])('a request to %s is refused, as it could come from a page that points the name here', async (host) => {
    const server = await serveSchema({ schema, config: { allowedHosts: ['memory.example.com'] } });
    const { status, body } = await statusFor(server, host);
    expect(status).toBe(403);
    expect(JSON.parse(body)).toMatchObject({
      errors: [
        { message: expect.stringContaining('FUNES_ALLOWED_HOSTS'), extensions: { code: 'FORBIDDEN' } },
      ],
    });
  });
});
