import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSearchLoader } from '../../../src/search/loader.ts';
import type { SearchOptionsInput } from '../../../src/search/options.ts';
import { memorySearch, toolSearch } from '../../../src/search/searches.ts';
import { searchNear, similarTo } from '../../../src/search/similar.ts';
import type { Services } from '../../../src/services.ts';
import { createMemories, type NewMemory } from '../../../src/store/memories.ts';
import { registerTools } from '../../../src/store/tools.ts';
import { localViewer } from '../../../src/viewer.ts';
import { HashEmbedder, hashVector } from '../../../testkit/hash-embedder.ts';
import { recordStatements } from '../../../testkit/statements.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { sharedChunker } from '../../support/shared-chunker.ts';
import { sharedExtractor } from '../../support/shared-extractor.ts';

/** Words that the English configuration neither stems nor drops, so that a test can count them. */
const texts = [
  'zebra',
  'zebra zebra zebra apricot',
  'zebra apricot',
  'apricot apricot violin harbor harbor',
  'violin',
  'harbor lantern lantern lantern lantern',
  'lantern violin zebra',
  'apricot lantern',
];

describe('ranked search', () => {
  let db: TestDatabase;
  let services: Services;

  beforeAll(async () => {
    db = await openTestDatabase();
    services = {
      database: db.pool,
      embedder: new HashEmbedder(),
      extractor: sharedExtractor,
      chunker: sharedChunker,
      log: pino({ level: 'silent' }),
    };
  });
  afterAll(() => db.close());

  async function store(userId: string, inputs: readonly (NewMemory & { daysOld?: number })[]): Promise<void> {
    const rows = await createMemories(
      services,
      localViewer,
      inputs.map(({ daysOld, ...input }) => ({ ...input, userId })),
    );
    const connection = await db.pool.reserve();
    try {
      for (const [i, { daysOld }] of inputs.entries()) {
        if (daysOld === undefined) continue;
        await connection.unsafe(
          `update memories set created_at = now() - interval '${daysOld} days' where id = $1`,
          [rows[i]?.id as string],
        );
      }
    } finally {
      connection.release();
    }
  }

  const search = (userId: string, text: string, options: SearchOptionsInput, k = 10) =>
    searchNear(
      createSearchLoader(services, localViewer, memorySearch),
      { text },
      { k, filters: { userId: { eq: userId } }, options },
    );

  const contents = (matches: Awaited<ReturnType<typeof search>>) => matches.map(({ row }) => row.content);

  describe('by keywords', () => {
    beforeAll(() =>
      store(
        'words',
        texts.map((content) => ({ content })),
      ),
    );

    test('scores by BM25, as computed here from the formula', async () => {
      const matches = await search('words', 'zebra lantern', { mode: 'KEYWORD' });
      const expected = bm25(texts, ['zebra', 'lantern']).filter(({ score }) => score > 0);
      expect(contents(matches)).toEqual(expected.map(({ text }) => text));
      for (const [i, match] of matches.entries()) expect(match.score).toBeCloseTo(expected[i]?.score ?? 0, 4);
    });

    test('finds inflected forms, and counts the words that make no difference for nothing', async () => {
      expect(contents(await search('words', 'the violins of the', { mode: 'KEYWORD' }))).toEqual(
        contents(await search('words', 'violin', { mode: 'KEYWORD' })),
      );
    });

    test.each(['the of and', '!!! ??', "' | & ! <-> :* \\ ' ''", 'xylophone'])(
      'finds nothing for %j, which is no error',
      async (text) => {
        expect(await search('words', text, { mode: 'KEYWORD' })).toEqual([]);
      },
    );

    test('takes operators and quotes of a query for text', async () => {
      const found = contents(
        await search('words', "harbor & !'lantern' | \"violin\" \\ ' :*", { mode: 'KEYWORD' }),
      );
      expect(new Set(found)).toEqual(new Set(texts.filter((text) => /harbor|lantern|violin/.test(text))));
    });

    test('finds rows that have no embedding yet, which vector search does not', async () => {
      const failing = {
        ...services,
        embedder: { ...services.embedder, embed: () => Promise.reject(new Error('down')) } as never,
      };
      await createMemories(failing, localViewer, [{ content: 'umbrella', userId: 'pending' }]);
      expect(contents(await search('pending', 'umbrella', { mode: 'KEYWORD' }))).toEqual(['umbrella']);
      expect(await search('pending', 'umbrella', { mode: 'SEMANTIC' })).toEqual([]);
      const [waiting] = await createMemories(failing, localViewer, [
        { content: 'my umbrella', userId: 'pending' },
      ]);
      const loader = createSearchLoader(services, localViewer, memorySearch);
      const near = (mode: 'SEMANTIC' | 'KEYWORD') =>
        similarTo(loader, waiting as { id: string }, undefined, { k: 5, options: { mode } });
      expect((await near('KEYWORD')).map(({ row }) => row.content)).toEqual(['umbrella']);
      expect(await near('SEMANTIC')).toEqual([]);
    });
  });

  describe('hybrid', () => {
    test('adds both scores as standard scores over the candidates, the words with their weight', async () => {
      const [words, both] = [
        await search('words', 'zebra lantern', { mode: 'KEYWORD' }),
        await search('words', 'zebra lantern', { mode: 'HYBRID', keywordWeight: 0.5, context: 0 }),
      ];
      expect(both).toHaveLength(texts.length);
      const bm = both.map(({ row }) => words.find((match) => match.row.id === row.id)?.score ?? 0);
      const near = standardScores(both.map(({ distance }) => -distance));
      const expected = standardScores(bm).map((z, i) => (near[i] ?? 0) + 0.5 * z);
      for (const [i, match] of both.entries()) expect(match.score).toBeCloseTo(expected[i] ?? 0, 4);
      expect(both.map(({ score }) => score)).toEqual(
        [...both.map(({ score }) => score)].sort((a, b) => b - a),
      );
    });

    test('by rank adds reciprocal ranks of the two lists', async () => {
      const options = { mode: 'HYBRID', fusion: 'RANK', keywordWeight: 1 } as const;
      const [near, words, both] = [
        await search('words', 'zebra lantern', {}),
        await search('words', 'zebra lantern', { mode: 'KEYWORD' }),
        await search('words', 'zebra lantern', options),
      ];
      const reciprocal = (list: typeof near, id: string) => {
        const index = list.findIndex(({ row }) => row.id === id);
        return index === -1 ? 0 : 1 / (60 + index + 1);
      };
      for (const { row, score } of both)
        expect(score).toBeCloseTo(reciprocal(near, row.id) + reciprocal(words, row.id), 6);
    });

    test('is one statement, also for several texts', async () => {
      const { database, statements } = recordStatements(db.pool);
      const loader = createSearchLoader({ ...services, database }, localViewer, memorySearch);
      const options = { mode: 'HYBRID' } as const;
      await Promise.all(
        ['zebra', 'violin', 'harbor'].map((text) => searchNear(loader, { text }, { k: 3, options })),
      );
      expect(statements).toHaveLength(1);
    });

    test('finds tools by the parts of their names', async () => {
      await registerTools(services, localViewer, [
        { toolName: 'get_weather', toolDescription: 'Tells whether it rains' },
        { toolName: 'convertCurrency', toolDescription: 'Turns euros into dollars' },
      ]);
      const loader = createSearchLoader(services, localViewer, toolSearch);
      const find = async (text: string) =>
        (await searchNear(loader, { text }, { k: 5, options: { mode: 'KEYWORD' } })).map(
          ({ row }) => row.toolName,
        );
      expect(await find('weather')).toEqual(['get_weather']);
      expect(await find('currency')).toEqual(['convertCurrency']);
    });
  });

  describe('context', () => {
    const turns = [
      'hello there',
      'where did you put the umbrella',
      'behind the wardrobe',
      'thanks a lot',
      'see you',
    ];

    beforeAll(async () => {
      await store(
        'talk',
        turns.map((content) => ({ content, sessionId: 'one' })),
      );
      await store('talk', [
        { content: 'an unrelated remark', sessionId: 'two' },
        { content: 'and one without a session' },
      ]);
    });

    test('lends the turn beside the words that match a part of their score', async () => {
      const [without, with_] = [
        await search('talk', 'umbrella', { mode: 'HYBRID', context: 0 }),
        await search('talk', 'umbrella', { mode: 'HYBRID', context: 0.4 }),
      ];
      const base = new Map(without.map(({ row, score }) => [row.content, score]));
      const lent = (i: number) =>
        [-2, -1, 1, 2].reduce(
          (sum, step) => sum + (0.4 / Math.abs(step)) * (base.get(turns[i + step] ?? '') ?? 0),
          0,
        );
      for (const { row, score, scoreParts } of with_) {
        const i = turns.indexOf(row.content);
        const expected = i === -1 ? 0 : lent(i);
        expect(scoreParts?.context).toBeCloseTo(expected, 4);
        expect(score).toBeCloseTo((base.get(row.content) ?? 0) + expected, 4);
      }
      expect(contents(with_).slice(0, 3)).toContain('behind the wardrobe');
    });
  });

  describe('weights', () => {
    beforeAll(() =>
      store('worth', [
        { content: 'zebra apricot violin', importanceScore: 0.1, daysOld: 300 },
        { content: 'zebra apricot lantern', importanceScore: 0.9, daysOld: 0 },
        { content: 'harbor', importanceScore: 1, daysOld: 30 },
      ]),
    );

    test('blend similarity, recency with its half-life, and importance in their proportions', async () => {
      const weights = { similarity: 2, recency: 1, importance: 1, halfLifeDays: 30 };
      const matches = await search('worth', 'zebra apricot violin', { weights });
      for (const { row, similarity, score, scoreParts } of matches) {
        const age = (Date.now() - row.createdAt.getTime()) / 86_400_000;
        expect(scoreParts?.recency).toBeCloseTo(0.5 ** (age / 30), 3);
        expect(scoreParts?.importance).toBe(row.importanceScore);
        expect(score).toBeCloseTo((2 * similarity + 0.5 ** (age / 30) + row.importanceScore) / 4, 3);
      }
      expect(contents(matches)[0]).toBe('zebra apricot lantern');
      expect(contents(await search('worth', 'zebra apricot violin', {}))[0]).toBe('zebra apricot violin');
    });

    test('let a fresh, important memory outside of the nearest k enter', async () => {
      const [nearest] = await search('worth', 'zebra apricot violin', {}, 1);
      const [best] = await search(
        'worth',
        'zebra apricot violin',
        { weights: { similarity: 0.1, importance: 1 } },
        1,
      );
      expect(nearest?.row.content).toBe('zebra apricot violin');
      expect(best?.row.content).not.toBe(nearest?.row.content);
    });
  });

  describe('thresholds and variety', () => {
    test('percentile keeps what is at or below that part of the candidates', async () => {
      const all = await search('words', 'zebra', {});
      const half = await search('words', 'zebra', { percentile: 0.5 });
      const distances = all.map(({ distance }) => distance).sort((a, b) => a - b);
      const median = ((distances[3] ?? 0) + (distances[4] ?? 0)) / 2;
      expect(half.map(({ row }) => row.id)).toEqual(
        all.filter(({ distance }) => distance <= median).map(({ row }) => row.id),
      );
      expect(half.length).toBeLessThan(all.length);
      expect(await search('words', 'zebra', { percentile: 1 })).toHaveLength(all.length);
    });

    test('maxDistance holds in every mode', async () => {
      for (const mode of ['SEMANTIC', 'KEYWORD', 'HYBRID'] as const) {
        const matches = await search('words', 'zebra', { mode, maxDistance: 0.6 });
        expect(matches.length).toBeGreaterThan(0);
        for (const { distance } of matches) expect(distance).toBeLessThanOrEqual(0.6);
      }
    });

    test('diversity puts something else in the place of a near copy', async () => {
      await store(
        'copies',
        ['zebra violin', 'violin zebra', 'zebra violin zebra violin', 'zebra harbor'].map((content) => ({
          content,
        })),
      );
      const [plain, diverse] = [
        await search('copies', 'zebra violin', {}, 2),
        await search('copies', 'zebra violin', { diversity: 0.7 }, 2),
      ];
      expect(contents(plain)).not.toContain('zebra harbor');
      expect(contents(diverse)).toContain('zebra harbor');
      expect(diverse[0]?.row.id).toBe(plain[0]?.row.id);
    });

    test('orders by the operator of the metric, with its own distance', async () => {
      const query = hashVector('zebra lantern');
      const measured: Record<string, (v: Float32Array) => number> = {
        COSINE: (v) => 1 - dot(v, query),
        EUCLIDEAN: (v) => Math.hypot(...v.map((x, i) => x - (query[i] ?? 0))),
        INNER_PRODUCT: (v) => -dot(v, query),
      };
      for (const metric of ['COSINE', 'EUCLIDEAN', 'INNER_PRODUCT'] as const) {
        const matches = await search('words', 'zebra lantern', { metric });
        expect(matches.map(({ distance }) => distance)).toEqual(
          matches.map(({ distance }) => distance).sort((a, b) => a - b),
        );
        for (const { row, distance } of matches)
          expect(distance).toBeCloseTo(measured[metric]?.(hashVector(row.content)) ?? 0, 4);
      }
    });
  });

  test.each<[string, SearchOptionsInput]>([
    ['percentile', { percentile: 1.5 }],
    ['diversity', { diversity: -0.1 }],
    ['context', { context: 2 }],
    ['keywordWeight', { mode: 'HYBRID', keywordWeight: -1 }],
    ['fusion', { mode: 'SEMANTIC', fusion: 'RANK' }],
    ['context', { mode: 'HYBRID', fusion: 'RANK', context: 0.4 }],
    ['weights', { weights: { similarity: 0 } }],
    ['weights.halfLifeDays', { weights: { recency: 1, halfLifeDays: 0 } }],
    ['weights.recency', { weights: { recency: -1 } }],
    ['exact', { mode: 'KEYWORD', exact: true }],
    ['efSearch', { exact: true, efSearch: 10 }],
    ['efSearch', { metric: 'EUCLIDEAN', efSearch: 10 }],
  ])('refuses a wrong %s with its name: %o', async (name, options) => {
    await expect(search('words', 'zebra', options)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining(name),
    });
  });

  test('refuses words without a text', async () => {
    const loader = createSearchLoader(services, localViewer, memorySearch);
    const vector = [...hashVector('zebra')];
    await expect(searchNear(loader, { vector }, { k: 3, options: { mode: 'HYBRID' } })).rejects.toMatchObject(
      {
        code: 'BAD_USER_INPUT',
      },
    );
  });
});

/**
 * Ranks by BM25 (Robertson and Zaragoza 2009), with k1 = 1.2, b = 0.75, and lengths in characters. Equal scores keep
 * their order.
 */
function bm25(corpus: readonly string[], query: readonly string[]) {
  const meanLength = corpus.reduce((sum, text) => sum + text.length, 0) / corpus.length;
  const count = (text: string, word: string) => text.split(' ').filter((other) => other === word).length;
  return corpus
    .map((text, index) => ({
      text,
      index,
      score: query.reduce((sum, word) => {
        const documents = corpus.filter((other) => count(other, word) > 0).length;
        const idf = Math.log(1 + (corpus.length - documents + 0.5) / (documents + 0.5));
        const tf = count(text, word);
        return sum + (idf * tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * text.length) / meanLength));
      }, 0),
    }))
    .sort((a, b) => b.score - a.score || a.index - b.index);
}

function standardScores(values: readonly number[]): number[] {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
  return values.map((x) => (spread === 0 ? 0 : (x - mean) / spread));
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
}
