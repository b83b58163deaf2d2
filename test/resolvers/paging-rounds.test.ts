import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CreateMemoriesDocument,
  DocumentPageDocument,
  IngestDocumentDocument,
  MemoryPageDocument,
  type MemoryPageQueryVariables,
  RecallPageDocument,
} from '../generated/operations.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

// Lists that are longer than the candidates of a ranked search, which are 200 of each kind. Later pages rank more
// candidates, and this must not move the rows of earlier pages.

const vocabulary = 'violin harbor zebra lantern apricot concert ticket boat lesson kettle'.split(' ');
const text = 'violin concert at the harbor';
const memories = 700;

const sentence = (n: number) =>
  Array.from(
    { length: 3 + (n % 5) },
    (_, j) => vocabulary[(n * (j + 3) + j * j + (n >> 3)) % vocabulary.length],
  )
    .concat(`number${n}`)
    .join(' ');

let server: TestServer;
let next = 0;

async function store(count: number): Promise<void> {
  const inputs = Array.from({ length: count }, (_, i) => ({
    content: sentence(next + i),
    sessionId: `session ${Math.floor((next + i) / 20)}`,
    importanceScore: ((next + i) % 11) / 10,
  }));
  next += count;
  await server.request(CreateMemoriesDocument, { inputs });
}

beforeAll(async () => {
  server = await startTestServer();
  await store(memories);
  for (let i = 0; i < 90; i++) {
    const content = [0, 1].map((j) => `# Part ${j}\n\n${sentence(i * 3 + j)}`).join('\n\n');
    const input = { filename: `${i}.md`, content, chunkSize: 12, overlap: 0 };
    await server.request(IngestDocumentDocument, { input });
  }
}, 120_000);
afterAll(() => server.close());

interface Entry {
  id: string;
  cursor: string | null;
}

/** Reads the ids of all pages, in order. */
async function pages(
  read: (after: string | undefined) => Promise<Entry[]>,
  k: number,
  between: () => Promise<unknown> = async () => {},
): Promise<string[]> {
  const list: string[] = [];
  for (let after: string | undefined; ; await between()) {
    const page = await read(after);
    list.push(...page.map(({ id }) => id));
    if (page.length < k) return list;
    after = page.at(-1)?.cursor ?? undefined;
  }
}

const memoryPages = (variables: MemoryPageQueryVariables, k: number) => async (after: string | undefined) =>
  (await server.request(MemoryPageDocument, { ...variables, k, after })).page.map(({ row, cursor }) => ({
    id: row.id,
    cursor,
  }));

const ways: MemoryPageQueryVariables['options'][] = [
  { mode: 'HYBRID' },
  { mode: 'HYBRID', context: 0 },
  { mode: 'HYBRID', fusion: 'RANK' },
  { context: 0.3 },
  { weights: { similarity: 0.1, importance: 1 } },
  { mode: 'HYBRID', weights: { importance: 1, recency: 1 } },
];

describe('a list longer than its candidates', { timeout: 120_000 }, () => {
  test.each(ways)('is read to its end, each row once, while rows are added: %j', async (options) => {
    const [{ n } = { n: 0 }] = await server.sql<{ n: number }>('select count(*)::int as n from memories');
    const [{ newest } = { newest: '' }] = await server.sql<{ newest: string }>(
      'select max(id)::text as newest from memories',
    );
    const list = await pages(memoryPages({ text, options }, 50), 50, () => store(1));
    expect(new Set(list).size).toBe(list.length);
    expect(list.filter((id) => BigInt(id) <= BigInt(newest))).toHaveLength(n);
  });

  test('has on its first pages what a longer first page has', async () => {
    const read = (k: number) => memoryPages({ text, options: { mode: 'HYBRID' } }, k)(undefined);
    const [short, long] = [await read(10), await read(50)];
    expect(long.slice(0, 10).map(({ id }) => id)).toEqual(short.map(({ id }) => id));
    const second = await memoryPages(
      { text, options: { mode: 'HYBRID' } },
      40,
    )(short.at(-1)?.cursor ?? undefined);
    expect(second.map(({ id }) => id)).toEqual(long.slice(10).map(({ id }) => id));
  });

  test.each([
    [90, {}],
    [90, { mode: 'HYBRID' }],
    // The threshold is that of the first candidates. Rows that are farther than all of these are left out.
    [50, { percentile: 1 }],
  ] as const)('of %d documents: %j', async (count, options) => {
    const read = (variables: object) => async (after: string | undefined) =>
      (await server.request(DocumentPageDocument, { ...variables, options, k: 5, after })).page.map(
        ({ row, cursor }) => ({ id: row.id, cursor }),
      );
    const byText = await pages(read({ text }), 5);
    expect(byText).toHaveLength(count);
    expect(new Set(byText).size).toBe(count);
    if ('mode' in options) return;
    const like = await pages(read({ like: [byText[0]] }), 5);
    expect(like.length).toBeGreaterThanOrEqual('percentile' in options ? 40 : 89);
    expect(new Set([...like, byText[0]]).size).toBe(like.length + 1);
  });

  test.each([{ mode: 'HYBRID' }, { mode: 'HYBRID', fusion: 'RANK' }] as const)(
    'of several kinds: %j',
    async (options) => {
      const [{ n } = { n: 0 }] = await server.sql<{ n: number }>(
        `select (select count(*) from memories)::int + (select count(*) from document_chunks)::int
           + (select count(*) from documents)::int as n`,
      );
      const kinds = ['MEMORY', 'CHUNK', 'DOCUMENT'] as const;
      const list = await pages(
        async (after) =>
          (
            await server.request(RecallPageDocument, { text, kinds: [...kinds], options, k: 60, after })
          ).page.map(({ __typename, cursor, score: _, ...row }) => ({
            id: `${__typename} ${Object.values(row)[0]?.id}`,
            cursor,
          })),
        60,
      );
      expect(new Set(list).size).toBe(list.length);
      expect(list).toHaveLength(n);
    },
  );

  test('has cursors of bounded size that hold no word of the text', async () => {
    const long = Array.from(
      { length: 60 },
      (_, i) => `${'word'.repeat(60)}${String.fromCharCode(97 + (i % 26))}${i}`,
    );
    const options = { mode: 'KEYWORD' } as const;
    const kinds = ['MEMORY', 'CHUNK', 'DOCUMENT', 'TOOL'] as const;
    const ask = (after: string | undefined) =>
      server.request(RecallPageDocument, {
        ...{ text: `violin ${long.join(' ')}`, kinds: [...kinds], options, k: 2, after },
      });
    const { page } = await ask(undefined);
    const cursor = page.at(-1)?.cursor ?? '';
    expect(Buffer.from(cursor, 'base64url').toString()).not.toMatch(/violin|word.*word.*word/);
    expect((await ask(cursor)).page).toHaveLength(2);
  });
});
