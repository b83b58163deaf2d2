import { commands } from '../src/distribution.ts';
import { FunesError } from '../src/errors.ts';

/** A client of a GraphQL API over HTTP. */
export interface Client {
  readonly url: string;
  /**
   * Returns the data of one operation.
   * @throws FunesError UNAVAILABLE if no server listens. INTERNAL_SERVER_ERROR with the server's message if the operation
   *   fails, and INTERNAL_SERVER_ERROR if the server is no GraphQL API.
   */
  send<Data>(query: string, variables?: Record<string, unknown>): Promise<Data>;
}

interface Answer {
  data?: unknown;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/** Returns a client of the API at `url`, which sends `key` if there is one. It connects only to send something. */
export function clientOf(url: string, key?: string): Client {
  return {
    url,
    async send<Data>(query: string, variables: Record<string, unknown> = {}): Promise<Data> {
      const text = await post(url, key, JSON.stringify({ query, variables }));
      const { data, errors } = parse(url, text);
      if (errors && errors.length > 0) {
        const messages = errors.map(({ message }) => message).join('\n');
        const isRefused = errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');
        const advice = isRefused ? '\nSet FUNES_API_KEY to the key of an administrator.' : '';
        throw new FunesError('INTERNAL_SERVER_ERROR', `${url} answered: ${messages}${advice}`);
      }
      return data as Data;
    },
  };
}

async function post(url: string, key: string | undefined, body: string): Promise<string> {
  try {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    };
    const response = await fetch(url, { method: 'POST', headers, body });
    return await response.text();
  } catch (error) {
    throw new FunesError('UNAVAILABLE', `No server answers at ${url}.`, { cause: error });
  }
}

function parse(url: string, text: string): Answer {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer)) {
      return answer as Answer;
    }
  } catch {
    // The error below says so.
  }
  throw new FunesError(
    'INTERNAL_SERVER_ERROR',
    `What answers at ${url} is no GraphQL server. Name the address of a funes server: ${commands.demoOf} http://host:port/graphql`,
  );
}
