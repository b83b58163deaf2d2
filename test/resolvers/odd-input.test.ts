import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CountMemoriesDocument,
  CreateMemoriesDocument,
  CreateMemoryDocument,
  DocumentChunksDocument,
  IngestDocumentDocument,
  MemoriesDocument,
  MemoryDocument,
  type MemoryFilters,
  RegisterToolsDocument,
  SimilarMemoriesDocument,
  ToolDocument,
  UpdateMemoryDocument,
} from '../generated/operations.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

// Input that is odd but right. The server stores it and finds it exactly as it was sent.

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const texts: Record<string, string> = {
  emoji: '👩‍👩‍👧‍👦 family 🏳️‍🌈 flag 1️⃣ keycap 🇩🇪',
  'right to left': 'שלום עולם، مرحبا بالعالم \u202Bmixed\u202C 123',
  Chinese: '我们明天早上七点在火车站见面。',
  'beyond the basic plane': '𝕬𝖓𝖈𝖎𝖊𝖓𝖙 𐎠𐎡 🀄 \u{10FFFF}',
  'combining marks': 'Z̷̢̛a̵l̴g̶o̵ é ≠ é',
  'line ends and blanks': '  first\r\nsecond\rthird\n\n\tfourth\u00a0\u2028fifth  ',
  'a text that was decoded wrongly': 'GrÃ¶Ã\u009fe â\u0080\u0093 ok',
  'SQL in quotes': `'; drop table memories; -- "$1" \${2} \\' E'\\x00' /* */ ::text`,
  'GraphQL and JSON': '{"query":"{ memories { id } }"} \\u0000 \\" #',
  'HTML and templates': '<script>alert(1)</script> {{7*7}} <%= 7 %> %s %d %00',
  patterns: '100%_\\[a-z]*.?(x|y)^$',
  'one character': '∮',
  'marks alone': '?!',
};

/** What of a text the name of a user may have: no control, nothing that turns the direction, and no blank around it. */
const nameOf = (text: string) =>
  text.replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '').trim();

describe('a memory', () => {
  test.each(Object.entries(texts))('of %s is stored and found as it is', async (_, text) => {
    const input = {
      content: text,
      contentSummary: text,
      source: text.slice(0, 25),
      sessionId: text.slice(0, 50),
      userId: nameOf(text.slice(0, 50)),
      idempotencyKey: text,
      metadata: { [text]: [text, { [text]: text }] },
    };
    // A slice may cut a surrogate pair in two, and half of a pair is wrong input.
    for (const field of ['source', 'sessionId', 'userId'] as const)
      input[field] = Buffer.from(input[field]).toString();
    const { createMemory } = await server.request(CreateMemoryDocument, { input });
    expect(createMemory).toMatchObject(input);
    expect((await server.request(CreateMemoryDocument, { input })).createMemory.id).toBe(createMemory.id);
    const filters: MemoryFilters[] = [
      { content: { eq: text } },
      { content: { startsWith: text } },
      { content: { contains: text } },
      { contentSummary: { in: ['other', text] } },
      { source: { eq: input.source } },
      { sessionId: { eq: input.sessionId } },
      { userId: { eq: input.userId } },
      { idempotencyKey: { eq: text } },
      { metadata: { contains: { [text]: [{ [text]: text }] } } },
      { metadata: { at: [{ path: [text, '0'], string: { eq: text } }] } },
    ];
    for (const filter of filters) {
      const { memories } = await server.request(MemoriesDocument, { filters: filter });
      expect(memories.edges.map(({ node }) => node.id)).toEqual([createMemory.id]);
    }
    const { similarMemories } = await server.request(SimilarMemoriesDocument, {
      text,
      k: 1,
      filters: { and: filters },
    });
    expect(similarMemories[0]?.memory).toEqual(createMemory);
    expect(similarMemories[0]?.distance).toBeCloseTo(0, 5);
  });

  test('of 100,000 characters, the most there may be, is stored whole', async () => {
    const sentence = 'Das Gedächtnis vergisst nichts 🐘. ';
    const content = `${sentence.repeat(100_000 / sentence.length)}`.padEnd(100_000, 'x');
    expect(content).toHaveLength(100_000);
    const { createMemory } = await server.request(CreateMemoryDocument, { input: { content } });
    expect(createMemory.content === content).toBe(true);
    expect(createMemory.embeddingStatus).toBe('READY');
  });

  test('of one word of 100,000 letters, or of 50,000 words, is stored whole', async () => {
    for (const content of [
      'x'.repeat(100_000),
      Array.from({ length: 16_000 }, (_, i) => i.toString(36))
        .join('大 ')
        .slice(0, 100_000),
    ]) {
      const { createMemory } = await server.request(CreateMemoryDocument, { input: { content } });
      expect(createMemory.content === content).toBe(true);
    }
  });

  test('has importance at its ends, to the last digit', async () => {
    for (const importanceScore of [0, 1, 5e-324, 0.1 + 0.2, 0.9999999999999999]) {
      const input = { content: `importance ${importanceScore}`, importanceScore };
      const { createMemory } = await server.request(CreateMemoryDocument, { input });
      expect(createMemory.importanceScore).toBe(importanceScore);
      const filters = { importanceScore: { eq: importanceScore } };
      const { memories } = await server.request(MemoriesDocument, { filters });
      expect(memories.edges.map(({ node }) => node.id)).toContain(createMemory.id);
    }
  });
});

describe('metadata', () => {
  const roundTrip = async (metadata: Record<string, unknown>) =>
    (await server.request(CreateMemoryDocument, { input: { content: 'with metadata', metadata } }))
      .createMemory.metadata;

  test('comes back as it was: every type, odd keys, 200 levels, almost 64 kB', async () => {
    const odd = {
      '': 'empty key',
      ' ': null,
      constructor: { name: 1 },
      toString: false,
      '0': [[], {}, [null, 1.5, -0.25, 1e21, 1e-7, 9007199254740991, true]],
      $ref: '#/a',
      'a.b[0]': { 'ключ 🔑': 'значение' },
    };
    expect(await roundTrip(odd)).toEqual(odd);
    const deep = JSON.parse(`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`);
    expect(await roundTrip(deep)).toEqual(deep);
    const large = { text: 'é'.repeat(65_536 - '{"text":""}'.length) };
    expect(await roundTrip(large)).toEqual(large);
  });

  test('that stands in the text of a query is stored like a variable', async () => {
    const answer = await server.raw(`mutation Literal {
      createMemory(input: { content: "x", metadata: { a: [1, "two", { b: true, c: null }], __proto__: { d: 1.5 } } }) { metadata }
      registerTools(inputs: { toolName: "literal", toolDescription: "x", toolParameters: { type: "object", nested: { a: [] } } }) {
        toolParameters
      }
    }`);
    expect(answer.errors).toBeUndefined();
    expect(JSON.stringify(answer.data)).toBe(
      JSON.stringify({
        createMemory: { metadata: JSON.parse('{"a":[1,"two",{"b":true,"c":null}],"__proto__":{"d":1.5}}') },
        registerTools: [{ toolParameters: { type: 'object', nested: { a: [] } } }],
      }),
    );
  });

  test('is replaced as a whole, by an empty object too', async () => {
    const { createMemory } = await server.request(CreateMemoryDocument, {
      input: { content: 'with metadata', metadata: { a: 1, b: 2 } },
    });
    const { updateMemory } = await server.request(UpdateMemoryDocument, {
      id: createMemory.id,
      input: { metadata: {} },
    });
    expect(updateMemory.metadata).toEqual({});
  });
});

describe('a document', () => {
  test.each(Object.entries(texts))('of %s is cut into chunks that give it back', async (_, text) => {
    const content = `# ${text}\n\n${Array.from({ length: 12 }, (_unused, i) => `${i}. ${text}`).join('\n\n')}\n`;
    const said = {
      filename: `${text}.md`,
      filePath: text,
      userId: nameOf(text),
      metadata: { [text]: text },
    };
    const input = { ...said, fileType: 'md', content, chunkSize: 24, overlap: 8 };
    const { ingestDocument } = await server.request(IngestDocumentDocument, { input });
    expect(ingestDocument.document).toMatchObject(said);
    expect(ingestDocument.document.contentHash).toBe(createHash('sha256').update(content).digest('hex'));
    const { document } = await server.request(DocumentChunksDocument, {
      id: ingestDocument.document.id,
      first: 200,
    });
    const chunks = document?.chunks.edges.map(({ node }) => node) ?? [];
    expect(chunks.length).toBe(ingestDocument.chunkCount);
    let end = 0;
    let joined = '';
    for (const { content: piece, startOffset, endOffset } of chunks) {
      expect(piece).toBe(content.slice(startOffset, endOffset));
      joined += content.slice(end, endOffset);
      end = endOffset;
    }
    expect(joined).toBe(content);
  });
});

describe('a tool', () => {
  test.each(Object.entries(texts))('named %s is found by its name', async (_, text) => {
    const inputs = [{ toolName: text, toolDescription: text, toolParameters: { [text]: text } }];
    const { registerTools } = await server.request(RegisterToolsDocument, { inputs });
    expect(registerTools).toMatchObject(inputs);
    expect((await server.request(ToolDocument, { name: text })).tool).toEqual(registerTools[0]);
  });
});

describe('a request', () => {
  test('may give an id as a number, and a single value for a list', async () => {
    const { createMemories } = await server.request(CreateMemoriesDocument, { inputs: { content: 'alone' } });
    expect(createMemories).toHaveLength(1);
    const id = createMemories[0]?.id ?? '';
    const { data } = await server.raw(MemoryDocument, { id: Number(id) });
    expect(data).toMatchObject({ memory: { id } });
    const inList = await server.raw(CountMemoriesDocument, { filters: { id: { in: id } } });
    expect(inList.data).toEqual({ memories: { totalCount: 1 } });
  });

  test('may ask for the same thing under many names, and gets it under each', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `a${i}`);
    const query = `{ ${names.map((name, i) => `${name}: similarMemories(text: "word ${i % 4}", k: 3) { distance memory { id } }`).join(' ')} }`;
    const { data, errors } = await server.raw(query);
    expect(errors).toBeUndefined();
    const answers = data as Record<string, unknown[]>;
    expect(Object.keys(answers)).toEqual(names);
    for (const [i, name] of names.entries()) {
      expect(answers[name]).toHaveLength(3);
      expect(answers[name]).toEqual(answers[`a${i % 4}`]);
    }
  });

  test('whose field fails answers the other fields', async () => {
    const { data, errors } = await server.raw(
      '{ wrong: memory(id: "x") { id } right: memory(id: "1") { id } }',
    );
    expect(data).toEqual({ wrong: null, right: { id: '1' } });
    expect(errors).toMatchObject([{ path: ['wrong'], extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});
