import { getIntrospectionQuery, Lexer, Source, TokenKind } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { costs, limits } from '../../src/input/limits.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  const inputs = Array.from({ length: 30 }, (_, n) => `{ content: "the ferry of pier ${n}" }`);
  const { errors } = await server.raw(`mutation { createMemories(inputs: [${inputs}]) { id } }`);
  expect(errors).toBeUndefined();
});
afterAll(() => server.close());

const { costLimit } = loadConfig({ env: {}, envFile: '/nowhere/.env' });
const times = (count: number, make: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i)).join(' ');

/** A list of memories with `levels` of fields; each level of `similar` has two. */
function levels(count: number): string {
  const pairs = Math.floor((count - 4) / 2);
  const last = (count - 4) % 2 === 0 ? 'id' : 'similar(k: 1) { score }';
  return `{ memories(first: 1) { edges { node { ${'similar(k: 1) { memory { '.repeat(pairs)}${last}${' } }'.repeat(pairs)} } } } }`;
}

/** An operation with exactly so many tokens, most of them the values of filters. */
function tokens(count: number): string {
  const query = (lists: readonly number[]) =>
    `{ ${lists.map((length, i) => `a${i}: memories(first: 1, filters: { id: { in: [${times(length, () => '"7"')}] } }) { totalCount }`).join(' ')} }`;
  const lists: number[] = [];
  while (tokensOf(query([...lists, 900])) <= count) lists.push(900);
  lists.push(0);
  return query([...lists.slice(0, -1), count - tokensOf(query(lists))]);
}

function tokensOf(query: string): number {
  const lexer = new Lexer(new Source(query));
  let count = 0;
  while (lexer.advance().kind !== TokenKind.EOF) count++;
  return count;
}

/** An operation with exactly so many fields and fragments, of which most stand in one fragment that is used often. */
function selections(count: number): string {
  const uses = limits.aliases;
  // Each use has three: its field, the fragment and the last field of the fragment.
  const nested = Math.floor(count / uses) - 3;
  const fragment = `fragment F on Memory { ${'... { '.repeat(nested)}id${' }'.repeat(nested)} }`;
  return `{ ${times(uses, (i) => `a${i}: memory(id: "1") { ...F }`)} ${times(count % uses, () => '__typename')} } ${fragment}`;
}

/** An operation that costs exactly so much, at least 40,201. */
function cost(count: number): string {
  const [first, k] = [200, 189];
  const similar = `a: memories(first: ${first}) { edges { node { similar(k: ${k}) { score } } } }`;
  let rest = count - first - first * (costs.search + k);
  let lists = '';
  for (let i = 0; rest > 0; i++) {
    lists += `b${i}: memories(first: ${Math.min(rest, limits.pageSize)}) { edges { cursor } } `;
    rest -= limits.pageSize;
  }
  return `{ ${similar} ${lists} }`;
}

const directives = (count: number) =>
  `{ ${times(Math.ceil(count / 2), (i) => `a${i}: __typename @skip(if: false) ${2 * i + 1 < count ? '@include(if: true)' : ''}`)} }`;

const boundaries: [string, number, (count: number) => string, RegExp][] = [
  ['depth', limits.depth, levels, /has 21 levels of fields; at most 20 .* "memories\.edges\.node\.similar/],
  [
    'aliases',
    limits.aliases,
    (count) => `{ ${times(count, (i) => `a${i}: memory(id: "1") { id }`)} }`,
    /has 201 aliases; at most 200 .* "memory": 201/,
  ],
  ['directives', limits.directives, directives, /has 201 directives; at most 200 .* "__typename": 201\./],
  [
    'tokens',
    limits.tokens,
    tokens,
    /has 10001 tokens .*; at most 10000 are allowed\. The field with the most is "memories": 9978\./,
  ],
  [
    'characters',
    limits.operationLength,
    (count) => '{ __typename }'.padEnd(count),
    /has 250001 characters; at most 250000 /,
  ],
  [
    'selections',
    limits.selections,
    selections,
    /has more than 5000 fields and fragments.* within "memory": 5000\./,
  ],
  [
    'repeats',
    limits.repeats,
    (count) => `{ memories { ${times(count, () => 'totalCount')} } }`,
    /"memories\.totalCount" is selected 51 times; at most 50 /,
  ],
  [
    'cost',
    costLimit,
    cost,
    /could cost 50001; at most 50000 is allowed \(FUNES_COST_LIMIT\).* "a\.edges\.node\.similar": 39800\./,
  ],
];

describe.each(boundaries)('the limit of %s', (_, most, make, refusal) => {
  test('answers an operation that meets it', async () => {
    const { status, errors, data } = await server.raw(make(most));
    expect(errors).toBeUndefined();
    expect(status).toBe(200);
    expect(Object.keys(data as object)).not.toHaveLength(0);
  });

  test('refuses one above, before anything is read', async () => {
    let answer: Awaited<ReturnType<TestServer['raw']>> | undefined;
    const statements = await server.statementsOf(async () => {
      answer = await server.raw(make(most + 1));
    });
    expect(answer).toEqual({
      status: 400,
      errors: [{ message: expect.stringMatching(refusal), extensions: { code: 'LIMIT_EXCEEDED' } }],
    });
    expect(statements).toEqual([]);
  });
});

const nested = (first: number, k: number) =>
  `{ memories(first: ${first}) { edges { node { similar(k: ${k}) { memory { similar(k: ${k}) { memory { id } } } } } } } }`;

describe('the cost of an operation', () => {
  const refused = async (query: string, variables: object = {}) => {
    const { errors, data } = await server.raw(query, variables);
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED' } }]);
    return /could cost (\d+)/.exec(errors?.[0]?.message ?? '')?.[1];
  };
  const answered = async (query: string, variables: object = {}) => {
    const { errors, data } = await server.raw(query, variables);
    expect(errors).toBeUndefined();
    return JSON.stringify(data);
  };

  test('lets similar within similar through where it is small', async () => {
    const data = await answered(nested(30, 29));
    expect(data.match(/"id"/g)).toHaveLength(30 * 29 * 29);
    await answered('{ memories(first: 50) { edges { node { similar(k: 5) { memory { content } } } } } }');
  });

  test('multiplies what stands below a list or a search, with values, variables and defaults alike', async () => {
    // 200 rows, for each a search and its rows, and for each of these again.
    const whole = String(200 + 200 * (210 + 200 * 210));
    expect(await refused(nested(200, 200))).toBe(whole);
    const variables =
      'query ($first: Int!, $k: Int! = 200) { memories(first: $first) { edges { node { similar(k: $k) { memory { similar(k: $k) { memory { id } } } } } } } }';
    expect(await refused(variables, { first: 200 })).toBe(whole);
    expect(await refused(variables, { first: 200, k: 100 })).toBe(String(200 + 200 * (110 + 100 * 110)));
    const defaults =
      '{ memories { edges { node { similar { memory { similar(k: 200) { memory { similar { score } } } } } } } } }';
    expect(await refused(defaults)).toBe(String(20 + 20 * (15 + 5 * (210 + 200 * 15))));
  });

  test('counts documents, chunks and their neighbours', async () => {
    const walk =
      '{ documents(first: 100) { edges { node { chunks(first: 100) { edges { node { previous { document { chunks(first: 100) { edges { node { content } } } } } } } } } } } }';
    expect(await refused(walk)).toBe(String(100 + 100 * (100 + 100 * (1 + 1 + 100))));
  });

  test('counts a field behind a fragment, and each use of it', async () => {
    const fragment =
      'fragment F on Memory { similar(k: 200) { memory { ...G } } } fragment G on Memory { similar(k: 20) { score } }';
    const one = 20 + 20 * (210 + 200 * 30);
    expect(await refused(`{ a: memories { edges { node { ...F } } } } ${fragment}`)).toBe(String(one));
    expect(
      await refused(
        `{ a: memories { edges { node { ...F } } } b: memories { edges { node { ...F ...F } } } } ${fragment}`,
      ),
    ).toBe(String(2 * one));
  });

  test('does not count what @skip or @include leave out, and does where a fragment comes in again without them', async () => {
    const query = (use: string) =>
      `query ($whole: Boolean!) { memories(first: 200) { edges { node { id ${use} } } } } fragment F on Memory { similar(k: 200) { memory { similar(k: 200) { score } } } }`;
    await answered(query('...F @include(if: $whole)'), { whole: false });
    await answered(query('...F @skip(if: $whole)'), { whole: true });
    await refused(query('...F @include(if: $whole)'), { whole: true });
    await refused(query('...F @include(if: $whole) ...F'), { whole: false });
    await refused(query('... @include(if: $whole) { ...F } ... @skip(if: $whole) { ...F }'), {
      whole: false,
    });
  });

  test('counts a match of recall as the dearest of the kinds that it can be', async () => {
    const recall = (memory: number, chunk: number) =>
      `{ recall(text: "ferry", k: 200) { ... on MemoryMatch { memory { similar(k: ${memory}) { score } } } ... on ChunkMatch { chunk { similar(k: ${chunk}) { score } } } } }`;
    await answered(recall(200, 150));
    // recall itself costs 211: a search, its rows and a text.
    const dear = `{ ${times(2, (i) => `r${i}: ${recall(200, 150).slice(2, -2)}`)} }`;
    expect(await refused(dear)).toBe(String(2 * (211 + 200 * 210)));
  });

  test('counts rows to write, texts to embed, and what is asked of the rows', async () => {
    const inputs = Array.from({ length: 1000 }, (_, i) => ({ content: `one of many, ${i}` }));
    const create = (k: number) =>
      `mutation ($inputs: [CreateMemoryInput!]!) { createMemories(inputs: $inputs) { similar(k: ${k}) { score } } }`;
    expect(await refused(create(50), { inputs })).toBe(String(2000 + 1000 * 60));
    const ingest =
      'mutation ($input: IngestDocumentInput!) { ingestDocument(input: $input) { document { id } } }';
    const content = 'x'.repeat(1_000_000);
    const input = { filename: 'x.txt', content, chunkSize: 8, overlap: 4 };
    expect(await refused(ingest, { input })).toBe(String(1 + Math.ceil(1_000_000 / 12) + 1));
  });

  test('counts the length of a text to search for', async () => {
    const search = (k: number) => `query ($text: String!) { similarMemories(text: $text, k: ${k}) { memory {
      similar(k: 200) { memory { similar(k: 200) { score } } } } } }`;
    const text = 'x'.repeat(limits.queryLength);
    const inner = 2 * (210 + 200 * 210);
    expect(await refused(search(2), { text: 'x' })).toBe(String(10 + 2 + 1 + inner));
    expect(await refused(search(2), { text })).toBe(String(10 + 2 + 20 + inner));
  });

  test('is that of the operation which is named', async () => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: `query Dear ${nested(200, 200)} query Cheap { __typename }`,
        operationName: 'Cheap',
      }),
    });
    expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
  });

  test('is checked for GET, too', async () => {
    const get = new URL(`${server.url}/graphql`);
    get.searchParams.set(
      'query',
      'query ($n: Int!) { memories(first: $n) { edges { node { similar(k: $n) { memory { similar(k: $n) { score } } } } } } }',
    );
    get.searchParams.set('variables', JSON.stringify({ n: 200 }));
    const response = await fetch(get, { headers: { 'apollo-require-preflight': 'yes' } });
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'LIMIT_EXCEEDED' } }] });
  });
});

describe('introspection', () => {
  test.each([
    ['of graphql-js', getIntrospectionQuery()],
    [
      'of GraphiQL and code generators, with all that it can ask for',
      getIntrospectionQuery({
        descriptions: true,
        specifiedByUrl: true,
        directiveIsRepeatable: true,
        schemaDescription: true,
        inputValueDeprecation: true,
      }),
    ],
  ])('%s is answered', async (_, query) => {
    const { errors, data } = await server.raw(query);
    expect(errors).toBeUndefined();
    expect(JSON.stringify(data)).toContain('MemoryConnection');
  });

  test('a hundred times over is answered, but not more', async () => {
    const query = (count: number) => `{ ${times(count, (i) => `a${i}: __schema { queryType { name } }`)} }`;
    expect((await server.raw(query(100))).errors).toBeUndefined();
    expect((await server.raw(query(101))).errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED' } }]);
  });
});

describe('what validation refuses is left to it', () => {
  test.each([
    [
      'a fragment within itself',
      '{ memories { edges { node { ...F } } } } fragment F on Memory { similar { memory { ...F } } }',
      /Cannot spread fragment "F" within itself/,
    ],
    ['an unknown field', '{ memorie { id } }', /Cannot query field "memorie"/],
    ['an unknown fragment', '{ ...F }', /Unknown fragment "F"/],
    ['a fragment on another type', '{ memories { ... on Tool { id } } }', /can never be of type/],
    ['text that is no GraphQL', '{ memories', /Syntax Error/],
  ])('%s', async (_, query, message) => {
    const { errors } = await server.raw(query);
    expect(errors?.[0]).toMatchObject({
      message: expect.stringMatching(message),
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });
});

describe('operations that would keep validation busy are refused', () => {
  test.each([
    ['one field hundreds of times', `{ ${times(700, () => 'memories { pageInfo { hasNextPage } }')} }`],
    ['an unknown field hundreds of times', `{ ${times(700, () => 'x { y { z } }')} }`],
    [
      'fragments on a type that cannot be there',
      `{ recall(text: "x") { ${times(700, () => '... on Memory { id }')} } }`,
    ],
    [
      'a fragment that no operation uses',
      `{ __typename } fragment F on Query { ${times(700, () => 'memories { totalCount }')} }`,
    ],
    [
      'fragments that double',
      `{ ...F0 } ${times(30, (i) => `fragment F${i} on Query { a${i}: memory(id: "1") { id } ... @include(if: true) { ...F${i + 1} } ... @include(if: true) { ...F${i + 1} } }`)} fragment F30 on Query { __typename }`,
    ],
    ['more levels than the stack has', `{ memories ${'{ x '.repeat(3000)}${'}'.repeat(3000)} }`],
  ])('%s', async (_, query) => {
    const { errors } = await server.raw(query);
    expect(errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED' } }]);
  });
});
