import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filterLimits } from '../../src/filters/limits.ts';
import { limits } from '../../src/input/limits.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

// Each limit of a value is met once, and exceeded by one once. Those of a whole operation are in operation-limits.test.ts, those of
// a request and of a rate beside the server (test/src/http), and the quotas in quota.test.ts.

let server: TestServer;
let ids: string[] = [];
beforeAll(async () => {
  server = await startTestServer();
  const inputs = Array.from({ length: limits.examples + 1 }, (_, i) => ({
    content: `the ferry of pier ${i}`,
  }));
  const { data } = await server.raw(createMemories, { inputs });
  ids = (data as { createMemories: { id: string }[] }).createMemories.map(({ id }) => id);
});
afterAll(() => server.close());

const createMemories = 'mutation ($inputs: [CreateMemoryInput!]!) { createMemories(inputs: $inputs) { id } }';
const createMemory = 'mutation ($input: CreateMemoryInput!) { createMemory(input: $input) { id } }';
const registerTools = 'mutation ($inputs: [RegisterToolInput!]!) { registerTools(inputs: $inputs) { id } }';
const ingest = 'mutation ($input: IngestDocumentInput!) { ingestDocument(input: $input) { chunkCount } }';
const search =
  'query ($text: String, $like: [ID!], $unlike: [ID!], $k: Int! = 1, $options: SearchOptions) { similarMemories(text: $text, like: $like, unlike: $unlike, k: $k, options: $options) { score } }';
const recall = 'query ($k: Int!) { recall(text: "ferry", k: $k) { __typename } }';
const similar = 'query ($id: ID!, $k: Int!) { memory(id: $id) { similar(k: $k) { score } } }';
const list =
  'query ($first: Int! = 1, $filters: MemoryFilters) { memories(first: $first, filters: $filters) { totalCount } }';

const text = (length: number) =>
  'tea '
    .repeat(Math.ceil(length / 4))
    .slice(0, length - 1)
    .padEnd(length, 'x');
const times = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));
const ofMemory = (field: string) => (count: number) => ({ input: { content: 'x', [field]: text(count) } });
const ofTool = (field: string) => (count: number) => ({
  inputs: [{ toolName: 'clock', toolDescription: 'tells the time', [field]: text(count) }],
});
const ofDocument = (field: string) => (count: number) => ({
  input: { filename: 'a.txt', content: `about ${field} ${count}`, [field]: text(count) },
});
const json = (length: number) => ({ a: 'x'.repeat(length - JSON.stringify({ a: '' }).length) });
const nested = (levels: number): object => (levels === 1 ? {} : { a: nested(levels - 1) });
const negated = (levels: number): object =>
  levels === 0 ? { source: { eq: 'a' } } : { not: negated(levels - 1) };

type LimitName = keyof typeof limits | `filters.${keyof typeof filterLimits}`;

const allLimits = new Map<string, number>([
  ...Object.entries(limits),
  ...Object.entries(filterLimits).map(([name, value]) => [`filters.${name}`, value] as const),
]);

/** What a limit is of, the limit, the operation, and its variables for a value. */
const pairs: [
  what: string,
  limit: LimitName | number,
  query: string,
  variables: (count: number) => object,
][] = [
  ['k of a search', 'k', search, (k) => ({ text: 'ferry', k })],
  ['k of recall', 'k', recall, (k) => ({ k })],
  ['k of a field', 'k', similar, (k) => ({ id: ids[0], k })],
  ['efSearch', 'efSearch', search, (efSearch) => ({ text: 'ferry', options: { efSearch } })],
  ['the text of a search', 'queryLength', search, (count) => ({ text: text(count) })],
  ['like', 'examples', search, (count) => ({ like: ids.slice(0, count) })],
  [
    'unlike',
    'examples',
    search,
    (count) => ({ like: ids.slice(0, 1), unlike: times(count, (i) => ids[1 + (i % 100)]) }),
  ],
  ['first of a list', 'pageSize', list, (first) => ({ first })],

  [
    'memories of a batch',
    'batchSize',
    createMemories,
    (count) => ({ inputs: times(count, (i) => ({ content: `${i}` })) }),
  ],
  [
    'tools of a batch',
    'batchSize',
    registerTools,
    (count) => ({ inputs: times(count, (i) => ({ toolName: `tool ${i}`, toolDescription: 'x' })) }),
  ],
  [
    'ids of a deletion',
    'batchSize',
    'mutation ($ids: [ID!]!) { deleteMemories(ids: $ids) }',
    (count) => ({ ids: times(count, (i) => `${1_000_000 + i}`) }),
  ],
  [
    'ids to restore',
    'batchSize',
    'mutation ($ids: [ID!]!) { restoreMemories(ids: $ids) }',
    (count) => ({ ids: times(count, (i) => `${1_000_000 + i}`) }),
  ],

  ['content of a memory', 'contentLength', createMemory, ofMemory('content')],
  ['contentSummary of a memory', 'contentLength', createMemory, ofMemory('contentSummary')],
  ['source of a memory', 50, createMemory, ofMemory('source')],
  ['sessionId of a memory', 100, createMemory, ofMemory('sessionId')],
  ['userId of a memory', 'userNameLength', createMemory, ofMemory('userId')],
  ['idempotencyKey of a memory', 200, createMemory, ofMemory('idempotencyKey')],
  ['toolName', 100, registerTools, ofTool('toolName')],
  ['toolDescription', 'contentLength', registerTools, ofTool('toolDescription')],
  [
    'filename',
    255,
    ingest,
    (count) => ({ input: { filename: `${text(count - 4)}.txt`, content: `${count}` } }),
  ],
  ['filePath', 4096, ingest, ofDocument('filePath')],
  ['userId of a document', 'userNameLength', ingest, ofDocument('userId')],
  [
    'the text of a document',
    'documentLength',
    ingest,
    (count) => ({ input: { filename: 'long.txt', content: text(count), chunkSize: 1000 } }),
  ],
  [
    'chunkSize',
    'chunkSize',
    ingest,
    (chunkSize) => ({ input: { filename: 'a.txt', content: 'in large chunks', chunkSize } }),
  ],
  [
    'userId of a key',
    'userNameLength',
    'mutation ($input: CreateKeyInput!) { createKey(input: $input) { key } }',
    (count) => ({ input: { userId: text(count) } }),
  ],
  ['metadata', 'jsonLength', createMemory, (count) => ({ input: { content: 'x', metadata: json(count) } })],
  [
    'levels of metadata',
    'jsonDepth',
    createMemory,
    (count) => ({ input: { content: 'x', metadata: nested(count) } }),
  ],

  ['levels of a filter', 'filters.depth', list, (count) => ({ filters: negated(count) })],
  [
    'conditions of a filter',
    'filters.conditions',
    list,
    // As two lists, because a list has a limit of its own.
    (count) => ({
      filters: {
        and: times(count - 50, () => ({ source: { ne: 'a' } })),
        or: times(50, () => ({ source: { ne: 'a' } })),
      },
    }),
  ],
  [
    'values in a filter',
    'filters.listLength',
    list,
    (count) => ({ filters: { userId: { in: times(count, String) } } }),
  ],
  [
    'a text in a filter',
    'filters.stringLength',
    list,
    (count) => ({ filters: { content: { eq: text(count) } } }),
  ],
  [
    'metadata in a filter',
    'jsonLength',
    list,
    (count) => ({ filters: { metadata: { contains: json(count) } } }),
  ],
  [
    'levels of metadata in a filter',
    'filters.jsonDepth',
    list,
    (count) => ({ filters: { metadata: { contains: nested(count) } } }),
  ],
  [
    'steps of a path in a filter',
    'filters.jsonDepth',
    list,
    (count) => ({ filters: { metadata: { at: [{ path: times(count, () => 'a'), exists: false }] } } }),
  ],
];

/** Counting stops at the first that is too much, so that a message about these names the limit alone. */
const countedToTheLimit = /^levels |^conditions /;

describe.each(pairs)('%s', (what, name, query, variables) => {
  const limit = typeof name === 'number' ? name : (allLimits.get(name) ?? Number.NaN);

  test('is answered at its limit', async () => {
    const { status, errors } = await server.raw(query, variables(limit));
    expect(errors).toBeUndefined();
    expect(status).toBe(200);
  });

  test('is refused one above, with the limit and the value', async () => {
    const before = await server.contents();
    const { errors } = await server.raw(query, variables(limit + 1));
    expect(errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED' } }]);
    expect(errors?.[0]?.message).toMatch(new RegExp(`\\b${limit}\\b`));
    if (!countedToTheLimit.test(what)) expect(errors?.[0]?.message).toMatch(new RegExp(`\\b${limit + 1}\\b`));
    expect(await server.contents()).toEqual(before);
  });
});

test('no limit is left out', () => {
  const here = new Set<string | number>(pairs.map(([, name]) => name));
  const elsewhere = {
    'operation-limits.test.ts': [
      'operationLength',
      'tokens',
      'depth',
      'aliases',
      'directives',
      'selections',
      'repeats',
    ],
    'document/document-text.test.ts': ['textPartLength'],
    '../src/ingest/ingest-files.test.ts': ['fileLength'],
    'no limits': ['dimensions', 'usualTextPartLength', 'usualChunkSize', 'usualOverlap'],
  };
  const known = new Set(Object.values(elsewhere).flat());
  expect([...allLimits.keys()].filter((name) => !here.has(name) && !known.has(name))).toEqual([]);
});
