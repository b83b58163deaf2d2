import { graphql } from 'graphql';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createContext } from '../../resolvers/context.ts';
import { buildSchema } from '../../resolvers/schema.ts';
import { ingestDocument, replaceDocument } from '../../src/ingest/ingest.ts';
import { createLoaders } from '../../src/loaders.ts';
import { search } from '../../src/search/execute.ts';
import { defaultSearchOptions } from '../../src/search/options.ts';
import { documentSearch, memorySearch } from '../../src/search/searches.ts';
import type { Services } from '../../src/services.ts';
import {
  parseDocumentChunksRequest,
  readChunkPages,
  readChunks,
  readChunksAt,
} from '../../src/store/chunks.ts';
import { deleteDocument, readDocumentByHash, readDocuments } from '../../src/store/documents.ts';
import { createMemories, deleteMemories, readMemories, updateMemory } from '../../src/store/memories.ts';
import { archiveMemories, restoreMemories } from '../../src/store/memory-archive.ts';
import type { DocumentRow, MemoryRow } from '../../src/store/rows.ts';
import { localViewer, type Viewer } from '../../src/viewer.ts';
import { HashEmbedder } from '../../testkit/hash-embedder.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { sharedChunker } from '../support/shared-chunker.ts';
import { sharedExtractor } from '../support/shared-extractor.ts';

const schema = buildSchema();

// Both users store equal rows. So if a read does not keep to its user, it finds the rows of the other user too.
const ann: Viewer = { userId: 'ann', role: 'user' };
const bob: Viewer = { userId: 'bob', role: 'user' };
const texts = [
  'the ferry leaves at noon',
  'the ferry leaves at dusk',
  'a baker bakes bread',
  'the bread is on the ferry',
];
const files = [
  'the ferry leaves at noon.\n\nthe tank is empty.',
  'a baker bakes bread.\n\nthe ferry leaves at dusk.',
];

let db: TestDatabase;
let services: Services;
let memories: MemoryRow[];
let documents: DocumentRow[];

async function store(viewer: Viewer) {
  const { userId } = viewer;
  const stored = await createMemories(
    services,
    viewer,
    texts.map((content, n) => ({ content, sessionId: 'trip', idempotencyKey: `key ${n}`, userId })),
  );
  const ingested: DocumentRow[] = [];
  for (const [n, content] of files.entries()) {
    const input = { filename: `${n}.txt`, content, chunkSize: 8, overlap: 0, userId };
    const { document, outcome } = await ingestDocument(services, viewer, input);
    expect(outcome).toBe('CREATED');
    ingested.push(document);
  }
  return { stored, ingested };
}

beforeAll(async () => {
  db = await openTestDatabase();
  services = {
    database: db.pool,
    embedder: new HashEmbedder(),
    extractor: sharedExtractor,
    chunker: sharedChunker,
    log: pino({ level: 'silent' }),
  };
  ({ stored: memories, ingested: documents } = await store(ann));
});
afterAll(() => db.close());

describe('a viewer who is no admin', () => {
  test('cannot write rows of another user', async () => {
    const refusal = {
      code: 'FORBIDDEN',
      message: expect.stringContaining('userId is "ann", and this request is by "bob"'),
    };
    await expect(createMemories(services, bob, [{ content: 'hers', userId: 'ann' }])).rejects.toMatchObject(
      refusal,
    );
    const input = { filename: 'hers.txt', content: 'hers', userId: 'ann' };
    await expect(ingestDocument(services, bob, input)).rejects.toMatchObject(refusal);
  });

  test('writes rows of its own, and meets nobody else’s keys or bytes', async () => {
    const { stored, ingested } = await store(bob);
    for (const { userId } of [...stored, ...ingested]) expect(userId).toBe('bob');
    const ids = new Set(memories.map(({ id }) => id));
    expect(stored.filter(({ id }) => ids.has(id))).toEqual([]);
    const again = await createMemories(services, bob, [
      { content: texts[0] as string, sessionId: 'trip', idempotencyKey: 'key 0' },
    ]);
    expect(again).toMatchObject([stored[0] as object]);
  });

  test('reads nobody else’s rows by their ids, places, hashes or embeddings', async () => {
    const { pool } = db;
    const ids = memories.map(({ id }) => id);
    const [document] = documents as [DocumentRow];
    const chunks = await readChunkPages(pool, ann, [parseDocumentChunksRequest(document.id, 10, null)]);
    const chunkIds = chunks.flatMap(({ edges }) => edges.map(({ node }) => node.id));
    expect(chunkIds.length).toBeGreaterThan(1);

    expect(await readMemories(pool, bob, ids)).toEqual([]);
    expect(await readDocuments(pool, bob, [document.id])).toEqual([]);
    expect(await readChunks(pool, bob, chunkIds)).toEqual([]);
    expect(await readChunksAt(pool, bob, [{ documentId: document.id, chunkIndex: 0 }])).toEqual([null]);
    const [page] = await readChunkPages(pool, bob, [parseDocumentChunksRequest(document.id, 10, null)]);
    expect(page?.edges).toEqual([]);
    expect(await readDocumentByHash(pool, bob, 'ann', document.contentHash)).toBeUndefined();

    const [its, others] = [createLoaders(services, ann), createLoaders(services, bob)];
    expect(await its.memoryEmbeddings.loadMany(ids)).not.toContain(null);
    expect(await others.memoryEmbeddings.loadMany(ids)).toEqual(ids.map(() => null));
    expect(await its.chunkEmbeddings.loadMany(chunkIds)).not.toContain(null);
    expect(await others.chunkEmbeddings.loadMany(chunkIds)).toEqual(chunkIds.map(() => null));
  });

  test('changes and deletes nobody else’s rows', async () => {
    const [[memory], [document]] = [memories, documents] as [[MemoryRow], [DocumentRow]];
    const notFound = { code: 'NOT_FOUND' };
    await expect(updateMemory(services, bob, memory.id, { content: 'mine' })).rejects.toMatchObject(notFound);
    await expect(updateMemory(services, bob, memory.id, {})).rejects.toMatchObject(notFound);
    expect(await deleteMemories(services, bob, [memory.id])).toBe(0);
    for (const change of [{ filename: 'mine.txt' }, { content: 'mine' }, {}])
      await expect(replaceDocument(services, bob, document.id, change)).rejects.toMatchObject(notFound);
    expect(await deleteDocument(db.pool, bob, document.id)).toBe(false);
    expect(await readMemories(db.pool, ann, [memory.id])).toEqual([memory]);
    expect(await readDocuments(db.pool, ann, [document.id])).toEqual([document]);
  });

  test('archives and restores nobody else’s memories', async () => {
    const ids = memories.map(({ id }) => id);
    const everything = { importanceBelow: 1, filters: { userId: { in: ['ann', 'bob'] } } };
    for (const dryRun of [true, false]) {
      const { count, sample } = await archiveMemories(services, bob, { ...everything, dryRun });
      expect(count).toBe(texts.length);
      expect(users(sample)).toEqual(['bob']);
      const hers = await readMemories(db.pool, ann, ids);
      expect(hers).toHaveLength(ids.length);
      if (!dryRun)
        expect(
          await restoreMemories(
            services,
            bob,
            sample.map(({ id }) => id),
          ),
        ).toBe(count);
    }
    expect((await archiveMemories(services, ann, { ...everything, dryRun: false })).count).toBe(ids.length);
    expect(await restoreMemories(services, bob, ids)).toBe(0);
    expect(await readMemories(db.pool, ann, ids)).toEqual([]);
    expect(await restoreMemories(services, ann, ids)).toBe(ids.length);
    expect(await readMemories(db.pool, ann, ids)).toHaveLength(ids.length);
  });

  test('is shown only its own rows by lists and by what stands below them', async () => {
    const { data, errors } = await as(
      bob,
      `{
      memories { totalCount edges { node { userId similar(k: 20) { memory { userId } } } } }
      documents { totalCount edges { node { userId
        chunks { edges { node { userId document { userId } next { userId } } } }
        similar(k: 20) { document { userId } chunk { userId } } } } }
      chunks { totalCount edges { node { userId similar(k: 20) { chunk { userId } } } } }
    }`,
    );
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({ memories: { totalCount: 4 }, documents: { totalCount: 2 } });
    expect(users(data)).toEqual(['bob']);
  });

  test.each([
    '{}',
    '{ exact: true }',
    '{ metric: EUCLIDEAN }',
    '{ mode: KEYWORD }',
    '{ mode: HYBRID }',
    '{ mode: HYBRID, fusion: RANK }',
    '{ percentile: 0.9 }',
    '{ diversity: 0.5 }',
  ])('finds only its own rows with the options %s', async (options) => {
    const search = `(text: "the ferry", k: 20, options: ${options})`;
    const { data, errors } = await as(
      bob,
      `{
      similarMemories${search} { memory { userId } }
      similarDocuments${search} { document { userId } chunk { userId } }
      similarChunks${search} { chunk { userId } }
      recall(text: "the ferry", k: 20, kinds: [MEMORY, CHUNK, DOCUMENT], options: ${options}) {
        ... on MemoryMatch { memory { userId } }
        ... on ChunkMatch { chunk { userId } }
        ... on DocumentMatch { document { userId } chunk { userId } }
      }
    }`,
    );
    expect(errors).toBeUndefined();
    expect(Object.values(data ?? {}).map((list) => (list as unknown[]).length > 0)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(users(data)).toEqual(['bob']);
  });

  test('finds only its own rows when others have just asked the same', async () => {
    const vector = (await services.embedder.embedQuery('the ferry', 'ann')).join(', ');
    const query = `{
      similarMemories(vector: [${vector}], k: 20) { memory { userId } }
      similarChunks(vector: [${vector}], k: 20) { chunk { userId } }
    }`;
    const found: string[][] = [];
    for (const viewer of [localViewer, ann, bob, localViewer])
      found.push(users((await as(viewer, query)).data));
    expect(found).toEqual([['ann', 'bob'], ['ann'], ['bob'], ['ann', 'bob']]);
  });

  test('is lent no context by the rows of others', async () => {
    const search = '(text: "the ferry", k: 20, options: { context: 1 })';
    const { data, errors } = await as(
      bob,
      `{ similarMemories${search} { memory { userId } } recall${search} { ... on MemoryMatch { memory { userId } } } }`,
    );
    expect(errors).toBeUndefined();
    expect(users(data)).toEqual(['bob']);
  });

  test('cannot take somebody else’s rows for examples', async () => {
    const [[memory], [document]] = [memories, documents] as [[MemoryRow], [DocumentRow]];
    const [page] = await readChunkPages(db.pool, ann, [parseDocumentChunksRequest(document.id, 1, null)]);
    const chunk = page?.edges[0]?.node.id;
    const searches = {
      memory: `{ similarMemories(like: ["${memory.id}"]) { memory { userId } } }`,
      document: `{ similarDocuments(like: ["${document.id}"]) { document { userId } } }`,
      chunk: `{ similarChunks(like: ["${chunk}"]) { chunk { userId } } }`,
    };
    for (const [name, search] of Object.entries(searches)) {
      const { errors } = await as(bob, search);
      expect(errors?.map(({ message }) => message)).toEqual([
        expect.stringMatching(`^There is no ${name} with id "\\d+".$`),
      ]);
      const its = await as(ann, search);
      expect(its.errors).toBeUndefined();
      expect(users(its.data)).toEqual(['ann']);
    }
  });

  test('finds nothing near to somebody else’s memory', async () => {
    const request = { k: 5, conditions: undefined, options: defaultSearchOptions };
    const ids = memories.map(({ id }) => id);
    const lengths = async (viewer: Viewer) =>
      (await search(db.pool, viewer, memorySearch, { by: 'rows', ids }, request)).map((list) => list.length);
    expect(await lengths(bob)).toEqual(ids.map(() => 0));
    expect(await lengths(ann)).toEqual(ids.map(() => texts.length - 1));
  });

  test('finds nothing near to somebody else’s document', async () => {
    const request = { k: 5, conditions: undefined, options: defaultSearchOptions };
    const ids = documents.map(({ id }) => id);
    expect(await search(db.pool, bob, documentSearch, { by: 'rows', ids }, request)).toEqual([[], []]);
    expect(
      (await search(db.pool, ann, documentSearch, { by: 'rows', ids }, request)).map((list) => list.length),
    ).toEqual([1, 1]);
  });
});

test('a context has the viewer that it is made for, and is nobody’s without one', () => {
  expect(createContext(services, bob).viewer).toBe(bob);
  const makeContext = createContext as (...args: unknown[]) => { viewer?: unknown };
  expect(makeContext(services).viewer).toBeUndefined();
  // @ts-expect-error: who forgets the viewer must not get an administrator.
  createContext(services);
});

const as = (viewer: Viewer, source: string) =>
  graphql({ schema, source, contextValue: createContext(services, viewer) });

/** Returns every `userId` anywhere in an answer, each once. */
function users(answer: unknown): string[] {
  const found = new Set<string>();
  JSON.stringify(answer, (key, value) => {
    if (key === 'userId') found.add(value);
    return value;
  });
  return [...found];
}
