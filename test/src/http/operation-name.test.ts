import { expect, test } from 'vitest';
import { schemaOf, serveSchema } from './served-schema.ts';

const schema = schemaOf('type Query { one: Int }', { one: () => 1 });
const two = 'query A { one } query B { one }';

test.each([
  ['missing', two, undefined, 'The request has the operations A and B: name one by operationName.'],
  ['null', two, null, 'The request has the operations A and B: name one by operationName.'],
  [
    'empty',
    two,
    '',
    'The request has the operations A and B, and none is named "": name one by operationName.',
  ],
  [
    'wrong',
    two,
    'C',
    'The request has the operations A and B, and none is named "C": name one by operationName.',
  ],
  [
    'wrong for one',
    'query A { one }',
    'C',
    'The request has the operation A, and none is named "C": name one by operationName.',
  ],
  [
    'wrong for one without a name',
    '{ one }',
    'C',
    'The request has one operation, which has no name, and none is named "C": leave operationName out.',
  ],
])(
  'a name of an operation that is %s is refused, and no error of the server',
  async (_, query, operationName, message) => {
    const server = await serveSchema({ schema });
    const answers = [
      await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, operationName }),
      }),
    ];
    if (operationName != null) {
      const parameters = new URLSearchParams({ query, operationName });
      const headers = { 'apollo-require-preflight': '1' };
      answers.push(await fetch(`${server.url}/graphql?${parameters}`, { headers }));
    }
    for (const answer of answers) {
      expect(answer.status).toBe(400);
      expect(await answer.json()).toEqual({ errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] });
    }
    expect(server.log.filter(({ level }) => level === 'error')).toEqual([]);
  },
);

test('an operation is chosen by its name, and the only one without', async () => {
  const server = await serveSchema({ schema });
  for (const body of [
    { query: two, operationName: 'B' },
    { query: 'query A { one }' },
    { query: '{ one }', operationName: null },
  ]) {
    const answer = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(await answer.json()).toEqual({ data: { one: 1 } });
  }
});
