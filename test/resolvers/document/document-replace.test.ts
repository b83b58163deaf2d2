import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashVector } from '../../../testkit/hash-embedder.ts';
import {
  DocumentChunksDocument,
  IngestDocumentDocument,
  type IngestDocumentInput,
  type ReplaceBy,
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

const ingest = async (input: IngestDocumentInput, replace: ReplaceBy = 'NONE') =>
  (await server.request(IngestDocumentDocument, { input, replace })).ingestDocument;
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

describe('ingestDocument with replace', () => {
  const idsOf = async (column: 'file_path' | 'filename', value: string) =>
    (
      await server.sql<{ id: string }>(`select id::text from documents where ${column} = $1 order by id`, [
        value,
      ])
    ).map(({ id }) => id);

  test.each([
    ['BY_FILE_PATH', 'Paul', 'Rita'],
    ['BY_FILENAME', 'Sam', 'Tom'],
  ] as const)(
    '%s replaces what was sent of the document, and keeps the rest',
    async (replace, old, fresh) => {
      const file = { filename: `${replace}.txt`, filePath: `/notes/${replace}.txt`, userId: 'ada', ...sizes };
      const metadata = { shelf: 3 };
      const first = await ingest(
        { ...file, metadata, content: textOf([old, 'Una']), createdAt: '2020-01-02T00:00:00.000Z' },
        replace,
      );
      expect(first).toMatchObject({ created: true, outcome: 'CREATED' });
      const content = textOf(['Una', fresh]);
      let second: typeof first | undefined;
      const embedded = await embeddedBy(async () => {
        second = await ingest({ ...file, content }, replace);
      });
      expect(embedded).toEqual([paragraph(fresh)]);
      expect(second).toMatchObject({
        created: false,
        outcome: 'REPLACED',
        differs: [],
        chunkCount: 2,
        document: { id: first.document.id, metadata, createdAt: '2020-01-02T00:00:00.000Z' },
      });
      expect(second?.document.contentHash).not.toBe(first.document.contentHash);
      await expectEmbedded(first.document.id);
      const change = { ...file, content, metadata: { shelf: 4 }, createdAt: '2021-01-02T00:00:00.000Z' };
      expect(await ingest(change, replace)).toMatchObject({
        outcome: 'REPLACED',
        document: { metadata: { shelf: 4 }, createdAt: '2021-01-02T00:00:00.000Z' },
      });
    },
  );

  test('with the same bytes and fields changes nothing', async () => {
    const input = { filename: 'still.txt', filePath: '/still.txt', content: textOf(['Vera']) };
    const first = await ingest(input, 'BY_FILE_PATH');
    const before = await server.contents();
    expect(await ingest(input, 'BY_FILE_PATH')).toEqual({ ...first, created: false, outcome: 'UNCHANGED' });
    expect(await server.contents()).toEqual(before);
  });

  test('is for the documents of one user', async () => {
    const input = { filename: 'mine.txt', filePath: '/mine.txt', content: textOf(['Wanda']) };
    await ingest({ ...input, userId: 'ada' }, 'BY_FILE_PATH');
    expect(
      await ingest({ ...input, userId: 'bob', content: textOf(['Xenia']) }, 'BY_FILE_PATH'),
    ).toMatchObject({ outcome: 'CREATED' });
    expect(await idsOf('file_path', '/mine.txt')).toHaveLength(2);
  });

  test('without it, two documents may have one path', async () => {
    const input = { filename: 'twice.txt', filePath: '/twice.txt' };
    await ingest({ ...input, content: textOf(['Yara']) });
    expect(await ingest({ ...input, content: textOf(['Yves']) })).toMatchObject({ outcome: 'CREATED' });
    expect(await idsOf('file_path', '/twice.txt')).toHaveLength(2);
  });

  test('BY_FILENAME among several of that name is a CONFLICT that names them, and changes nothing', async () => {
    for (const path of ['/a/README.md', '/b/README.md'])
      await ingest({ filename: 'README.md', filePath: path, content: textOf([path]) });
    const before = await server.contents();
    const [a, b] = await idsOf('filename', 'README.md');
    await expect(
      ingest({ filename: 'README.md', content: textOf(['Zita']) }, 'BY_FILENAME'),
    ).rejects.toMatchObject({
      code: 'CONFLICT',
      message:
        `Several documents have the filename "README.md": ${a}, ${b}. Change one of them by updateDocument, or delete those that ` +
        'you do not need.',
    });
    expect(await server.contents()).toEqual(before);
  });

  test('BY_FILE_PATH without a path is refused', async () => {
    await expect(
      ingest({ filename: 'no-path.txt', content: textOf(['Abe']) }, 'BY_FILE_PATH'),
    ).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message:
        'replace is BY_FILE_PATH, and input has no filePath. Send the path of the document to replace, or leave replace out.',
    });
  });

  test('by the bytes of another document is a CONFLICT, before anything is embedded', async () => {
    const content = textOf(['Ben']);
    const other = await ingest({ filename: 'other.txt', filePath: '/other.txt', content });
    await ingest({ filename: 'this.txt', filePath: '/this.txt', content: textOf(['Cora']) });
    const before = await server.contents();
    const again = () => ingest({ filename: 'this.txt', filePath: '/this.txt', content }, 'BY_FILE_PATH');
    await expect(again()).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(`Document ${other.document.id} ("other.txt") consists of exactly`),
    });
    expect(await server.contents()).toEqual(before);
  });

  test('takes chunks of the client too', async () => {
    const file = { filename: 'chunks.txt', filePath: '/chunks.txt' };
    const { document } = await ingest({ ...file, content: textOf(['Dirk']) });
    const own = {
      content: 'A chunk with a vector.',
      embedding: [...hashVector('own')],
      embeddingModel: 'own',
    };
    const chunks = [own, { content: paragraph('Dirk') }];
    const embedded = await embeddedBy(() => ingest({ ...file, chunks }, 'BY_FILE_PATH'));
    expect(embedded).toEqual([]);
    expect(await chunksOf(document.id)).toMatchObject([
      { content: own.content, embeddingSource: 'CLIENT', embeddingModel: 'own' },
      { content: paragraph('Dirk'), embeddingSource: 'FUNES', embeddingStatus: 'READY' },
    ]);
  });

  test.each(['BY_FILE_PATH', 'BY_FILENAME'] as const)(
    '%s by many requests at once makes one document, whole',
    async (replace) => {
      const file = { filename: `race-${replace}.txt`, filePath: `/race/${replace}.txt` };
      const texts = Array.from({ length: 12 }, (_, i) => textOf([`${replace} racer ${i}`, 'Emil']));
      const answers = await Promise.all(texts.map((content) => ingest({ ...file, content }, replace)));
      expect(answers.filter(({ created }) => created)).toHaveLength(1);
      const [id, ...others] = await idsOf('file_path', file.filePath);
      expect(others).toEqual([]);
      expect(new Set(answers.map(({ document }) => document.id))).toEqual(new Set([id]));
      expect(texts).toContain((await chunksOf(id ?? '')).map(({ content }) => content).join(''));
    },
  );
});
