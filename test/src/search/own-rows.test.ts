import { sql } from 'drizzle-orm';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { vectorLiteral } from '../../../schema/columns/vector.ts';
import {
  type ChunkFilters,
  compileChunkFilters,
  compileMemoryFilters,
  type DocumentFilters,
  type MemoryFilters,
} from '../../../src/filters/filters.ts';
import { search } from '../../../src/search/execute.ts';
import { parseSearchOptions, type SearchOptionsInput } from '../../../src/search/options.ts';
import { chunkSearch, documentSearch, memorySearch, recallSearch } from '../../../src/search/searches.ts';
import type { Services } from '../../../src/services.ts';
import { createMemories, type NewMemory } from '../../../src/store/memories.ts';
import { localViewer, type Viewer } from '../../../src/viewer.ts';
import { HashEmbedder, hashModel } from '../../../testkit/hash-embedder.ts';
import { asOwner } from '../../../testkit/owner.ts';
import { recordStatements } from '../../../testkit/statements.ts';
import { seededRandom } from '../../../testkit/vectors.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { sharedChunker } from '../../support/shared-chunker.ts';
import { sharedExtractor } from '../../support/shared-extractor.ts';

const model = { name: hashModel, isCurrent: true };

// How rare a word is, for a user: what others store must change nothing.

const ann: Viewer = { userId: 'ann', role: 'user' };
const embedder = new HashEmbedder();

const viewers: [string, Viewer, MemoryFilters][] = [
  ['a user', ann, {}],
  ['a reader', { userId: 'ann', role: 'reader' }, {}],
  ['an administrator who filters by the user', localViewer, { userId: { eq: 'ann' } }],
];

const vocabulary = [
  'violin',
  'harbor',
  'zebra',
  'apricot',
  'lantern',
  'umbrella',
  'copper',
  'meadow',
  'falcon',
  'ginger',
];

/** Texts of the words, the first ones more often, each with some metadata. */
function texts(count: number, seed: number): NewMemory[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => ({
    content: Array.from(
      { length: 3 + Math.floor(random() * 12) },
      () => vocabulary[Math.floor(random() ** 2 * vocabulary.length)],
    ).join(' '),
    sessionId: `session ${Math.floor(i / 10)}`,
    source: i % 3 === 0 ? 'chat' : 'note',
    metadata: { lang: i % 4 === 0 ? 'en' : 'de' },
  }));
}

async function searchOf(
  db: TestDatabase,
  viewer: Viewer,
  text: string,
  filters: MemoryFilters,
  input: SearchOptionsInput,
  k = 40,
) {
  const query = { text, vector: await embedder.embedQuery(text) };
  const request = {
    k,
    conditions: compileMemoryFilters(filters),
    options: parseSearchOptions(input),
    pages: true,
  };
  const [list = []] = await search(
    db.pool,
    viewer,
    memorySearch,
    { by: 'vectors', queries: [query], model },
    request,
  );
  return list;
}

describe('a user’s rows alone and among those of others', () => {
  let alone: TestDatabase;
  let among: TestDatabase;

  beforeAll(async () => {
    alone = await openTestDatabase();
    among = await openTestDatabase();
    const own = texts(400, 1).map((memory) => ({ ...memory, userId: 'ann' }));
    const foreign = texts(3600, 2).map((memory, i) => ({
      ...memory,
      content: `${memory.content} ginger falcon`,
      userId: `other ${i % 7}`,
    }));
    const store = async (db: TestDatabase, memories: NewMemory[]) => {
      const services = {
        database: db.pool,
        embedder,
        extractor: sharedExtractor,
        chunker: sharedChunker,
        log: pino({ level: 'silent' }),
      };
      for (let i = 0; i < memories.length; i += 500)
        await createMemories(services as Services, localViewer, memories.slice(i, i + 500));
    };
    await store(alone, own);
    await store(
      among,
      own.flatMap((memory, i) => [memory, ...foreign.slice(i * 9, i * 9 + 9)]),
    );
  }, 120_000);
  afterAll(async () => {
    await alone.close();
    await among.close();
  });

  describe.each(viewers)('for %s', (_, viewer, scope) => {
    test.each<[string, SearchOptionsInput, MemoryFilters]>([
      ['KEYWORD', { mode: 'KEYWORD' }, {}],
      ['HYBRID', { mode: 'HYBRID', exact: true }, {}],
      ['HYBRID by rank', { mode: 'HYBRID', fusion: 'RANK', exact: true }, {}],
      ['KEYWORD, filtered by metadata', { mode: 'KEYWORD' }, { metadata: { contains: { lang: 'en' } } }],
      ['KEYWORD, filtered by source', { mode: 'KEYWORD' }, { source: { eq: 'chat' } }],
      [
        'HYBRID, filtered by both',
        { mode: 'HYBRID', exact: true },
        { source: { eq: 'chat' }, metadata: { contains: { lang: 'de' } } },
      ],
    ])('have the same scores: %s', async (__, options, filters) => {
      const lists = await Promise.all(
        [alone, among].map(async (db) => {
          const list = await searchOf(
            db,
            viewer,
            'ginger falcon violin copper',
            { ...filters, ...scope },
            options,
          );
          return list.map(({ row, distance, score, scoreParts }) => [
            row.content,
            row.userId,
            distance,
            score,
            scoreParts,
          ]);
        }),
      );
      expect(lists[0]?.length).toBeGreaterThan(20);
      expect(lists[1]).toEqual(lists[0]);
    });

    test('are counted alone', async () => {
      const [first] = await searchOf(among, viewer, 'ginger violin', scope, { mode: 'KEYWORD' });
      const own = texts(400, 1);
      const having = (word: string) => own.filter(({ content }) => content.includes(word)).length;
      expect(first?.position?.basis?.words).toEqual([
        {
          documents: 400,
          length: expect.closeTo(own.reduce((sum, { content }) => sum + content.length, 0) / 400, 6),
          counts: [having('ginger'), having('violin')],
        },
      ]);
    });
  });

  test('are counted alone by recall, in each kind that has owners', async () => {
    const text = 'ginger violin';
    const conditions = recallSearch.compile({ kinds: ['MEMORY', 'CHUNK'], filters: {} });
    const options = parseSearchOptions({ mode: 'KEYWORD' });
    const query = { text, vector: await embedder.embedQuery(text) };
    const [list] = await search(
      among.pool,
      ann,
      recallSearch as never,
      { by: 'vectors', queries: [query], model },
      { k: 5, conditions, options, pages: true },
    );
    const [first] = list as unknown as Awaited<ReturnType<typeof searchOf>>;
    expect(first?.position?.basis?.words).toMatchObject([{ documents: 400 }, { documents: 1 }]);
  });

  const en: MemoryFilters = { metadata: { contains: { lang: 'en' } } };
  const chat: MemoryFilters = { source: { eq: 'chat' } };
  const byPath: MemoryFilters = { metadata: { at: [{ path: ['lang'], string: { in: ['en', 'fr'] } }] } };
  test.each<[string, MemoryFilters, (memory: NewMemory, i: number) => boolean]>([
    ['and', { and: [en, chat] }, (_, i) => i % 12 === 0],
    ['or', { or: [en, chat] }, (_, i) => i % 4 === 0 || i % 3 === 0],
    ['not', { not: en }, (_, i) => i % 4 !== 0],
    ['not within and', { and: [{ not: { and: [en, chat] } }, en] }, (_, i) => i % 4 === 0 && i % 3 !== 0],
    ['two containments', { and: [en, { metadata: { contains: { lang: 'de' } } }] }, () => false],
    ['a path', byPath, (_, i) => i % 4 === 0],
    ['an owner within or', { or: [{ userId: { eq: 'other 1' } }, en] }, (_, i) => i % 4 === 0],
    ['an owner within not', { not: { userId: { eq: 'ann' } } }, () => false],
  ])('are all found where filters leave them: %s', async (_, filters, passes) => {
    const own = texts(400, 1).filter(passes);
    for (const options of [{ exact: true }, {}, { mode: 'KEYWORD' } as const]) {
      const found = await searchOf(among, ann, vocabulary.join(' '), filters, options, 400);
      expect(found.map(({ row }) => row.content).sort()).toEqual(own.map(({ content }) => content).sort());
    }
  });

  test('are not read by pages of the table', async () => {
    for (const definition of [memorySearch, chunkSearch]) {
      const recorded = recordStatements(among.pool);
      const query = { text: 'violin', vector: await embedder.embedQuery('violin') };
      const request = { k: 5, conditions: undefined, options: parseSearchOptions({ mode: 'KEYWORD' }) };
      await search(
        recorded.database,
        ann,
        definition as never,
        { by: 'vectors', queries: [query], model },
        request,
      );
      expect(recorded.statements).toHaveLength(1);
      expect(recorded.statements[0]?.text).not.toMatch(/tablesample|pg_relation_size/);
    }
  });
});

test('chunks and documents are found by the metadata of their document, one’s own alone', async () => {
  const db = await openTestDatabase();
  try {
    const vector = await embedder.embedQuery('violin');
    await asOwner(db.pool, async (tx) => {
      await tx.execute(sql`with document as (
          insert into documents (user_id, filename, content_hash, total_chunks, metadata)
          select case n % 2 when 0 then 'ann' else 'bob' end, 'file ' || n, lpad(n::text, 64, '0'), 1,
            jsonb_build_object('lang', case when n % 3 = 0 then 'en' else 'de' end)
          from generate_series(1, 60) n returning id, user_id, filename)
        insert into document_chunks (user_id, document_id, chunk_index, total_chunks, content, chunk_size, start_offset, end_offset,
          embedding, embedding_model, metadata)
        select user_id, id, 0, 1, 'violin in ' || filename, 10, 0, 10, ${vectorLiteral(vector)}::vector, ${hashModel}, '{"part": 1}' from document`);
    });
    const en: DocumentFilters = { metadata: { contains: { lang: 'en' } } };
    const ofChunk: ChunkFilters = { document: en, metadata: { contains: { part: 1 } } };
    const searched = [
      [chunkSearch, compileChunkFilters(ofChunk)],
      [documentSearch, documentSearch.compile(en)],
      [
        documentSearch,
        documentSearch.compile({ and: [{ not: { metadata: { contains: { lang: 'de' } } } }] }),
      ],
    ] as const;
    const batch = { by: 'vectors' as const, queries: [{ text: 'violin', vector }], model };
    for (const [definition, conditions] of searched)
      for (const input of [{}, { mode: 'KEYWORD' }, { mode: 'HYBRID' }] as const) {
        const request = { k: 50, conditions, options: parseSearchOptions(input) };
        const [list = []] = await search(db.pool, ann, definition as never, batch, request);
        const names = list
          .map(
            ({ row }) =>
              Object.values(row)
                .join(' ')
                .match(/file \d+/)?.[0],
          )
          .sort();
        expect(names).toEqual(Array.from({ length: 10 }, (_, i) => `file ${6 * (i + 1)}`).sort());
      }
  } finally {
    await db.close();
  }
});

describe('more than 20,000 rows of one user', () => {
  let db: TestDatabase;

  beforeAll(async () => {
    db = await openTestDatabase({ statementTimeoutMs: 300_000 });
    // Of ann's 30,000 rows every second has "violin", every third "harbor", every 40th "zebra". Others have little but "zebra".
    await asOwner(db.pool, async (tx) => {
      await tx.execute(sql`insert into memories (user_id, content, source)
        select case when n % 2 = 0 then 'ann' else 'bob' end,
          case when n % 2 = 1 then 'zebra zebra zebra' else
            'meadow' || case when n / 2 % 2 = 0 then ' violin' else '' end || case when n / 2 % 3 = 0 then ' harbor' else '' end ||
            case when n / 2 % 40 = 0 then ' zebra' else '' end end,
          case when n / 2 % 5 = 0 then 'chat' else 'note' end
        from generate_series(0, 59999) n`);
      await tx.execute(sql`analyze memories`);
    });
  }, 300_000);
  afterAll(() => db.close());

  test.each(viewers)('are counted on a share of them, to a few per cent: %s', async (_, viewer, scope) => {
    const [first] = await searchOf(db, viewer, 'violin harbor zebra', scope, { mode: 'KEYWORD' });
    const [words] = first?.position?.basis?.words ?? [];
    const within = (value = Number.NaN, truth = Number.NaN) => Math.abs(value - truth) / truth;
    expect(within(words?.documents, 30_000)).toBeLessThan(0.08);
    expect(within(words?.length, 12.6)).toBeLessThan(0.08);
    const [harbor, violin, zebra] = words?.counts ?? [];
    expect(within(violin, 15_000)).toBeLessThan(0.08);
    expect(within(harbor, 10_000)).toBeLessThan(0.1);
    expect(zebra).toBe(750);
  });

  test.each(viewers)('are counted so with a filter, too: %s', async (_, viewer, scope) => {
    const filters: MemoryFilters = { ...scope, source: { eq: 'chat' } };
    const [first] = await searchOf(db, viewer, 'violin zebra', filters, { mode: 'KEYWORD' });
    const [words] = first?.position?.basis?.words ?? [];
    expect(Math.abs((words?.documents ?? 0) - 6000) / 6000).toBeLessThan(0.15);
    expect(words?.counts[1]).toBe(750);
  });
});
