import { clientKey } from '../../src/config.ts';

/** An error in an answer of the API, with its code. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export type Client = <Data>(query: string, variables?: object) => Promise<Data>;

interface Answer<Data> {
  data?: Data;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/** Returns a function that sends GraphQL over HTTP, with the key FUNES_API_KEY if that is set. The function throws ApiError for an answer with errors. */
export function graphqlClient(url: string): Client {
  const key = clientKey();
  return async <Data>(query: string, variables: object = {}) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as Answer<Data>;
    const [error] = errors ?? [];
    if (error) throw new ApiError(error.extensions?.code ?? String(response.status), error.message);
    return data as Data;
  };
}
