import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashVector } from '../../../testkit/hash-embedder.ts';
import {
  DocumentChunksDocument,
  IngestDocumentDocument,
  type IngestDocumentInput,
  UpdateDocumentDocument,
  type UpdateDocumentInput,
} from '../../generated/operations.ts';
import { FallibleEmbedder } from '../../support/fallible-embedder.ts';
import { cosine } from '../../support/real-embedder.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

const embedder = new FallibleEmbedder();
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ embedder });
});
afterAll(() => server.close());

const ingest = async (input: IngestDocumentInput) =>
  (await server.request(IngestDocumentDocument, { input })).ingestDocument;
const update = async (id: string, input: UpdateDocumentInput) =>
  (await server.request(UpdateDocumentDocument, { id, input })).updateDocument;
const chunksOf = async (id: string) => {
  const { document } = await server.request(DocumentChunksDocument, { id, first: 200 });
  return document?.chunks.edges.map(({ node }) => node) ?? [];
};

/** The texts that are embedded while `work` runs. */
async function embeddedBy(work: () => Promise<unknown>): Promise<string[]> {
  const before = embedder.embedded.length;
  await work();
  return embedder.embedded.slice(before);
}

/** Paragraphs, each of which is a chunk of its own by `sizes`. */
const sizes = { chunkSize: 12, overlap: 0 };
const paragraph = (name: string) => `The ship ${name} sails to the old harbour.\n\n`;
const textOf = (names: readonly string[]) => names.map(paragraph).join('');

async function expectEmbedded(id: string) {
  for (const chunk of await chunksOf(id)) {
    expect(chunk.embeddingStatus).toBe('READY');
    expect(cosine(chunk.embedding ?? [], hashVector(chunk.content))).toBeCloseTo(1, 5);
  }
}

describe('a changed document', () => {
  test('has only the chunks embedded whose text is new', async () => {
    const { document } = await ingest({
      filename: 'a.txt',
      content: textOf(['Ada', 'Bea', 'Cleo']),
      ...sizes,
    });
    const change = textOf(['Zoe', 'Ada', 'Cleo', 'Dora']);
    const embedded = await embeddedBy(() => update(document.id, { content: change, ...sizes }));
    expect(embedded).toEqual([paragraph('Zoe'), paragraph('Dora')]);
    expect((await chunksOf(document.id)).map(({ content }) => content)).toEqual(
      ['Zoe', 'Ada', 'Cleo', 'Dora'].map(paragraph),
    );
    await expectEmbedded(document.id);
  });

  test('has nothing embedded if it becomes shorter, or if one text comes more often', async () => {
    const { document } = await ingest({
      filename: 'b.txt',
      content: textOf(['Eva', 'Fay', 'Gil']),
      ...sizes,
    });
    const shorter = textOf(['Gil', 'Eva']);
    expect(await embeddedBy(() => update(document.id, { content: shorter, ...sizes }))).toEqual([]);
    const repeated = textOf(['Eva', 'Gil', 'Eva', 'Eva']);
    expect(await embeddedBy(() => update(document.id, { content: repeated, ...sizes }))).toEqual([]);
    expect(await chunksOf(document.id)).toHaveLength(4);
    await expectEmbedded(document.id);
  });

  test('has rows embedded again that stand behind another header of their table', async () => {
    const rows = Array.from({ length: 30 }, (_, i) => `oak-${i},${i * 3}\n`).join('');
    const file = { filename: 'trees.csv', chunkSize: 40, overlap: 0 };
    const { document } = await ingest({ ...file, content: `tree,age\n${rows}` });
    const before = await chunksOf(document.id);
    const change = { content: `wood,age\n${rows}`, chunkSize: 40, overlap: 0 };
    const embedded = await embeddedBy(() => update(document.id, change));
    const after = await chunksOf(document.id);
    expect(after.map(({ content }) => content).slice(1)).toEqual(
      before.map(({ content }) => content).slice(1),
    );
    expect(embedded).toHaveLength(after.length);
    expect(embedded.every((text) => text.includes('wood'))).toBe(true);
  });

  test('takes no vector from another document, of another model, or of the client', async () => {
    const content = textOf(['Hal', 'Ida']);
    await ingest({ filename: 'c.txt', content, ...sizes });
    const { document } = await ingest({ filename: 'd.txt', content: textOf(['Jan']), ...sizes });
    const changed = `${content}${paragraph('Kim')}`;
    expect(await embeddedBy(() => update(document.id, { content: changed, ...sizes }))).toHaveLength(3);

    await server.sql(`update document_chunks set embedding_model = 'another' where document_id = $1`, [
      document.id,
    ]);
    const again = `${paragraph('Lea')}${changed}`;
    expect(await embeddedBy(() => update(document.id, { content: again, ...sizes }))).toHaveLength(4);

    await server.sql(`update document_chunks set embedding_source = 'CLIENT' where document_id = $1`, [
      document.id,
    ]);
    expect(await embeddedBy(() => update(document.id, { content: changed, ...sizes }))).toHaveLength(3);
    await expectEmbedded(document.id);
  });

  test('keeps vectors of both generations while the model is being changed', async () => {
    const { document } = await ingest({ filename: 'e.txt', content: textOf(['Mia', 'Ned']), ...sizes });
    await server.sql(
      `update document_chunks set next_embedding = embedding, next_embedding_model = 'next' where document_id = $1`,
      [document.id],
    );
    const content = textOf(['Ned', 'Mia', 'Ole']);
    expect(await embeddedBy(() => update(document.id, { content, ...sizes }))).toEqual([paragraph('Ole')]);
    const rows = await server.sql(
      `select embedding_model, next_embedding_model, next_embedding = embedding as same from document_chunks
        where document_id = $1 order by chunk_index`,
      [document.id],
    );
    const both = { embedding_model: embedder.model, next_embedding_model: 'next', same: true };
    expect(rows).toEqual([
      both,
      both,
      { embedding_model: embedder.model, next_embedding_model: null, same: null },
    ]);
  });
});
