import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';

// What graphql refuses says what to write instead, in the query and in its variables.

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

async function messagesOf(query: string, variables: object = {}, from = server): Promise<string[]> {
  const { errors = [], status } = await from.raw(query, variables);
  expect(status).toBe(400);
  for (const { extensions } of errors) expect(extensions).toEqual({ code: 'BAD_USER_INPUT' });
  return errors.map(({ message }) => message);
}

/** The hint at the end of the only error: what follows what is wrong. */
async function hintOf(query: string, variables: object = {}): Promise<string | undefined> {
  const messages = await messagesOf(query, variables);
  expect(messages).toHaveLength(1);
  expect(messages[0]).not.toContain('Did you mean');
  return /(?:Use|Write|Send|The operators) .*$/.exec(messages[0] ?? '')?.[0];
}

describe('an argument of another name', () => {
  const unknown = (name: string, field: string, hint: string) =>
    `Unknown argument "${name}" on field "${field}". ${hint}`;
  const howMany = (name: string) => `Use "${name}", which says how many to return.`;

  test.each(['limit', 'topK', 'top_k', 'n', 'count', 'first', 'numResults'])(
    '%s is k in a search',
    async (name) => {
      expect(await messagesOf(`{ similarMemories(text: "tea", ${name}: 3) { score } }`)).toEqual([
        unknown(name, 'Query.similarMemories', howMany('k')),
      ]);
      expect(await messagesOf(`{ memories { edges { node { similar(${name}: 3) { score } } } } }`)).toEqual([
        unknown(name, 'Memory.similar', howMany('k')),
      ]);
    },
  );

  test.each(['limit', 'topK', 'n', 'count', 'k', 'pageSize'])('%s is first in a list', async (name) => {
    expect(await messagesOf(`{ memories(${name}: 3) { totalCount } }`)).toEqual([
      unknown(name, 'Query.memories', howMany('first')),
    ]);
  });

  test.each([
    ['memories(offset: 20) { totalCount }', 'Use "after", which takes the cursor behind which to read on.'],
    ['memories(skip: 20) { totalCount }', 'Use "after", which takes the cursor behind which to read on.'],
    [
      'recall(text: "x", offset: 20) { __typename }',
      'Use "after", which takes the cursor behind which to read on.',
    ],
    ['memories(where: {}) { totalCount }', 'Use "filters".'],
    ['memories(filter: {}) { totalCount }', 'Use "filters".'],
    ['similarChunks(query: "tea") { score }', 'Use "text", which is what to search for.'],
    ['similarTools(q: "tea") { score }', 'Use "text", which is what to search for.'],
    ['similarDocuments(input: "tea") { score }', 'Use "text", which is what to search for.'],
    ['similarMemories(embedding: [1]) { score }', 'Use "vector".'],
    ['memories(sort: CREATED_AT) { totalCount }', 'Use "orderBy".'],
    [
      'memories(userId: "ana") { totalCount }',
      'Write it inside filters: filters: { userId: { eq: "ana" } }.',
    ],
    [
      'memories(user_id: "ana") { totalCount }',
      'Write it inside filters: filters: { userId: { eq: "ana" } }.',
    ],
    [
      'memories(metadata: { topic: "tea" }) { totalCount }',
      'Write it inside filters: filters: { metadata: { contains: { topic: "tea" } } }.',
    ],
    [
      'similarMemories(text: "x", mode: HYBRID) { score }',
      'Write it inside options: options: { mode: HYBRID }.',
    ],
  ])('%s', async (field, hint) => {
    expect(await hintOf(`{ ${field} }`)).toBe(hint);
  });

  test('of an input object is written inside it', async () => {
    const messages = await messagesOf('mutation { createMemory(content: "tea") { id } }');
    expect(messages).toContain(
      unknown('content', 'Mutation.createMemory', 'Write it inside input: input: { content: "tea" }.'),
    );
  });

  test('that is like no other keeps the guess of graphql, or none', async () => {
    expect(await messagesOf('{ similarMemories(txet: "tea") { score } }')).toEqual([
      'Unknown argument "txet" on field "Query.similarMemories". Did you mean "text"?',
    ]);
    expect(await messagesOf('{ memory(id: "1", limit: 3) { id } }')).toEqual([
      'Unknown argument "limit" on field "Query.memory".',
    ]);
    expect(await messagesOf('{ __typename @skip(if: true, limit: 3) }')).toEqual([
      'Unknown argument "limit" on directive "@skip".',
    ]);
  });
});

/** The same filter in the query and as a variable. */
async function filterHints(filters: string, json: object, kind = 'Memory'): Promise<(string | undefined)[]> {
  const list = { Memory: 'memories', Chunk: 'chunks' }[kind];
  return [
    await hintOf(`{ ${list}(filters: ${filters}) { totalCount } }`),
    await hintOf(`query ($filters: ${kind}Filters) { ${list}(filters: $filters) { totalCount } }`, {
      filters: json,
    }),
  ];
}

describe('a condition that is a value', () => {
  test.each<[string, object, string, string?]>([
    ['{ userId: "ana" }', { userId: 'ana' }, 'Write { eq: "ana" }.'],
    ['{ not: { userId: "ana" } }', { not: { userId: 'ana' } }, 'Write { eq: "ana" }.'],
    ['{ or: [{ id: 7 }] }', { or: [{ id: 7 }] }, 'Write { eq: 7 }.'],
    ['{ importanceScore: 0.5 }', { importanceScore: 0.5 }, 'Write { eq: 0.5 }.'],
    ['{ chunkIndex: 3 }', { chunkIndex: 3 }, 'Write { eq: 3 }.', 'Chunk'],
    ['{ userId: ["ana", "ben"] }', { userId: ['ana', 'ben'] }, 'Write { in: ["ana", "ben"] }.'],
    ['{ id: [1, 2] }', { id: [1, 2] }, 'Write { in: [1, 2] }.'],
    [
      '{ createdAt: "2026-01-31" }',
      { createdAt: '2026-01-31' },
      'Write { gte: "2026-01-31T00:00:00Z", lt: "2026-02-01T00:00:00Z" }.',
    ],
    [
      '{ createdAt: "2026-01-31T10:00:00Z" }',
      { createdAt: '2026-01-31T10:00:00Z' },
      'Write { eq: "2026-01-31T10:00:00Z" }.',
    ],
    [
      '{ metadata: { at: [{ path: ["a"], boolean: true }] } }',
      { metadata: { at: [{ path: ['a'], boolean: true }] } },
      'Write { eq: true }.',
    ],
    [
      '{ metadata: { at: { path: ["a"], number: 5 } } }',
      { metadata: { at: { path: ['a'], number: 5 } } },
      'Write { eq: 5 }.',
    ],
    ['{ metadata: [1] }', { metadata: [1] }, 'Write a condition such as { contains: { topic: "tea" } }.'],
    [`{ userId: "${'x'.repeat(500)}" }`, { userId: 'x'.repeat(500) }, 'Write { eq: ... }.'],
  ])('%s', async (filters, json, hint, kind) => {
    expect(await filterHints(filters, json, kind)).toEqual([hint, hint]);
  });

  test('which is a name of an enum is written as such in the query', async () => {
    expect(await hintOf('{ memories(filters: { embeddingStatus: PENDING }) { totalCount } }')).toBe(
      'Write { eq: PENDING }.',
    );
    expect(await hintOf('{ memories(orderBy: ID) { totalCount } }')).toBe('Write { field: ID }.');
  });

  test('which is a variable is compared with it', async () => {
    expect(
      await hintOf('query ($user: String) { memories(filters: { userId: $user }) { totalCount } }', {
        user: 'a',
      }),
    ).toBe('Write { eq: $user }.');
  });
});

describe('an operator of another name', () => {
  const literally = 'Use "contains" or "startsWith", where case counts and no character is a wildcard.';
  test.each<[string, object, string]>([
    ['{ content: { ilike: "%tea%" } }', { content: { ilike: '%tea%' } }, literally],
    ['{ content: { like: "tea%" } }', { content: { like: 'tea%' } }, literally],
    ['{ content: { regex: "^tea" } }', { content: { regex: '^tea' } }, literally],
    ['{ content: { prefix: "tea" } }', { content: { prefix: 'tea' } }, 'Use "startsWith".'],
    ['{ content: { starts_with: "tea" } }', { content: { starts_with: 'tea' } }, 'Use "startsWith".'],
    ['{ userId: { neq: "ana" } }', { userId: { neq: 'ana' } }, 'Use "ne".'],
    ['{ userId: { equals: "ana" } }', { userId: { equals: 'ana' } }, 'Use "eq".'],
    ['{ userId: { nin: ["ana"] } }', { userId: { nin: ['ana'] } }, 'Use "notIn".'],
    ['{ createdAt: { after: "2026-01-31" } }', { createdAt: { after: '2026-01-31' } }, 'Use "gt" or "gte".'],
    ['{ createdAt: { between: [] } }', { createdAt: { between: [] } }, 'Use "gte" or "lte".'],
    ['{ sessionId: { isNull: true } }', { sessionId: { isNull: true } }, 'Use "eq" or "ne", with null.'],
    [
      '{ importanceScore: { like: 1 } }',
      { importanceScore: { like: 1 } },
      'The operators are eq, ne, in, notIn, gt, gte, lt, lte.',
    ],
    [
      '{ embeddingStatus: { gt: READY } }',
      { embeddingStatus: { gt: 'READY' } },
      'The operators are eq, ne, in, notIn.',
    ],
  ])('%s', async (filters, json, hint) => {
    expect(await filterHints(filters, json)).toEqual([hint, hint]);
  });

  test.each([
    ['$eq', 'eq'],
    ['$ne', 'ne'],
    ['$in', 'in'],
    ['$nin', 'notIn'],
    ['$gte', 'gte'],
    ['$gt', 'gt'],
  ])('%s is %s', async (brought, ours) => {
    const query = 'query ($filters: MemoryFilters) { memories(filters: $filters) { totalCount } }';
    expect(await hintOf(query, { filters: { userId: { [brought]: 'ana' } } })).toBe(`Use "${ours}".`);
  });
});

describe('a filter of metadata', () => {
  test.each<[string, object, string]>([
    ['{ topic: "tea" }', { topic: 'tea' }, 'Write { contains: { topic: "tea" } }.'],
    ['{ tags: ["tea"] }', { tags: ['tea'] }, 'Write { contains: { tags: ["tea"] } }.'],
    [
      '{ user: { name: "ana" } }',
      { user: { name: 'ana' } },
      'Write { contains: { user: { name: "ana" } } }.',
    ],
    ['{ eq: { topic: "tea" } }', { eq: { topic: 'tea' } }, 'Write { contains: { topic: "tea" } }.'],
    [
      '{ topic: { startsWith: "te" } }',
      { topic: { startsWith: 'te' } },
      'Write { at: [{ path: ["topic"], string: { startsWith: "te" } }] }.',
    ],
    ['{ age: { gte: 18 } }', { age: { gte: 18 } }, 'Write { at: [{ path: ["age"], number: { gte: 18 } }] }.'],
    [
      '{ paid: { eq: true } }',
      { paid: { eq: true } },
      'Write { at: [{ path: ["paid"], boolean: { eq: true } }] }.',
    ],
  ])('%s', async (metadata, json, hint) => {
    expect(await filterHints(`{ metadata: ${metadata} }`, { metadata: json })).toEqual([hint, hint]);
  });

  test('of two keys has a hint for each', async () => {
    const query = 'query ($filters: MemoryFilters) { memories(filters: $filters) { totalCount } }';
    const messages = await messagesOf(query, { filters: { metadata: { a: 1, b: 2 }, userId: 'ana' } });
    expect(messages.map((message) => /Write .*/.exec(message)?.[0]).sort()).toEqual([
      'Write { contains: { a: 1 } }.',
      'Write { contains: { b: 2 } }.',
      'Write { eq: "ana" }.',
    ]);
  });
});

describe('a time', () => {
  test.each<[unknown, string]>([
    ['2026-01-31', 'Write "2026-01-31T00:00:00Z".'],
    ['2026-01-31 10:30', 'Write "2026-01-31T10:30:00Z".'],
    ['2026-01-31T10:30:15', 'Write "2026-01-31T10:30:15Z".'],
    ['2026-01-31T10:30:15.5', 'Write "2026-01-31T10:30:15.5Z".'],
    ['2026-01-31 10:30+02:00', 'Write "2026-01-31T10:30:00+02:00".'],
    [1769817600, 'Write "2026-01-31T00:00:00.000Z".'],
    [1769817600000, 'Write "2026-01-31T00:00:00.000Z".'],
    ['2026-02-30', 'Write a point in time such as "2026-01-31T09:30:00Z".'],
    ['yesterday', 'Write a point in time such as "2026-01-31T09:30:00Z".'],
    [true, 'Write a point in time such as "2026-01-31T09:30:00Z".'],
  ])('%j', async (time, hint) => {
    expect(
      await hintOf(`{ memories(filters: { createdAt: { gt: ${JSON.stringify(time)} } }) { totalCount } }`),
    ).toBe(hint);
    const archive = 'mutation ($input: ArchiveMemoriesInput!) { archiveMemories(input: $input) { count } }';
    expect(await hintOf(archive, { input: { olderThan: time } })).toBe(hint);
  });
});

describe('metadata', () => {
  const create =
    'mutation ($metadata: JSONObject) { createMemory(input: { content: "x", metadata: $metadata }) { id } }';
  test.each<[unknown, string]>([
    [[1], 'Send an object, such as { topic: "tea" }.'],
    ['tea', 'Send an object, such as { topic: "tea" }.'],
    [7, 'Send an object, such as { topic: "tea" }.'],
    ['{"topic":"tea"}', 'Send the object itself, not its text.'],
  ])('that is %j', async (metadata, hint) => {
    expect(await hintOf(create, { metadata })).toBe(hint);
    expect(
      await hintOf(
        `mutation { createMemory(input: { content: "x", metadata: ${JSON.stringify(metadata)} }) { id } }`,
      ),
    ).toBe(hint);
  });
});

describe('a field that is one level further in', () => {
  test.each([
    ['{ memories { content } }', 'Write edges { node { content } }.'],
    ['{ similarMemories(text: "x") { content } }', 'Write memory { content }.'],
    ['{ memories { endCursor } }', 'Write pageInfo { endCursor }.'],
    ['mutation { archiveMemories(input: {}) { content } }', 'Write sample { content }.'],
  ])('%s', async (query, hint) => {
    expect(await hintOf(query)).toBe(hint);
  });
});

test('a hint names its own error, beside others of the same request', async () => {
  expect(
    await messagesOf(
      'query ($a: MemoryFilters, $b: Int) { a: memories(filters: $a) { totalCount } b: memories(first: $b) { totalCount } }',
      { b: 'x', a: { userId: 'ana' } },
    ),
  ).toEqual([
    'Variable "$a" got invalid value "ana" at "a.userId"; Expected type "StringFilter" to be an object. Write { eq: "ana" }.',
    'Variable "$b" got invalid value "x"; Int cannot represent non-integer value: "x"',
  ]);
});

test('hundreds of wrong values cost no more than those that graphql names', async () => {
  const inputs = Array.from({ length: 1000 }, () => ({ content: 'x', metadata: [1] }));
  const query = 'mutation ($inputs: [CreateMemoryInput!]!) { createMemories(inputs: $inputs) { id } }';
  const messages = await messagesOf(query, { inputs });
  expect(messages.length).toBeLessThanOrEqual(51);
  expect(messages[49]).toMatch(/at "inputs\[49\]\.metadata"; .* Send an object, such as/);
});

test('a value of thousands of levels is refused like any other', async () => {
  const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
  const query = 'query ($filters: MemoryFilters) { memories(filters: $filters) { totalCount } }';
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"query":${JSON.stringify(query)},"variables":{"filters":{"userId":${deep}}}}`,
  });
  expect(await response.json()).toMatchObject({
    errors: [
      {
        message: expect.stringMatching(/ Write \{ in: \[.* \}\.$/),
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ],
  });
});

describe('an object in a variable', () => {
  const list = 'query ($filters: MemoryFilters) { memories(filters: $filters) { totalCount } }';
  const write = 'mutation ($input: CreateMemoryInput!) { createMemory(input: $input) { id } }';
  // graphql would write all of it into each of fifty errors, which takes a minute.
  const wide = Object.fromEntries(Array.from({ length: 300_000 }, (_, i) => [`name${i}`, 'x'.repeat(20)]));

  test('of hundreds of thousands of names is refused, and shown by its beginning', async () => {
    const messages = await messagesOf(list, { filters: { metadata: wide } });
    expect(messages).toHaveLength(50);
    expect(messages[49]).toMatch(
      /^Variable "\$filters" got invalid value \{ name0: "x+", name1: "x+", name2: "x+", \.\.\. \} at "filters\.metadata"; Field "name49" is not defined by type "JSONFilter"\. Write \{ contains: \{ name49: "x+" \} \}\.$/,
    );
  });

  test.each([
    ['beside names that are wrong', { content: 'x', metadata: wide, wrong: 1, wronger: 2 }, 2],
    ['without a name that is needed', { metadata: wide }, 1],
    ['in the place of a text', { content: wide }, 1],
    ['in a list in its place', { content: 'x', metadata: [wide] }, 1],
  ])('of hundreds of thousands of names is refused %s', async (_, input, count) => {
    const messages = await messagesOf(write, { input });
    expect(messages).toHaveLength(count);
    for (const message of messages) expect(message.length).toBeLessThan(500);
  });

  test('of metadata may have as many as its size allows', async () => {
    const { errors } = await server.raw(write, {
      input: { content: 'x', metadata: Object.fromEntries(Object.entries(wide).slice(0, 1000)) },
    });
    expect(errors).toBeUndefined();
  });

  test('of more levels than the stack holds is LIMIT_EXCEEDED', async () => {
    const levels = 50_000;
    const deep = `${'{"not":'.repeat(levels)}{}${'}'.repeat(levels)}`;
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"query":${JSON.stringify(list)},"variables":{"filters":${deep}}}`,
    });
    expect([response.status, await response.json()]).toEqual([
      400,
      {
        errors: [
          {
            message: 'The request is nested too deeply. Send it with fewer levels.',
            extensions: { code: 'LIMIT_EXCEEDED' },
          },
        ],
      },
    ]);
  });

  test('keeps the guess of graphql for a name that is mistyped', async () => {
    expect(await messagesOf(write, { input: { content: 'x', sesionId: 'a' } })).toEqual([
      'Variable "$input" got invalid value { content: "x", sesionId: "a" }; Field "sesionId" is not defined by type "CreateMemoryInput". Did you mean "sessionId"?',
    ]);
  });
});

test('without introspection no message says a name that the client did not send', async () => {
  const closed = await startTestServer({ settings: { FUNES_INTROSPECTION: 'off' } });
  try {
    expect(
      await messagesOf('{ memories(limit: 3, filters: { userId: "a" }) { content } }', {}, closed),
    ).toEqual([
      'Unknown argument "limit" on field "Query.memories".',
      'Expected value of type "StringFilter", found "a".',
      'Cannot query field "content" on type "MemoryConnection".',
    ]);
  } finally {
    await closed.close();
  }
});

describe('a name or form from elsewhere', () => {
  test.each([
    ['mutation { createMemory(input: { content: "x", text: "tea" }) { id } }', 'Use "content".'],
    [
      '{ similarMemories(text: "x", options: { threshold: 0.5 }) { score } }',
      'Use "maxDistance", which is a distance: less is nearer.',
    ],
    ['{ memories(last: 5) { totalCount } }', 'Use "first", with orderBy in the other direction.'],
    ['mutation { addMemory(content: "x") { id } }', 'Use "createMemory".'],
    ['{ search(text: "x") { score } }', 'Use "similarMemories" or "recall".'],
    [
      'mutation { createKey(input: { userId: "ana", role: "ADMIN" }) { key } }',
      'Write ADMIN without quotes.',
    ],
  ])('%s', async (query, hint) => {
    expect(await hintOf(query)).toBe(hint);
  });

  test('is a field and a direction in an order', async () => {
    const messages = await messagesOf('{ memories(orderBy: { createdAt: ASC }) { totalCount } }');
    expect(messages.join(' ')).toContain('Write { field: CREATED_AT, direction: ASC }.');
  });
});

describe('a request of a form that is not supported', () => {
  const send = async (body: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    const { errors } = (await answer.json()) as { errors: { message: string; extensions: object }[] };
    expect(errors.map(({ extensions }) => extensions)).toEqual([{ code: 'BAD_USER_INPUT' }]);
    return errors[0]?.message;
  };

  test.each<[string, string, Record<string, string>, RegExp]>([
    ['a list', '[{"query":"{ __typename }"}]', {}, /^The body of the request is a list\. Send one operation/],
    ['null', 'null', {}, /^The body of the request is no JSON object with keys\. Send \{"query": "\.\.\."\}/],
    [
      'compressed',
      '\u001f\u008b',
      { 'content-encoding': 'gzip' },
      /is compressed \(content-encoding: "gzip"\)/,
    ],
    [
      'a subscription',
      '{"query":"subscription { memories { totalCount } }"}',
      {},
      /^The API has queries and mutations, and no subscriptions\./,
    ],
  ])('%s', async (_, body, headers, message) => {
    expect(await send(body, headers)).toMatch(message);
  });

  test('introspection that is off names the setting', async () => {
    const closed = await startTestServer({ settings: { FUNES_INTROSPECTION: 'off' } });
    const messages = await messagesOf('{ __schema { queryType { name } } }', {}, closed);
    await closed.close();
    for (const message of messages)
      expect(message).toMatch(/^The schema is not shown here, because FUNES_INTROSPECTION is off\./);
    expect(messages).not.toEqual([]);
  });
});
