import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  CreateMemoriesDocument,
  DeleteDocumentDocument,
  IngestDocumentDocument,
  MemoryNeighboursDocument,
  RecallDocument,
  SimilarChunksDocument,
  SimilarDocumentsDocument,
  SimilarMemoriesDocument,
  type SimilarMemoriesQueryVariables,
} from '../generated/operations.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

// Every search promises k rows if k rows match, and no row that its options exclude, for every way of ranking.

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.sql('truncate memories'));
afterAll(() => server.close());

const store = async (...contents: string[]) =>
  (await server.request(CreateMemoriesDocument, { inputs: contents.map((content) => ({ content })) }))
    .createMemories;
const find = async (variables: SimilarMemoriesQueryVariables) =>
  (await server.request(SimilarMemoriesDocument, variables)).similarMemories;
const contents = (matches: { memory: { content: string } }[]) => matches.map(({ memory }) => memory.content);

describe('KEYWORD', () => {
  // The rows have no embeddings, which keeps the test short. Searches find them by their words.
  const many = (rows: number, content: string) =>
    server.sql(`insert into memories (content) select '${content} ' || i from generate_series(1, ${rows}) i`);

  test('gives k rows when a rare word has fewer and a common one has more than are scored', async () => {
    await many(1500, 'violin');
    await many(3, 'violin concerto');
    const found = await find({ text: 'violin concerto', k: 10, options: { mode: 'KEYWORD' } });
    expect(found).toHaveLength(10);
    expect(contents(found.slice(0, 3)).every((content) => content.startsWith('violin concerto'))).toBe(true);
    expect(contents(found.slice(3)).some((content) => content.includes('concerto'))).toBe(false);
  });

  test('tells in its report that there are more rows than were scored', async () => {
    await many(1500, 'violin');
    await many(3, 'concerto');
    const capped = async (text: string) => {
      const answer = (await server.raw(`query @searchReport {
        similarMemories(text: "${text}", options: { mode: KEYWORD }) { score } }`)) as {
        extensions?: { searches: { capped: number; candidates: number }[] };
      };
      return answer.extensions?.searches[0];
    };
    expect(await capped('violin')).toMatchObject({ capped: 1, candidates: 1000 });
    expect(await capped('violin concerto')).toMatchObject({ capped: 1 });
    expect(await capped('concerto')).toMatchObject({ capped: 0, candidates: 3 });
  });
});

describe('a row that waits for its embedding', () => {
  const pending = (content: string, session = 'one') =>
    server.sql(`insert into memories (content, session_id) values ('${content}', '${session}')`);

  test('is in no list by meaning, not even as the neighbour of one that is', async () => {
    const inputs = [{ content: 'violin', sessionId: 'one' }];
    await server.request(CreateMemoriesDocument, { inputs });
    await pending('harbor');
    expect(contents(await find({ text: 'violin', options: { context: 0.4 } }))).toEqual(['violin']);
  });

  test.each([
    ['COSINE', 2],
    ['EUCLIDEAN', 2],
    ['INNER_PRODUCT', 1],
  ] as const)('is as far as two texts can be by %s, and no farther', async (metric, farthest) => {
    await pending('violin');
    const by = (options: object) =>
      find({ text: 'violin', options: { mode: 'KEYWORD', metric, ...options } });
    expect((await by({}))[0]?.distance).toBe(farthest);
    expect(await by({ maxDistance: farthest })).toHaveLength(1);
    expect(await by({ maxDistance: farthest - 0.1 })).toHaveLength(0);
  });

  test('counts as the farthest where distances are limited', async () => {
    await pending('violin');
    const by = (options: object) => find({ text: 'violin', options: { mode: 'KEYWORD', ...options } });
    expect((await by({}))[0]?.distance).toBe(2);
    expect(await by({ maxDistance: 2 })).toHaveLength(1);
    expect(await by({ maxDistance: 1.9 })).toHaveLength(0);
  });

  test('is found by its words in HYBRID, before what has none of them', async () => {
    await store('harbor lantern', 'zebra apricot', 'boat ticket');
    await pending('violin concerto');
    const found = await find({ text: 'violin concerto', options: { mode: 'HYBRID' } });
    expect(contents(found)[0]).toBe('violin concerto');
  });
});

describe('weights', () => {
  test('of recency take rows of any age', async () => {
    const [old] = await store('violin', 'violin harbor');
    await server.sql(`update memories set created_at = now() - interval '90 years' where id = $1`, [
      old?.id ?? '',
    ]);
    const weights = { recency: 1, halfLifeDays: 0.5 };
    const found = await find({ text: 'violin', options: { weights } });
    expect(contents(found)).toEqual(['violin harbor', 'violin']);
    expect(found[1]?.scoreParts?.recency).toBeCloseTo(0, 10);
  });
});

describe('documents', { timeout: 120_000 }, () => {
  const ids: string[] = [];
  const small = 12;

  beforeAll(async () => {
    const ingest = async (filename: string, content: string) => {
      const input = { filename, content, chunkSize: 12, overlap: 0 };
      const { ingestDocument } = await server.request(IngestDocumentDocument, { input });
      ids.push(ingestDocument.document.id);
      return ingestDocument.chunkCount;
    };
    const book = Array.from({ length: 260 }, (_, i) => `# Part ${i}\n\nviolin harbor violin harbor ${i}`);
    expect(await ingest('book.md', book.join('\n\n'))).toBeGreaterThan(250);
    for (let i = 0; i < small; i++) await ingest(`${i}.md`, `violin harbor lantern zebra apricot ${i}`);
  }, 120_000);
  afterAll(async () => {
    for (const id of ids) await server.request(DeleteDocumentDocument, { id });
  });

  test.each([
    { percentile: 1 },
    { diversity: 0.3 },
    { mode: 'KEYWORD' },
    { mode: 'HYBRID' },
    { mode: 'HYBRID', fusion: 'RANK' },
    { metric: 'EUCLIDEAN', percentile: 1 },
  ] as const)('are k beside a book whose chunks are all nearer: %j', async (options) => {
    const { similarDocuments } = await server.request(SimilarDocumentsDocument, {
      text: 'violin harbor',
      k: 10,
      options,
    });
    expect(similarDocuments.map(({ document }) => document.id)).toHaveLength(10);
    expect(new Set(similarDocuments.map(({ document }) => document.id)).size).toBe(10);
    const { recall } = await server.request(RecallDocument, {
      ...{ text: 'violin harbor', k: 10, kinds: ['DOCUMENT'], options },
    });
    expect(recall).toHaveLength(10);
  });
});

describe('similar(text) of a row', () => {
  test.each([{ diversity: 0.7 }, { percentile: 0.5 }] as const)(
    'is the list that the others make without it: %j',
    async (options) => {
      const [self] = await store(
        'violin zebra',
        'violin zebra apricot',
        'zebra violin please',
        'kettle boat harbor',
        'lantern concert',
      );
      const id = self?.id ?? '';
      const text = 'violin zebra';
      const { memory } = await server.request(MemoryNeighboursDocument, { id, text, k: 3, options });
      const others = await find({ text, k: 3, options, filters: { id: { ne: id } } });
      expect(contents(memory?.similar ?? [])).toEqual(contents(others));
      expect(others.length).toBeGreaterThan(1);
    },
  );

  test('of many rows with one text is one statement, whatever the options', async () => {
    await store('violin', 'harbor', 'zebra');
    const statements = await server.statementsOf(async () => {
      const { errors } = await server.raw(
        '{ memories { edges { node { similar(text: "violin", options: { diversity: 0.5 }) { score } } } } }',
      );
      expect(errors).toBeUndefined();
    });
    expect(statements).toHaveLength(2);
  });
});

describe('context', () => {
  test('is refused where nothing is said in sessions, instead of ignored', async () => {
    const refused = server.request(SimilarChunksDocument, { text: 'violin', options: { context: 0.3 } });
    await expect(refused).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: 'options.context is for memories: nothing else is said in sessions.',
    });
    const recall = (kinds: ('CHUNK' | 'MEMORY' | 'TOOL')[]) =>
      server.request(RecallDocument, { text: 'violin', kinds, options: { context: 0.3 } });
    await expect(recall(['CHUNK', 'TOOL'])).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(recall(['CHUNK', 'MEMORY'])).resolves.toBeDefined();
  });
});
