import { request } from 'node:http';
import { createKey } from '../../../src/security/keys.ts';
import { localViewer, type ViewerRole } from '../../../src/viewer.ts';
import type { TestServer } from '../../support/server.ts';

/** Makes a key as the command line does, without a key. */
export async function makeKey(
  { database }: Pick<TestServer, 'database'>,
  userId: string,
  role: ViewerRole = 'user',
  expiresAt?: Date,
) {
  return createKey(database.pool, localViewer, { userId, role, expiresAt });
}

/** The header that sends a key or token. */
export const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` });

export interface RawAnswer {
  status: number;
  headers: Record<string, unknown>;
  errors?: { message: string; extensions: { code: string } }[];
  data?: unknown;
}

/** Sends a query with headers exactly as given, some of which `fetch` would merge or refuse: name, value, name, value. */
export function sendRaw(url: string, headers: string[], query = '{ __typename }'): Promise<RawAnswer> {
  const body = JSON.stringify({ query });
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/graphql`,
      {
        method: 'POST',
        // Node adds no Host to an array of headers.
        headers: ['host', new URL(url).host, 'content-type', 'application/json', ...headers] as never,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, ...JSON.parse(text) }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends `send` again and again until `done` is true of its answer, and returns that answer. */
export async function until<T>(send: () => Promise<T>, done: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await send();
    if (done(answer)) return answer;
  }
}
