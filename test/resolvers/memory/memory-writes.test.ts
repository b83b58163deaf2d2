import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EMBEDDING_DIMENSIONS } from '../../../schema/columns/vector.ts';
import { HashEmbedder, hashVector } from '../../../testkit/hash-embedder.ts';
import {
  CountMemoriesDocument,
  CreateMemoriesDocument,
  CreateMemoryDocument,
  DeleteMemoriesDocument,
  DeleteMemoryDocument,
  MemoryDocument,
  MemoryEmbeddingDocument,
  SimilarMemoriesDocument,
  UpdateMemoryDocument,
  UpdateMemoryTwiceDocument,
} from '../../generated/operations.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
const embedder = new HashEmbedder();

beforeAll(async () => {
  server = await startTestServer({ embedder });
});
afterAll(() => server.close());

const create = async (content: string, more: object = {}) =>
  (await server.request(CreateMemoryDocument, { input: { content, ...more } })).createMemory;
const read = async (id: string) => (await server.request(MemoryDocument, { id })).memory;
const embeddingOf = async (id: string) =>
  (await server.request(MemoryEmbeddingDocument, { id })).memory?.embedding ?? [];
const count = async (filters: object = {}) =>
  (await server.request(CountMemoriesDocument, { filters })).memories.totalCount;

describe('createMemory', () => {
  test('stores every field that is given, and gives the memory as a later query does', async () => {
    const input = {
      content: 'Ada takes the 7:15 train on Fridays.',
      contentSummary: 'Friday train',
      source: 'notes',
      sessionId: 'session-7',
      userId: 'ada',
      importanceScore: 0.875,
      metadata: { tags: ['travel', 'friday'], nested: { minutes: 435, exact: true, none: null } },
      idempotencyKey: 'ada-1',
    };
    const created = await create(input.content, input);
    expect(created).toMatchObject(input);
    expect(created).toMatchObject({ embeddingStatus: 'READY', embeddingModel: embedder.model });
    expect(await read(created.id)).toEqual(created);
  });

  test('fills in what is left out', async () => {
    const before = Date.now();
    const created = await create('Only the content is said.');
    expect(created).toMatchObject({
      userId: 'default_user',
      contentSummary: null,
      source: 'chat',
      sessionId: null,
      importanceScore: 0.5,
      metadata: {},
      idempotencyKey: null,
    });
    expect(created.updatedAt).toBe(created.createdAt);
    expect(Math.abs(Date.parse(created.createdAt) - before)).toBeLessThan(60_000);
  });

  test('stores the vector of the content', async () => {
    const { id } = await create('lighthouse keepers trim the wick');
    const stored = await embeddingOf(id);
    const vector = hashVector('lighthouse keepers trim the wick');
    expect(stored).toHaveLength(EMBEDDING_DIMENSIONS);
    for (const [i, element] of stored.entries()) expect(element).toBeCloseTo(vector[i] ?? Number.NaN, 6);
  });

  test('an id that no memory has is null, not an error', async () => {
    expect(await read('9223372036854775807')).toBeNull();
  });
});

describe('createMemories', () => {
  test('gives the memories in the order of the inputs', async () => {
    const contents = Array.from({ length: 200 }, (_, i) => `batch element ${i}`);
    const { createMemories } = await server.request(CreateMemoriesDocument, {
      inputs: contents.map((content) => ({ content, sessionId: 'batch' })),
    });
    expect(createMemories.map(({ content }) => content)).toEqual(contents);
    expect(await count({ sessionId: { eq: 'batch' } })).toBe(200);
  });

  test('asks the embedder once for the whole batch', async () => {
    const { calls } = embedder;
    await server.request(CreateMemoriesDocument, { inputs: [{ content: 'one' }, { content: 'two' }] });
    expect(embedder.calls).toBe(calls + 1);
  });

  test('of nothing gives nothing', async () => {
    const before = await server.contents();
    expect(await server.request(CreateMemoriesDocument, { inputs: [] })).toEqual({ createMemories: [] });
    expect(await server.contents()).toEqual(before);
  });

  test('stores none of them when one key stands for another content', async () => {
    await create('the first content', { idempotencyKey: 'taken' });
    const before = await server.contents();
    const batch = server.request(CreateMemoriesDocument, {
      inputs: [{ content: 'fresh' }, { content: 'another content', idempotencyKey: 'taken' }],
    });
    await expect(batch).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/^inputs\[1\]\.idempotencyKey "taken" was used before for memory \d+/),
    });
    expect(await server.contents()).toEqual(before);
  });
});

describe('an idempotency key', () => {
  test('makes a repeated write the first one', async () => {
    const first = await create('say it once', { idempotencyKey: 'once', importanceScore: 0.25 });
    const before = await server.contents();
    expect(await create('say it once', { idempotencyKey: 'once', importanceScore: 0.25 })).toEqual(first);
    await expect(
      create('say it once', { idempotencyKey: 'once', importanceScore: 0.75 }),
    ).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/other importanceScore/),
    });
    expect(await server.contents()).toEqual(before);
  });

  test('sent by twenty requests at once stores one memory, which all of them get', async () => {
    const retries = await Promise.all(
      Array.from({ length: 20 }, () => create('sent by twenty at once', { idempotencyKey: 'twenty' })),
    );
    expect(new Set(retries.map(({ id }) => id)).size).toBe(1);
    expect(await count({ idempotencyKey: { eq: 'twenty' } })).toBe(1);
  });

  test('belongs to its user', async () => {
    const mine = await create('shared words', { idempotencyKey: 'both', userId: 'ada' });
    const theirs = await create('shared words', { idempotencyKey: 'both', userId: 'grace' });
    expect(theirs.id).not.toBe(mine.id);
    expect(theirs.userId).toBe('grace');
  });

  test('that stands twice in a batch, beside new and known ones, gives each input its memory', async () => {
    const known = await create('known before', { idempotencyKey: 'known' });
    const { createMemories } = await server.request(CreateMemoriesDocument, {
      inputs: [
        { content: 'without a key' },
        { content: 'twice', idempotencyKey: 'double' },
        { content: 'known before', idempotencyKey: 'known' },
        { content: 'without a key' },
        { content: 'twice', idempotencyKey: 'double' },
      ],
    });
    expect(createMemories.map(({ content }) => content)).toEqual([
      'without a key',
      'twice',
      'known before',
      'without a key',
      'twice',
    ]);
    expect(createMemories[2]).toEqual(known);
    expect(createMemories[4]).toEqual(createMemories[1]);
    expect(createMemories[3]?.id).not.toBe(createMemories[0]?.id);
    expect(await count({ idempotencyKey: { eq: 'double' } })).toBe(1);
  });
});

describe('updateMemory', () => {
  const update = async (id: string, input: object) =>
    (await server.request(UpdateMemoryDocument, { id, input })).updateMemory;
  /** Sets updated_at so far back that every write shows, for any resolution of the clock. */
  const age = (id: string) => server.sql(`update memories set updated_at = '2001-01-01' where id = $1`, [id]);

  test('changes what is given, leaves the rest, and renews updatedAt', async () => {
    const created = await create('a memory to change', {
      contentSummary: 'summary',
      sessionId: 'before',
      metadata: { old: true },
    });
    await age(created.id);
    const changed = await update(created.id, {
      importanceScore: 1,
      metadata: { new: [1] },
      source: 'email',
      sessionId: 'after',
      contentSummary: 'shorter',
    });
    expect(changed).toEqual({
      ...created,
      importanceScore: 1,
      metadata: { new: [1] },
      source: 'email',
      sessionId: 'after',
      contentSummary: 'shorter',
      updatedAt: changed.updatedAt,
    });
    expect(Date.parse(changed.updatedAt)).toBeGreaterThanOrEqual(Date.parse(created.createdAt));
    expect(await read(created.id)).toEqual(changed);
  });

  test('with null takes the summary and the session away', async () => {
    const { id } = await create('has both', { contentSummary: 'summary', sessionId: 'session' });
    expect(await update(id, { contentSummary: null, sessionId: null })).toMatchObject({
      content: 'has both',
      contentSummary: null,
      sessionId: null,
    });
  });

  test('with another content stores the vector of that content, and search finds it there', async () => {
    const { id } = await create('quinces ripen in october');
    const before = await embeddingOf(id);
    const changed = await update(id, { content: 'volcanoes smoke at dawn' });
    expect(changed).toMatchObject({ content: 'volcanoes smoke at dawn', embeddingStatus: 'READY' });
    const after = await embeddingOf(id);
    expect(after).not.toEqual(before);
    const vector = hashVector('volcanoes smoke at dawn');
    for (const [i, element] of after.entries()) expect(element).toBeCloseTo(vector[i] ?? Number.NaN, 6);
    const { similarMemories } = await server.request(SimilarMemoriesDocument, {
      text: 'volcanoes smoke at dawn',
      k: 1,
    });
    expect(similarMemories[0]?.memory.id).toBe(id);
  });

  test('without another content leaves the vector and the embedder alone', async () => {
    const { id } = await create('its vector stays');
    const before = await embeddingOf(id);
    const { calls } = embedder;
    await update(id, { importanceScore: 0 });
    expect(embedder.calls).toBe(calls);
    expect(await embeddingOf(id)).toEqual(before);
  });

  test('with nothing to change changes nothing, updatedAt included', async () => {
    const created = await create('nothing to change');
    await age(created.id);
    expect(await update(created.id, {})).toEqual({ ...created, updatedAt: '2001-01-01T00:00:00.000Z' });
  });

  test('twice in one request gives each its own content and vector', async () => {
    const { id } = await create('before both');
    const { first, second } = await server.request(UpdateMemoryTwiceDocument, {
      id,
      first: 'apples in the cellar',
      second: 'ships on the river',
    });
    expect([first.content, second.content]).toEqual(['apples in the cellar', 'ships on the river']);
    expect(second.embedding).toEqual(await embeddingOf(id));
    expect(second.embedding).not.toEqual(first.embedding);
  });

  test.each([{}, { importanceScore: 0 }, { content: 'to nobody' }])(
    'of an id that no memory has is NOT_FOUND (%o)',
    async (input) => {
      await expect(server.request(UpdateMemoryDocument, { id: '999999999', input })).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: 'There is no memory with id "999999999".',
      });
    },
  );
});

describe('deleteMemory and deleteMemories', () => {
  test('delete a memory from lookups, lists and searches, and tell whether it was there', async () => {
    const { id } = await create('ephemeral mayfly words');
    expect(await server.request(DeleteMemoryDocument, { id })).toEqual({ deleteMemory: true });
    expect(await read(id)).toBeNull();
    expect(await count({ id: { eq: id } })).toBe(0);
    const { similarMemories } = await server.request(SimilarMemoriesDocument, {
      text: 'ephemeral mayfly words',
      k: 200,
    });
    expect(similarMemories.map(({ memory }) => memory.id)).not.toContain(id);
    expect(await server.request(DeleteMemoryDocument, { id })).toEqual({ deleteMemory: false });
  });

  test('count each memory once, and those that are not there not at all', async () => {
    const [a, b] = [await create('first of two'), await create('second of two')];
    const kept = await create('stays');
    expect(await server.request(DeleteMemoriesDocument, { ids: [a.id, b.id, a.id, '999999999'] })).toEqual({
      deleteMemories: 2,
    });
    expect(await read(kept.id)).toEqual(kept);
  });

  test('of no ids deletes nothing', async () => {
    const before = await server.contents();
    expect(await server.request(DeleteMemoriesDocument, { ids: [] })).toEqual({ deleteMemories: 0 });
    expect(await server.contents()).toEqual(before);
  });
});
