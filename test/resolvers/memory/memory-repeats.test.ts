import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HashEmbedder } from '../../../testkit/hash-embedder.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

/** Runs what a test wants to happen between the look-up of the keys and the write. */
class InterruptedEmbedder extends HashEmbedder {
  between: (() => Promise<unknown>) | undefined;

  override async embed(texts: readonly string[]): Promise<Float32Array[]> {
    const { between } = this;
    this.between = undefined;
    await between?.();
    return super.embed(texts);
  }
}

let server: TestServer;
const embedder = new InterruptedEmbedder();
beforeAll(async () => {
  server = await startTestServer({ embedder });
});
afterAll(() => server.close());

interface Created {
  id: string;
  archivedAt: string | null;
  importanceScore: number;
  content: string;
}

const fields = 'id archivedAt importanceScore content';
async function create(...inputs: object[]): Promise<Created[]> {
  const { data, errors } = await server.raw(
    `mutation ($inputs: [CreateMemoryInput!]!) { createMemories(inputs: $inputs) { ${fields} } }`,
    { inputs },
  );
  if (errors) throw new Error(`${errors[0]?.extensions.code}: ${errors[0]?.message}`);
  return (data as { createMemories: Created[] }).createMemories;
}
const createOne = async (input: object): Promise<Created> => (await create(input))[0] as Created;
const archive = (key: string) =>
  server.raw(
    'mutation ($input: ArchiveMemoriesInput!) { archiveMemories(input: $input) { count sample { archivedAt } } }',
    { input: { dryRun: false, filters: { idempotencyKey: { eq: key } } } },
  );
const rowsOf = (key: string) =>
  server.sql<{ id: string; live: boolean }>(
    `select id::text, true as live from memories where idempotency_key = $1
     union all select id::text, false from memories_archive where idempotency_key = $1`,
    [key],
  );
const lastId = async () => {
  const [row] = await server.sql<{ last: string }>(
    "select last_value::text as last from pg_sequences where sequencename = 'memories_id_seq'",
  );
  return row?.last;
};

describe('the same key', () => {
  const first = {
    content: 'the same key',
    contentSummary: 'key',
    source: 'notes',
    sessionId: 's',
    importanceScore: 0.25,
    metadata: { a: 1, b: { c: [1, 2] } },
    createdAt: '2024-05-01T10:00:00.000Z',
    embedding: [1, ...Array.from({ length: 383 }, () => 0)],
    embeddingModel: 'mine',
  };

  test('with the same fields costs no embedding and no id', async () => {
    const inputs = Array.from({ length: 50 }, (_, i) => ({
      content: `known ${i}`,
      idempotencyKey: `known-${i}`,
    }));
    const created = await create(...inputs);
    const [texts, before, sequence] = [embedder.texts, await server.contents(), await lastId()];
    expect(await create(...inputs)).toEqual(created);
    expect(embedder.texts).toBe(texts);
    expect(await server.contents()).toEqual(before);
    expect(await lastId()).toBe(sequence);
  });

  test('beside new ones embeds the new ones alone', async () => {
    const known = await createOne({ content: 'beside', idempotencyKey: 'beside' });
    const { texts } = embedder;
    const sequence = Number(await lastId());
    const both = await create(
      { content: 'beside', idempotencyKey: 'beside' },
      { content: 'new beside', idempotencyKey: 'new beside' },
    );
    expect(both[0]).toEqual(known);
    expect(embedder.texts).toBe(texts + 1);
    expect(Number(await lastId())).toBe(sequence + 1);
  });

  test('with metadata in another order, and with defaults that were left out, is the same write', async () => {
    const { content, metadata } = first;
    const [one] = await create({ content, metadata, idempotencyKey: 'order' });
    const again = { content, source: 'chat', importanceScore: 0.5, sessionId: null, idempotencyKey: 'order' };
    expect(await create({ ...again, metadata: { b: { c: [1, 2] }, a: 1 } })).toEqual([one]);
  });

  test.each([
    ['content', { content: 'another' }],
    ['contentSummary', { contentSummary: null }],
    ['source', { source: 'chat' }],
    ['sessionId', { sessionId: 't' }],
    ['importanceScore', { importanceScore: 0.5 }],
    ['metadata', { metadata: { a: 1, b: { c: [2, 1] } } }],
    ['createdAt', { createdAt: null }],
    ['embedding', { embedding: [0, 1, ...Array.from({ length: 382 }, () => 0)] }],
    ['embeddingModel', { embeddingModel: 'yours' }],
    ['importanceScore, source', { source: 'chat', importanceScore: 0.75 }],
  ])('with other %s is a conflict that names it', async (names, other) => {
    const idempotencyKey = `differs in ${names}`;
    const created = await createOne({ ...first, idempotencyKey });
    const before = await server.contents();
    await expect(create({ ...first, ...other, idempotencyKey })).rejects.toThrow(
      `CONFLICT: inputs[0].idempotencyKey "${idempotencyKey}" was used before for memory ${created.id}, whose write had other ${names}.`,
    );
    expect(await server.contents()).toEqual(before);
  });

  test('twice in a batch with other fields is a conflict that names the first input', async () => {
    const batch = create(
      { content: 'x', idempotencyKey: 'in a batch' },
      { content: 'x', source: 'notes', idempotencyKey: 'in a batch' },
    );
    await expect(batch).rejects.toThrow(
      'inputs[1].idempotencyKey "in a batch" was used before for inputs[0], whose write had other source.',
    );
    expect(await rowsOf('in a batch')).toEqual([]);
  });

  test('is the first write even after the memory has changed', async () => {
    const input = { content: 'before the change', idempotencyKey: 'changed' };
    const { id } = await createOne(input);
    await server.raw(
      'mutation ($id: ID!) { updateMemory(id: $id, input: { content: "after", importanceScore: 1 }) { id } }',
      { id },
    );
    expect(await createOne(input)).toMatchObject({ id, content: 'after', importanceScore: 1 });
    await expect(create({ ...input, content: 'after' })).rejects.toThrow(/had other content/);
  });

  test('of a memory of an older version compares the content alone', async () => {
    const input = { content: 'old row', idempotencyKey: 'old row' };
    const { id } = await createOne(input);
    await server.sql('update memories set idempotency_fields = null where id = $1', [id]);
    expect(await createOne({ ...input, importanceScore: 1 })).toMatchObject({ id, importanceScore: 0.5 });
    await expect(create({ ...input, content: 'other' })).rejects.toThrow(/had other content/);
  });
});

describe('a retried write whose memory is archived', () => {
  test('answers with that memory, and neither stores nor restores anything', async () => {
    const input = { content: 'to be archived', idempotencyKey: 'archived', importanceScore: 0.25 };
    const { id } = await createOne(input);
    const answer = await archive('archived');
    expect(answer.data).toEqual({
      archiveMemories: { count: 1, sample: [{ archivedAt: expect.any(String) }] },
    });
    const before = await server.contents();
    expect(await createOne(input)).toEqual({
      ...input,
      id,
      archivedAt: expect.any(String),
      idempotencyKey: undefined,
    });
    expect(await server.contents()).toEqual(before);
    await expect(create({ ...input, source: 'x' })).rejects.toThrow(`archived memory ${id}, whose write`);

    const restored = await server.raw('mutation ($ids: [ID!]!) { restoreMemories(ids: $ids) }', {
      ids: [id],
    });
    expect(restored.data).toEqual({ restoreMemories: 1 });
    expect(await createOne(input)).toMatchObject({ id, archivedAt: null });
  });

  test('stays one memory if it was stored and archived while the retry embedded its text', async () => {
    const input = { content: 'overtaken', idempotencyKey: 'overtaken' };
    let id = '';
    embedder.between = async () => {
      ({ id } = await createOne(input));
      await archive('overtaken');
    };
    const [retried, beside] = await create(input, { content: 'beside the overtaken' });
    expect(retried).toMatchObject({ id, archivedAt: expect.any(String) });
    expect(beside).toMatchObject({ content: 'beside the overtaken', archivedAt: null });
    expect(await rowsOf('overtaken')).toEqual([{ id, live: false }]);
  });

  test('stays one memory if it was only stored meanwhile', async () => {
    const input = { content: 'first of two', idempotencyKey: 'first of two' };
    let id = '';
    embedder.between = async () => {
      ({ id } = await createOne(input));
    };
    expect(await createOne(input)).toMatchObject({ id, archivedAt: null });
    expect(await rowsOf('first of two')).toEqual([{ id, live: true }]);
  });

  test('is a conflict if the write that was first meanwhile had other fields', async () => {
    const input = { content: 'same words', idempotencyKey: 'other meanwhile' };
    embedder.between = async () => {
      await createOne({ ...input, source: 'notes' });
    };
    await expect(create(input)).rejects.toThrow(/had other source/);
  });
});
