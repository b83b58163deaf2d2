import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hashVector } from '../../testkit/hash-embedder.ts';
import {
  ChunksDocument,
  CreateMemoriesDocument,
  CreateMemoryDocument,
  DocumentNeighboursDocument,
  IngestDocumentDocument,
  MemoriesDocument,
  MemoryEmbeddingDocument,
  MemoryNeighboursDocument,
  NeighboursOfMemoriesDocument,
  RegisterToolsDocument,
  SimilarChunksDocument,
  SimilarDocumentsDocument,
  SimilarMemoriesDocument,
  SimilarToolsDocument,
  ToolEmbeddingDocument,
  ToolNeighboursDocument,
  UpdateDocumentDocument,
  UpdateMemoryDocument,
} from '../generated/operations.ts';
import { FallibleEmbedder } from '../support/fallible-embedder.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
const embedder = new FallibleEmbedder();

beforeAll(async () => {
  server = await startTestServer({ embedder });
});
beforeEach(async () => {
  await server.sql('delete from memories');
  await server.sql('delete from documents');
  await server.sql('delete from tool_embeddings');
});
afterAll(() => server.close());

async function whileStopped<T>(work: () => Promise<T>): Promise<T> {
  embedder.stopped = true;
  try {
    return await work();
  } finally {
    embedder.stopped = false;
  }
}

const pending = { embeddingStatus: 'PENDING', embeddingModel: null };
const create = async (content: string) =>
  (await server.request(CreateMemoryDocument, { input: { content } })).createMemory;
const search = async (text: string) =>
  (await server.request(SimilarMemoriesDocument, { text, k: 200 })).similarMemories.map(
    ({ memory }) => memory.id,
  );

describe('while the embedder fails', () => {
  test('memories are stored as PENDING, whole batches too, and can be read but not found by meaning', async () => {
    const ready = await create('owls hunt at night');
    const stored = await whileStopped(async () => {
      const batch = await server.request(CreateMemoriesDocument, {
        inputs: [{ content: 'owls sleep at noon' }, { content: 'owls see in the dark' }],
      });
      return [await create('owls turn their heads'), ...batch.createMemories];
    });
    for (const memory of stored) expect(memory).toMatchObject(pending);
    const { memory } = await server.request(MemoryEmbeddingDocument, { id: stored[0]?.id ?? '' });
    expect(memory).toEqual({ ...pending, embedding: null, archivedAt: null });
    expect(await search('owls sleep at noon')).toEqual([ready.id]);
    const vector = [...hashVector('owls sleep at noon')];
    const byVector = await server.request(SimilarMemoriesDocument, { vector, options: { exact: true } });
    expect(byVector.similarMemories.map((match) => match.memory.id)).toEqual([ready.id]);
    const filters = { embeddingStatus: { eq: 'PENDING' as const } };
    expect((await server.request(MemoriesDocument, { filters })).memories.edges).toHaveLength(3);
    expect(
      (await server.request(SimilarMemoriesDocument, { text: 'owls', filters })).similarMemories,
    ).toEqual([]);
  });

  test('a memory that gets another content loses its old vector', async () => {
    const { id } = await create('plums are ripe');
    const changed = await whileStopped(() =>
      server.request(UpdateMemoryDocument, { id, input: { content: 'pears are ripe' } }),
    );
    expect(changed.updateMemory).toMatchObject({ content: 'pears are ripe', ...pending });
    expect(await search('plums are ripe')).toEqual([]);
  });

  test('a memory that keeps its content keeps its vector', async () => {
    const { id } = await create('plums are ripe');
    await whileStopped(() => server.request(UpdateMemoryDocument, { id, input: { importanceScore: 1 } }));
    expect(await search('plums are ripe')).toEqual([id]);
  });

  test('documents and tools are stored with PENDING chunks and tools', async () => {
    const content = 'Herons stand in the shallows. '.repeat(30);
    await whileStopped(async () => {
      const input = { filename: 'herons.txt', content, chunkSize: 30 };
      const { ingestDocument } = await server.request(IngestDocumentDocument, { input });
      expect(ingestDocument).toMatchObject({ created: true });
      expect(ingestDocument.chunkCount).toBeGreaterThan(2);
      const tool = { toolName: 'heron', toolDescription: 'counts herons' };
      const { registerTools } = await server.request(RegisterToolsDocument, { inputs: [tool] });
      expect(registerTools).toMatchObject([pending]);
    });
    const { chunks } = await server.request(ChunksDocument);
    expect(chunks.edges.length).toBeGreaterThan(2);
    for (const { node } of chunks.edges) expect(node).toMatchObject(pending);
    const text = 'herons';
    expect(await server.request(SimilarChunksDocument, { text })).toEqual({ similarChunks: [] });
    expect(await server.request(SimilarDocumentsDocument, { text })).toEqual({ similarDocuments: [] });
    expect(await server.request(SimilarToolsDocument, { text })).toEqual({ similarTools: [] });
    const asked = await server.request(ToolEmbeddingDocument, { name: 'heron' });
    expect(asked.tool).toEqual({ ...pending, embedding: null });
  });

  test('a search by text says that it is unavailable, and one by vector works', async () => {
    const { id } = await create('plums are ripe');
    await whileStopped(async () => {
      await expect(search('plums')).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: 'The embedding model stopped. Try again in a moment.',
      });
      const vector = [...hashVector('plums')];
      const { similarMemories } = await server.request(SimilarMemoriesDocument, { vector });
      expect(similarMemories.map(({ memory }) => memory.id)).toEqual([id]);
    });
    expect(await search('plums')).toEqual([id]);
  });
});

describe('what is PENDING', () => {
  test('has no neighbours of its own, and is found near to others by its text', async () => {
    const ready = await create('geese fly south');
    const waiting = await whileStopped(() => create('geese fly north'));
    const ask = async (id: string, text?: string) =>
      (await server.request(MemoryNeighboursDocument, { id, text })).memory?.similar.map(
        ({ memory }) => memory.id,
      );
    expect(await ask(waiting.id)).toEqual([]);
    expect(await ask(waiting.id, 'geese')).toEqual([ready.id]);
    expect(await ask(ready.id)).toEqual([]);
    const { memories } = await server.request(NeighboursOfMemoriesDocument, { k: 5 });
    expect(memories.edges.map(({ node }) => node.similar)).toEqual([[], []]);
  });

  test('document or tool has no neighbours of its own', async () => {
    const ingest = (filename: string, content: string) =>
      server.request(IngestDocumentDocument, { input: { filename, content } });
    const register = (toolName: string) =>
      server.request(RegisterToolsDocument, { inputs: [{ toolName, toolDescription: 'catches fish' }] });
    await ingest('ready.txt', 'geese fly south');
    await register('net');
    const waiting = await whileStopped(async () => {
      await register('rod');
      return ingest('waiting.txt', 'geese fly north');
    });
    const { id } = waiting.ingestDocument.document;
    expect((await server.request(DocumentNeighboursDocument, { id })).document?.similar).toEqual([]);
    expect((await server.request(ToolNeighboursDocument, { name: 'rod' })).tool?.similar).toEqual([]);
    expect((await server.request(ToolNeighboursDocument, { name: 'net' })).tool?.similar).toEqual([]);
  });

  test('gets its vector when it is written again', async () => {
    const { id } = await whileStopped(() => create('geese fly north'));
    const content = 'geese fly north';
    const { updateMemory } = await server.request(UpdateMemoryDocument, { id, input: { content } });
    expect(updateMemory).toMatchObject({ embeddingStatus: 'READY', embeddingModel: embedder.model });
    expect(await search(content)).toEqual([id]);
    const { ingestDocument } = await whileStopped(() =>
      server.request(IngestDocumentDocument, { input: { filename: 'geese.txt', content } }),
    );
    await server.request(UpdateDocumentDocument, { id: ingestDocument.document.id, input: { content } });
    const { similarDocuments } = await server.request(SimilarDocumentsDocument, { text: content });
    expect(similarDocuments.map(({ document }) => document.id)).toEqual([ingestDocument.document.id]);
  });
});
