import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hashVector } from '../../testkit/hash-embedder.ts';
import {
  ChunkPageDocument,
  CreateMemoriesDocument,
  DeleteMemoriesDocument,
  DocumentPageDocument,
  IngestDocumentDocument,
  MemoryNeighboursDocument,
  MemoryPageDocument,
  type MemoryPageQueryVariables,
  RecallPageDocument,
  RegisterToolsDocument,
  SimilarMemoriesDocument,
  ToolPageDocument,
} from '../generated/operations.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const vocabulary = 'violin harbor zebra lantern apricot concert ticket boat lesson kettle'.split(' ');
const text = 'violin concert at the harbor';
const stored = 120;

/** Sentences that share more or fewer words with the text. Every seventh repeats the sentence before it. */
function sentence(i: number): string {
  const n = i % 7 === 6 ? i - 1 : i;
  return Array.from(
    { length: 3 + (n % 4) },
    (_, j) => vocabulary[(n * (j + 3) + j * j + (n >> 2)) % vocabulary.length],
  ).join(' ');
}
const memory = (i: number) => ({
  content: sentence(i),
  sessionId: `session ${i % 9}`,
  importanceScore: (i % 11) / 10,
});
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

let server: TestServer;
let next = 0;

/** Stores more of these memories, for early and for late pages. */
async function store(count: number): Promise<string[]> {
  const inputs = range(next, next + count).map(memory);
  next += count;
  return (await server.request(CreateMemoriesDocument, { inputs })).createMemories.map(({ id }) => id);
}

beforeAll(async () => {
  server = await startTestServer();
  for (let i = 0; i < 6; i++) {
    const content = range(0, 8)
      .map((j) => `# Part ${j}\n\n${sentence(i * 8 + j)} ${sentence(i + j)}`)
      .join('\n\n');
    const input = { filename: `${i}.md`, content, chunkSize: 12, overlap: 0 };
    await server.request(IngestDocumentDocument, { input });
  }
  const inputs = range(0, 30).map((i) => ({ toolName: `tool_${i}`, toolDescription: sentence(i) }));
  await server.request(RegisterToolsDocument, { inputs });
});
beforeEach(async () => {
  await server.sql('truncate memories');
  await store(stored);
});
afterAll(() => server.close());

interface Entry {
  id: string;
  score: number;
  cursor: string | null;
}
type Read = (k: number, after: string | undefined) => Promise<Entry[]>;

/** Reads all pages of a list. `between` runs before each page except the first. */
async function pages(read: Read, k: number, between: () => Promise<unknown> = async () => {}) {
  const list: Entry[] = [];
  for (let after: string | undefined; ; ) {
    const page = await read(k, after);
    list.push(...page);
    if (page.length < k) return list;
    after = page.at(-1)?.cursor ?? undefined;
    expect(after).toBeDefined();
    await between();
  }
}

const memoryPages =
  (variables: MemoryPageQueryVariables): Read =>
  async (k, after) =>
    (await server.request(MemoryPageDocument, { ...variables, k, after })).page.map(({ row, ...rest }) => ({
      ...rest,
      ...row,
    }));
const ids = (list: readonly Entry[]) => list.map(({ id }) => id);

const searches: [name: string, variables: MemoryPageQueryVariables][] = [
  ['the nearest to a text', { text }],
  ['the nearest to a vector', { vector: Array.from(hashVector(text)) }],
  ['the nearest, exactly', { text, options: { exact: true } }],
  ['the nearest by EUCLIDEAN distance', { text, options: { metric: 'EUCLIDEAN' } }],
  ['the nearest by INNER_PRODUCT', { text, options: { metric: 'INNER_PRODUCT' } }],
  ['the nearest that pass a filter', { text, filters: { importanceScore: { gte: 0.3 } } }],
  ['the nearest within a distance', { text, options: { maxDistance: 0.8 } }],
  ['KEYWORD', { text, options: { mode: 'KEYWORD' } }],
  ['HYBRID', { text, options: { mode: 'HYBRID' } }],
  ['HYBRID without context', { text, options: { mode: 'HYBRID', context: 0 } }],
  ['HYBRID with a filter', { text, options: { mode: 'HYBRID' }, filters: { importanceScore: { gte: 0.3 } } }],
  ['HYBRID by rank', { text, options: { mode: 'HYBRID', fusion: 'RANK' } }],
  ['percentile', { text, options: { percentile: 0.6 } }],
  ['context', { text, options: { context: 0.3 } }],
  ['weights', { text, options: { weights: { recency: 1, importance: 2, halfLifeDays: 0.001 } } }],
  ['HYBRID with weights', { text, options: { mode: 'HYBRID', weights: { importance: 1, recency: 1 } } }],
];

describe('pages of a search', () => {
  test.each(searches)('are together the list that one page gives: %s', async (_, variables) => {
    const read = memoryPages(variables);
    const whole = await read(200, undefined);
    expect(whole.length).toBeGreaterThan(40);
    // A ranked search has 200 candidates for every k up to 50.
    const list = await pages(read, 7);
    expect(ids(list)).toEqual(ids(whole));
    expect(list.map(({ score }) => score)).toEqual([...list.map(({ score }) => score)].sort((a, b) => b - a));
  });

  test.each(searches)('neither repeat nor skip a row while rows are added: %s', async (_, variables) => {
    const read = memoryPages(variables);
    const before = ids(await read(200, undefined));
    const list = ids(await pages(read, 9, () => store(4)));
    expect(new Set(list).size).toBe(list.length);
    const old = new Set(before);
    expect(list.filter((id) => old.has(id))).toEqual(before);
  });

  test.each(searches)('go on where they were when rows are deleted: %s', async (name, variables) => {
    const read = memoryPages(variables);
    const first = await read(10, undefined);
    const rest = ids(await read(200, undefined)).slice(10);
    // The row that was shown last, a row that was shown before, and the row that would be next.
    const [gone = ''] = rest;
    await server.request(DeleteMemoriesDocument, { ids: [...ids(first.slice(8)), gone] });
    const second = ids(await read(10, first.at(-1)?.cursor ?? undefined));
    expect(second).toHaveLength(10);
    // Every deleted row changes the ranks, and the scores that neighbours lend.
    const ofRowAlone = !/HYBRID$|HYBRID with |by rank|context$/.test(name);
    if (ofRowAlone) expect(second).toEqual(rest.slice(1, 11));
  });

  test('may differ in size', async () => {
    const read = memoryPages({ text });
    const first = await read(3, undefined);
    const second = await read(20, first.at(-1)?.cursor ?? undefined);
    expect([...ids(first), ...ids(second)]).toEqual(ids(await read(23, undefined)));
  });

  test('start behind any match, not only the last', async () => {
    const read = memoryPages({ text, options: { mode: 'HYBRID' } });
    const [one, two, three] = await read(10, undefined);
    expect(ids(await read(2, one?.cursor ?? undefined))).toEqual([two?.id, three?.id]);
  });

  test('tell equal texts apart by their ids', async () => {
    await server.request(CreateMemoriesDocument, { inputs: range(0, 20).map(() => ({ content: text })) });
    for (const options of [{}, { mode: 'HYBRID', context: 0 }] as const) {
      const list = await pages(memoryPages({ text, options }), 3);
      const equal = ids(list.slice(0, 20));
      expect(new Set(list.slice(0, 20).map(({ score }) => score)).size).toBe(1);
      expect(equal).toEqual([...equal].sort((a, b) => Number(a) - Number(b)));
      expect(new Set(ids(list)).size).toBe(stored + 20);
    }
  });

  test('of examples leave the examples out', async () => {
    const [example = ''] = await store(1);
    const read = memoryPages({ like: [example] });
    const list = ids(await pages(read, 11, () => store(2)));
    expect(new Set(list).size).toBe(list.length);
    expect(list).not.toContain(example);
    expect(list.length).toBeGreaterThanOrEqual(stored);
  });

  const texts = [{ text }, { text, options: { mode: 'HYBRID' } }] as const;
  test.each(texts)('of chunks, documents and tools: %j', async (variables) => {
    const reads: Read[] = [ChunkPageDocument, DocumentPageDocument, ToolPageDocument].map(
      (operation) => async (k, after) =>
        (await server.request(operation, { ...variables, k, after })).page.map(({ row, ...rest }) => ({
          ...rest,
          ...row,
        })),
    );
    for (const read of reads) {
      const whole = ids(await read(200, undefined));
      expect(whole.length).toBeGreaterThan(5);
      expect(ids(await pages(read, 4))).toEqual(whole);
    }
  });

  test.each([{}, { percentile: 0.99 }])('of documents like others: %j', async (options) => {
    const read: Read = async (k, after) =>
      (await server.request(DocumentPageDocument, { like: [example], k, options, after })).page.map(
        ({ row, ...rest }) => ({ ...rest, ...row }),
      );
    const { page } = await server.request(DocumentPageDocument, { text, k: 1 });
    const example = page[0]?.row.id ?? '';
    const whole = ids(await read(200, undefined));
    expect(whole.length).toBeGreaterThanOrEqual(4);
    expect(ids(await pages(read, 2))).toEqual(whole);
  });
});

describe('pages of a recall', () => {
  const kinds = ['MEMORY', 'CHUNK', 'DOCUMENT', 'TOOL'] as const;
  const recallPages =
    (options: MemoryPageQueryVariables['options'], among: readonly (typeof kinds)[number][] = kinds): Read =>
    async (k, after) =>
      (await server.request(RecallPageDocument, { text, kinds: [...among], k, options, after })).page.map(
        ({ __typename, score, cursor, ...row }) => ({
          id: `${__typename} ${Object.values(row)[0]?.id}`,
          score,
          cursor,
        }),
      );

  const ways: MemoryPageQueryVariables['options'][] = [
    {},
    { exact: true },
    { mode: 'KEYWORD' },
    { mode: 'HYBRID' },
    { mode: 'HYBRID', fusion: 'RANK' },
    { percentile: 0.7 },
  ];
  test.each(ways)('are one list that neither repeats nor skips while rows are added: %j', async (options) => {
    const read = recallPages(options);
    const before = ids(await read(200, undefined));
    expect(new Set(before.map((id) => id.split(' ')[0])).size).toBe(4);
    const list = ids(await pages(read, 13, () => store(3)));
    expect(new Set(list).size).toBe(list.length);
    const old = new Set(before);
    expect(list.filter((id) => old.has(id)).slice(0, before.length)).toEqual(before);
  });

  test('of memories alone may be weighed', async () => {
    const read = recallPages({ mode: 'HYBRID', weights: { importance: 1 } }, ['MEMORY']);
    expect(ids(await pages(read, 13))).toEqual(ids(await read(200, undefined)));
  });

  test('set equal matches of several kinds in the order of the kinds', async () => {
    const same = vocabulary.slice(0, 4).join(' ');
    await server.request(CreateMemoriesDocument, { inputs: range(0, 5).map(() => ({ content: same })) });
    const inputs = [{ toolName: vocabulary[0] ?? '', toolDescription: vocabulary.slice(1, 4).join(' ') }];
    await server.request(RegisterToolsDocument, { inputs });
    const read: Read = async (k, after) =>
      (
        await server.request(RecallPageDocument, { text: same, kinds: ['TOOL', 'MEMORY'], k, after })
      ).page.map((match) => ({
        id: match.__typename === 'MemoryMatch' ? match.memory.id : match.__typename,
        score: match.score,
        cursor: match.cursor,
      }));
    const whole = await read(12, undefined);
    expect(whole[5]?.id).toBe('ToolMatch');
    expect(whole[5]?.score).toBe(whole[0]?.score);
    expect(ids(await pages(read, 1)).slice(0, 12)).toEqual(ids(whole));
  });
});

describe('a cursor', () => {
  test('is that of a root search: `similar` of a row and a list of diverse ones have none', async () => {
    const [id = ''] = await store(1);
    const { memory: row } = await server.request(MemoryNeighboursDocument, { id });
    expect(row?.similar.length).toBeGreaterThan(0);
    const { data, errors } = await server.raw(`{
      memory(id: "${id}") { similar { cursor } }
      similarMemories(text: "violin", options: { diversity: 0.5 }) { cursor }
    }`);
    expect(errors).toBeUndefined();
    const nulls = Array.from({ length: 5 }, () => ({ cursor: null }));
    expect(data).toEqual({ memory: { similar: nulls }, similarMemories: nulls });
  });

  test('does not make a search more than one statement', async () => {
    const { page } = await server.request(MemoryPageDocument, { text, options: { mode: 'HYBRID' } });
    const statements = await server.statementsOf(() =>
      server.request(MemoryPageDocument, { text, options: { mode: 'HYBRID' }, after: page[0]?.cursor }),
    );
    expect(statements).toHaveLength(1);
  });

  test('belongs to its search, whatever the order of the filters in it', async () => {
    const filters = { importanceScore: { gte: 0.2, lte: 0.9 }, sessionId: { ne: 'none' } };
    const turned = { sessionId: { ne: 'none' }, importanceScore: { lte: 0.9, gte: 0.2 } };
    const { page } = await server.request(MemoryPageDocument, { text, filters, k: 3 });
    const second = await memoryPages({ text, filters: turned })(3, page.at(-1)?.cursor ?? undefined);
    expect(second).toHaveLength(3);
  });

  test('names no text of the search', async () => {
    for (const options of [{}, { mode: 'HYBRID' }] as const) {
      const { page } = await server.request(MemoryPageDocument, { text: 'violin lantern', k: 1, options });
      const read = Buffer.from(page[0]?.cursor ?? '', 'base64url').toString();
      expect(read).not.toMatch(/violin|lantern/);
    }
  });

  test('costs nothing where it is not asked for: the list is the same', async () => {
    const plain = await server.request(SimilarMemoriesDocument, { text, k: 10 });
    const paged = await memoryPages({ text })(10, undefined);
    expect(plain.similarMemories.map(({ memory: row }) => row.id)).toEqual(ids(paged));
  });
});
