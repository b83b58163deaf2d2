import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HashEmbedder, hashVector } from '../../../testkit/hash-embedder.ts';
import {
  ChunksDocument,
  CreateMemoriesDocument,
  IngestDocumentDocument,
  RecallDocument,
  type RecallQueryVariables,
  RegisterToolsDocument,
  SimilarMemoriesDocument,
} from '../../generated/operations.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

// One subject in every kind, in words that the English configuration neither stems nor drops.
const memories = [
  { content: 'violin', userId: 'ada', sessionId: 'tuesday' },
  { content: 'zebra', userId: 'ada', sessionId: 'tuesday' },
  { content: 'violin harbor lantern', userId: 'bob', importanceScore: 0.9 },
  { content: 'apricot lantern', userId: 'bob' },
];
const tools = [
  { toolName: 'violin', toolDescription: 'harbor' },
  { toolName: 'zebra', toolDescription: 'lantern apricot zebra' },
];
const files = {
  'music.md': [
    '# Violin\n\nviolin harbor violin harbor',
    '# Apricot\n\napricot apricot lantern lantern apricot',
  ],
  'sea.md': [
    '# Harbor\n\nharbor harbor zebra zebra lantern',
    '# Lantern\n\nviolin lantern lantern violin lantern',
  ],
};

interface Entry {
  kind: 'MEMORY' | 'CHUNK' | 'DOCUMENT' | 'TOOL';
  name: string;
  text: string;
  vector: Float32Array;
}

let server: TestServer;
const embedder = new HashEmbedder();
/** All stored rows. A document is there once for each of its chunks. */
const stored: Entry[] = [];

beforeAll(async () => {
  server = await startTestServer({ embedder });
  await server.request(CreateMemoriesDocument, { inputs: memories });
  await server.request(RegisterToolsDocument, { inputs: tools });
  for (const [filename, sections] of Object.entries(files)) {
    const input = { filename, content: sections.join('\n\n'), chunkSize: 14, overlap: 0 };
    await server.request(IngestDocumentDocument, { input });
  }
  const add = (kind: Entry['kind'], name: string, text: string) =>
    stored.push({ kind, name, text, vector: hashVector(text) });
  for (const { content } of memories) add('MEMORY', content, content);
  for (const { toolName, toolDescription } of tools) add('TOOL', toolName, `${toolName} ${toolDescription}`);
  const { chunks } = await server.request(ChunksDocument, { first: 100 });
  expect(chunks.edges).toHaveLength(4);
  for (const { node } of chunks.edges) {
    add('CHUNK', node.content, node.content);
    add('DOCUMENT', node.documentId, node.content);
  }
});
afterAll(() => server.close());

const recall = async (variables: Omit<RecallQueryVariables, 'text'> & { text?: string }) =>
  (await server.request(RecallDocument, { text: 'violin harbor', ...variables })).recall;
type Found = Awaited<ReturnType<typeof recall>>[number];

function nameOf(match: Found): string {
  switch (match.__typename) {
    case 'MemoryMatch':
      return match.memory.content;
    case 'ToolMatch':
      return match.tool.toolName;
    case 'DocumentMatch':
      return match.document.id;
    case 'ChunkMatch':
      return match.chunk.content;
  }
}
const kinds = { MemoryMatch: 'MEMORY', ToolMatch: 'TOOL', DocumentMatch: 'DOCUMENT', ChunkMatch: 'CHUNK' };
const entryOf = (match: Found) => `${kinds[match.__typename]} ${nameOf(match)}`;

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

/**
 * Returns what must be found, nearest first: every entry with its distance. The entry of a document is its nearest
 * chunk.
 */
function expected(text: string, among: readonly Entry['kind'][]): Map<string, number> {
  const query = hashVector(text);
  const nearest = new Map<string, number>();
  for (const { kind, name, vector } of stored.filter((entry) => among.includes(entry.kind))) {
    const distance = 1 - dot(query, vector);
    const entry = `${kind} ${name}`;
    nearest.set(entry, Math.min(distance, nearest.get(entry) ?? Number.POSITIVE_INFINITY));
  }
  return new Map([...nearest].sort(([, a], [, b]) => a - b));
}

const everyKind = ['MEMORY', 'CHUNK', 'DOCUMENT', 'TOOL'] as const;

describe('recall', () => {
  test.each([[['MEMORY', 'CHUNK']], [['TOOL', 'DOCUMENT']], [['CHUNK', 'DOCUMENT']], [everyKind]] as const)(
    'of %j is one list by the distances of all, as computed here',
    async (among) => {
      const found = await recall({ kinds: [...among], k: 50 });
      const wanted = expected('violin harbor', among);
      expect(found).toHaveLength(wanted.size);
      for (const match of found) expect(match.distance).toBeCloseTo(wanted.get(entryOf(match)) ?? NaN, 5);
      expect(new Set(found.map(entryOf)).size).toBe(wanted.size);
      const distances = found.map(({ distance }) => distance);
      expect(distances).toEqual([...distances].sort((a, b) => a - b));
      for (const { score, similarity } of found) expect(score).toBe(similarity);
    },
  );

  test.each([
    ['COSINE', (distance: number) => 1 - distance],
    ['EUCLIDEAN', (distance: number) => 1 / (1 + distance)],
    ['INNER_PRODUCT', (distance: number) => -distance],
  ] as const)('is scored by similarity when ranked, as %s defines it', async (metric, similarityOf) => {
    // A vector of length 1 each: what makes one distance makes the others.
    const distanceOf = {
      COSINE: (d: number) => d,
      EUCLIDEAN: (d: number) => Math.sqrt(2 * d),
      INNER_PRODUCT: (d: number) => d - 1,
    };
    const found = await recall({ kinds: [...everyKind], k: 50, options: { metric, percentile: 1 } });
    const wanted = expected('violin harbor', everyKind);
    expect(found).toHaveLength(wanted.size);
    for (const match of found) {
      const distance = distanceOf[metric](wanted.get(entryOf(match)) ?? NaN);
      expect(match.distance).toBeCloseTo(distance, 3);
      expect(match.score).toBeCloseTo(similarityOf(match.distance), 12);
    }
  });

  test('is of memories and chunks, eight, when nothing else is said', async () => {
    const found = await recall({});
    expect(found).toHaveLength(8);
    expect(new Set(found.map(({ __typename }) => __typename))).toEqual(
      new Set(['MemoryMatch', 'ChunkMatch']),
    );
  });

  test('gives the first k of that list', async () => {
    const all = await recall({ kinds: [...everyKind], k: 50 });
    for (const k of [1, 5]) {
      const found = await recall({ kinds: [...everyKind], k });
      expect(found.map(entryOf)).toEqual(all.slice(0, k).map(entryOf));
    }
  });

  test('sets equally near ones in the order of their kinds and ids', async () => {
    const found = await recall({ text: 'zebra', kinds: ['TOOL', 'MEMORY', 'DOCUMENT', 'CHUNK'], k: 50 });
    const key = (match: Found) => [match.distance, entryOf(match).split(' ')[0]] as const;
    const keys = found.map(key);
    const sorted = [...keys].sort(([a, x], [b, y]) => a - b || (String(x) < String(y) ? -1 : 1));
    expect(keys).toEqual(sorted);
    expect(new Set(keys.map(([distance]) => distance)).size).toBeLessThan(keys.length);
  });

  test('gives of a document the chunk by which it was found', async () => {
    const found = await recall({ text: 'zebra harbor', kinds: ['DOCUMENT', 'CHUNK'], k: 2 });
    const [chunk, document] = found;
    if (chunk?.__typename !== 'ChunkMatch' || document?.__typename !== 'DocumentMatch')
      throw new Error(`${found.map(entryOf)}`);
    expect(document.chunk).toEqual(chunk.chunk);
    expect(document.document.filename).toBe('sea.md');
  });

  test.each([{}, { mode: 'KEYWORD' }, { mode: 'HYBRID' }, { mode: 'HYBRID', diversity: 0.5 }] as const)(
    'costs one embedding and one statement, with the options %j',
    async (options) => {
      const [calls, texts] = [embedder.calls, embedder.texts];
      const statements = await server.statementsOf(() => recall({ kinds: [...everyKind], options }));
      expect(statements).toHaveLength(1);
      expect([embedder.calls - calls, embedder.texts - texts]).toEqual([1, 1]);
    },
  );

  test('asked twice in one request with other texts is one statement, and each gets its own matches', async () => {
    const field = (text: string) =>
      `recall(text: "${text}", k: 3) { ... on MemoryMatch { memory { content } } ... on ChunkMatch { chunk { content } } }`;
    let answer: unknown;
    const statements = await server.statementsOf(async () => {
      answer = (await server.raw(`{ a: ${field('violin')} b: ${field('zebra')} }`)).data;
    });
    expect(statements).toHaveLength(1);
    const { data: alone } = await server.raw(`{ b: ${field('zebra')} }`);
    expect((answer as { b: unknown }).b).toEqual((alone as { b: unknown }).b);
    expect((answer as { a: unknown[] }).a[0]).toEqual({ memory: { content: 'violin' } });
  });

  test('takes filters for each kind, which leave the others alone', async () => {
    const found = await recall({
      kinds: [...everyKind],
      k: 50,
      filters: {
        memories: { userId: { eq: 'bob' } },
        chunks: { document: { filename: { eq: 'sea.md' } } },
        documents: { filename: { eq: 'music.md' } },
        tools: { toolName: { eq: 'zebra' } },
      },
    });
    const of = (type: Found['__typename']) => found.filter(({ __typename }) => __typename === type);
    expect(new Set(of('MemoryMatch').map(nameOf))).toEqual(
      new Set(memories.filter(({ userId }) => userId === 'bob').map(({ content }) => content)),
    );
    const [document, ...others] = of('DocumentMatch').map(nameOf);
    expect(others).toEqual([]);
    const chunks = stored.filter(({ kind, name }) => kind === 'DOCUMENT' && name !== document);
    expect(new Set(of('ChunkMatch').map(nameOf))).toEqual(new Set(chunks.map(({ text }) => text)));
    expect(of('ToolMatch').map(nameOf)).toEqual(['zebra']);
  });

  test('leaves out what is farther than maxDistance', async () => {
    const all = await recall({ kinds: [...everyKind], k: 50 });
    const maxDistance = all[4]?.distance ?? 0;
    const found = await recall({ kinds: [...everyKind], k: 50, options: { maxDistance } });
    expect(found).toEqual(all.filter(({ distance }) => distance <= maxDistance));
  });

  test.each([
    ['no kinds', { kinds: [] }, /kinds is empty/],
    ['a kind twice', { kinds: ['TOOL', 'MEMORY', 'TOOL'] }, /TOOL twice/],
    ['filters of a kind that is not asked for', { filters: { tools: {} } }, /filters\.tools .* TOOL/],
    ['weights beside other kinds', { options: { weights: { recency: 1 } } }, /kinds: \[MEMORY\]/],
    ['a blank text', { text: ' ' }, /text/],
    ['k of 0', { k: 0 }, /k is/],
    [
      'an id that is none, named with its place',
      { filters: { chunks: { id: { eq: 'x' } } } },
      /filters\.chunks\.id/,
    ],
  ] as const)('refuses %s', async (_, variables, message) => {
    await expect(recall(variables as never)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringMatching(message),
    });
  });
});

describe('recall by words', () => {
  test('scores rows of all kinds by one BM25: a word is as rare as it is in all of them', async () => {
    const found = await recall({ kinds: ['MEMORY', 'TOOL', 'CHUNK'], k: 50, options: { mode: 'KEYWORD' } });
    const wanted = bm25(['MEMORY', 'TOOL', 'CHUNK'], ['violin', 'harbor']);
    expect(new Set(found.map(entryOf))).toEqual(new Set(wanted.keys()));
    for (const match of found) expect(match.score).toBeCloseTo(wanted.get(entryOf(match)) ?? NaN, 4);
    const scores = found.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  });

  test('of one kind gives the scores of a search among them', async () => {
    for (const options of [
      { mode: 'KEYWORD' },
      { mode: 'HYBRID' },
      { weights: { importance: 1 } },
    ] as const) {
      const { similarMemories } = await server.request(SimilarMemoriesDocument, {
        text: 'violin harbor',
        k: 8,
        options,
      });
      const found = await recall({ kinds: ['MEMORY'], options });
      expect(found.map(nameOf)).toEqual(similarMemories.map(({ memory }) => memory.content));
      for (const [i, { score }] of found.entries())
        expect(score).toBeCloseTo(similarMemories[i]?.score ?? Number.NaN, 10);
    }
  });

  test('of nothing but common words is empty', async () => {
    expect(await recall({ text: 'the of', kinds: [...everyKind], options: { mode: 'KEYWORD' } })).toEqual([]);
  });
});

describe('recall by meaning and words', () => {
  const among = ['MEMORY', 'CHUNK', 'TOOL'] as const;

  test('adds standard scores over the candidates of all kinds', async () => {
    const options = { mode: 'HYBRID', keywordWeight: 0.5, context: 0 } as const;
    const found = await recall({ kinds: [...among], k: 50, options });
    const words = bm25([...among], ['violin', 'harbor']);
    const near = standardScores(found.map(({ distance }) => -distance));
    const worded = standardScores(found.map((match) => words.get(entryOf(match)) ?? 0));
    expect(found).toHaveLength(expected('violin harbor', among).size);
    for (const [i, { score }] of found.entries())
      expect(score).toBeCloseTo((near[i] ?? 0) + 0.5 * (worded[i] ?? 0), 4);
  });

  test('by rank adds the reciprocal ranks in the two lists of all kinds', async () => {
    const options = { mode: 'HYBRID', fusion: 'RANK', keywordWeight: 1 } as const;
    const found = await recall({ kinds: [...among], k: 50, options });
    const near = await recall({ kinds: [...among], k: 50 });
    const words = await recall({ kinds: [...among], k: 50, options: { mode: 'KEYWORD' } });
    const reciprocal = (list: Found[], entry: string) => {
      const index = list.findIndex((match) => entryOf(match) === entry);
      return index === -1 ? 0 : 1 / (60 + index + 1);
    };
    for (const match of found) {
      const entry = entryOf(match);
      expect(match.score).toBeCloseTo(reciprocal(near, entry) + reciprocal(words, entry), 8);
    }
  });

  test('lets memories of a session lend each other their score, and nothing else', async () => {
    const plain = await recall({ kinds: [...among], k: 50, options: { mode: 'HYBRID', context: 0 } });
    const lent = await recall({ kinds: [...among], k: 50, options: { mode: 'HYBRID', context: 0.4 } });
    const score = (list: Found[], entry: string) =>
      list.find((match) => entryOf(match) === entry)?.score ?? NaN;
    expect(score(lent, 'MEMORY zebra')).toBeCloseTo(
      score(plain, 'MEMORY zebra') + 0.4 * score(plain, 'MEMORY violin'),
      8,
    );
    for (const match of plain) {
      if (match.__typename === 'MemoryMatch' && match.memory.sessionId) continue;
      expect(score(lent, entryOf(match))).toBeCloseTo(match.score, 8);
    }
  });

  test('with diversity leaves what repeats a match for later', async () => {
    const options = { diversity: 0.7 };
    const found = await recall({ kinds: ['CHUNK', 'DOCUMENT'], k: 2, options });
    const plain = await recall({ kinds: ['CHUNK', 'DOCUMENT'], k: 2 });
    // A document and its best chunk have one vector.
    expect(plain[0]?.distance).toBe(plain[1]?.distance);
    expect(found.map(entryOf)[0]).toBe(plain.map(entryOf)[0]);
    expect(found[1]?.distance).not.toBe(found[0]?.distance);
  });
});

/** Returns BM25, with rarities over all entries, and lengths in characters relative to the mean of the kind. */
function bm25(among: Entry['kind'][], words: string[]): Map<string, number> {
  const entries = stored.filter(({ kind }) => among.includes(kind));
  const count = (text: string, word: string) =>
    text.toLowerCase().match(new RegExp(`\\b${word}\\b`, 'g'))?.length ?? 0;
  const meanLength = (kind: Entry['kind']) => {
    const lengths = entries.filter((entry) => entry.kind === kind).map(lengthOf);
    return lengths.reduce((sum, n) => sum + n, 0) / lengths.length;
  };
  const scores = entries.map((entry) => {
    const score = words.reduce((sum, word) => {
      const documents = entries.filter(({ text }) => count(text, word) > 0).length;
      const idf = Math.log(1 + (entries.length - documents + 0.5) / (documents + 0.5));
      const tf = count(entry.text, word);
      return sum + (idf * tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * lengthOf(entry)) / meanLength(entry.kind)));
    }, 0);
    return [`${entry.kind} ${entry.name}`, score] as const;
  });
  return new Map(scores.filter(([, score]) => score > 0));
}

/** Returns the stored text of an entry. For a tool: name and description, without the text between them. */
const lengthOf = ({ kind, text }: Entry) => text.length - (kind === 'TOOL' ? 1 : 0);

function standardScores(values: number[]): number[] {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
  return values.map((x) => (x - mean) / spread);
}
