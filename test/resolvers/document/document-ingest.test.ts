import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hashVector } from '../../../testkit/hash-embedder.ts';
import {
  ChunkDocument,
  DeleteDocumentDocument,
  DocumentChunksDocument,
  type DocumentChunksQuery,
  DocumentDocument,
  DocumentsDocument,
  IngestDocumentDocument,
  type IngestDocumentInput,
  SimilarChunksDocument,
  SimilarDocumentsDocument,
  UpdateDocumentDocument,
  type UpdateDocumentInput,
} from '../../generated/operations.ts';
import { readTestFile } from '../../src/ingest/extract/files.ts';
import { cosine } from '../../support/real-embedder.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

afterEach(async () => {
  const [miscounted] = await server.sql<{ count: string }>(
    `select count(*) from documents d where
      total_chunks <> (select count(*) from document_chunks c where c.document_id = d.id and c.user_id = d.user_id
        and c.total_chunks = d.total_chunks) or
      total_chunks - 1 <> (select max(chunk_index) from document_chunks c where c.document_id = d.id)`,
  );
  expect(miscounted?.count).toBe('0');
});

const ingest = async (input: IngestDocumentInput) =>
  (await server.request(IngestDocumentDocument, { input })).ingestDocument;
const update = async (id: string, input: UpdateDocumentInput) =>
  (await server.request(UpdateDocumentDocument, { id, input })).updateDocument;
const read = async (id: string) => (await server.request(DocumentDocument, { id })).document;

type ReadChunk = NonNullable<DocumentChunksQuery['document']>['chunks']['edges'][number]['node'];
async function chunksOf(id: string): Promise<ReadChunk[]> {
  const chunks: ReadChunk[] = [];
  let after: string | null = null;
  do {
    const page: DocumentChunksQuery = await server.request(DocumentChunksDocument, { id, first: 200, after });
    chunks.push(...(page.document?.chunks.edges.map(({ node }) => node) ?? []));
    after = page.document?.chunks.pageInfo.hasNextPage ? page.document.chunks.pageInfo.endCursor : null;
  } while (after !== null);
  return chunks;
}

/** Expects the chunks to be pieces of the text in order, which make up the text without their overlaps. */
function expectCut(chunks: ReadChunk[], text: string, { chunkSize = 200, overlap = 40 } = {}) {
  expect(chunks.length).toBeGreaterThan(0);
  expect(chunks.map(({ chunkIndex }) => chunkIndex)).toEqual(chunks.map((_, i) => i));
  let end = 0;
  let joined = '';
  for (const chunk of chunks) {
    expect(chunk.content).toBe(text.slice(chunk.startOffset, chunk.endOffset));
    expect(chunk.startOffset).toBeLessThanOrEqual(end);
    joined += text.slice(end, chunk.endOffset);
    end = chunk.endOffset;
    expect(chunk.totalChunks).toBe(chunks.length);
    expect(chunk.chunkSize).toBeGreaterThan(0);
    expect(chunk.chunkSize).toBeLessThanOrEqual(chunkSize);
    expect(chunk.overlapSize).toBeLessThanOrEqual(overlap);
  }
  expect(joined).toBe(text);
}

let written = 0;
/** Returns a text that no other test ingests: `paragraphs` paragraphs of three sentences. */
function prose(paragraphs: number): string {
  const story = ++written;
  const sentences = (i: number) =>
    [
      `Story ${story} has a part ${i}.`,
      'Somebody walks to the harbour 🚢 and back.',
      `It takes ${i * 7} minutes.`,
    ].join(' ');
  return Array.from({ length: paragraphs }, (_, i) => sentences(i)).join('\n\n');
}

describe('ingestDocument', () => {
  test('stores the document with every field that is given, and its chunks with theirs', async () => {
    const content = prose(30);
    const input = {
      filename: 'harbour.md',
      filePath: '/notes/harbour.md',
      userId: 'ada',
      metadata: { tags: ['harbour'], draft: false },
      content,
      chunkSize: 64,
      overlap: 12,
    };
    const { document, created, chunkCount } = await ingest(input);
    expect(created).toBe(true);
    expect(document).toMatchObject({
      filename: 'harbour.md',
      filePath: '/notes/harbour.md',
      fileType: 'md',
      userId: 'ada',
      metadata: input.metadata,
      fileSize: Buffer.byteLength(content),
      contentHash: createHash('sha256').update(content).digest('hex'),
      totalChunks: chunkCount,
    });
    expect(await read(document.id)).toEqual(document);
    const chunks = await chunksOf(document.id);
    expect(chunks).toHaveLength(chunkCount);
    expect(chunkCount).toBeGreaterThan(5);
    expectCut(chunks, content, { chunkSize: 64, overlap: 12 });
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({
        userId: 'ada',
        documentId: document.id,
        embeddingStatus: 'READY',
        metadata: {},
      });
      expect(cosine(chunk.embedding ?? [], hashVector(chunk.content))).toBeCloseTo(1, 5);
    }
  });

  test('fills in what is left out', async () => {
    const content = prose(1);
    const { document, chunkCount } = await ingest({ filename: 'README', content });
    expect(document).toMatchObject({ filePath: null, fileType: 'txt', userId: 'default_user', metadata: {} });
    expect(chunkCount).toBe(1);
    expect((await chunksOf(document.id))[0]).toMatchObject({
      content,
      startOffset: 0,
      endOffset: content.length,
      overlapSize: 0,
      contentSummary: null,
    });
  });

  test('cuts without overlap when it is 0, so that the chunks join up', async () => {
    const content = prose(20);
    const { document } = await ingest({ filename: 'plain.txt', content, chunkSize: 50, overlap: 0 });
    const chunks = await chunksOf(document.id);
    expectCut(chunks, content, { chunkSize: 50, overlap: 0 });
    expect(chunks.map((chunk) => chunk.content).join('')).toBe(content);
  });

  test('keeps a document of more chunks than one statement writes', async () => {
    const content = prose(120);
    const { document, chunkCount } = await ingest({
      filename: 'long.txt',
      content,
      chunkSize: 16,
      overlap: 0,
    });
    expect(chunkCount).toBeGreaterThan(200);
    expectCut(await chunksOf(document.id), content, { chunkSize: 16, overlap: 0 });
  });

  test('reads bytes as the text they hold: UTF-8 with its mark, UTF-16, and types that the name does not tell', async () => {
    const content = 'Größe, 大きさ and размер.';
    const files = [
      { filename: 'a.txt', bytes: Buffer.from(`\ufeff${content}`) },
      { filename: 'b.txt', bytes: Buffer.from(`\ufeff${content}`, 'utf16le') },
      { filename: 'c.unknown', fileType: 'text/markdown', bytes: Buffer.from(`${content}\n`) },
    ];
    for (const { bytes, ...input } of files) {
      const { document, created } = await ingest({ ...input, contentBase64: bytes.toString('base64') });
      expect(created).toBe(true);
      expect(document).toMatchObject({
        fileSize: bytes.length,
        contentHash: createHash('sha256').update(bytes).digest('hex'),
        fileType: input.fileType === undefined ? 'txt' : 'md',
      });
      expect((await chunksOf(document.id)).map((chunk) => chunk.content.trim())).toEqual([content]);
    }
  });

  test('takes a number, a pictograph or a letter of any script for text', async () => {
    for (const content of ['--- 42 ---', '\u2764\ufe0f', '# \u3042', '*** \u0635']) {
      const { chunkCount, created } = await ingest({ filename: 'short.md', content });
      expect({ chunkCount, created }).toEqual({ chunkCount: 1, created: true });
    }
  });
});

describe('a file of another format', () => {
  const send = (name: string) =>
    ingest({
      filename: name,
      contentBase64: readTestFile(name).toString('base64'),
      chunkSize: 24,
      overlap: 0,
    });

  test.each([
    ['manual.pdf', 'pdf', 'compressor needs an overhaul', { page: 2 }],
    [
      'report-libreoffice.docx',
      'docx',
      'northern berths are closed',
      { headings: ['Berths', 'Winter rules'] },
    ],
    ['talk.pptx', 'pptx', 'chicks fledge', { slide: 1, headings: ['Gulls nest on cliffs'] }],
    ['ledger.xlsx', 'xlsx', 'Boatswain', { sheet: 'Crew' }],
  ])(
    'is stored with its text, and each chunk says where it stands: %s',
    async (name, fileType, words, metadata) => {
      const { document } = await send(name);
      expect(document).toMatchObject({
        fileType,
        fileSize: readTestFile(name).length,
        contentHash: createHash('sha256').update(readTestFile(name)).digest('hex'),
        metadata: {},
      });
      const chunks = await chunksOf(document.id);
      const text = chunks.map(({ content }) => content).join('');
      expectCut(chunks, text, { chunkSize: 24, overlap: 0 });
      expect(chunks.find(({ content }) => content.includes(words))).toMatchObject({ metadata });
    },
  );

  test('has the header of its table in the metadata, the embedding and the words of each chunk, and not in the content', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `Hilda ${i},Stoker`).join('\n');
    const { document } = await ingest({
      filename: 'crew.csv',
      content: `Seafarer,Watch\n${rows}\n`,
      chunkSize: 40,
      overlap: 0,
    });
    const [first, ...later] = await chunksOf(document.id);
    const tableHeader = '| Seafarer | Watch |';
    expect(first).toMatchObject({ metadata: { tableHeader } });
    expect(first?.content.startsWith(tableHeader)).toBe(true);
    expect(cosine(first?.embedding ?? [], hashVector(first?.content ?? ''))).toBeCloseTo(1, 5);
    expect(later.length).toBeGreaterThan(5);
    for (const chunk of later) {
      expect(chunk.metadata).toEqual({ tableHeader });
      expect(chunk.content).not.toContain('Seafarer');
      expect(chunk.content).toMatch(/^(?:\| Hilda \d+ \| Stoker \|\n?)+$/);
      const embedded = hashVector(`${tableHeader}\n${chunk.content}`);
      expect(cosine(chunk.embedding ?? [], embedded)).toBeCloseTo(1, 5);
    }
    const { similarChunks } = await server.request(SimilarChunksDocument, {
      text: 'seafarers',
      k: 50,
      options: { mode: 'KEYWORD' },
    });
    expect(new Set(similarChunks.map(({ chunk }) => chunk.id))).toEqual(
      new Set([first, ...later].map((chunk) => chunk?.id)),
    );
  });

  test('has its chunks found by where they stand', async () => {
    await send('manual.pdf');
    const { similarChunks } = await server.request(SimilarChunksDocument, {
      text: 'lighthouse',
      k: 20,
      filters: { metadata: { contains: { page: 3 } } },
    });
    expect(similarChunks.map(({ chunk }) => chunk.content).join(' ')).toContain(
      'carries provisions twice a month',
    );
    for (const { chunk } of similarChunks) expect(chunk.metadata).toEqual({ page: 3 });
  });

  test('may come as text if it is text', async () => {
    const { document } = await ingest({
      filename: 'page.html',
      content:
        '<nav>Home</nav><h1>Gulls</h1><p>They nest on cliffs.<script>track()</script><h2>Eggs</h2><p>Three.',
    });
    expect(document.fileType).toBe('html');
    expect((await chunksOf(document.id)).map(({ content, metadata }) => [content, metadata])).toEqual([
      ['# Gulls\n\nThey nest on cliffs.\n\n## Eggs\n\nThree.\n', { headings: ['Gulls'] }],
    ]);
  });

  test('takes the place of another format in an update, and leaves the metadata of the document', async () => {
    const { document } = await ingest({ filename: 'a.txt', content: prose(1), metadata: { shelf: 1 } });
    const csv = await update(document.id, { filename: 'a.csv', content: 'Name,Rank\nÍsa,Boatswain\n' });
    expect(csv).toMatchObject({ fileType: 'csv', metadata: { shelf: 1 } });
    expect((await chunksOf(document.id)).map(({ content }) => content)).toEqual([
      '| Name | Rank |\n| --- | --- |\n| Ísa | Boatswain |',
    ]);
  });
});

describe('the same bytes again', () => {
  test('change nothing and give the first document, whatever else is said of them', async () => {
    const content = prose(3);
    const first = await ingest({ filename: 'first.txt', content, metadata: { first: true } });
    const before = await server.contents();
    const contentBase64 = Buffer.from(content).toString('base64');
    for (const [again, differs] of [
      [{ filename: 'first.txt', content }, []],
      [
        { filename: 'other.md', content, chunkSize: 20, metadata: { second: true } },
        ['filename', 'metadata'],
      ],
      [{ filename: 'bytes.txt', contentBase64 }, ['filename']],
    ] as const) {
      expect(await ingest(again)).toEqual({ ...first, created: false, outcome: 'UNCHANGED', differs });
    }
    expect(await server.contents()).toEqual(before);
  });

  test('by several requests at once store one document', async () => {
    const content = prose(12);
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, i) => ingest({ filename: `${i}.txt`, content, chunkSize: 30 })),
    );
    expect(new Set(answers.map(({ document }) => document.id)).size).toBe(1);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    const id = answers[0]?.document.id ?? '';
    expectCut(await chunksOf(id), content, { chunkSize: 30, overlap: 6 });
  });

  test('of another user are that user’s own document', async () => {
    const content = prose(1);
    const mine = await ingest({ filename: 'a.txt', content, userId: 'ada' });
    const theirs = await ingest({ filename: 'a.txt', content, userId: 'grace' });
    expect(theirs).toMatchObject({ created: true, document: { userId: 'grace' } });
    expect(theirs.document.id).not.toBe(mine.document.id);
    expect((await chunksOf(theirs.document.id))[0]?.userId).toBe('grace');
  });
});

describe('updateDocument', () => {
  const age = (id: string) =>
    server.sql(`update documents set updated_at = '2001-01-01', processed_at = '2001-01-01' where id = $1`, [
      id,
    ]);

  test('of what is said of it leaves its chunks, and renews updatedAt alone', async () => {
    const { document } = await ingest({ filename: 'before.txt', filePath: '/before', content: prose(2) });
    const chunks = await chunksOf(document.id);
    await age(document.id);
    const updated = await update(document.id, { filename: 'after.txt', filePath: null, metadata: { a: 1 } });
    expect(updated).toEqual({
      ...document,
      filename: 'after.txt',
      filePath: null,
      metadata: { a: 1 },
      processedAt: '2001-01-01T00:00:00.000Z',
      updatedAt: updated.updatedAt,
    });
    expect(Date.parse(updated.updatedAt)).toBeGreaterThan(Date.parse('2002-01-01'));
    expect(await chunksOf(document.id)).toEqual(chunks);
  });

  test('with nothing to change changes nothing', async () => {
    const { document } = await ingest({ filename: 'same.txt', content: prose(1) });
    const before = await server.contents();
    expect(await update(document.id, {})).toEqual(document);
    expect(await server.contents()).toEqual(before);
  });

  test('with new text replaces all its chunks, to more and to fewer', async () => {
    const { document } = await ingest({ filename: 'text.txt', content: prose(4), chunkSize: 30 });
    const [old] = await chunksOf(document.id);
    for (const paragraphs of [20, 1, 5]) {
      await age(document.id);
      const content = prose(paragraphs);
      const updated = await update(document.id, { content, chunkSize: 30 });
      expect(updated).toMatchObject({
        id: document.id,
        filename: 'text.txt',
        contentHash: createHash('sha256').update(content).digest('hex'),
        fileSize: Buffer.byteLength(content),
      });
      expect(Date.parse(updated.processedAt)).toBeGreaterThan(Date.parse('2002-01-01'));
      expect(updated.updatedAt).toBe(updated.processedAt);
      const chunks = await chunksOf(document.id);
      expect(chunks).toHaveLength(updated.totalChunks);
      expectCut(chunks, content, { chunkSize: 30, overlap: 6 });
    }
    expect((await server.request(ChunkDocument, { id: old?.id ?? '' })).chunk).toBeNull();
  });

  test('with its own bytes cuts them anew', async () => {
    const content = prose(6);
    const { document, chunkCount } = await ingest({ filename: 'recut.txt', content });
    const updated = await update(document.id, { content, chunkSize: 24, overlap: 4 });
    expect(updated.totalChunks).toBeGreaterThan(chunkCount);
    expect(updated.contentHash).toBe(document.contentHash);
    expectCut(await chunksOf(document.id), content, { chunkSize: 24, overlap: 4 });
  });

  test('to the format of a new name reads the new text so', async () => {
    const { document } = await ingest({ filename: 'a.txt', content: prose(1) });
    expect((await update(document.id, { filename: 'a.md', content: prose(1) })).fileType).toBe('md');
    expect((await update(document.id, { content: prose(1) })).fileType).toBe('md');
    expect((await update(document.id, { content: prose(1), fileType: 'text/plain' })).fileType).toBe('txt');
  });

  test('to the bytes of another document is a CONFLICT and changes nothing', async () => {
    const content = prose(2);
    const other = await ingest({ filename: 'other.txt', content });
    const { document } = await ingest({ filename: 'this.txt', content: prose(2) });
    const before = await server.contents();
    await expect(update(document.id, { content, filename: 'renamed.txt' })).rejects.toMatchObject({
      code: 'CONFLICT',
      message:
        `Document ${other.document.id} ("other.txt") consists of exactly these bytes, and a user can have such a document only ` +
        'once. Use that document, or delete it first.',
    });
    expect(await server.contents()).toEqual(before);
  });

  test('by several requests at once leaves the text of one of them, whole', async () => {
    const { document } = await ingest({ filename: 'contended.txt', content: prose(2) });
    const texts = [prose(9), prose(3), prose(6), prose(1)];
    await Promise.all(texts.map((content) => update(document.id, { content, chunkSize: 30, overlap: 0 })));
    const chunks = await chunksOf(document.id);
    const winner = texts.find((text) => text === chunks.map(({ content }) => content).join(''));
    expect(winner).toBeDefined();
    expect((await read(document.id))?.contentHash).toBe(
      createHash('sha256')
        .update(winner ?? '')
        .digest('hex'),
    );
  });
});

describe('deleteDocument', () => {
  test('deletes the document and its chunks from lookups, lists and searches', async () => {
    const content = 'Ospreys nest on the old crane.';
    const { document } = await ingest({ filename: 'ospreys.txt', content });
    const [chunk] = await chunksOf(document.id);
    expect(await server.request(DeleteDocumentDocument, { id: document.id })).toEqual({
      deleteDocument: true,
    });
    expect(await read(document.id)).toBeNull();
    expect((await server.request(ChunkDocument, { id: chunk?.id ?? '' })).chunk).toBeNull();
    const { documents } = await server.request(DocumentsDocument, { filters: { id: { eq: document.id } } });
    expect(documents.edges).toEqual([]);
    const near = { text: content, k: 1 };
    const { similarChunks } = await server.request(SimilarChunksDocument, near);
    expect(similarChunks[0]?.chunk.documentId).not.toBe(document.id);
    const { similarDocuments } = await server.request(SimilarDocumentsDocument, near);
    expect(similarDocuments[0]?.document.id).not.toBe(document.id);
    expect(await server.request(DeleteDocumentDocument, { id: document.id })).toEqual({
      deleteDocument: false,
    });
  });

  test('lets the same bytes be ingested as a new document', async () => {
    const content = prose(2);
    const first = await ingest({ filename: 'again.txt', content });
    await server.request(DeleteDocumentDocument, { id: first.document.id });
    const second = await ingest({ filename: 'again.txt', content });
    expect(second.created).toBe(true);
    expect(second.document.id).not.toBe(first.document.id);
  });

  test('while the same document is ingested and updated leaves whole documents or none', async () => {
    const content = prose(4);
    const { document } = await ingest({ filename: 'race.txt', content });
    const codes = await Promise.all(
      [
        server.request(DeleteDocumentDocument, { id: document.id }),
        update(document.id, { content: prose(8), chunkSize: 20 }),
        ingest({ filename: 'race.txt', content }),
      ].map((request) =>
        request.then(
          () => 'done',
          (error: { code: string }) => error.code,
        ),
      ),
    );
    expect(['done', 'NOT_FOUND', 'CONFLICT']).toEqual(expect.arrayContaining(codes));
  });
});
