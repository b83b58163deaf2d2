import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EMBEDDING_DIMENSIONS } from '../../../schema/columns/vector.ts';
import { documentChunks, documents, memories, toolEmbeddings } from '../../../schema/index.ts';
import { transaction } from '../../../src/database/transaction.ts';
import {
  type ChunkFilters,
  compileChunkFilters,
  compileMemoryFilters,
  compileToolFilters,
  type MemoryFilters,
  type ToolFilters,
} from '../../../src/filters/filters.ts';
import { localViewer } from '../../../src/viewer.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;

/** The tests name a row by its `content`. */
const rows = [
  {
    content: 'tea',
    source: 'chat',
    sessionId: 's1',
    importanceScore: 0.2,
    metadata: { age: 9, tags: ['hot', 'drink'], user: { name: 'Ada', admin: true }, note: null },
    createdAt: sql`'2024-05-01 12:00:00.000900+00'::timestamptz`,
  },
  {
    content: 'Tea',
    source: 'notes',
    sessionId: null,
    importanceScore: 0.5,
    metadata: { age: 10, tags: ['cold'], user: { name: 'Bob', admin: false } },
    createdAt: sql`'2024-05-01 12:00:00.001+00'::timestamptz`,
  },
  {
    content: '100% t_a',
    source: 'chat',
    sessionId: 's2',
    importanceScore: 0.9,
    metadata: { age: '10', user: 'Ada', admin: 'true' },
    createdAt: sql`'2024-05-02 00:00:00+00'::timestamptz`,
    embedding: Array.from({ length: EMBEDDING_DIMENSIONS }, () => 1),
    embeddingModel: 'm',
  },
  {
    content: 'back\\slash \'quote\' "q" Ä😀',
    source: "x'; drop table memories; --",
    sessionId: 's3',
    importanceScore: 1,
    // Numbers that jsonb can hold and JavaScript cannot.
    metadata: sql`'{"huge": 1e400, "exact": 9007199254740993}'::jsonb`,
    createdAt: sql`'2024-05-03 00:00:00+00'::timestamptz`,
  },
];
const [tea, Tea, percent, odd] = rows.map(({ content }) => content);

beforeAll(async () => {
  database = await openTestDatabase();
  await transaction(database.pool, localViewer, { access: 'write' }, async (tx) => {
    await tx.insert(memories).values(rows);
    for (const name of ['one.md', 'two.md']) {
      const [document] = await tx
        .insert(documents)
        .values({ filename: name, contentHash: Buffer.from(name.padEnd(32)).toString('hex'), totalChunks: 1 })
        .returning();
      await tx.insert(documentChunks).values({
        documentId: document?.id ?? '',
        chunkIndex: 0,
        totalChunks: 1,
        content: `chunk of ${name}`,
        chunkSize: 3,
        startOffset: 0,
        endOffset: 3,
      });
    }
    await tx.insert(toolEmbeddings).values([
      { toolName: 'bare', toolDescription: 'no parameters' },
      { toolName: 'full', toolDescription: 'some parameters', toolParameters: { type: 'object' } },
    ]);
  });
});
afterAll(() => database.close());

async function memoriesWith(filters: MemoryFilters | null | undefined): Promise<string[]> {
  const found = await transaction(database.pool, localViewer, { access: 'read' }, (tx) =>
    tx
      .select({ content: memories.content })
      .from(memories)
      .where(compileMemoryFilters(filters))
      .orderBy(memories.id),
  );
  return found.map(({ content }) => content);
}

async function chunksWith(filters: ChunkFilters): Promise<string[]> {
  const found = await transaction(database.pool, localViewer, { access: 'read' }, (tx) =>
    tx
      .select({ content: documentChunks.content })
      .from(documentChunks)
      .where(compileChunkFilters(filters))
      .orderBy(documentChunks.id),
  );
  return found.map(({ content }) => content);
}

async function toolsWith(filters: ToolFilters): Promise<string[]> {
  const found = await transaction(database.pool, localViewer, { access: 'read' }, (tx) =>
    tx
      .select({ name: toolEmbeddings.toolName })
      .from(toolEmbeddings)
      .where(compileToolFilters(filters))
      .orderBy(toolEmbeddings.id),
  );
  return found.map(({ name }) => name);
}

const all = rows.map(({ content }) => content);

describe('a whole filter that says nothing', () => {
  test.each([null, undefined, {}, { and: [] }, { or: [] }, { and: [], or: [] }])(
    '%j is no filter',
    async (filters) => {
      expect(compileMemoryFilters(filters)).toBeUndefined();
      expect(await memoriesWith(filters)).toEqual(all);
    },
  );

  test('is an empty list of filters beside a condition too', async () => {
    const filters = { or: [], and: [], source: { eq: 'notes' } };
    expect(await memoriesWith(filters)).toEqual([Tea]);
    expect(await memoriesWith({ not: filters })).toEqual([tea, percent, odd]);
  });
});

describe('strings', () => {
  test('eq tells case apart', async () => {
    expect(await memoriesWith({ content: { eq: 'tea' } })).toEqual([tea]);
  });

  test('ne and notIn find rows without a value too', async () => {
    expect(await memoriesWith({ sessionId: { ne: 's1' } })).toEqual([Tea, percent, odd]);
    expect(await memoriesWith({ sessionId: { notIn: ['s1', 's2'] } })).toEqual([Tea, odd]);
  });

  test('eq null finds rows without a value, ne null the others', async () => {
    expect(await memoriesWith({ sessionId: { eq: null } })).toEqual([Tea]);
    expect(await memoriesWith({ sessionId: { ne: null } })).toEqual([tea, percent, odd]);
  });

  test('in finds any of its values, and nothing when it is empty', async () => {
    expect(await memoriesWith({ source: { in: ['notes', 'nowhere'] } })).toEqual([Tea]);
    expect(await memoriesWith({ source: { in: [] } })).toEqual([]);
    expect(await memoriesWith({ source: { notIn: [] } })).toEqual(all);
  });

  test('startsWith and contains take %, _ and \\ as they are', async () => {
    expect(await memoriesWith({ content: { contains: '%' } })).toEqual([percent]);
    expect(await memoriesWith({ content: { contains: 't_a' } })).toEqual([percent]);
    expect(await memoriesWith({ content: { contains: '\\' } })).toEqual([odd]);
    expect(await memoriesWith({ content: { startsWith: 't%' } })).toEqual([]);
    expect(await memoriesWith({ content: { startsWith: 't' } })).toEqual([tea]);
    expect(await memoriesWith({ content: { contains: 'ä' } })).toEqual([]);
    expect(await memoriesWith({ content: { contains: '😀' } })).toEqual([odd]);
  });

  test('gt and its like go by code point: capitals before small letters', async () => {
    expect(await memoriesWith({ content: { gt: 'Tea', lte: 'tea' } })).toEqual([tea, odd]);
    expect(await memoriesWith({ content: { gte: 'Tea', lt: 'a' } })).toEqual([Tea]);
  });
});

describe('SQL in a string is nothing but text', () => {
  const attacks = ["x'; drop table memories; --", "' or 1=1 --", '$1', '"', '\\', '{a,"b"}', '::text', '\\0'];

  test.each(attacks)('%s', async (attack) => {
    const literally = all.filter((content) =>
      rows.some((row) => row.content === content && row.source === attack),
    );
    expect(await memoriesWith({ source: { eq: attack } })).toEqual(literally);
    expect(await memoriesWith({ source: { in: [attack] } })).toEqual(literally);
    expect(await memoriesWith({ metadata: { contains: { [attack]: attack } } })).toEqual([]);
    expect(await memoriesWith({ metadata: { at: [{ path: [attack, attack], exists: true }] } })).toEqual([]);
    expect(await memoriesWith({ metadata: { at: [{ path: [attack], string: { eq: attack } }] } })).toEqual(
      [],
    );
    expect(await memoriesWith({})).toEqual(all);
  });
});

describe('numbers, ids, times and states', () => {
  test('numbers have an order and are equal exactly', async () => {
    expect(await memoriesWith({ importanceScore: { gt: 0.2, lte: 0.9 } })).toEqual([Tea, percent]);
    expect(await memoriesWith({ importanceScore: { eq: 0.9 } })).toEqual([percent]);
  });

  test('ids are compared as numbers', async () => {
    expect(await memoriesWith({ id: { in: ['1', '3', '9223372036854775807'] } })).toEqual([tea, percent]);
    expect(await memoriesWith({ id: { lt: '10', gte: '2' } })).toEqual([Tea, percent, odd]);
  });

  test('a time is equal to what a client saw of it, though the database holds microseconds', async () => {
    const seen = new Date('2024-05-01T12:00:00.000Z');
    expect(await memoriesWith({ createdAt: { eq: seen } })).toEqual([tea]);
    expect(await memoriesWith({ createdAt: { in: [seen] } })).toEqual([tea]);
    expect(await memoriesWith({ createdAt: { lte: seen } })).toEqual([tea]);
    expect(await memoriesWith({ createdAt: { gt: seen } })).toEqual([Tea, percent, odd]);
    expect(await memoriesWith({ createdAt: { lt: seen } })).toEqual([]);
  });

  test('embeddingStatus tells rows that wait for their embedding', async () => {
    expect(await memoriesWith({ embeddingStatus: { eq: 'PENDING' } })).toEqual([tea, Tea, odd]);
    expect(await memoriesWith({ embeddingStatus: { ne: 'PENDING' } })).toEqual([percent]);
    expect(await memoriesWith({ embeddingStatus: { in: [] } })).toEqual([]);
  });
});

describe('metadata', () => {
  const at = (...path: string[]) => ({ path });

  test('contains finds objects with these keys and values, and arrays with these elements', async () => {
    expect(await memoriesWith({ metadata: { contains: { user: { admin: true } } } })).toEqual([tea]);
    expect(await memoriesWith({ metadata: { contains: { tags: ['drink'] } } })).toEqual([tea]);
    expect(await memoriesWith({ metadata: { contains: { user: {} } } })).toEqual([tea, Tea]);
  });

  test('numbers compare as numbers, and text that looks like a number is none', async () => {
    expect(await memoriesWith({ metadata: { at: [{ ...at('age'), number: { gt: 9 } }] } })).toEqual([Tea]);
    expect(await memoriesWith({ metadata: { at: [{ ...at('age'), number: { eq: 10 } }] } })).toEqual([Tea]);
    expect(await memoriesWith({ metadata: { at: [{ ...at('age'), string: { eq: '10' } }] } })).toEqual([
      percent,
    ]);
  });

  test('numbers beyond those of JavaScript compare as what they are', async () => {
    expect(await memoriesWith({ metadata: { at: [{ ...at('huge'), number: { gt: 1e308 } }] } })).toEqual([
      odd,
    ]);
    expect(await memoriesWith({ metadata: { at: [{ ...at('exact'), number: { lte: 2 ** 53 } }] } })).toEqual(
      [],
    );
  });

  test('booleans compare as booleans', async () => {
    const admin = at('user', 'admin');
    expect(await memoriesWith({ metadata: { at: [{ ...admin, boolean: { eq: true } }] } })).toEqual([tea]);
    expect(await memoriesWith({ metadata: { at: [{ ...at('admin'), boolean: { eq: true } }] } })).toEqual([]);
  });

  test('ne also finds rows where the path holds nothing or another type, unless exists or type is asked', async () => {
    const name = at('user', 'name');
    expect(await memoriesWith({ metadata: { at: [{ ...name, string: { ne: 'Ada' } }] } })).toEqual([
      Tea,
      percent,
      odd,
    ]);
    expect(
      await memoriesWith({ metadata: { at: [{ ...name, string: { ne: 'Ada' }, exists: true }] } }),
    ).toEqual([Tea]);
  });

  test('exists and type tell a null from nothing', async () => {
    expect(await memoriesWith({ metadata: { at: [{ ...at('note'), exists: true }] } })).toEqual([tea]);
    expect(await memoriesWith({ metadata: { at: [{ ...at('note'), type: 'NULL' }] } })).toEqual([tea]);
    expect(await memoriesWith({ metadata: { at: [{ ...at('user'), type: 'STRING' }] } })).toEqual([percent]);
    expect(await memoriesWith({ metadata: { at: [{ ...at('age'), exists: false }] } })).toEqual([odd]);
  });

  test('a step into an array is a position, counted from either end', async () => {
    expect(await memoriesWith({ metadata: { at: [{ ...at('tags', '0'), string: { eq: 'hot' } }] } })).toEqual(
      [tea],
    );
    expect(
      await memoriesWith({ metadata: { at: [{ ...at('tags', '-1'), string: { eq: 'drink' } }] } }),
    ).toEqual([tea]);
  });

  test('one condition may ask for several types and places at once', async () => {
    const both = [
      { ...at('age'), number: { gte: 9 } },
      { ...at('user', 'name'), string: { startsWith: 'A' } },
    ];
    expect(await memoriesWith({ metadata: { at: both } })).toEqual([tea]);
  });
});

describe('joined filters', () => {
  test('or finds what any of its filters finds, next to what must hold besides', async () => {
    const filters = { source: { eq: 'chat' }, or: [{ content: { eq: 'Tea' } }, { sessionId: { eq: 's2' } }] };
    expect(await memoriesWith(filters)).toEqual([percent]);
  });

  test('and in which or stands keeps them apart', async () => {
    const either = { or: [{ content: { eq: 'tea' } }, { content: { eq: 'Tea' } }] };
    expect(await memoriesWith({ and: [either, { source: { eq: 'notes' } }] })).toEqual([Tea]);
  });

  test('not finds exactly what its filter leaves out, rows with NULL among them', async () => {
    expect(await memoriesWith({ not: { sessionId: { eq: 's1' } } })).toEqual([Tea, percent, odd]);
    expect(await memoriesWith({ not: { not: { sessionId: { startsWith: 's' } } } })).toEqual([
      tea,
      percent,
      odd,
    ]);
  });

  test('chunks are found by their document', async () => {
    expect(await chunksWith({ document: { filename: { eq: 'two.md' } } })).toEqual(['chunk of two.md']);
    expect(await chunksWith({ not: { document: { filename: { eq: 'two.md' } } } })).toEqual([
      'chunk of one.md',
    ]);
  });

  test('tools without parameters have nothing in them', async () => {
    expect(await toolsWith({ toolParameters: { contains: {} } })).toEqual(['full']);
    expect(await toolsWith({ not: { toolParameters: { at: [{ path: ['type'], exists: true }] } } })).toEqual([
      'bare',
    ]);
  });
});
