import { describe, expect, test } from 'vitest';
import { formatNames, readerOf } from '../../../../src/transfer/formats/formats.ts';
import { largestValue } from '../../../../src/transfer/formats/json-values.ts';
import { read, readUntilError, summary } from './read.ts';

/** A small file of each format with one text. */
const files: Record<(typeof formatNames)[number], string> = {
  chatgpt: JSON.stringify([
    {
      title: 'T',
      mapping: {
        a: { message: { author: { role: 'user' }, content: { content_type: 'text', parts: ['hello'] } } },
      },
      current_node: 'a',
    },
  ]),
  claude: JSON.stringify([{ uuid: 'c', name: 'T', chat_messages: [{ sender: 'human', text: 'hello' }] }]),
  mem0: JSON.stringify({ results: [{ id: '1', memory: 'hello' }] }),
  langchain: JSON.stringify([{ page_content: 'hello', metadata: { source: 'hello' } }]),
  csv: 'content\nhello\n',
};

describe.each(formatNames)('%s', (format) => {
  test('reads its own files', async () => {
    expect(summary(await read(readerOf(format), files[format]))).toEqual(['hello']);
  });

  test.each(formatNames.filter((other) => other !== format))(
    'refuses the file of %s and says so',
    async (other) => {
      const { records, message } = await readUntilError(readerOf(format), files[other]);
      expect(records).toEqual([]);
      if (other !== 'csv') expect(message).toContain(`try --from ${other}.`);
      else expect(message).toBe('The file is not JSON: it begins with "content\\nhello".');
    },
  );

  test.each([
    ['an empty file', ''],
    ['a file of blanks', ' \n \n'],
    ['a binary file', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0])],
    ['a zip archive', Buffer.from('PK\x03\x04 conversations.json')],
  ])('refuses %s', async (_, file) => {
    const { records, message } = await readUntilError(readerOf(format), file);
    expect(records).toEqual([]);
    expect(message).toMatch(/^The file /);
  });
});

test('a table is recognized where JSON is expected', async () => {
  const { message } = await readUntilError(readerOf('mem0'), 'content,date\nhello,2024-05-01\n');
  expect(message).toBe(
    'The file is not JSON: it begins with "content,date\\nhello,2024-05-01". If it is a table, try --from csv.',
  );
});

test.each([
  [
    'chatgtp',
    undefined,
    '--from: there is no format "chatgtp". Formats are chatgpt, claude, mem0, langchain, csv. Did you mean chatgpt?',
  ],
  ['mem0', 'content=memory', '--map names columns, which only csv has, and not mem0.'],
  ['csv', 'content', '--map: "content" is not FIELD=COLUMN, such as content=text.'],
])('--from %s --map %s is refused', (from, map, message) => {
  expect(() => readerOf(from, map)).toThrow(message);
});

test('--map of csv is used', async () => {
  expect(summary(await read(readerOf('csv', 'content=text'), 'text\nhello\n'))).toEqual(['hello']);
});

/** Bytes of a file that is made while it is read, and how many of them have been asked for. */
function endless(head: string, row: (i: number) => string, rows: number) {
  const asked = { bytes: 0 };
  async function* bytes() {
    yield Buffer.from(head);
    for (let i = 0; i < rows; i++) {
      const part = Buffer.from(row(i));
      asked.bytes += part.length;
      yield part;
    }
  }
  return { asked, bytes: bytes() };
}

test.each([
  ['mem0', '{"results":[', (i: number) => `${i === 0 ? '' : ','}{"id":${i},"memory":"${'x'.repeat(2000)}"}`],
  ['langchain', '', (i: number) => `{"page_content":"${'x'.repeat(2000)}","metadata":{"source":"${i}"}}\n`],
  ['csv', 'content\n', (i: number) => `${i}${'x'.repeat(2000)}\n`],
] as const)('%s yields records long before the end of a large file', async (format, head, row) => {
  const { asked, bytes } = endless(head, row, 100_000);
  for await (const record of readerOf(format)(bytes)) {
    expect(['memory', 'document']).toContain(record.kind);
    break;
  }
  expect(asked.bytes).toBeLessThan(300_000);
});

test('a value that is too large for the memory is refused before all of it is read', async () => {
  const part = 'x'.repeat(2 ** 20);
  const { asked, bytes } = endless('[{"memory":"', () => part, 1000);
  await expect(async () => {
    for await (const _ of readerOf('mem0')(bytes));
  }).rejects.toThrow(`[0] has more than ${largestValue} bytes, which is too much for one value.`);
  expect(asked.bytes).toBeLessThan(largestValue + 2 * part.length);
});

test('objects and lists in each other without end are refused', async () => {
  const { message } = await readUntilError(readerOf('mem0'), `[{"memory":"a","metadata":${'['.repeat(2000)}`);
  expect(message).toBe('[0] has more than 1000 levels of objects and lists.');
});
