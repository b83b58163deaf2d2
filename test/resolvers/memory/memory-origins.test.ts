import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EMBEDDING_DIMENSIONS } from '../../../schema/columns/vector.ts';
import { HashEmbedder, hashVector } from '../../../testkit/hash-embedder.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
const embedder = new HashEmbedder();
beforeAll(async () => {
  server = await startTestServer({ embedder });
});
afterAll(() => server.close());

const fields = 'id content createdAt metadata embeddingModel embeddingSource embeddingStatus embedding';
const create = (input: object) =>
  server.raw(`mutation ($input: CreateMemoryInput!) { createMemory(input: $input) { ${fields} } }`, {
    input,
  });
const update = (id: string, input: object) =>
  server.raw(
    `mutation ($id: ID!, $input: UpdateMemoryInput!) { updateMemory(id: $id, input: $input) { ${fields} } }`,
    { id, input },
  );
async function created(input: object) {
  const { data, errors } = await create(input);
  if (errors) throw new Error(errors[0]?.message);
  return (data as { createMemory: Record<string, unknown> & { id: string } }).createMemory;
}
async function updated(id: string, input: object) {
  const { data, errors } = await update(id, input);
  if (errors) throw new Error(errors[0]?.message);
  return (data as { updateMemory: Record<string, unknown> }).updateMemory;
}
const unit = (at: number, length = 1) =>
  Array.from({ length: EMBEDDING_DIMENSIONS }, (_, i) => (i === at ? length : 0));

describe('createdAt', () => {
  test('is what the client says, to the millisecond', async () => {
    const createdAt = '2019-03-04T05:06:07.891Z';
    expect(await created({ content: 'long ago', createdAt })).toMatchObject({ createdAt });
  });

  test('may be ahead by the skew of a clock, and no more', async () => {
    const ahead = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
    const createdAt = ahead(2);
    expect(await created({ content: 'a fast clock', createdAt })).toMatchObject({ createdAt });
    expect((await create({ content: 'tomorrow', createdAt: ahead(10) })).errors).toMatchObject([
      {
        message: expect.stringMatching(/^input\.createdAt is .*Z, which is in the future/),
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
  });

  test('orders lists', async () => {
    const sessionId = 'order';
    await created({ content: 'second', sessionId, createdAt: '2020-01-02T00:00:00Z' });
    await created({ content: 'first', sessionId, createdAt: '2020-01-01T00:00:00Z' });
    const { data } = await server.raw(
      '{ memories(filters: { sessionId: { eq: "order" } }, orderBy: { field: CREATED_AT, direction: ASC }) { edges { node { content } } } }',
    );
    expect(data).toEqual({
      memories: { edges: [{ node: { content: 'first' } }, { node: { content: 'second' } }] },
    });
  });
});

describe('a vector of the client’s own', () => {
  test('is stored as it is, and embeds nothing', async () => {
    const { texts } = embedder;
    const memory = await created({ content: 'mine', embedding: unit(3, 2.5), embeddingModel: 'mine-1' });
    expect(memory).toMatchObject({
      embeddingModel: 'mine-1',
      embeddingSource: 'CLIENT',
      embeddingStatus: 'READY',
      embedding: unit(3, 2.5),
    });
    expect(embedder.texts).toBe(texts);
  });

  test('is replaced by the server’s when the text changes without one', async () => {
    const { id } = await created({ content: 'mine', embedding: unit(3), embeddingModel: 'mine-1' });
    expect(await updated(id, { sessionId: 's' })).toMatchObject({
      embeddingSource: 'CLIENT',
      embedding: unit(3),
    });
    const changed = await updated(id, { content: 'other words' });
    expect(changed).toMatchObject({ embeddingModel: embedder.model, embeddingSource: 'FUNES' });
    expect((changed.embedding as number[])[0]).toBeCloseTo(hashVector('other words')[0] ?? Number.NaN, 6);
    const mine = { embedding: unit(4), embeddingModel: 'mine-2' };
    expect(await updated(id, mine)).toMatchObject({
      ...mine,
      embeddingSource: 'CLIENT',
      content: 'other words',
    });
  });

  const wrong: [name: string, input: object, message: RegExp][] = [
    [
      'of the wrong dimension',
      { embedding: [1, 2], embeddingModel: 'm' },
      /^input\.embedding must have 384 numbers/,
    ],
    ['with only zeros', { embedding: unit(0, 0), embeddingModel: 'm' }, /^input\.embedding has only zeros/],
    [
      'beyond 32 bits',
      { embedding: unit(5, 1e300), embeddingModel: 'm' },
      /^input\.embedding\[5\] must be a finite 32-bit/,
    ],
    ['without its model', { embedding: unit(0) }, /^input\.embedding is sent without input\.embeddingModel/],
    [
      'with a blank model',
      { embedding: unit(0), embeddingModel: ' ' },
      /^input\.embeddingModel must not be blank/,
    ],
    [
      'that is missing beside a model',
      { embeddingModel: 'm' },
      /^input\.embeddingModel is sent without input\.embedding/,
    ],
  ];
  test.each(wrong)('%s is refused', async (_, input, message) => {
    const refusal = [{ message: expect.stringMatching(message), extensions: { code: 'BAD_USER_INPUT' } }];
    const { id } = await created({ content: 'stays' });
    const before = await server.contents();
    expect((await create({ content: 'wrong', ...input })).errors).toMatchObject(refusal);
    expect((await update(id, input)).errors).toMatchObject(refusal);
    expect(await server.contents()).toEqual(before);
  });

  test('with NaN is refused', async () => {
    const { errors } = await create({ content: 'wrong', embedding: ['NaN'], embeddingModel: 'm' });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});

describe('mergeMetadata', () => {
  const metadata = { keep: 1, drop: 2, nested: { a: 1, b: 2 }, list: [1, 2] };

  test('is a JSON Merge Patch', async () => {
    const { id } = await created({ content: 'patched', metadata });
    const mergeMetadata = { drop: null, nested: { b: null, c: 3 }, list: [3], fresh: { x: null, y: 1 } };
    expect((await updated(id, { mergeMetadata })).metadata).toEqual({
      keep: 1,
      nested: { a: 1, c: 3 },
      list: [3],
      fresh: { y: 1 },
    });
  });

  test('keeps a key named __proto__ a key', async () => {
    const { id } = await created({ content: 'patched', metadata });
    const mergeMetadata = JSON.parse('{"__proto__": {"polluted": true}}');
    const { errors } = await update(id, { mergeMetadata });
    expect(errors).toBeDefined();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('that says nothing changes nothing', async () => {
    const { id } = await created({ content: 'not patched', metadata });
    const before = await server.contents();
    expect(await updated(id, { mergeMetadata: {} })).toMatchObject({ metadata });
    expect(await server.contents()).toEqual(before);
  });

  test('beside metadata is refused', async () => {
    const { id } = await created({ content: 'both', metadata });
    expect((await update(id, { metadata: {}, mergeMetadata: {} })).errors).toMatchObject([
      {
        message: expect.stringMatching(/metadata and input\.mergeMetadata are both sent/),
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
  });

  test('cannot grow metadata beyond its limit', async () => {
    const { id } = await created({ content: 'large', metadata: { a: 'a'.repeat(60_000) } });
    expect((await update(id, { mergeMetadata: { b: 'b'.repeat(10_000) } })).errors).toMatchObject([
      { extensions: { code: 'LIMIT_EXCEEDED' } },
    ]);
  });

  test('of a memory that is not there is NOT_FOUND', async () => {
    expect((await update('999999999', { mergeMetadata: { a: 1 } })).errors).toMatchObject([
      { extensions: { code: 'NOT_FOUND' } },
    ]);
  });
});
