import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EMBEDDING_DIMENSIONS } from '../../schema/columns/vector.ts';
import { fillOnce } from '../../src/store/filler.ts';
import { hashVector } from '../../testkit/hash-embedder.ts';
import {
  CreateMemoriesAndWaitDocument,
  CreateMemoryAndWaitDocument,
  DocumentStatusesDocument,
  EmbeddingsDocument,
  IngestDocumentAndWaitDocument,
  MemoryStatusesDocument,
  RegisterToolsAndWaitDocument,
  SimilarMemoriesDocument,
  UpdateDocumentAndWaitDocument,
  UpdateMemoryAndWaitDocument,
} from '../generated/operations.ts';
import { FallibleEmbedder } from '../support/fallible-embedder.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
/** Embeds `quick` texts of each write and then waits until the write gives up. */
class SlowEmbedder extends FallibleEmbedder {
  quick = Number.POSITIVE_INFINITY;

  override async embed(
    texts: readonly string[],
    options: Parameters<FallibleEmbedder['embed']>[1] = {},
  ): Promise<Float32Array[]> {
    const { signal, onVector, background } = options;
    if (background || texts.length <= this.quick) return super.embed(texts, options);
    for (const [i, text] of texts.slice(0, this.quick).entries()) onVector?.(i, hashVector(text));
    return new Promise((_, reject) => {
      if (signal?.aborted) reject(signal.reason);
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  }
}
const embedder = new SlowEmbedder();
let woken = 0;
const filler = {
  wake: () => {
    woken += 1;
  },
};

beforeAll(async () => {
  // Short, because the embedder of these tests never finishes what it does not finish at once.
  server = await startTestServer({ embedder, filler, settings: { FUNES_WRITE_WAIT: '20ms' } });
});
beforeEach(async () => {
  embedder.quick = Number.POSITIVE_INFINITY;
  embedder.poison = undefined;
  woken = 0;
  for (const table of ['memories', 'memories_archive', 'documents', 'tool_embeddings'])
    await server.sql(`delete from ${table}`);
  await server.sql('update installation set embedding_model = null');
});
afterAll(() => server.close());

/** Embeds all that waits, as the filler of a server does. */
async function fillAll(): Promise<void> {
  const log = { info: () => {}, warn: () => {} };
  for (;;) {
    const { embedded, refused } = await fillOnce({ database: server.database.pool, embedder, log });
    if (embedded + refused === 0) return;
  }
}

const search = async (text: string) =>
  (await server.request(SimilarMemoriesDocument, { text })).similarMemories.map(
    ({ memory }) => memory.content,
  );
const counts = async () => (await server.request(EmbeddingsDocument)).embeddings;
const documentStatuses = async () =>
  (await server.request(DocumentStatusesDocument, {})).documents.edges.map(
    ({ node }) => node.embeddingStatus,
  );
const model = embedder.model;

const herons = 'Herons stand in the shallows. '.repeat(30);

describe('a write that does not wait', () => {
  test('stores memories as PENDING without the model, and they are found when the filler has embedded them', async () => {
    const { calls } = embedder;
    const inputs = [{ content: 'owls hunt at night' }, { content: 'owls sleep at noon' }];
    const { createMemories } = await server.request(CreateMemoriesAndWaitDocument, { inputs, wait: false });
    expect(createMemories.map(({ embeddingStatus }) => embeddingStatus)).toEqual(['PENDING', 'PENDING']);
    const { createMemory } = await server.request(CreateMemoryAndWaitDocument, {
      input: { content: 'an owl' },
      wait: false,
    });
    expect(createMemory.embeddingStatus).toBe('PENDING');
    expect(embedder.calls).toBe(calls);
    expect(woken).toBe(2);
    expect(await search('owls hunt')).toEqual([]);
    await fillAll();
    expect(await search('owls hunt')).toEqual(['owls hunt at night', 'owls sleep at noon', 'an owl']);
  });

  test('clears the vector of the text that a memory had before', async () => {
    const { createMemory } = await server.request(CreateMemoryAndWaitDocument, {
      input: { content: 'plums are ripe' },
      wait: true,
    });
    expect(createMemory.embeddingStatus).toBe('READY');
    expect(woken).toBe(0);
    const { updateMemory } = await server.request(UpdateMemoryAndWaitDocument, {
      id: createMemory.id,
      input: { content: 'pears are ripe' },
      wait: false,
    });
    expect(updateMemory).toMatchObject({ embeddingStatus: 'PENDING', embeddingModel: null });
    expect(await search('plums are ripe')).toEqual([]);
    await fillAll();
    expect(await search('pears')).toEqual(['pears are ripe']);
  });

  test('stores tools and documents as PENDING; the chunks are there at once', async () => {
    const inputs = [{ toolName: 'heron', toolDescription: 'counts herons' }];
    await server.request(RegisterToolsAndWaitDocument, { inputs, wait: true });
    const { registerTools } = await server.request(RegisterToolsAndWaitDocument, {
      inputs: [{ toolName: 'heron', toolDescription: 'feeds herons' }],
      wait: false,
    });
    expect(registerTools).toMatchObject([{ embeddingStatus: 'PENDING' }]);
    const input = { filename: 'herons.txt', content: herons, chunkSize: 30 };
    const { calls } = embedder;
    const { ingestDocument } = await server.request(IngestDocumentAndWaitDocument, { input, wait: false });
    expect(embedder.calls).toBe(calls);
    const { chunkCount, document } = ingestDocument;
    expect(chunkCount).toBeGreaterThan(4);
    expect(document.embeddingStatus).toBe('PENDING');
    expect(await counts()).toEqual([
      { kind: 'CHUNK', status: 'PENDING', model: null, count: chunkCount },
      { kind: 'TOOL', status: 'PENDING', model: null, count: 1 },
    ]);
    await fillAll();
    expect(await documentStatuses()).toEqual(['READY']);
    const { updateDocument } = await server.request(UpdateDocumentAndWaitDocument, {
      id: document.id,
      input: { content: `${herons} Bitterns hide.`, chunkSize: 30 },
      wait: false,
    });
    expect(updateDocument.embeddingStatus).toBe('PENDING');
    await fillAll();
    expect(await documentStatuses()).toEqual(['READY']);
  });

  test('stores vectors of the client’s own at once, and leaves the rest to the filler', async () => {
    const own = (at: number) => ({
      embedding: Array.from({ length: EMBEDDING_DIMENSIONS }, (_, i) => (i === at ? 1 : 0)),
      embeddingModel: 'mine',
    });
    const { calls } = embedder;
    const { createMemories } = await server.request(CreateMemoriesAndWaitDocument, {
      inputs: [{ content: 'an owl' }, { content: 'a heron', ...own(0) }],
      wait: false,
    });
    expect(createMemories.map(({ embeddingStatus }) => embeddingStatus)).toEqual(['PENDING', 'READY']);
    const { updateMemory } = await server.request(UpdateMemoryAndWaitDocument, {
      id: createMemories[0]?.id ?? '',
      input: { content: 'two owls', ...own(1) },
      wait: false,
    });
    expect(updateMemory).toMatchObject({ embeddingStatus: 'READY', embeddingModel: 'mine' });
    const { registerTools } = await server.request(RegisterToolsAndWaitDocument, {
      inputs: [
        { toolName: 'own', toolDescription: 'counts owls', ...own(2) },
        { toolName: 'heron', toolDescription: 'counts herons' },
      ],
      wait: false,
    });
    expect(registerTools.map(({ embeddingStatus }) => embeddingStatus)).toEqual(['READY', 'PENDING']);
    const chunks = [{ content: 'One chunk. ', ...own(3) }, { content: 'Another chunk.' }];
    const input = { filename: 'cut.pdf', chunks };
    await server.request(IngestDocumentAndWaitDocument, { input, wait: false });
    expect(embedder.calls).toBe(calls);
    expect(await counts()).toEqual([
      { kind: 'MEMORY', status: 'READY', model: 'mine', count: 2 },
      { kind: 'CHUNK', status: 'PENDING', model: null, count: 1 },
      { kind: 'CHUNK', status: 'READY', model: 'mine', count: 1 },
      { kind: 'TOOL', status: 'PENDING', model: null, count: 1 },
      { kind: 'TOOL', status: 'READY', model: 'mine', count: 1 },
    ]);
    const ownVectors = () =>
      server.sql(
        `select 'chunk' as kind, content as name, embedding::text from document_chunks where embedding_source = 'CLIENT'
         union all select 'tool', tool_name, embedding::text from tool_embeddings where embedding_source = 'CLIENT'
         union all select 'memory', content, embedding::text from memories where embedding_source = 'CLIENT' order by kind, name`,
      );
    const before = await ownVectors();
    expect(before).toHaveLength(4);
    await fillAll();
    expect(await ownVectors()).toEqual(before);
    expect((await counts()).filter(({ status }) => status !== 'READY')).toEqual([]);
  });

  test('does not write a tool that is as it was and PENDING; a write that waits embeds it', async () => {
    const inputs = [{ toolName: 'heron', toolDescription: 'counts herons' }];
    await server.request(RegisterToolsAndWaitDocument, { inputs, wait: false });
    const before = await server.contents();
    const again = await server.request(RegisterToolsAndWaitDocument, { inputs, wait: false });
    expect(again.registerTools).toMatchObject([{ embeddingStatus: 'PENDING' }]);
    expect(await server.contents()).toEqual(before);
    const { registerTools } = await server.request(RegisterToolsAndWaitDocument, { inputs, wait: true });
    expect(registerTools).toMatchObject([{ embeddingStatus: 'READY' }]);
  });
});

describe('a write that waits', () => {
  test('embeds only the chunks without a vector of the client’s own', async () => {
    const { texts } = embedder;
    const embedding = Array.from({ length: EMBEDDING_DIMENSIONS }, (_, i) => (i === 0 ? 1 : 0));
    const chunks = [
      { content: 'One chunk. ', embedding, embeddingModel: 'mine' },
      { content: 'Another chunk.' },
    ];
    const input = { filename: 'cut.pdf', chunks };
    const { ingestDocument } = await server.request(IngestDocumentAndWaitDocument, { input, wait: true });
    expect(ingestDocument.document.embeddingStatus).toBe('READY');
    expect(embedder.texts).toBe(texts + 1);
    expect(woken).toBe(0);
  });

  test('stores what is not embedded in time as PENDING, and keeps what is', async () => {
    embedder.quick = 2;
    const inputs = ['one owl', 'two owls', 'three owls', 'four owls'].map((content) => ({ content }));
    const { createMemories } = await server.request(CreateMemoriesAndWaitDocument, { inputs, wait: true });
    expect(createMemories.map(({ embeddingStatus }) => embeddingStatus)).toEqual([
      'READY',
      'READY',
      'PENDING',
      'PENDING',
    ]);
    expect(woken).toBe(1);
    expect(server.log.map(({ msg }) => msg)).toContain(
      'embedding took longer than FUNES_WRITE_WAIT; the rest is embedded later',
    );
    await fillAll();
    expect(await counts()).toEqual([{ kind: 'MEMORY', status: 'READY', model, count: 4 }]);
  });

  test('stores a document in one transaction without vectors, and the vectors in short ones before the answer', async () => {
    const content = 'Bitterns boom in the reeds at dusk. '.repeat(80);
    const statements = await server.statementsOf(async () => {
      const input = { filename: 'bitterns.txt', content, chunkSize: 20, overlap: 0 };
      const { ingestDocument } = await server.request(IngestDocumentAndWaitDocument, { input, wait: true });
      expect(ingestDocument.chunkCount).toBeGreaterThan(20);
      expect(ingestDocument.document.embeddingStatus).toBe('READY');
    });
    const texts = statements.map(({ text }) => text);
    const inserted = texts.findIndex((text) => text.includes('insert into "document_chunks"'));
    const committed = texts.findIndex((text, i) => i > inserted && /^commit/i.test(text));
    const stored = texts.flatMap((text, i) => (text.includes('free.vector::vector') ? [i] : []));
    expect(stored.length).toBeGreaterThan(1);
    expect(Math.min(...stored)).toBeGreaterThan(committed);
  });

  test('gives the chunks that are not embedded in time back, so that the filler embeds them at once', async () => {
    embedder.quick = 3;
    const input = { filename: 'herons.txt', content: herons, chunkSize: 30 };
    const { ingestDocument } = await server.request(IngestDocumentAndWaitDocument, { input, wait: true });
    expect(ingestDocument.document.embeddingStatus).toBe('PENDING');
    expect(woken).toBe(1);
    expect(await counts()).toEqual([
      { kind: 'CHUNK', status: 'PENDING', model: null, count: ingestDocument.chunkCount - 3 },
      { kind: 'CHUNK', status: 'READY', model, count: 3 },
    ]);
    await fillAll();
    expect(await documentStatuses()).toEqual(['READY']);
  });
});

describe('the status', () => {
  /** Stores a memory that can have no embedding. */
  async function failed(content: string): Promise<void> {
    await server.request(CreateMemoryAndWaitDocument, { input: { content }, wait: false });
    await server.sql(`update memories set embedding_error = 'too strange' where content = $1`, [content]);
  }

  test('FAILED has a reason, can be filtered by, and ends when the memory gets a new text', async () => {
    await failed('arsenic');
    await server.request(CreateMemoryAndWaitDocument, { input: { content: 'bread' }, wait: true });
    const filters = { embeddingStatus: { eq: 'FAILED' as const } };
    const { memories } = await server.request(MemoryStatusesDocument, { filters });
    const [edge] = memories.edges;
    expect(memories.edges).toHaveLength(1);
    expect(edge?.node).toMatchObject({
      content: 'arsenic',
      embeddingStatus: 'FAILED',
      embeddingError: 'too strange',
      embeddingModel: null,
    });
    expect(await counts()).toEqual([
      { kind: 'MEMORY', status: 'FAILED', model: null, count: 1 },
      { kind: 'MEMORY', status: 'READY', model, count: 1 },
    ]);
    const { updateMemory } = await server.request(UpdateMemoryAndWaitDocument, {
      id: edge?.node.id ?? '',
      input: { content: 'salt' },
      wait: false,
    });
    expect(updateMemory).toMatchObject({ embeddingStatus: 'PENDING', embeddingError: null });
  });

  test('STALE is that of vectors which the server made with another model, and not of those of clients', async () => {
    for (const content of ['old', 'of a client'])
      await server.request(CreateMemoryAndWaitDocument, { input: { content }, wait: true });
    await server.sql(`update memories set embedding_source = 'CLIENT' where content = 'of a client'`);
    await server.sql(`update installation set embedding_model = 'a newer model'`);
    const filters = { embeddingStatus: { eq: 'STALE' as const } };
    const { memories } = await server.request(MemoryStatusesDocument, { filters });
    expect(memories.edges.map(({ node }) => node)).toMatchObject([
      { content: 'old', embeddingStatus: 'STALE' },
    ]);
    expect(await counts()).toEqual([
      { kind: 'MEMORY', status: 'READY', model, count: 1 },
      { kind: 'MEMORY', status: 'STALE', model, count: 1 },
    ]);
  });

  test('of a document is the worst of its chunks, PENDING first; filters agree, and many documents are one statement', async () => {
    const update = (filename: string, index: number, set: string) =>
      server.sql(
        `update document_chunks set ${set} where chunk_index = ${index}
          and document_id = (select id from documents where filename = '${filename}')`,
      );
    for (const filename of ['ready', 'failed', 'pending', 'stale'])
      await server.request(IngestDocumentAndWaitDocument, {
        input: { filename, content: `${herons}${filename}`, chunkSize: 30 },
        wait: true,
      });
    const without = 'embedding = null, embedding_model = null';
    await update('failed', 1, `${without}, embedding_error = 'no'`);
    await update('failed', 2, `embedding_model = 'an older model'`);
    await update('pending', 1, `${without}, embedding_error = 'no'`);
    await update('pending', 2, without);
    await update('stale', 0, `embedding_model = 'an older model'`);
    await server.sql(`update installation set embedding_model = $1`, [model]);
    const statements = await server.statementsOf(async () => {
      const { documents } = await server.request(DocumentStatusesDocument, {});
      const found = documents.edges.map(({ node }) => [node.filename, node.embeddingStatus.toLowerCase()]);
      expect(found).toHaveLength(4);
      for (const [filename, status] of found) expect(status).toBe(filename);
    });
    expect(statements.filter(({ text }) => text.includes('bool_or'))).toHaveLength(1);
    for (const status of ['READY', 'FAILED', 'PENDING', 'STALE'] as const) {
      const filters = { embeddingStatus: { eq: status } };
      const { documents } = await server.request(DocumentStatusesDocument, { filters });
      expect(documents.edges.map(({ node }) => node.filename)).toEqual([status.toLowerCase()]);
    }
  });
});

test('the counts are one statement', async () => {
  const statements = await server.statementsOf(counts);
  expect(statements.filter(({ text }) => /^\s*select/.test(text))).toHaveLength(1);
});
