import { beforeEach, describe, expect, test } from 'vitest';
import {
  ArchivedMemoriesDocument,
  ArchiveMemoriesDocument,
  CreateMemoriesDocument,
  type CreateMemoryInput,
  DeleteDocumentsWhereDocument,
  DeleteMemoriesDocument,
  DeleteMemoriesWhereDocument,
  IngestDocumentDocument,
  RestoreMemoriesWhereDocument,
  SimilarMemoriesDocument,
} from '../generated/operations.ts';
import { stored, storeRows } from './wrong-input/refusals.ts';

storeRows();

/** Each test has a session of its own, so that no test changes memories of another. */
let sessionId = '';
let sessions = 0;
beforeEach(() => {
  sessionId = `where ${++sessions}`;
});
const ofSession = () => ({ sessionId: { eq: sessionId } });

async function create(...inputs: CreateMemoryInput[]): Promise<string[]> {
  const { createMemories } = await stored.server.request(CreateMemoriesDocument, {
    inputs: inputs.map((input) => ({ sessionId, ...input })),
  });
  return createMemories.map(({ id }) => id);
}
const numbered = (count: number) => Array.from({ length: count }, (_, i) => ({ content: `note ${i}` }));
const archive = (filters: object = ofSession()) =>
  stored.server.request(ArchiveMemoriesDocument, { input: { filters, dryRun: false } });
const archived = async (options: object = {}) =>
  (await stored.server.request(ArchivedMemoriesDocument, { filters: ofSession(), ...options }))
    .archivedMemories;
const count = async (table: string) =>
  Number(
    (
      await stored.server.sql<{ count: string }>(`select count(*) from ${table} where session_id = $1`, [
        sessionId,
      ])
    )[0]?.count,
  );
const noCondition =
  /^filters has no condition, so this would be about all that you may see\. .* set all: true\.$/;

describe('archivedMemories', () => {
  test('lists all 40 archived memories, page by page, and no live one', async () => {
    const ids = await create(...numbered(40));
    await archive();
    await create({ content: 'live' });
    const found: string[] = [];
    for (let after: string | null | undefined; ; ) {
      const { edges, pageInfo, totalCount } = await archived({ first: 15, after });
      expect(totalCount).toBe(40);
      found.push(...edges.map(({ node }) => node.id));
      for (const { node } of edges) expect(node.archivedAt).toEqual(expect.any(String));
      after = pageInfo.endCursor;
      if (!pageInfo.hasNextPage) break;
    }
    expect(found.toSorted()).toEqual(ids.toSorted());
  });

  test('takes the filters of memories, orders last archived first, and knows the status of embeddings', async () => {
    await create({ content: 'first', importanceScore: 0.1 }, { content: 'second', importanceScore: 0.9 });
    await archive({ ...ofSession(), content: { eq: 'second' } });
    await archive({ ...ofSession(), content: { eq: 'first' } });
    const contents = async (options?: object) =>
      (await archived(options)).edges.map(({ node }) => [node.content, node.embeddingStatus]);
    expect(await contents()).toEqual([
      ['first', 'READY'],
      ['second', 'READY'],
    ]);
    const important = { ...ofSession(), importanceScore: { gt: 0.5 }, embeddingStatus: { eq: 'READY' } };
    expect(await contents({ filters: important })).toEqual([['second', 'READY']]);
    expect(await contents({ orderBy: { field: 'IMPORTANCE_SCORE', direction: 'DESC' } })).toEqual([
      ['second', 'READY'],
      ['first', 'READY'],
    ]);
  });
});

describe('deleteMemories', () => {
  test('reaches the archive, so that nothing can be restored of what was deleted', async () => {
    const [one, two, live] = (await create(...numbered(3))) as [string, string, string];
    await archive({ id: { in: [one, two] } });
    const { deleteMemories } = await stored.server.request(DeleteMemoriesDocument, { ids: [one, live] });
    expect(deleteMemories).toBe(2);
    expect((await archived()).edges.map(({ node }) => node.id)).toEqual([two]);
    const all = { filters: ofSession(), dryRun: false };
    const { restoreMemoriesWhere } = await stored.server.request(RestoreMemoriesWhereDocument, all);
    expect(restoreMemoriesWhere.count).toBe(1);
    expect([await count('memories'), await count('memories_archive')]).toEqual([1, 0]);
  });
});

describe('deleteMemoriesWhere', () => {
  const deleteWhere = async (variables: object) =>
    (await stored.server.request(DeleteMemoriesWhereDocument, { filters: ofSession(), ...variables }))
      .deleteMemoriesWhere;

  test('is a dry run unless told otherwise: counts, shows the ten oldest, and changes nothing', async () => {
    await create(...numbered(12));
    const before = await stored.server.contents();
    const { count: found, sample } = await deleteWhere({});
    expect(found).toBe(12);
    expect(sample.map(({ content }) => content)).toEqual(numbered(10).map(({ content }) => content));
    expect(await stored.server.contents()).toEqual(before);
  });

  test('deletes what passes the filters, and nothing of the archive', async () => {
    await create(...numbered(12));
    await archive({ ...ofSession(), content: { eq: 'note 3' } });
    const { count: deleted, sample } = await deleteWhere({ dryRun: false });
    expect([deleted, sample.length]).toEqual([11, 10]);
    expect([await count('memories'), await count('memories_archive')]).toEqual([0, 1]);
    expect(sample[0]).toEqual({ id: expect.any(String), content: 'note 0', archivedAt: null });
  });

  test('with archived, deletes from the archive, and no live memory', async () => {
    await create(...numbered(5));
    await archive({ ...ofSession(), content: { in: ['note 1', 'note 2'] } });
    const dry = await deleteWhere({ archived: true });
    expect(dry.sample.map(({ content }) => content)).toEqual(['note 1', 'note 2']);
    for (const { archivedAt } of dry.sample) expect(archivedAt).toEqual(expect.any(String));
    expect(await deleteWhere({ archived: true, dryRun: false })).toEqual(dry);
    expect([await count('memories'), await count('memories_archive')]).toEqual([3, 0]);
  });

  test('without a condition is refused, unless all is true', async () => {
    for (const filters of [{}, { and: [] }]) {
      const { errors } = await stored.server.raw(
        'mutation ($filters: MemoryFilters!) { deleteMemoriesWhere(filters: $filters, dryRun: false) { count } }',
        { filters },
      );
      expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    }
    await expect(deleteWhere({ filters: {}, dryRun: false })).rejects.toThrow(noCondition);
    const { count: found } = await deleteWhere({ filters: {}, all: true });
    expect(found).toBe(
      Number((await stored.server.sql<{ count: string }>('select count(*) from memories'))[0]?.count),
    );
  });
});

describe('restoreMemoriesWhere', () => {
  const restoreWhere = async (variables: object) =>
    (await stored.server.request(RestoreMemoriesWhereDocument, { filters: ofSession(), ...variables }))
      .restoreMemoriesWhere;

  test('restores what passes the filters, which searches then find', async () => {
    await create({ content: 'the kestrel hovers' }, { content: 'the kettle boils' });
    await archive();
    const filters = { ...ofSession(), content: { contains: 'kestrel' } };
    const dry = await restoreWhere({ filters });
    expect(dry).toEqual({
      count: 1,
      sample: [{ id: expect.any(String), content: 'the kestrel hovers', archivedAt: expect.any(String) }],
    });
    expect(await count('memories')).toBe(0);
    const done = await restoreWhere({ filters, dryRun: false });
    expect(done.sample).toEqual([{ ...dry.sample[0], archivedAt: null }]);
    const { similarMemories } = await stored.server.request(SimilarMemoriesDocument, {
      text: 'the kestrel hovers',
      filters: ofSession(),
    });
    expect(similarMemories.map(({ memory }) => memory.content)).toEqual(['the kestrel hovers']);
    expect((await archived()).totalCount).toBe(1);
  });

  test('restores nothing if a key is taken, and names the memory', async () => {
    const [id] = await create({ content: 'keyed', idempotencyKey: sessionId }, { content: 'free' });
    await archive();
    await stored.server.sql(
      'insert into memories (content, session_id, idempotency_key) values ($1, $2, $3)',
      ['other', 'elsewhere', sessionId],
    );
    await expect(restoreWhere({ dryRun: false })).rejects.toThrow(
      `archived memory ${id} has the idempotencyKey "${sessionId}"`,
    );
    expect((await archived()).totalCount).toBe(2);
  });

  test('without a condition is refused, unless all is true', async () => {
    await expect(restoreWhere({ filters: {}, dryRun: false })).rejects.toThrow(noCondition);
    await create({ content: 'one' });
    await archive();
    expect((await restoreWhere({ filters: {}, all: true })).count).toBeGreaterThan(0);
  });
});

describe('deleteDocumentsWhere', () => {
  const deleteWhere = async (variables: { filters: object; all?: boolean; dryRun?: boolean }) =>
    (await stored.server.request(DeleteDocumentsWhereDocument, variables)).deleteDocumentsWhere;

  test('deletes documents that pass the filters, with their chunks', async () => {
    for (const name of ['where-a.txt', 'where-b.txt', 'elsewhere.txt']) {
      await stored.server.request(IngestDocumentDocument, {
        input: { filename: name, content: `The heron of ${name} stands still.` },
      });
    }
    const filters = { filename: { startsWith: 'where-' } };
    const chunks = async () =>
      Number((await stored.server.sql<{ count: string }>('select count(*) from document_chunks'))[0]?.count);
    const before = await chunks();
    const dry = await deleteWhere({ filters });
    expect(dry.count).toBe(2);
    expect(dry.sample.map(({ filename, chunks: { totalCount } }) => [filename, totalCount])).toEqual([
      ['where-a.txt', 1],
      ['where-b.txt', 1],
    ]);
    expect(await chunks()).toBe(before);
    const done = await deleteWhere({ filters, dryRun: false });
    expect(done.count).toBe(2);
    expect(await chunks()).toBe(before - 2);
    expect(await deleteWhere({ filters })).toEqual({ count: 0, sample: [] });
  });

  test('without a condition is refused, unless all is true', async () => {
    await expect(deleteWhere({ filters: {}, dryRun: false })).rejects.toThrow(noCondition);
    expect((await deleteWhere({ filters: {}, all: true })).count).toBeGreaterThan(0);
  });
});
