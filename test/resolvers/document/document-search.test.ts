import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EMBEDDING_DIMENSIONS } from '../../../schema/columns/vector.ts';
import { hashVector } from '../../../testkit/hash-embedder.ts';
import {
  DeleteDocumentDocument,
  DocumentChunksDocument,
  type DocumentFilters,
  type DocumentMatchFieldsFragment,
  DocumentNeighboursDocument,
  DocumentsDocument,
  IngestDocumentDocument,
  SimilarDocumentsDocument,
  type SimilarDocumentsQueryVariables,
} from '../../generated/operations.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

// Sections of different words, each of which becomes a chunk. So the best chunk and the mean of the chunks order the
// documents differently, and a test below checks that they do. No two chunks are equally near to a query, because
// rounding would order them.
const documents: Record<string, { userId?: string; sections: string[] }> = {
  'boats.md': {
    sections: [
      'Boats need paint and rope every spring.',
      'The harbour master counts boats.',
      'Rope rots in salt water.',
    ],
  },
  'bread.md': { sections: ['Bread needs salt, water and flour.', 'The baker rises before dawn.'] },
  'mixed.md': {
    sections: [
      'Rope rots in salt water and sun.',
      'Taxes are due in april.',
      'Chess rewards patience.',
      'The moon is far.',
    ],
  },
  'salt.md': {
    userId: 'ada',
    sections: ['Salt comes from the sea, water leaves.', 'The sea is salt water.'],
  },
  'moon.md': {
    sections: ['The moon moves the sea.', 'The moon is far, the sun is farther.', 'Paint the moon.'],
  },
};

let server: TestServer;
const ids: Record<string, string> = {};
/** The stored vectors of the chunks of each document. */
const chunks: Record<string, { index: number; vector: number[] }[]> = {};

beforeAll(async () => {
  server = await startTestServer();
  for (const [filename, { userId, sections }] of Object.entries(documents)) {
    const content = sections.map((section, i) => `# Part ${i}\n\n${section}\n`).join('\n');
    const input = {
      filename,
      userId,
      content,
      chunkSize: 14,
      overlap: 0,
      metadata: { sections: sections.length },
    };
    const { ingestDocument } = await server.request(IngestDocumentDocument, { input });
    const { id } = ingestDocument.document;
    expect(ingestDocument.chunkCount).toBeGreaterThan(1);
    ids[filename] = id;
    const { document } = await server.request(DocumentChunksDocument, { id });
    chunks[filename] = (document?.chunks.edges ?? []).map(({ node }) => ({
      index: node.chunkIndex,
      vector: node.embedding ?? [],
    }));
  }
});
afterAll(() => server.close());

const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * (b[i] ?? Number.NaN), 0);
const distances = {
  COSINE: (a: number[], b: number[]) => 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)),
  EUCLIDEAN: (a: number[], b: number[]) => Math.hypot(...a.map((x, i) => x - (b[i] ?? Number.NaN))),
  INNER_PRODUCT: (a: number[], b: number[]) => -dot(a, b),
};
type Metric = keyof typeof distances;
const similarities: Record<Metric, (distance: number) => number> = {
  COSINE: (distance) => 1 - distance,
  EUCLIDEAN: (distance) => 1 / (1 + distance),
  INNER_PRODUCT: (distance) => -distance,
};

const meanOf = (filename: string): number[] => {
  const vectors = chunks[filename] ?? [];
  return Array.from(
    { length: EMBEDDING_DIMENSIONS },
    (_, i) => vectors.reduce((sum, { vector }) => sum + (vector[i] ?? 0), 0) / vectors.length,
  );
};
/** Returns the distance of the nearest chunk, and all chunks that have this distance but for rounding. */
function bestChunks(filename: string, query: number[], metric: Metric) {
  const all = (chunks[filename] ?? []).map(({ index, vector }) => ({
    index,
    distance: distances[metric](query, vector),
  }));
  const distance = Math.min(...all.map((chunk) => chunk.distance));
  return {
    distance,
    best: all.filter((chunk) => chunk.distance - distance < 1e-6).map(({ index }) => index),
  };
}

interface Expected {
  filename: string;
  distance: number;
  /** The indexes of the chunks that the match may name. */
  best: number[];
}
const ordered = (list: Expected[]) => list.sort((a, b) => a.distance - b.distance);
const byBestChunk = (
  query: number[],
  metric: Metric = 'COSINE',
  filenames = Object.keys(documents),
): Expected[] => ordered(filenames.map((filename) => ({ filename, ...bestChunks(filename, query, metric) })));
const byMean = (self: string, metric: Metric = 'COSINE', filenames = Object.keys(documents)): Expected[] =>
  ordered(
    filenames
      .filter((filename) => filename !== self)
      .map((filename) => ({
        filename,
        distance: distances[metric](meanOf(self), meanOf(filename)),
        best: bestChunks(filename, meanOf(self), metric).best,
      })),
  );

function expectMatches(matches: DocumentMatchFieldsFragment[], wanted: Expected[]) {
  expect(matches.map(({ document, distance }) => ({ filename: document.filename, distance }))).toEqual(
    wanted.map(({ filename, distance }) => ({ filename, distance: expect.closeTo(distance, 5) })),
  );
  for (const [i, { document, chunk, similarity, score }] of matches.entries()) {
    expect(chunk.documentId).toBe(document.id);
    expect(wanted[i]?.best).toContain(chunk.chunkIndex);
    expect(score).toBe(similarity);
  }
}

const similar = async (variables: SimilarDocumentsQueryVariables) =>
  (await server.request(SimilarDocumentsDocument, variables)).similarDocuments;
const neighbours = async (filename: string, more: object = {}) =>
  (await server.request(DocumentNeighboursDocument, { id: ids[filename] ?? '', ...more })).document
    ?.similar ?? [];

const metrics: Metric[] = ['COSINE', 'EUCLIDEAN', 'INNER_PRODUCT'];
const text = 'rope in salt water';
const query = [...hashVector(text)];

describe('similarDocuments', () => {
  test.each(metrics)('is as near as its best chunk, which it names, by %s', async (metric) => {
    expectMatches(await similar({ text, options: { metric } }), byBestChunk(query, metric));
    const vector = query.map((x, i) => 2 * x + (i % 5) / 30);
    expectMatches(await similar({ vector, options: { metric } }), byBestChunk(vector, metric));
  });

  test('gives each document once, the k nearest of those that pass the filters', async () => {
    expectMatches(await similar({ text, k: 2 }), byBestChunk(query).slice(0, 2));
    expectMatches(
      await similar({
        text,
        k: 2,
        filters: { metadata: { at: [{ path: ['sections'], number: { lt: 4 } }] } },
      }),
      byBestChunk(query, 'COSINE', ['boats.md', 'bread.md', 'salt.md', 'moon.md']).slice(0, 2),
    );
    expectMatches(
      await similar({ text, filters: { userId: { eq: 'ada' } } }),
      byBestChunk(query, 'COSINE', ['salt.md']),
    );
  });

  test.each(metrics)('is scored by the similarity of its best chunk when ranked, by %s', async (metric) => {
    const vector = query.map((x, i) => 2 * x + (i % 5) / 30);
    const matches = await similar({ vector, options: { metric, percentile: 1 } });
    expect(matches.map(({ document, score }) => ({ filename: document.filename, score }))).toEqual(
      byBestChunk(vector, metric).map(({ filename, distance }) => ({
        filename,
        score: expect.closeTo(similarities[metric](distance), 5),
      })),
    );
  });

  test('leaves out what is farther than maxDistance, and finds the same with exact', async () => {
    const all = byBestChunk(query);
    const maxDistance = ((all[1]?.distance ?? 0) + (all[2]?.distance ?? 0)) / 2;
    expectMatches(await similar({ text, options: { maxDistance } }), all.slice(0, 2));
    expectMatches(await similar({ text, options: { exact: true } }), all);
  });
});

describe('Document.similar', () => {
  test('has documents to order that a best chunk would order otherwise', () => {
    const names = (list: Expected[]) => list.map(({ filename }) => filename);
    const others = Object.keys(documents).filter((filename) => filename !== 'boats.md');
    expect(names(byMean('boats.md'))).not.toEqual(names(byBestChunk(meanOf('boats.md'), 'COSINE', others)));
  });

  test.each(metrics)(
    'compares the means of the chunks, and never has the document itself, by %s',
    async (metric) => {
      for (const filename of Object.keys(documents)) {
        expectMatches(await neighbours(filename, { options: { metric } }), byMean(filename, metric));
      }
    },
  );

  test('with a text is near to the text by the best chunk, and still never has itself', async () => {
    const others = Object.keys(documents).filter((filename) => filename !== 'boats.md');
    const wanted = byBestChunk(query, 'COSINE', others);
    expectMatches(await neighbours('boats.md', { text }), wanted);
    expectMatches(await neighbours('boats.md', { text, k: 2 }), wanted.slice(0, 2));
  });

  test('takes k, filters and options', async () => {
    const among = ['mixed.md', 'salt.md', 'moon.md'];
    const filters: DocumentFilters = { filename: { in: [...among, 'boats.md'] } };
    const wanted = byMean('boats.md', 'COSINE', among);
    expectMatches(await neighbours('boats.md', { filters }), wanted);
    expectMatches(await neighbours('boats.md', { filters, k: 1 }), wanted.slice(0, 1));
    expectMatches(await neighbours('boats.md', { filters, options: { exact: true } }), wanted);
    const maxDistance = ((wanted[0]?.distance ?? 0) + (wanted[1]?.distance ?? 0)) / 2;
    expectMatches(await neighbours('boats.md', { filters, options: { maxDistance } }), wanted.slice(0, 1));
  });
});

describe('Document.similar by more than distance', () => {
  const self = 'boats.md';
  const all = () => byMean(self);
  const names = (matches: DocumentMatchFieldsFragment[]) => matches.map(({ document }) => document.filename);

  test.each([0, 0.34, 0.5, 1])('keeps what is within the percentile %d of the means', async (percentile) => {
    const found = all().map(({ distance }) => distance);
    // Linear interpolation, as in percentile_cont.
    const index = percentile * (found.length - 1);
    const [below = 0, above = 0] = [found[Math.floor(index)], found[Math.ceil(index)]];
    const limit = below + (above - below) * (index - Math.floor(index)) + 1e-9;
    expectMatches(
      await neighbours(self, { options: { percentile } }),
      all().filter(({ distance }) => distance <= limit),
    );
  });

  test.each(metrics)('is scored by the similarity of the means when ranked, by %s', async (metric) => {
    const matches = await neighbours(self, { options: { metric, percentile: 1 } });
    expect(matches.map(({ document, score }) => ({ filename: document.filename, score }))).toEqual(
      byMean(self, metric).map(({ filename, distance }) => ({
        filename,
        score: expect.closeTo(similarities[metric](distance), 5),
      })),
    );
  });

  test('chooses documents whose means are unlike each other', async () => {
    const found = names(await neighbours(self, { options: { diversity: 1 } }));
    const chosen = [all()[0]?.filename ?? ''];
    const left = new Set(all().map(({ filename }) => filename));
    left.delete(chosen[0] ?? '');
    while (left.size > 0) {
      const alike = (filename: string) =>
        Math.max(...chosen.map((other) => 1 - distances.COSINE(meanOf(filename), meanOf(other))));
      const [next = ''] = [...left].sort((a, b) => alike(a) - alike(b));
      chosen.push(next);
      left.delete(next);
    }
    expect(found).toEqual(chosen);
    expect(found).not.toEqual(all().map(({ filename }) => filename));
  });

  test('finds by all its words those that share one, each once and never itself', async () => {
    const input = { filename: 'zebra.txt', content: 'Zebras graze.' };
    const { ingestDocument } = await server.request(IngestDocumentDocument, { input });
    const found = await neighbours('bread.md', { options: { mode: 'KEYWORD' } });
    await server.request(DeleteDocumentDocument, { id: ingestDocument.document.id });
    expect(names(found).sort()).toEqual(['boats.md', 'mixed.md', 'moon.md', 'salt.md']);
    for (const { scoreParts, score } of found) {
      expect(scoreParts?.keyword).toBe(score);
      expect(score).toBeGreaterThan(0);
    }
    // moon.md shares only the word of the headings. The other documents share salt and water too.
    expect(names(found).at(-1)).toBe('moon.md');
  });

  test('finds by words and meaning together', async () => {
    const found = await neighbours('bread.md', { options: { mode: 'HYBRID' } });
    expect(names(found).sort()).toEqual(['boats.md', 'mixed.md', 'moon.md', 'salt.md']);
    const scores = found.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(found.at(-1)?.document.filename).toBe('moon.md');
    expect(found[0]?.scoreParts?.keyword).toBeGreaterThan(found.at(-1)?.scoreParts?.keyword ?? 0);
  });

  test.each(['HYBRID', 'KEYWORD'] as const)('costs one statement for all of them by %s', async (mode) => {
    const statements = await server.statementsOf(async () => {
      const { data, errors } = await server.raw(
        `{ documents { edges { node { similar(options: { mode: ${mode} }) { document { id } } } } } }`,
      );
      expect(errors).toBeUndefined();
      expect(JSON.stringify(data)).toContain(ids['salt.md']);
    });
    expect(statements).toHaveLength(2);
  });

  test('has no weights, as documents have no importance', async () => {
    const refused = neighbours(self, { options: { weights: { recency: 1 } } });
    await expect(refused).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining('options.weights is for memories'),
    });
  });
});

describe('documents', () => {
  test('are found by filters on each kind of field', async () => {
    const names = async (filters: DocumentFilters) =>
      (
        await server.request(DocumentsDocument, { filters, orderBy: { field: 'FILENAME', direction: 'ASC' } })
      ).documents.edges.map(({ node }) => node.filename);
    const all = Object.keys(documents).sort();
    expect(await names({})).toEqual(all);
    expect(await names({ totalChunks: { gte: 4 }, userId: { ne: 'ada' } })).toEqual(
      all.filter((filename) => filename !== 'salt.md' && (chunks[filename]?.length ?? 0) >= 4),
    );
    expect(await names({ metadata: { contains: { sections: 4 } } })).toEqual(['mixed.md']);
    expect(await names({ fileType: { eq: 'txt' } })).toEqual([]);
    expect(await names({ filePath: { eq: null } })).toEqual(all);
    expect(await names({ fileSize: { gt: 0 }, not: { filename: { startsWith: 'm' } } })).toEqual([
      'boats.md',
      'bread.md',
      'salt.md',
    ]);
    expect(await names({ or: [{ id: { eq: ids['salt.md'] } }, { filename: { contains: 'oa' } }] })).toEqual([
      'boats.md',
      'salt.md',
    ]);
    expect(await names({ processedAt: { lt: '2001-01-01T00:00:00Z' } })).toEqual([]);
  });
});
