import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/server.ts';

const rows = 5;
const bytes = 2000;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ quota: { rows, bytes } });
});
afterAll(() => server.close());

const create = (userId: string, contents: string[], more: object = {}) =>
  server.raw('mutation ($inputs: [CreateMemoryInput!]!) { createMemories(inputs: $inputs) { id } }', {
    inputs: contents.map((content) => ({ userId, content, ...more })),
  });
const ingest = (userId: string, content: string) =>
  server.raw(
    'mutation ($input: IngestDocumentInput!) { ingestDocument(input: $input) { document { id totalChunks } } }',
    { input: { userId, filename: 'a.txt', content, chunkSize: 8, overlap: 0 } },
  );
const idsOf = ({ data }: Awaited<ReturnType<typeof create>>) =>
  (data as { createMemories: { id: string }[] }).createMemories.map(({ id }) => id);
const stored = async (userId: string) => {
  const [row] = await server.sql<{ count: string }>(
    'select (select count(*) from memories where user_id = $1) + (select count(*) from documents where user_id = $1) + (select count(*) from document_chunks where user_id = $1) as count',
    [userId],
  );
  return Number(row?.count);
};
const refusal = (message: RegExp) => [
  { message: expect.stringMatching(message), extensions: { code: 'LIMIT_EXCEEDED' } },
];
const tooManyRows = /"\w+" would store 6 rows; at most 5 are allowed to one user \(FUNES_QUOTA_ROWS\)/;

test('a user may have as many rows as the quota, and a write above is undone as a whole', async () => {
  expect((await create('ana', ['one', 'two', 'three'])).errors).toBeUndefined();
  expect((await create('ana', ['four', 'five', 'six'])).errors).toMatchObject(refusal(tooManyRows));
  expect(await stored('ana')).toBe(3);
  expect((await create('ana', ['four', 'five'])).errors).toBeUndefined();
  expect((await create('ana', ['six'])).errors).toMatchObject(refusal(tooManyRows));
  // Another user has a quota of their own.
  expect((await create('ben', ['one'])).errors).toBeUndefined();
});

test('a write that stores nothing new is answered at the quota', async () => {
  const key = { idempotencyKey: 'once' };
  const first = await create('carl', ['one'], key);
  expect((await create('carl', ['2', '3', '4', '5'])).errors).toBeUndefined();
  expect(idsOf(await create('carl', ['one'], key))).toEqual(idsOf(first));
});

test('what is in the archive counts, so that restoring stays possible', async () => {
  const ids = idsOf(await create('dora', ['one', 'two', 'three', 'four', 'five']));
  const archived = await server.raw(
    'mutation { archiveMemories(input: { filters: { userId: { eq: "dora" } }, dryRun: false }) { count } }',
  );
  expect(archived.data).toEqual({ archiveMemories: { count: 5 } });
  expect((await create('dora', ['six'])).errors).toMatchObject(refusal(tooManyRows));
  const restored = await server.raw('mutation ($ids: [ID!]!) { restoreMemories(ids: $ids) }', { ids });
  expect(restored.data).toEqual({ restoreMemories: 5 });
  await server.raw('mutation ($ids: [ID!]!) { deleteMemories(ids: $ids) }', { ids: ids.slice(0, 1) });
  expect((await create('dora', ['six'])).errors).toBeUndefined();
});

test('a document counts with its chunks, and one that grows above the quota keeps its old text', async () => {
  const four = 'One two three four five six. '.repeat(4);
  const answer = await ingest('eva', four);
  expect(answer.errors).toBeUndefined();
  const { document } = (answer.data as { ingestDocument: { document: { id: string; totalChunks: number } } })
    .ingestDocument;
  expect(document.totalChunks).toBe(4);

  const update = (content: string) =>
    server.raw(
      'mutation ($id: ID!, $input: UpdateDocumentInput!) { updateDocument(id: $id, input: $input) { totalChunks } }',
      { id: document.id, input: { content, chunkSize: 8, overlap: 0 } },
    );
  const five = 'One two three four five seven. '.repeat(5);
  expect((await update(five)).errors).toMatchObject(refusal(tooManyRows));
  expect(await stored('eva')).toBe(5);
  expect((await ingest('fred', five)).errors).toMatchObject(refusal(tooManyRows));
  expect(await stored('fred')).toBe(0);
  expect((await update(five.slice(0, 31))).data).toEqual({ updateDocument: { totalChunks: 1 } });
});

test('bytes are those of texts and metadata in UTF-8', async () => {
  const metadata = 2; // {}
  const tooMany = (count: number) =>
    refusal(new RegExp(`would store ${count} bytes; at most 2000 .*FUNES_QUOTA_BYTES`));
  expect((await create('gus', ['é'.repeat((bytes - metadata) / 2)])).errors).toBeUndefined();
  expect((await create('hal', ['x'.repeat(bytes - metadata + 1)])).errors).toMatchObject(tooMany(2001));

  const [id] = idsOf(await create('ida', ['short']));
  const update = (content: string) =>
    server.raw(
      'mutation ($id: ID!, $input: UpdateMemoryInput!) { updateMemory(id: $id, input: $input) { id } }',
      {
        id,
        input: { content },
      },
    );
  expect((await update('x'.repeat(bytes - metadata + 1))).errors).toMatchObject(tooMany(2001));
  expect((await update('x'.repeat(bytes - metadata))).errors).toBeUndefined();
});

test('several writes at once do not pass the quota together', async () => {
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, i) => create('kim', [`one of many, ${i}`])),
  );
  expect(answers.filter(({ errors }) => errors === undefined)).toHaveLength(rows);
  expect(await stored('kim')).toBe(rows);
});
