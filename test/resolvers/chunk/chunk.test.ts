import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HashEmbedder, hashVector } from '../../../testkit/hash-embedder.ts';
import {
  ChunkDocument,
  ChunkEmbeddingDocument,
  type ChunkFieldsFragment,
  type ChunkFilters,
  ChunkNeighboursDocument,
  ChunkSurroundingsDocument,
  ChunksDocument,
  ChunksOfDocumentsDocument,
  DocumentChunksDocument,
  DocumentDocument,
  IngestDocumentDocument,
  SimilarChunksDocument,
} from '../../generated/operations.ts';
import { cosine } from '../../support/real-embedder.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
const embedder = new HashEmbedder();
let documents: string[];
let chunks: ChunkFieldsFragment[];

beforeAll(async () => {
  server = await startTestServer({ embedder });
  documents = [];
  for (const [n, subject] of ['tide', 'harbour', 'storm', 'lamp'].entries()) {
    const sentences = Array.from(
      { length: n === 3 ? 1 : 12 },
      (_, i) => `The ${subject} has a story ${i} of its own.`,
    );
    const { ingestDocument } = await server.request(IngestDocumentDocument, {
      input: {
        filename: `${subject}.txt`,
        content: sentences.join('\n\n'),
        chunkSize: 14,
        overlap: 0,
        userId: n === 1 ? 'ada' : null,
        metadata: { n },
      },
    });
    documents.push(ingestDocument.document.id);
  }
  chunks = (await server.request(ChunksDocument, { first: 200 })).chunks.edges.map(({ node }) => node);
});
afterAll(() => server.close());

const of = (n: number) => chunks.filter(({ documentId }) => documentId === documents[n]);

describe('chunk', () => {
  test('gives the chunk with this id as the lists do, its vector when asked, and null for none', async () => {
    const [, chunk] = of(1);
    const id = chunk?.id ?? '';
    expect((await server.request(ChunkDocument, { id })).chunk).toEqual(chunk);
    expect(chunk).toMatchObject({ userId: 'ada', chunkIndex: 1, embeddingModel: embedder.model });
    const asked = (await server.request(ChunkEmbeddingDocument, { id })).chunk;
    expect(cosine(asked?.embedding ?? [], hashVector(chunk?.content ?? ''))).toBeCloseTo(1, 5);
    expect((await server.request(ChunkDocument, { id: '9223372036854775807' })).chunk).toBeNull();
  });
});

describe('Chunk.document, previous and next', () => {
  test('lead to the document, and along it from end to end', async () => {
    const { chunks: list } = await server.request(ChunkSurroundingsDocument);
    expect(list.edges).toHaveLength(chunks.length);
    for (const { node } of list.edges) {
      const siblings = chunks.filter(({ documentId }) => documentId === node.document.id);
      expect(siblings[node.chunkIndex]?.id).toBe(node.id);
      expect(node.previous).toEqual(node.chunkIndex === 0 ? null : { id: siblings[node.chunkIndex - 1]?.id });
      const isLast = node.chunkIndex === siblings.length - 1;
      expect(node.next).toEqual(isLast ? null : { id: siblings[node.chunkIndex + 1]?.id });
    }
    const [first] = list.edges;
    const { document } = await server.request(DocumentDocument, { id: documents[0] ?? '' });
    expect(first?.node.document).toEqual(document);
  });

  test('of a page of chunks cost one statement each kind', async () => {
    // One statement reads the list, one the documents, and one the chunks before and after.
    const statements = await server.statementsOf(() => server.request(ChunkSurroundingsDocument));
    expect(statements).toHaveLength(3);
  });
});

describe('Document.chunks', () => {
  test('gives the chunks in order, a page at a time, and how many there are', async () => {
    const id = documents[0] ?? '';
    const seen: string[] = [];
    let after: string | null | undefined;
    for (let page = 0; page === 0 || after; page++) {
      const { document } = await server.request(DocumentChunksDocument, { id, first: 5, after });
      const { edges, pageInfo, totalCount } = document?.chunks ?? {};
      expect(totalCount).toBe(of(0).length);
      expect(pageInfo?.hasPreviousPage).toBe(page > 0);
      expect(pageInfo?.startCursor).toBe(edges?.[0]?.cursor);
      expect(pageInfo?.endCursor).toBe(edges?.at(-1)?.cursor);
      seen.push(...(edges?.map(({ node }) => node.id) ?? []));
      after = pageInfo?.hasNextPage ? pageInfo.endCursor : null;
    }
    expect(of(0).length % 5).not.toBe(0);
    expect(seen).toEqual(of(0).map((chunk) => chunk.id));
  });

  test('of 0 gives none, and says whether there are any', async () => {
    const { document } = await server.request(DocumentChunksDocument, { id: documents[0] ?? '', first: 0 });
    expect(document?.chunks).toEqual({
      edges: [],
      totalCount: of(0).length,
      pageInfo: { hasNextPage: true, hasPreviousPage: false, startCursor: null, endCursor: null },
    });
  });

  test('behind the last chunk is an empty page', async () => {
    const id = documents[3] ?? '';
    const whole = (await server.request(DocumentChunksDocument, { id })).document?.chunks;
    expect(whole?.edges).toHaveLength(1);
    const behind = await server.request(DocumentChunksDocument, { id, after: whole?.pageInfo.endCursor });
    expect(behind.document?.chunks).toEqual({
      edges: [],
      totalCount: 1,
      pageInfo: { hasNextPage: false, hasPreviousPage: true, startCursor: null, endCursor: null },
    });
  });

  test('with a wrong size or cursor fails alone, not those that are read with it', async () => {
    const { data, errors } = await server.raw(`{ document(id: "${documents[0]}") {
      fine: chunks(first: 1) { edges { node { chunkIndex } } }
    }
    large: document(id: "${documents[1]}") { chunks(first: 201) { totalCount } }
    foreign: document(id: "${documents[2]}") { chunks(after: "eA") { totalCount } } }`);
    expect(data).toEqual({
      document: { fine: { edges: [{ node: { chunkIndex: 0 } }] } },
      large: null,
      foreign: null,
    });
    const codes = errors?.map(({ path, extensions }) => [path?.[0], extensions.code]) ?? [];
    expect(Object.fromEntries(codes)).toEqual({ large: 'LIMIT_EXCEEDED', foreign: 'BAD_USER_INPUT' });
  });

  test('of several documents is one statement, and each has its own', async () => {
    let answer: Awaited<ReturnType<typeof ask>> | undefined;
    const ask = () => server.request(ChunksOfDocumentsDocument, { first: 2 });
    const statements = await server.statementsOf(async () => {
      answer = await ask();
    });
    expect(statements).toHaveLength(2);
    expect(answer?.documents.edges).toHaveLength(documents.length);
    for (const [n, { node }] of answer?.documents.edges.entries() ?? []) {
      expect(node.chunks).toEqual({
        totalCount: of(n).length,
        edges: of(n)
          .slice(0, 2)
          .map(({ documentId, chunkIndex }) => ({ node: { documentId, chunkIndex } })),
        pageInfo: { hasNextPage: of(n).length > 2 },
      });
    }
  });
});

describe('similarChunks and Chunk.similar', () => {
  const nearest = (vector: ArrayLike<number>, from = chunks) =>
    from
      .map(({ content }) => 1 - cosine(vector, hashVector(content)))
      .sort((a, b) => a - b)
      .map((distance) => expect.closeTo(distance, 5));

  test('give the k nearest to a text or a vector', async () => {
    const text = 'a story 7 of the harbour';
    const byText = (await server.request(SimilarChunksDocument, { text, k: 8 })).similarChunks;
    expect(byText.map(({ distance }) => distance)).toEqual(nearest(hashVector(text)).slice(0, 8));
    expect(byText[0]?.chunk.content).toContain('The harbour has a story 7 of its own.');
    for (const { chunk, distance, similarity, score } of byText) {
      expect(distance).toBeCloseTo(1 - cosine(hashVector(text), hashVector(chunk.content)), 5);
      expect(similarity).toBeCloseTo(1 - distance, 12);
      expect(score).toBe(similarity);
    }
    const vector = [...hashVector(text)];
    expect((await server.request(SimilarChunksDocument, { vector, k: 8 })).similarChunks).toEqual(byText);
  });

  test('give the nearest to a chunk itself, never it, and with a text the nearest to that', async () => {
    const [self] = of(2);
    const id = self?.id ?? '';
    const others = chunks.filter((chunk) => chunk.id !== id);
    const own = (await server.request(ChunkNeighboursDocument, { id, k: 200 })).chunk?.similar ?? [];
    expect(own.map(({ distance }) => distance)).toEqual(nearest(hashVector(self?.content ?? ''), others));
    expect(own.map(({ chunk }) => chunk.id)).not.toContain(id);
    const text = self?.content ?? '';
    const near = (await server.request(ChunkNeighboursDocument, { id, text, k: 4 })).chunk?.similar ?? [];
    expect(near.map(({ chunk }) => chunk.id)).not.toContain(id);
    expect(near.map(({ distance }) => distance)).toEqual(nearest(hashVector(text), others).slice(0, 4));
  });

  test('take filters, of the document as well, and options', async () => {
    const text = 'a story of the tide';
    const filters: ChunkFilters = {
      document: { metadata: { at: [{ path: ['n'], number: { gte: 1 } }] } },
      chunkIndex: { lt: 3 },
    };
    const among = [1, 2, 3].flatMap((n) => of(n).slice(0, 3));
    const options = { exact: true };
    const { similarChunks } = await server.request(SimilarChunksDocument, { text, k: 200, filters, options });
    expect(new Set(similarChunks.map(({ chunk }) => chunk.id))).toEqual(new Set(among.map(({ id }) => id)));
    const id = of(0)[0]?.id ?? '';
    const own = await server.request(ChunkNeighboursDocument, { id, k: 200, filters, options });
    expect(new Set(own.chunk?.similar.map(({ chunk }) => chunk.id))).toEqual(
      new Set(among.map((chunk) => chunk.id)),
    );
    const close = await server.request(ChunkNeighboursDocument, { id, k: 200, options: { maxDistance: 0 } });
    expect(close.chunk?.similar).toEqual([]);
  });
});

describe('chunks', () => {
  test('are found by filters on each kind of field', async () => {
    const found = async (filters: ChunkFilters) =>
      (await server.request(ChunksDocument, { first: 200, filters })).chunks.edges.map(({ node }) => node.id);
    const idsOf = (list: ChunkFieldsFragment[]) => list.map(({ id }) => id);
    expect(await found({})).toEqual(idsOf(chunks));
    expect(await found({ documentId: { eq: documents[2] } })).toEqual(idsOf(of(2)));
    expect(await found({ userId: { eq: 'ada' } })).toEqual(idsOf(of(1)));
    expect(await found({ document: { filename: { startsWith: 'lamp' } } })).toEqual(idsOf(of(3)));
    expect(await found({ not: { document: { totalChunks: { gt: 1 } } } })).toEqual(idsOf(of(3)));
    expect(await found({ totalChunks: { eq: 1 }, startOffset: { eq: 0 } })).toEqual(idsOf(of(3)));
    expect(await found({ content: { contains: 'storm' }, chunkIndex: { in: [0, 1, 99] } })).toEqual(
      idsOf(of(2).slice(0, 2)),
    );
    expect(await found({ metadata: { contains: { n: 1 } } })).toEqual([]);
    expect(await found({ contentSummary: { ne: null } })).toEqual([]);
  });
});
