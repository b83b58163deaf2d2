import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../../src/database/transaction.ts';
import { compileMemoryFilters } from '../../../src/filters/filters.ts';
import type { Position } from '../../../src/search/cursor.ts';
import { search as searchBatch } from '../../../src/search/execute.ts';
import type { Match } from '../../../src/search/matches.ts';
import { defaultSearchOptions } from '../../../src/search/options.ts';
import type { SearchRequest } from '../../../src/search/plan.ts';
import type { EmbeddedQuery } from '../../../src/search/query.ts';
import { memorySearch } from '../../../src/search/searches.ts';
import type { MemoryRow } from '../../../src/store/rows.ts';
import { localViewer } from '../../../src/viewer.ts';
import { hashModel } from '../../../testkit/hash-embedder.ts';
import { explain, recordStatements } from '../../../testkit/statements.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { clusteredMemories, ROWS, vectorsWithQueries } from './clustered-memories.ts';

const model = { name: hashModel, isCurrent: true };

const QUERIES = 50;
const k = 10;

function searchByVectors(database: Database, queries: readonly EmbeddedQuery[], request: SearchRequest) {
  return searchBatch(database, localViewer, memorySearch, { by: 'vectors', queries, model }, request);
}

describe('search among 20,000 clustered vectors', () => {
  let db: TestDatabase;
  const { stored: vectors, queries } = vectorsWithQueries(QUERIES);
  const embedded = queries.map((vector) => ({ vector, text: undefined }));

  beforeAll(async () => {
    db = await openTestDatabase({ statementTimeoutMs: 300_000, seed: clusteredMemories });
  }, 300_000);
  afterAll(() => db.close());

  const search = (bucketsBelow: number | undefined, exact: boolean) =>
    searchByVectors(db.pool, embedded, {
      k,
      conditions: compileMemoryFilters(
        bucketsBelow === undefined
          ? undefined
          : { metadata: { at: [{ path: ['bucket'], number: { lt: bucketsBelow } }] } },
      ),
      options: { ...defaultSearchOptions, exact },
    });

  test.each([
    ['no filter', undefined],
    ['a filter that half of the rows pass', 500],
    ['a filter that 10 % pass', 100],
    ['a filter that 1 % pass', 10],
    ['a filter that 0.1 % pass', 1],
  ])(
    'finds 0.98 of the true ten nearest, and always ten, with %s',
    async (_, bucketsBelow) => {
      const [found, truth] = [await search(bucketsBelow, false), await search(bucketsBelow, true)];
      expect(found.map((list) => list.length)).toEqual(queries.map(() => k));
      const hits = found.map((list, i) => {
        const nearest = new Set(truth[i]?.map(({ row }) => row.id));
        return list.filter(({ row }) => nearest.has(row.id)).length;
      });
      const recall = hits.reduce((sum, n) => sum + n, 0) / (k * QUERIES);
      expect(recall).toBeGreaterThanOrEqual(0.98);
    },
    120_000,
  );

  test('the exact search agrees with distances computed here', async () => {
    const [truth] = await search(undefined, true);
    const query = queries[0] as Float32Array;
    const distances = vectors.slice(0, ROWS).map((v, n) => ({ n, d: 1 - dot(v, query) }));
    const nearest = distances.sort((a, b) => a.d - b.d).slice(0, k);
    expect(truth?.map(({ row }) => row.metadata.n)).toEqual(nearest.map(({ n }) => n));
    for (const [i, match] of (truth ?? []).entries())
      expect(match.distance).toBeCloseTo(nearest[i]?.d ?? 0, 4);
  });

  test.each([
    ['the plain form', { vectors: 1 }],
    ['the form for several vectors', { vectors: 3 }],
    ['a filtered search', { vectors: 1, filtered: true }],
  ])(
    'reads the HNSW index in %s',
    async (_, { vectors: count, filtered }: { vectors: number; filtered?: boolean }) => {
      const recorded = recordStatements(db.pool);
      await searchByVectors(recorded.database, embedded.slice(0, count), {
        k,
        conditions: filtered ? compileMemoryFilters({ source: { eq: 'chat' } }) : undefined,
        options: defaultSearchOptions,
      });
      expect(recorded.statements).toHaveLength(1);
      const plan = await explain(db.pool, recorded.statements[0] as never);
      expect(plan).toMatch(/Index Scan using idx_memories_embedding_hnsw on memories/);
    },
  );

  test.each([{ exact: true }, { metric: 'EUCLIDEAN' as const }, { metric: 'INNER_PRODUCT' as const }])(
    'does not read the HNSW index, which could not answer, with %o',
    async (options) => {
      const recorded = recordStatements(db.pool);
      await searchByVectors(recorded.database, embedded.slice(0, 1), {
        k,
        conditions: undefined,
        options: { ...defaultSearchOptions, ...options },
      });
      const plan = await explain(db.pool, recorded.statements[0] as never);
      expect(plan).not.toContain('idx_memories_embedding_hnsw');
    },
  );

  test.each([
    ['no filter', undefined],
    ['a filter that half of the rows pass', 500],
    ['a filter that 1 % pass', 10],
  ])(
    'finds 0.98 of the true list over five pages, each full, by the index where it can, with %s',
    async (_, bucketsBelow) => {
      const conditions = compileMemoryFilters(
        bucketsBelow === undefined
          ? undefined
          : { metadata: { at: [{ path: ['bucket'], number: { lt: bucketsBelow } }] } },
      );
      const recorded = recordStatements(db.pool);
      const page = async (query: EmbeddedQuery, request: Omit<SearchRequest, 'conditions'>) => {
        const asked = { conditions, ...request };
        return (await searchByVectors(recorded.database, [query], asked))[0] as Match<MemoryRow>[];
      };
      let right = 0;
      for (const query of embedded.slice(0, 10)) {
        const found: string[] = [];
        for (let after: Position | undefined, n = 0; n < 5; n++) {
          const list = await page(query, { k, options: defaultSearchOptions, pages: true, after });
          expect(list).toHaveLength(k);
          found.push(...list.map(({ row }) => row.id));
          after = list.at(-1)?.position ?? undefined;
        }
        expect(new Set(found).size).toBe(5 * k);
        const truth = await page(query, { k: 5 * k, options: { ...defaultSearchOptions, exact: true } });
        const nearest = new Set(truth.map(({ row }) => row.id));
        right += found.filter((id) => nearest.has(id)).length;
      }
      expect(right / (10 * 5 * k)).toBeGreaterThanOrEqual(0.98);
      const plan = await explain(db.pool, recorded.statements.at(-2) as never);
      expect(plan).toMatch(/Index Scan using idx_memories_embedding_hnsw on memories/);
    },
    120_000,
  );

  test('completes exactly where the index scan gives up early', async () => {
    const conditions = sql`(metadata ->> 'bucket')::int = 7`;
    const request = { k: 20, conditions, options: { ...defaultSearchOptions, efSearch: 1 } };
    const [found] = await searchByVectors(db.pool, embedded.slice(0, 1), request);
    expect(found).toHaveLength(20);
    expect(new Set(found?.map(({ row }) => row.metadata.bucket))).toEqual(new Set([7]));
  });
});

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
}
