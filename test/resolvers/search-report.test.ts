import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SearchReport } from '../../src/search/report.ts';
import { CreateMemoriesDocument, RegisterToolsDocument } from '../generated/operations.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const words = 'violin harbor zebra lantern apricot concert ticket boat lesson kettle'.split(' ');
const rows = 200;

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  const inputs = Array.from({ length: rows }, (_, i) => ({
    content: `${words[i % 10]} ${words[(i * 7 + 3) % 10]} number ${i}`,
    sessionId: i === 0 ? 'alone' : 'many',
  }));
  await server.request(CreateMemoriesDocument, { inputs });
  await server.request(RegisterToolsDocument, {
    inputs: [{ toolName: 'violin', toolDescription: 'plays the violin' }],
  });
});
afterAll(() => server.close());

interface Reported {
  data: Record<string, unknown>;
  searches: SearchReport[] | undefined;
}

async function ask(fields: string, operation = 'query @searchReport'): Promise<Reported> {
  const answer = await server.raw(`${operation} { ${fields} }`);
  expect(answer.errors).toBeUndefined();
  const { data, extensions } = answer as { data: object; extensions?: { searches: SearchReport[] } };
  return { data: { ...data }, searches: extensions?.searches };
}
const counted = { tookMs: expect.any(Number), statements: 1, capped: 0 };
const memories = (search: string) => `similarMemories(text: "violin" ${search}) { score memory { id } }`;

describe('a report', () => {
  test('is not there unless the operation asks for it', async () => {
    expect((await ask(memories(''), 'query')).searches).toBeUndefined();
    expect((await ask('stored: memories { totalCount }')).searches).toBeUndefined();
  });

  test('tells of a search by the index how many rows it gave', async () => {
    const { searches } = await ask(memories('k: 7'));
    expect(searches).toEqual([
      {
        ...counted,
        ...{ fields: ['similarMemories'], searches: 1 },
        ...{ exact: false, candidates: 7, completedExactly: 0 },
      },
    ]);
    expect(searches?.[0]?.tookMs).toBeGreaterThan(0);
  });

  test.each([
    ['a filter that few rows pass', 'filters: { sessionId: { eq: "alone" } }', 1],
    ['a filter that none passes', 'filters: { sessionId: { eq: "nobody" } }', 0],
    ['a k that is more than all rows', 'k: 200, filters: { sessionId: { eq: "many" } }', rows - 1],
  ])('tells that a search was completed exactly: %s', async (_, search, candidates) => {
    const { searches } = await ask(memories(search));
    expect(searches).toMatchObject([{ exact: false, completedExactly: 1, candidates, searches: 1 }]);
  });

  test.each(['exact: true', 'metric: EUCLIDEAN', 'metric: INNER_PRODUCT'])(
    'tells of a search without an index that every row was compared: %s',
    async (option) => {
      const { searches } = await ask(memories(`options: { ${option} }`));
      expect(searches).toMatchObject([{ exact: true, candidates: rows, completedExactly: 0 }]);
    },
  );

  test('tells of words and of both how many candidates were scored', async () => {
    const { searches } = await ask(
      `words: ${memories('options: { mode: KEYWORD }')} both: ${memories('k: 5, options: { mode: HYBRID }')}`,
    );
    const [withWord] = await server.sql<{ n: number }>(
      `select count(*)::int as n from memories where content ~ 'violin'`,
    );
    const of = (field: string) => searches?.find(({ fields }) => fields.includes(field));
    expect(of('words')).toMatchObject({ exact: false, candidates: withWord?.n, completedExactly: 0 });
    // All rows are candidates, but the index alone does not find all of them.
    expect(of('both')).toMatchObject({ exact: false, candidates: rows });
  });

  test('is one for all fields that a statement answers, with their paths', async () => {
    const { searches } = await ask(`
      a: ${memories('k: 3')} b: ${memories('k: 3')} c: similarMemories(text: "harbor", k: 3) { score }
      memories(first: 4) { edges { node { like: similar(k: 2) { score } } } }`);
    expect(searches).toHaveLength(2);
    expect(searches).toContainEqual(
      expect.objectContaining({ ...counted, fields: ['a', 'b', 'c'], searches: 2, candidates: 6 }),
    );
    expect(searches).toContainEqual(
      expect.objectContaining({
        ...counted,
        ...{ fields: ['memories.edges.node.like'], searches: 4, candidates: 8 },
      }),
    );
  });

  test('of a recall adds up the kinds', async () => {
    const { searches } = await ask(
      'recall(text: "violin", k: 6, kinds: [MEMORY, TOOL]) { __typename } ' +
        'both: recall(text: "violin", k: 6, kinds: [MEMORY, TOOL], options: { mode: HYBRID }) { __typename }',
    );
    const of = (field: string) => searches?.find(({ fields }) => fields.includes(field));
    // There are fewer than six tools, so the list of tools was completed exactly.
    expect(of('recall')).toMatchObject({ candidates: 7, completedExactly: 1, statements: 1 });
    expect(of('both')).toMatchObject({ candidates: rows + 1, statements: 1 });
  });

  test('comes with documents, examples and mutations, too', async () => {
    const input = '{ filename: "a.md", content: "violin harbor" }';
    const { searches } = await ask(
      `ingestDocument(input: ${input}) { document { similar { score } } }
       createMemory(input: { content: "violin" }) { similar(k: 1) { score } }`,
      'mutation @searchReport',
    );
    expect(searches?.map(({ fields }) => fields)).toEqual([
      ['ingestDocument.document.similar'],
      ['createMemory.similar'],
    ]);
    const [{ id } = { id: '' }] = await server.sql<{ id: string }>(
      'select min(id)::text as id from memories',
    );
    const more = await ask(
      `similarDocuments(text: "violin") { score } similarMemories(like: ["${id}"], k: 4) { score }`,
    );
    expect(more.searches).toContainEqual(
      expect.objectContaining({ fields: ['similarDocuments'], candidates: 1, completedExactly: 1 }),
    );
    expect(more.searches).toContainEqual(
      expect.objectContaining({ fields: ['similarMemories'], candidates: 4, completedExactly: 0 }),
    );
  });

  test.each([
    'k: 4',
    'k: 4, options: { maxDistance: 0.6 }',
    'k: 4, filters: { sessionId: { eq: "alone" } }',
    'k: 4, options: { mode: HYBRID, maxDistance: 0.9 }',
    'k: 4, options: { diversity: 0.5 }',
    'k: 4, options: { percentile: 0.1, weights: { importance: 1 } }',
  ])('changes nothing of what is found: %s', async (search) => {
    const reported = await ask(memories(search));
    expect(reported.data).toEqual((await ask(memories(search), 'query')).data);
    expect(reported.searches).toHaveLength(1);
  });

  test('is asked for of an operation, not of a field', async () => {
    const { errors } = await server.raw('{ similarMemories(text: "violin") @searchReport { score } }');
    expect(errors).toMatchObject([
      { message: /"@searchReport" may not be used on FIELD/, extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });
});
