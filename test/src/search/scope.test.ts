import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../../src/database/transaction.ts';
import { compileMemoryFilters, type MemoryFilters } from '../../../src/filters/filters.ts';
import { search } from '../../../src/search/execute.ts';
import { parseSearchOptions } from '../../../src/search/options.ts';
import { memorySearch } from '../../../src/search/searches.ts';
import type { Viewer } from '../../../src/viewer.ts';
import { hashModel } from '../../../testkit/hash-embedder.ts';
import { explain, recordStatements } from '../../../testkit/statements.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { clusteredMemories, vectorsWithQueries } from './clustered-memories.ts';

const model = { name: hashModel, isCurrent: true };

// What a viewer of role `user` finds among 20,000 memories.

const k = 10;
const queries = vectorsWithQueries(30).queries.map((vector) => ({ vector }));
const viewer = (userId: string): Viewer => ({ userId, role: 'user' });

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase({ statementTimeoutMs: 300_000, seed: clusteredMemories });
}, 300_000);
afterAll(() => db.close());

function found(
  database: Database,
  userId: string,
  asked: readonly { vector: Float32Array }[],
  filters?: MemoryFilters,
  exact = false,
) {
  const request = { k, conditions: compileMemoryFilters(filters), options: parseSearchOptions({ exact }) };
  return search(database, viewer(userId), memorySearch, { by: 'vectors', queries: asked, model }, request);
}

async function statementOf(userId: string, filters?: MemoryFilters) {
  const recorded = recordStatements(db.pool);
  await found(recorded.database, userId, queries.slice(0, 1), filters);
  expect(recorded.statements).toHaveLength(1);
  return recorded.statements[0] as (typeof recorded.statements)[0];
}

const ofChat: MemoryFilters = { source: { eq: 'chat' } };
const ofThreeTenths: MemoryFilters = { metadata: { at: [{ path: ['bucket'], number: { lt: 300 } }] } };

describe('a search among one’s own rows', () => {
  test.each(['many', 'some', 'few'])(
    'finds .98 of the true nearest, and always k: %s',
    async (userId) => {
      let right = 0;
      for (const query of queries) {
        const [[list], [truth]] = [
          await found(db.pool, userId, [query]),
          await found(db.pool, userId, [query], undefined, true),
        ];
        expect(list).toHaveLength(k);
        expect(new Set(list?.map(({ row }) => row.userId))).toEqual(new Set([userId]));
        const nearest = new Set(truth?.map(({ row }) => row.id));
        right += list?.filter(({ row }) => nearest.has(row.id)).length ?? 0;
      }
      expect(right / (queries.length * k)).toBeGreaterThanOrEqual(0.98);
    },
    120_000,
  );

  test('has one statement, whoever asks', async () => {
    const [many, few] = [await statementOf('many'), await statementOf('few')];
    expect(few.text).toBe(many.text);
    expect(many.parameters).toContain('many');
    expect(few.parameters).toContain('few');
    expect(few.parameters).not.toContain('many');
  });

  test('has one statement for filters of the same form', async () => {
    const [chat, note] = [
      await statementOf('many', ofChat),
      await statementOf('few', { source: { eq: 'note' } }),
    ];
    expect(note.text).toBe(chat.text);
    expect(note.parameters).toEqual(expect.arrayContaining(['few', 'note']));
    expect((await statementOf('many', { sessionId: { eq: 'chat' } })).text).not.toBe(chat.text);
  });

  // "never executed" stands at a node of a plan that the statement did not need.
  const hnsw = /Index Scan using idx_memories_embedding_hnsw on memories( memories_\d+)? \(actual/;
  const sample = /Sample Scan on memories( memories_\d+)? \(actual/;

  test('is scoped for an administrator who filters by one owner, too', async () => {
    const recorded = recordStatements(db.pool);
    const filters = { and: [{ userId: { eq: 'some' } }] };
    const request = { k, conditions: compileMemoryFilters(filters), options: parseSearchOptions({}) };
    const batch = { by: 'vectors' as const, queries: queries.slice(0, 1), model };
    const [list] = await search(
      recorded.database,
      { userId: 'root', role: 'admin' },
      memorySearch,
      batch,
      request,
    );
    expect(new Set(list?.map(({ row }) => row.userId))).toEqual(new Set(['some']));
    const [statement] = recorded.statements;
    expect(statement?.text).toBe((await statementOf('some')).text.replace(' -- app', ''));
    const plan = await explain(db.pool, statement as never, '', 'analyze, timing off');
    expect(hnsw.test(plan)).toBe(true);
    expect(sample.test(plan)).toBe(false);
  });

  test.each([
    ['by the vector index where they are many', 'many', undefined, true, false],
    ['by the vector index where they are a tenth of the table', 'some', undefined, true, false],
    ['exactly where they are few', 'few', undefined, false, false],
    ['on a sample of the table only where filters narrow many', 'many', ofChat, true, true],
    [
      'exactly where filters leave little of the table, though much of one’s own',
      'some',
      ofThreeTenths,
      false,
      true,
    ],
    ['exactly and without a sample where filters narrow few', 'few', ofChat, false, false],
  ])('reads %s', async (_, userId, filters, byIndex, sampled) => {
    const plan = await explain(db.pool, await statementOf(userId, filters), '', 'analyze, timing off');
    expect(hnsw.test(plan)).toBe(byIndex);
    expect(sample.test(plan)).toBe(sampled);
  });
});
