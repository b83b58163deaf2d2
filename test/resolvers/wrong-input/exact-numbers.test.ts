import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lossOf } from '../../../src/input/exact-numbers.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const create = 'mutation ($input: CreateMemoryInput!) { createMemory(input: $input) { metadata } }';
/** Sends the body as it is: JSON.stringify would round its numbers. */
async function post(body: string) {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  return { status: response.status, text: await response.text() };
}
const createWith = (metadata: string) =>
  post(
    `{"query": ${JSON.stringify(create)}, "variables": {"input": {"content": "numbers", "metadata": ${metadata}}}}`,
  );
const refusal = (message: string) => ({ errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] });

test.each([
  '9007199254740993',
  '-9007199254740993',
  '1234567890123456789',
  '12345678901234567.5',
  '12345678901234567890e3',
])('%s loses digits', (number) => {
  expect(lossOf(number)).toMatch(/^the number .* would become .*\. Send it as a string\.$/);
});

test.each([
  '0',
  '9007199254740991',
  '9007199254740992',
  '10000000000000000000000',
  '1e300',
  '100000000000000000000000e-3',
  '0.1234567890123456789',
  '3.14159265358979323846',
])('%s does not', (number) => {
  expect(lossOf(number)).toBeUndefined();
});

describe('a number that JavaScript would round', () => {
  test.each([
    [
      'a',
      '{"a": 1234567890123456789}',
      '"a" has the number 1234567890123456789, which would become 1234567890123456800.',
    ],
    [
      'in a list',
      '{"a": [1, -9007199254740993]}',
      'The request has the number -9007199254740993, which would become -9007199254740992.',
    ],
    [
      'behind a quote',
      '{"\\"\\\\": {"b":12345678901234567890}}',
      '"b" has the number 12345678901234567890, which would become 12345678901234567000.',
    ],
  ])('is refused in a variable: %s', async (_, metadata, message) => {
    const before = await server.contents();
    const { status, text } = await createWith(metadata);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toEqual(refusal(`${message} Send it as a string.`));
    expect(await server.contents()).toEqual(before);
  });

  test('is refused in the variables of a GET', async () => {
    const query = 'query ($f: MemoryFilters) { memories(filters: $f) { totalCount } }';
    const variables = '{"f": {"metadata": {"contains": {"a": 1234567890123456789}}}}';
    const response = await fetch(`${server.url}/graphql?${new URLSearchParams({ query, variables })}`, {
      headers: { 'apollo-require-preflight': 'yes' },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      errors: [
        { message: expect.stringMatching(/^"a" has the number/), extensions: { code: 'BAD_USER_INPUT' } },
      ],
    });
  });

  test.each([
    [
      'metadata',
      'mutation { createMemory(input: { content: "x", metadata: { a: [{ b: 1234567890123456789 }] } }) { id } }',
    ],
    [
      'toolParameters',
      'mutation { registerTools(inputs: [{ toolName: "t", toolDescription: "x", toolParameters: { a: 1234567890123456789 } }]) { id } }',
    ],
    [
      'a filter',
      '{ memories(filters: { metadata: { contains: { a: 1234567890123456789 } } }) { totalCount } }',
    ],
  ])('is refused in a literal: %s', async (_, query) => {
    const before = await server.contents();
    const { errors } = await server.raw(query);
    expect(errors).toMatchObject([
      {
        message: expect.stringContaining('the number 1234567890123456789, which would become'),
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
    expect(await server.contents()).toEqual(before);
  });
});

test('texts may have any digits, and numbers that are exact stay as they are', async () => {
  const metadata =
    '{"text": ": 1234567890123456789", "1234567890123456789": 1, "exact": 10000000000000000000, "pi": 3.141592653589793}';
  const { status, text } = await createWith(metadata);
  expect(status).toBe(200);
  expect(JSON.parse(text)).toEqual({ data: { createMemory: { metadata: JSON.parse(metadata) } } });
});

test('an id may be a literal with all its digits', async () => {
  const { data } = await server.raw('{ memory(id: 9223372036854775807) { id } }');
  expect(data).toEqual({ memory: null });
});
