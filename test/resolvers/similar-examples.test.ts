import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../src/input/limits.ts';
import { HashEmbedder, hashVector } from '../../testkit/hash-embedder.ts';
import {
  ChunksDocument,
  CreateMemoriesDocument,
  DocumentChunksDocument,
  IngestDocumentDocument,
  RegisterToolsDocument,
  SimilarChunksDocument,
  SimilarDocumentsDocument,
  SimilarMemoriesDocument,
  type SimilarMemoriesQueryVariables,
  SimilarToolsDocument,
} from '../generated/operations.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const texts = [
  'violin concert',
  'violin concert ticket',
  'violin lesson',
  'harbor boat',
  'boat ticket',
  'harbor lantern',
  'zebra apricot',
  'concert hall',
];

type Vector = ArrayLike<number>;
interface Row {
  id: string;
  vector: Vector;
}

let server: TestServer;
const rows: Record<'memories' | 'chunks' | 'tools' | 'documents', Row[]> = {
  memories: [],
  chunks: [],
  tools: [],
  documents: [],
};
const embedder = new HashEmbedder();

beforeAll(async () => {
  server = await startTestServer({ embedder });
  const { createMemories } = await server.request(CreateMemoriesDocument, {
    inputs: texts.map((content) => ({ content })),
  });
  rows.memories = createMemories.map(({ id, content }) => ({ id, vector: hashVector(content) }));
  const inputs = texts.map((text, i) => ({ toolName: `tool${i}`, toolDescription: text }));
  const { registerTools } = await server.request(RegisterToolsDocument, { inputs });
  rows.tools = registerTools.map(({ id, toolName, toolDescription }) => ({
    id,
    vector: hashVector(`${toolName} ${toolDescription}`),
  }));
  for (let i = 0; i < texts.length; i++) {
    const sections = [
      `# A\n\n${texts[i]} violin`,
      `# B\n\n${texts[(i + 3) % texts.length]} harbor boat zebra`,
    ];
    const input = { filename: `${i}.md`, content: sections.join('\n\n'), chunkSize: 10, overlap: 0 };
    const { ingestDocument } = await server.request(IngestDocumentDocument, { input });
    const { id } = ingestDocument.document;
    const { document } = await server.request(DocumentChunksDocument, { id });
    const vectors = (document?.chunks.edges ?? []).map(({ node }) => node.embedding ?? []);
    expect(vectors.length).toBeGreaterThan(1);
    rows.documents.push({ id, vector: mean(vectors) });
  }
  const { chunks } = await server.request(ChunksDocument, { first: 200 });
  rows.chunks = chunks.edges.map(({ node }) => ({ id: node.id, vector: hashVector(node.content) }));
});
afterAll(() => server.close());

function mean(vectors: Vector[]): number[] {
  return Array.from(
    { length: limits.dimensions },
    (_, i) => vectors.reduce((sum, vector) => sum + (vector[i] ?? 0), 0) / vectors.length,
  );
}
const dot = (a: Vector, b: Vector) => Array.from(a).reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
const cosineDistance = (a: Vector, b: Vector) => 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

/** Returns the distances of all rows that are no examples, nearest first. */
function expected(all: Row[], like: string[], unlike: string[]): { id: string; distance: number }[] {
  const vectorsOf = (ids: string[]) => all.filter(({ id }) => ids.includes(id)).map(({ vector }) => vector);
  const near = mean(vectorsOf(like));
  const away = mean(vectorsOf(unlike));
  const target = unlike.length === 0 ? near : near.map((x, i) => 2 * x - (away[i] ?? 0));
  return all
    .filter(({ id }) => !like.includes(id) && !unlike.includes(id))
    .map(({ id, vector }) => ({ id, distance: cosineDistance(target, vector) }))
    .sort((a, b) => a.distance - b.distance);
}

type Variables = SimilarMemoriesQueryVariables;
const searches = {
  memories: async (variables: Variables) =>
    (await server.request(SimilarMemoriesDocument, variables)).similarMemories.map(
      ({ memory, ...scores }) => ({ ...scores, id: memory.id }),
    ),
  chunks: async (variables: object) =>
    (await server.request(SimilarChunksDocument, variables)).similarChunks.map(({ chunk, ...scores }) => ({
      ...scores,
      id: chunk.id,
    })),
  tools: async (variables: object) =>
    (await server.request(SimilarToolsDocument, variables)).similarTools.map(({ tool, ...scores }) => ({
      ...scores,
      id: tool.id,
    })),
  documents: async (variables: object) =>
    (await server.request(SimilarDocumentsDocument, variables)).similarDocuments.map(
      ({ document, ...scores }) => ({ ...scores, id: document.id }),
    ),
};
const kinds = ['memories', 'chunks', 'tools', 'documents'] as const;
const idsOf = (kind: (typeof kinds)[number], ...indexes: number[]) =>
  indexes.map((index) => rows[kind][index]?.id ?? '');

describe.each(kinds)('examples among %s', (kind) => {
  test.each([
    ['one liked', [0], []],
    ['several liked, one of them twice', [0, 2, 0], []],
    ['liked and unlike', [0, 2], [3, 4]],
  ] as const)(
    '%s: the nearest to what they say, as computed here, and none of themselves',
    async (_, a, b) => {
      const [like, unlike] = [idsOf(kind, ...a), idsOf(kind, ...b)];
      const found = await searches[kind]({ like, unlike, k: 50 });
      const wanted = expected(rows[kind], like, unlike);
      expect(new Set(found.map(({ id }) => id))).toEqual(new Set(wanted.map(({ id }) => id)));
      for (const [i, { id, distance }] of found.entries()) {
        expect(distance).toBeCloseTo(wanted[i]?.distance ?? Number.NaN, 4);
        expect(distance).toBeCloseTo(wanted.find((row) => row.id === id)?.distance ?? Number.NaN, 4);
      }
    },
  );

  test('cost one statement and no embedding', async () => {
    const { calls } = embedder;
    const [like, unlike] = [idsOf(kind, 0), idsOf(kind, 3)];
    const statements = await server.statementsOf(() => searches[kind]({ like, unlike, k: 3 }));
    expect(statements).toHaveLength(1);
    expect(embedder.calls).toBe(calls);
  });

  test('that do not exist are named, those that do are not', async () => {
    const refused = searches[kind]({ like: idsOf(kind, 0).concat('999998'), unlike: ['999999'] });
    await expect(refused).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/^There is no \w+ with id "999998", "999999"\.$/),
    });
  });

  test('that have no embedding yet are named', async () => {
    const [table, column] = {
      memories: ['memories', 'id'],
      chunks: ['document_chunks', 'id'],
      tools: ['tool_embeddings', 'id'],
      documents: ['document_chunks', 'document_id'],
    }[kind] as [string, string];
    const [id = ''] = idsOf(kind, 5);
    const kept = await server.sql<{ id: string; embedding: string; embedding_model: string }>(
      `select id, embedding, embedding_model from ${table} where ${column} = $1`,
      [id],
    );
    await server.sql(`update ${table} set embedding = null, embedding_model = null where ${column} = $1`, [
      id,
    ]);
    await expect(searches[kind]({ like: idsOf(kind, 0, 5) })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(`"${id}"`),
    });
    for (const row of kept) {
      await server.sql(`update ${table} set embedding = $1::vector, embedding_model = $2 where id = $3`, [
        row.embedding,
        row.embedding_model,
        row.id,
      ]);
    }
  });
});

describe('examples', () => {
  const like = () => idsOf('memories', 0, 2);

  test('work with filters, thresholds, exact search and the options that rank', async () => {
    const all = await searches.memories({ like: like(), k: 50 });
    const maxDistance = all[2]?.distance ?? 0;
    expect(await searches.memories({ like: like(), k: 50, options: { maxDistance } })).toEqual(
      all.slice(0, 3),
    );
    expect(await searches.memories({ like: like(), k: 50, options: { maxDistance: 0 } })).toEqual([]);
    expect(await searches.memories({ like: like(), k: 50, options: { exact: true } })).toEqual(all);
    const filters = { content: { contains: 'boat' } };
    expect(await searches.memories({ like: like(), k: 50, filters })).toHaveLength(2);
    const options = { percentile: 1, weights: { similarity: 1 } };
    const ranked = await searches.memories({ like: like(), k: 50, options });
    expect(ranked.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
  });

  test.each([
    ['an id in both', () => ({ like: like(), unlike: like().slice(1) }), /both like and unlike/],
    ['unlike alone', () => ({ unlike: like() }), /without like/],
    ['none liked', () => ({ like: [] }), /like is empty/],
    ['a text beside them', () => ({ like: like(), text: 'violin' }), /text and like/],
    ['what is no id', () => ({ like: ['violin'] }), /like\[0\]/],
    ['words to search by', () => ({ like: like(), options: { mode: 'HYBRID' } }), /HYBRID/],
  ] as const)('are refused with %s', async (_, variables, message) => {
    await expect(searches.memories(variables() as Variables)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringMatching(message),
    });
  });

  test('are refused beyond their limit', async () => {
    const many = Array.from({ length: limits.examples + 1 }, (_, i) => String(i + 1));
    await expect(searches.memories({ like: many })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  test('of documents take the options that rank them by their means', async () => {
    const [liked] = [idsOf('documents', 0, 2)];
    const all = await searches.documents({ like: liked, k: 50 });
    const half = await searches.documents({ like: liked, k: 50, options: { percentile: 0.5 } });
    expect(half.map(({ id }) => id)).toEqual(all.slice(0, 3).map(({ id }) => id));
    const diverse = await searches.documents({ like: liked, k: 50, options: { diversity: 0.9 } });
    expect(diverse.map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort());
    expect(diverse[0]?.id).toBe(all[0]?.id);
  });
});
