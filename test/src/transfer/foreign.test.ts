import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { formatNames, readerOf } from '../../../src/transfer/formats/formats.ts';
import { asOwner } from '../../../testkit/owner.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { sharedChunker } from '../../support/shared-chunker.ts';
import { exportText, importText, rowsOf } from './exchange.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
beforeEach(() =>
  asOwner(
    database.pool,
    async (tx) => void (await tx.execute(sql`truncate memories, documents, document_chunks`)),
  ),
);
afterAll(() => database.close());

type Options = { map?: string; user?: string; rowsOfBatch?: number };

const importForeign = (from: string, file: unknown, { map, ...options }: Options = {}) =>
  importText(database.pool, typeof file === 'string' ? file : JSON.stringify(file), {
    ...options,
    foreign: { reader: readerOf(from, map), chunker: async () => sharedChunker },
  });

async function stored() {
  return rowsOf(await exportText(database.pool, { vectors: false })).map(({ row }) => row);
}

const files: Record<(typeof formatNames)[number], unknown> = {
  chatgpt: [
    {
      title: 'Bread',
      id: 'c-1',
      mapping: {
        q: {
          parent: null,
          message: {
            id: 'm-1',
            author: { role: 'user' },
            create_time: 1714564801.123456,
            content: { content_type: 'text', parts: ['hello'] },
          },
        },
        t: {
          parent: 'q',
          message: { author: { role: 'tool' }, content: { content_type: 'text', parts: ['x'] } },
        },
      },
      current_node: 't',
    },
  ],
  claude: [
    {
      uuid: 'c-1',
      name: 'Bread',
      chat_messages: [
        { uuid: 'm-1', sender: 'human', text: 'hello', created_at: '2024-05-01T14:00:01.123456+02:00' },
        { uuid: 'm-2', sender: 'assistant', text: '' },
      ],
    },
  ],
  mem0: {
    results: [
      {
        id: 'm-1',
        memory: 'hello',
        user_id: 'ana',
        run_id: 'c-1',
        created_at: '2024-05-01T12:00:01.123456Z',
        metadata: { weight: 0.1, list: [1, null] },
      },
      { id: 'm-2', memory: '' },
    ],
  },
  langchain: [
    { page_content: 'hello', metadata: { source: 'a/bread.pdf', page: 1 } },
    { page_content: ' and bye', metadata: { source: 'a/bread.pdf', page: 2 } },
    { page_content: '---', metadata: { source: 'a/bread.pdf', page: 3 } },
  ],
  csv: 'content,date,user_id,topic\nhello,2024-05-01T12:00:01.123456Z,ana,food\n,,,\n',
};

test.each(formatNames)('%s is stored once, however often it is imported', async (format) => {
  const options = format === 'csv' ? { map: 'createdAt=date' } : {};
  const first = await importForeign(format, files[format], options);
  expect(first.faults).toEqual([]);
  const isDocument = format === 'langchain';
  expect(first).toMatchObject({ memories: isDocument ? 0 : 1, documents: isDocument ? 1 : 0, known: 0 });
  expect(Object.values(first.leftOut)).toEqual([1]);
  expect(first.embedded).toEqual(isDocument ? ['hello', ' and bye'] : ['hello']);
  const rows = await stored();
  const again = await importForeign(format, files[format], options);
  expect(again).toMatchObject({ memories: 0, documents: 0, known: 1, failed: 0, embedded: [] });
  expect(await stored()).toEqual(rows);
});

test('memories keep their time to the microsecond, session, source, user and metadata', async () => {
  for (const format of ['chatgpt', 'mem0'] as const) await importForeign(format, files[format]);
  expect(await stored()).toMatchObject([
    {
      content: 'hello',
      userId: 'default_user',
      createdAt: '2024-05-01T12:00:01.123456+00:00',
      sessionId: 'c-1',
      source: 'user',
      metadata: { title: 'Bread', conversationId: 'c-1', messageId: 'm-1' },
    },
    {
      content: 'hello',
      userId: 'ana',
      createdAt: '2024-05-01T12:00:01.123456+00:00',
      sessionId: 'c-1',
      source: 'mem0',
      metadata: { weight: 0.1, list: [1, null], mem0: { id: 'm-1' } },
    },
  ]);
});

test('documents have their chunks one behind the other', async () => {
  await importForeign('langchain', files.langchain, { user: 'bo' });
  expect(await stored()).toMatchObject([
    {
      userId: 'bo',
      filename: 'bread.pdf',
      totalChunks: 2,
      fileSize: 13,
      metadata: { source: 'a/bread.pdf' },
    },
    { content: 'hello', startOffset: 0, endOffset: 5, metadata: { page: 1 } },
    { content: ' and bye', startOffset: 5, endOffset: 13, metadata: { page: 2 } },
  ]);
});

test('--user counts for all rows', async () => {
  await importForeign('mem0', files.mem0, { user: 'bo' });
  expect(await stored()).toMatchObject([{ userId: 'bo' }]);
});

test('two equal texts stay two, and a longer file adds what is new', async () => {
  const rows = ['same', 'same', 'other'];
  const csv = (texts: string[]) => `content\n${texts.join('\n')}\n`;
  expect(await importForeign('csv', csv(rows))).toMatchObject({ memories: 3 });
  expect(await importForeign('csv', csv([...rows, 'same', 'new']))).toMatchObject({ memories: 2, known: 3 });
  expect((await stored()).map(({ content }) => content)).toEqual(['same', 'same', 'other', 'same', 'new']);
});

test('a record that no mutation would take is a fault, and the others are imported', async () => {
  const file = {
    results: [
      { memory: 'a', user_id: ' ana' },
      { memory: 'b', created_at: '2999-01-01' },
      { memory: 'c', run_id: 'x'.repeat(101) },
      { memory: 'd\u0000' },
      { memory: 'e', metadata: { half: '\ud800' } },
      { memory: 'x'.repeat(100_001) },
      { memory: 'g', metadata: { long: 'x'.repeat(70_000) } },
      { memory: 'h', metadata: 1 },
      { memory: 'good' },
    ],
  };
  const report = await importForeign('mem0', file);
  expect(report.faults).toEqual([
    'line 1: The user of results[0] begins or ends with a blank: " ana". Remove it',
    'line 2: The time of results[1] is 2999-01-01T00:00:00.000Z, which is in the future. Leave it out to use the time of storing',
    'line 3: The session of results[2] has 101 characters; at most 100 are allowed',
    'line 4: results[3] contains a NUL character (U+0000): "d\\u0000". Remove it',
    expect.stringMatching(/^line 5: The metadata of results\[4\] contains half of a surrogate pair/),
    'line 6: results[5] has 100001 characters; at most 100000 are allowed',
    expect.stringMatching(/^line 7: The metadata of results\[6\] has 70011 characters as JSON/),
    'line 8: results[7].metadata is not an object',
  ]);
  expect(report).toMatchObject({ memories: 1, failed: 8 });
});

test('what stands before the end of a cut file is imported, and the whole file later adds the rest', async () => {
  const file = JSON.stringify([{ memory: 'one' }, { memory: 'two' }, { memory: 'three' }]);
  await expect(importForeign('mem0', file.slice(0, -5))).rejects.toThrow(
    'The file ends too early, behind [1]: the rest of it is missing.',
  );
  expect((await stored()).map(({ content }) => content)).toEqual(['one', 'two']);
  expect(await importForeign('mem0', file)).toMatchObject({ memories: 1, known: 2 });
});
