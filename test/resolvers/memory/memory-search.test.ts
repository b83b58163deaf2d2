import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashVector } from '../../../testkit/hash-embedder.ts';
import {
  CreateMemoriesDocument,
  type MemoryMatchFieldsFragment,
  MemoryNeighboursDocument,
  NeighboursOfMemoriesDocument,
  SimilarMemoriesDocument,
  type SimilarMemoriesQueryVariables,
} from '../../generated/operations.ts';
import { cosine } from '../../support/real-embedder.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

// Texts with common words are near to each other: see hash-embedder.ts. Two texts are equal, so that there is a tie.
const texts = [
  'the ferry to the island leaves at noon',
  'the ferry to the mainland leaves at dusk',
  'at noon the bells of the island ring',
  'the island has one baker and two bells',
  'a baker bakes bread before dawn',
  'a baker bakes bread before dawn',
  'tax forms are due in april',
  'april rain fills the tank',
  'the tank of the tractor is empty',
  'chess openings reward patience',
  'patience is what the baker has',
  'dusk falls on the mainland',
];

let server: TestServer;
let ids: string[];

beforeAll(async () => {
  server = await startTestServer();
  const { createMemories } = await server.request(CreateMemoriesDocument, {
    inputs: texts.map((content, n) => ({
      content,
      importanceScore: n / texts.length,
      sessionId: n % 2 === 0 ? 'even' : 'odd',
      metadata: { n },
    })),
  });
  ids = createMemories.map(({ id }) => id);
});
afterAll(() => server.close());

const similar = async (variables: SimilarMemoriesQueryVariables) =>
  (await server.request(SimilarMemoriesDocument, variables)).similarMemories;
const neighbours = async (n: number, more: object = {}) =>
  (await server.request(MemoryNeighboursDocument, { id: ids[n] ?? '', ...more })).memory?.similar ?? [];
const vectorOf = (text: string) => [...hashVector(text)];

const distances = {
  COSINE: (a: number[], b: number[]) => 1 - cosine(a, b) / Math.hypot(...a),
  EUCLIDEAN: (a: number[], b: number[]) => Math.hypot(...a.map((x, i) => x - (b[i] ?? 0))),
  INNER_PRODUCT: (a: number[], b: number[]) => -cosine(a, b),
};
const similarities = {
  COSINE: (distance: number) => 1 - distance,
  EUCLIDEAN: (distance: number) => 1 / (1 + distance),
  INNER_PRODUCT: (distance: number) => -distance,
};

/** Returns the texts that `include` accepts with their distances, in the order that the API promises. */
function expected(
  query: number[],
  { metric = 'COSINE' as keyof typeof distances, include = (_n: number): boolean => true } = {},
) {
  return texts
    .map((text, n) => ({ n, distance: distances[metric](query, vectorOf(text)) }))
    .filter(({ n }) => include(n))
    .sort((a, b) => a.distance - b.distance);
}

/**
 * Expects the matches to be the `k` nearest of `candidates`. Compares distances, because the distances of texts that
 * have no word in common with the query differ only by rounding.
 */
function expectNearest(
  matches: MemoryMatchFieldsFragment[],
  candidates: { n: number; distance: number }[],
  { k = candidates.length, metric = 'COSINE' as keyof typeof distances } = {},
) {
  expect(matches).toHaveLength(k);
  expect(new Set(matches.map(({ memory }) => memory.id)).size).toBe(k);
  for (const [i, { memory, distance, similarity, score }] of matches.entries()) {
    const itself = candidates.find(({ n }) => n === memory.metadata.n);
    expect(distance).toBeCloseTo(itself?.distance ?? Number.NaN, 5);
    expect(distance).toBeCloseTo(candidates[i]?.distance ?? Number.NaN, 5);
    expect(similarity).toBeCloseTo(similarities[metric](distance), 12);
    expect(score).toBe(similarity);
  }
}

describe('similarMemories', () => {
  const query = 'the baker of the island';

  test('gives the k memories nearest to a text, nearest first', async () => {
    expectNearest(await similar({ text: query, k: 12 }), expected(vectorOf(query)));
    expectNearest(await similar({ text: query, k: 3 }), expected(vectorOf(query)), { k: 3 });
  });

  test('gives equal distances in the order of their ids', async () => {
    const matches = await similar({ text: texts[4] ?? '', k: 2 });
    expect(matches.map(({ memory }) => memory.id)).toEqual([ids[4], ids[5]]);
    expect(matches[1]?.distance).toBe(matches[0]?.distance);
  });

  test('gives five when k is left out, and all there are when k is more', async () => {
    expect(await similar({ text: query })).toHaveLength(5);
    expect(await similar({ text: query, k: 200 })).toHaveLength(texts.length);
  });

  test.each(['COSINE', 'EUCLIDEAN', 'INNER_PRODUCT'] as const)(
    'measures a vector by %s as it is defined',
    async (metric) => {
      // The vector does not have length 1, so the three metrics order differently.
      const vector = vectorOf('the ferry leaves at dusk').map((x, i) => x * 3 + (i % 7) / 20);
      const matches = await similar({ vector, k: 12, options: { metric } });
      expectNearest(matches, expected(vector, { metric }), { metric });
    },
  );

  test.each(['COSINE', 'EUCLIDEAN', 'INNER_PRODUCT'] as const)(
    'leaves out what is farther than maxDistance by %s, and nothing else',
    async (metric) => {
      const all = expected(vectorOf(query), { metric });
      const maxDistance = ((all[3]?.distance ?? 0) + (all[4]?.distance ?? 0)) / 2;
      expect(all[4]?.distance).toBeGreaterThan(all[3]?.distance ?? 0);
      const matches = await similar({ text: query, k: 12, options: { metric, maxDistance } });
      expectNearest(matches, all, { k: 4, metric });
    },
  );

  test('finds the same with exact, and with efSearch', async () => {
    const plain = await similar({ text: query, k: 4 });
    expect(await similar({ text: query, k: 4, options: { exact: true } })).toEqual(plain);
    expect(await similar({ text: query, k: 4, options: { efSearch: 1 } })).toEqual(plain);
    expect(await similar({ text: query, k: 4, options: { efSearch: 1000 } })).toEqual(plain);
  });

  test('gives the k nearest of those that pass the filters', async () => {
    const matches = await similar({
      text: query,
      k: 3,
      filters: { sessionId: { eq: 'odd' }, metadata: { at: [{ path: ['n'], number: { gt: 2 } }] } },
    });
    const candidates = expected(vectorOf(query), { include: (n) => n % 2 === 1 && n > 2 });
    expectNearest(matches, candidates, { k: 3 });
  });

  test('gives nothing when nothing passes the filters', async () => {
    expect(await similar({ text: query, filters: { content: { contains: 'submarine' } } })).toEqual([]);
  });

  test('takes filters and options that are empty or null for none', async () => {
    const plain = await similar({ text: query });
    expect(await similar({ text: query, filters: {}, options: {} })).toEqual(plain);
    expect(await similar({ text: query, filters: null, options: null, vector: null })).toEqual(plain);
    expect(
      await similar({
        text: query,
        options: { maxDistance: null, efSearch: null },
        filters: { and: [], or: [] },
      }),
    ).toEqual(plain);
  });
});

// These scores are computed by the database, and the similarity beside them by the server.
describe('a ranked list of memories', () => {
  const metrics = ['COSINE', 'EUCLIDEAN', 'INNER_PRODUCT'] as const;
  // Not of length 1, so that no metric's similarities are those of another.
  const vector = vectorOf('the ferry leaves at dusk').map((x, i) => x * 3 + (i % 7) / 20);

  test.each(metrics)('is scored by its similarity, as %s defines it', async (metric) => {
    const candidates = expected(vector, { metric });
    for (const options of [{ percentile: 1 }, { diversity: 0 }]) {
      const matches = await similar({ vector, k: 12, options: { metric, ...options } });
      expect(matches).toHaveLength(texts.length);
      for (const [i, { distance, similarity, score }] of matches.entries()) {
        expect(distance).toBeCloseTo(candidates[i]?.distance ?? Number.NaN, 5);
        expect(score).toBeCloseTo(similarities[metric](distance), 12);
        expect(similarity).toBeCloseTo(score, 12);
      }
    }
  });

  test.each(metrics)(
    'by weights counts the similarity, as %s defines it, with its weight',
    async (metric) => {
      const weights = { similarity: 2, importance: 1 };
      const matches = await similar({ vector, k: 12, options: { metric, weights } });
      const distanceOf = new Map(expected(vector, { metric }).map(({ n, distance }) => [n, distance]));
      const scores = texts.map(
        (_, n) => (2 * similarities[metric](distanceOf.get(n) ?? NaN) + n / texts.length) / 3,
      );
      expect(matches.map(({ score }) => score)).toEqual(
        [...scores].sort((a, b) => b - a).map((score) => expect.closeTo(score, 5)),
      );
      for (const { memory, score } of matches)
        expect(score).toBeCloseTo(scores[Number(memory.metadata.n)] ?? NaN, 5);
    },
  );
});

describe('Memory.similar', () => {
  test.each(['COSINE', 'EUCLIDEAN', 'INNER_PRODUCT'] as const)(
    'is near to the memory itself, and never has it, by %s',
    async (metric) => {
      const wanted = expected(vectorOf(texts[0] ?? ''), { metric, include: (n) => n !== 0 });
      expectNearest(await neighbours(0, { k: 12, options: { metric } }), wanted, { metric });
    },
  );

  test('of a memory whose text another one has too gives the other one first', async () => {
    const [first] = await neighbours(4, { k: 1 });
    expect(first?.memory.id).toBe(ids[5]);
    expect(first?.distance).toBeCloseTo(0, 6);
  });

  test('with a text is near to the text, and still never has the memory itself', async () => {
    const text = texts[6] ?? '';
    const wanted = expected(vectorOf(text), { include: (n) => n !== 6 });
    expectNearest(await neighbours(6, { text, k: 4 }), wanted, { k: 4 });
    expectNearest(await neighbours(6, { text, k: 200 }), wanted);
  });

  test('takes filters and options as the query does', async () => {
    const all = expected(vectorOf(texts[0] ?? ''), { include: (n) => n !== 0 && n % 2 === 0 });
    const maxDistance = ((all[2]?.distance ?? 0) + (all[3]?.distance ?? 0)) / 2;
    const filters = { sessionId: { eq: 'even' } };
    expectNearest(await neighbours(0, { k: 12, filters, options: { exact: true } }), all);
    expectNearest(await neighbours(0, { k: 12, filters, options: { maxDistance } }), all, { k: 3 });
  });

  test('asked of every memory of a page gives each its own neighbours', async () => {
    const { memories } = await server.request(NeighboursOfMemoriesDocument, { k: 3 });
    expect(memories.edges).toHaveLength(texts.length);
    for (const { node } of memories.edges) {
      const n = ids.indexOf(node.id);
      const wanted = expected(vectorOf(texts[n] ?? ''), { include: (other) => other !== n });
      expectNearest(node.similar, wanted, { k: 3 });
    }
  });

  test('with one text asked of every memory leaves out of each list only the memory it is asked of', async () => {
    const text = 'the ferry to the island';
    const { memories } = await server.request(NeighboursOfMemoriesDocument, { k: 4, text });
    for (const { node } of memories.edges) {
      const n = ids.indexOf(node.id);
      expectNearest(node.similar, expected(vectorOf(text), { include: (other) => other !== n }), { k: 4 });
    }
  });

  test('of all memories costs one search, whether with a text or without', async () => {
    for (const text of [null, 'the ferry to the island']) {
      const statements = await server.statementsOf(() =>
        server.request(NeighboursOfMemoriesDocument, { k: 4, text }),
      );
      expect(statements).toHaveLength(2);
    }
  });
});
