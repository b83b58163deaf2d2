import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EMBEDDING_DIMENSIONS } from '../../../schema/columns/vector.ts';
import { HashEmbedder } from '../../../testkit/hash-embedder.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
const embedder = new HashEmbedder();
beforeAll(async () => {
  server = await startTestServer({ embedder });
});
afterAll(() => server.close());

interface Payload {
  created: boolean;
  differs: string[];
  chunkCount: number;
  document: {
    id: string;
    createdAt: string;
    metadata: object;
    fileSize: number;
    chunks: { edges: { node: object }[] };
  };
}
const ingest = (input: object) =>
  server.raw(
    `mutation ($input: IngestDocumentInput!) { ingestDocument(input: $input) { created differs chunkCount document {
      id createdAt metadata fileSize
      chunks(first: 10) { edges { node {
        content startOffset endOffset overlapSize chunkSize metadata embeddingModel embeddingSource embedding
      } } } } } }`,
    { input },
  );
async function ingested(input: object): Promise<Payload> {
  const { data, errors } = await ingest(input);
  if (errors) throw new Error(errors[0]?.message);
  return (data as { ingestDocument: Payload }).ingestDocument;
}
const unit = (at: number) => Array.from({ length: EMBEDDING_DIMENSIONS }, (_, i) => (i === at ? 1 : 0));

describe('createdAt', () => {
  test('is what the client says, and orders and filters documents', async () => {
    const userId = 'times';
    const createdAt = ['2020-01-02T00:00:00.000Z', '2020-01-01T00:00:00.000Z'];
    for (const [i, time] of createdAt.entries()) {
      const { document } = await ingested({
        filename: `${i}.txt`,
        content: `text ${i}`,
        userId,
        createdAt: time,
      });
      expect(document.createdAt).toBe(time);
    }
    const list = (filters: string) =>
      server.raw(
        `{ documents(filters: { userId: { eq: "times" } ${filters} }, orderBy: { field: CREATED_AT, direction: ASC }) { edges { node { filename } } } }`,
      );
    const names = (...filenames: string[]) => ({
      documents: { edges: filenames.map((filename) => ({ node: { filename } })) },
    });
    expect((await list('')).data).toEqual(names('1.txt', '0.txt'));
    expect((await list('createdAt: { gt: "2020-01-01T12:00:00Z" }')).data).toEqual(names('0.txt'));
  });

  test('in the future is refused', async () => {
    const createdAt = new Date(Date.now() + 3_600_000).toISOString();
    expect((await ingest({ filename: 'a.txt', content: 'tomorrow', createdAt })).errors).toMatchObject([
      {
        message: expect.stringMatching(/^input\.createdAt is .* in the future/),
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
  });
});

describe('the same bytes', () => {
  const first = { filename: 'first.txt', content: 'the same bytes', filePath: '/a', metadata: { a: 1 } };

  test.each([
    ['nothing', {}, []],
    ['nothing that was sent', { filePath: undefined, metadata: undefined }, []],
    ['the filename', { filename: 'second.txt' }, ['filename']],
    ['the path and the metadata', { filePath: '/b', metadata: { a: 2 } }, ['filePath', 'metadata']],
    ['the format', { fileType: 'md' }, ['fileType']],
    ['the time', { createdAt: '2020-01-01T00:00:00Z' }, ['createdAt']],
  ])('say that they differ in %s', async (_, other, differs) => {
    const { document } = await ingested(first);
    const before = await server.contents();
    const again = await ingested({ ...first, ...other });
    expect(again).toMatchObject({ created: false, differs, document: { id: document.id } });
    expect(await server.contents()).toEqual(before);
  });
});

describe('chunks of the client’s own', () => {
  const chunks = [
    { content: 'One chunk. ', embedding: unit(0), embeddingModel: 'mine', metadata: { page: 1 } },
    { content: 'Another chunk.' },
  ];
  const input = { filename: 'cut.pdf', chunks };

  test('are stored as they are, one behind the other', async () => {
    const { texts } = embedder;
    const payload = await ingested(input);
    expect(payload).toMatchObject({ created: true, differs: [], chunkCount: 2, document: { fileSize: 25 } });
    expect(payload.document.chunks.edges.map(({ node }) => node)).toEqual([
      {
        content: 'One chunk. ',
        startOffset: 0,
        endOffset: 11,
        overlapSize: 0,
        chunkSize: 3,
        metadata: { page: 1 },
        embedding: unit(0),
        embeddingModel: 'mine',
        embeddingSource: 'CLIENT',
      },
      {
        content: 'Another chunk.',
        startOffset: 11,
        endOffset: 25,
        overlapSize: 0,
        chunkSize: 3,
        metadata: {},
        embedding: expect.any(Array),
        embeddingModel: embedder.model,
        embeddingSource: 'FUNES',
      },
    ]);
    expect(embedder.texts).toBe(texts + 1);
    expect(await ingested(input)).toMatchObject({ created: false, document: { id: payload.document.id } });
    const others = await ingested({ ...input, chunks: [{ ...chunks[0], embedding: unit(1) }, chunks[1]] });
    expect(others.created).toBe(true);
  });

  test.each([
    ['content', { content: 'x' }, /^input\.chunks and input\.content are both sent/],
    ['a chunkSize', { chunkSize: 20 }, /^input\.chunks and input\.chunkSize are both sent/],
    ['no chunk', { chunks: [] }, /^input\.chunks is empty/],
    ['a blank chunk', { chunks: [{ content: ' ' }] }, /^input\.chunks\[0\]\.content must not be blank/],
    [
      'a chunk without words',
      { chunks: [...chunks, { content: '...' }] },
      /^No search could find input\.chunks\[2\]/,
    ],
    [
      'a short vector',
      { chunks: [{ ...chunks[0], embedding: [1] }] },
      /^input\.chunks\[0\]\.embedding must have 384/,
    ],
    [
      'a vector without a model',
      { chunks: [{ content: 'x', embedding: unit(0) }] },
      /chunks\[0\]\.embedding is sent without/,
    ],
  ])('with %s are refused', async (_, other, message) => {
    const before = await server.contents();
    expect((await ingest({ ...input, ...other })).errors).toMatchObject([
      { message: expect.stringMatching(message), extensions: { code: 'BAD_USER_INPUT' } },
    ]);
    expect(await server.contents()).toEqual(before);
  });
});

test('mergeMetadata changes some keys, with new text too', async () => {
  const { document } = await ingested({
    filename: 'm.txt',
    content: 'to merge',
    metadata: { a: 1, b: { c: 2 } },
  });
  const update = (input: object) =>
    server.raw(
      'mutation ($id: ID!, $input: UpdateDocumentInput!) { updateDocument(id: $id, input: $input) { metadata } }',
      { id: document.id, input },
    );
  expect((await update({ mergeMetadata: { a: null, b: { d: 3 } } })).data).toEqual({
    updateDocument: { metadata: { b: { c: 2, d: 3 } } },
  });
  expect((await update({ mergeMetadata: { b: 1 }, content: 'new words' })).data).toEqual({
    updateDocument: { metadata: { b: 1 } },
  });
  expect((await update({ mergeMetadata: { b: 1 }, metadata: {} })).errors).toMatchObject([
    { message: expect.stringMatching(/are both sent/), extensions: { code: 'BAD_USER_INPUT' } },
  ]);
});
