import { expect, test } from 'vitest';
import { limits } from '../../../../src/input/limits.ts';
import { readLangchain } from '../../../../src/transfer/formats/langchain.ts';
import { read, readUntilError, summary } from './read.ts';

/** A document as `langchain_core.load.dumps` writes it. */
const dumped = (page_content: string, metadata: Record<string, unknown>, id: string | null = null) => ({
  lc: 1,
  type: 'constructor',
  id: ['langchain', 'schema', 'document', 'Document'],
  kwargs: { id, metadata, page_content, type: 'Document' },
});

const plain = (page_content: string, metadata: Record<string, unknown>) => ({ page_content, metadata });

test('documents of one source become the chunks of one document, in their order', async () => {
  const file = [
    dumped('Flour and', { source: 'docs/bread.pdf', title: 'Bread', page: 0 }, 'd-1'),
    dumped(' water.', { source: 'docs/bread.pdf', title: 'Bread', page: 1 }),
    dumped('Boil it.', { source: 'https://example.com/tea.html?x=1' }),
  ];
  expect(await read(readLangchain, JSON.stringify(file, null, 2), 11)).toEqual([
    {
      kind: 'document',
      inputPath: '[0]',
      filename: 'bread.pdf',
      metadata: { source: 'docs/bread.pdf', title: 'Bread' },
      chunks: [
        {
          content: 'Flour and',
          metadata: { source: 'docs/bread.pdf', title: 'Bread', page: 0, langchainId: 'd-1' },
        },
        { content: ' water.', metadata: { source: 'docs/bread.pdf', title: 'Bread', page: 1 } },
      ],
    },
    {
      kind: 'document',
      inputPath: '[2]',
      filename: 'tea.html',
      metadata: { source: 'https://example.com/tea.html?x=1' },
      chunks: [{ content: 'Boil it.', metadata: { source: 'https://example.com/tea.html?x=1' } }],
    },
  ]);
});

test('JSON Lines and a single document are read too', async () => {
  const lines = [plain('a', { source: 'a.txt' }), plain('b', { source: 'a.txt' }), plain('c', {})];
  const records = await read(readLangchain, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
  expect(records).toMatchObject([
    { inputPath: 'line 1', filename: 'a.txt', chunks: [{ content: 'a' }, { content: 'b' }] },
    { inputPath: 'line 3', filename: 'document', chunks: [{ content: 'c' }] },
  ]);
  const single = JSON.stringify({ pageContent: 'from JavaScript', metadata: {} }, null, 2);
  expect(await read(readLangchain, single)).toMatchObject([{ chunks: [{ content: 'from JavaScript' }] }]);
});

test('documents without a source stay apart', async () => {
  const file = JSON.stringify([plain('a', {}), plain('b', { title: 'B' })]);
  expect(summary(await read(readLangchain, file))).toEqual(['document', 'B']);
});

test('a source with more chunks than a document may have becomes several', async () => {
  const file = JSON.stringify(
    Array.from({ length: limits.batchSize + 1 }, (_, i) => plain(`chunk ${i}`, { source: 'long.txt' })),
  );
  const records = await read(readLangchain, file, 1e6);
  expect(records).toMatchObject([
    { kind: 'document', metadata: { source: 'long.txt' } },
    {
      kind: 'document',
      metadata: { source: 'long.txt', part: 2 },
      chunks: [{ content: `chunk ${limits.batchSize}` }],
    },
  ]);
  expect(records[0]).toHaveProperty('chunks.length', limits.batchSize);
});

test('what is wrong with one document leaves the others', async () => {
  const file = `[
    {"page_content": "a", "metadata": {"source": "a"}},
    {"page_content": "", "metadata": {}},
    {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "HumanMessage"], "kwargs": {"content": "x"}},
    {"page_content": "b", "metadata": {"n": 12345678901234567890}},
    {"page_content": "c", "metadata": {"source": "c"}}
  ]`;
  expect(summary(await read(readLangchain, file))).toEqual([
    'leftOut [1]: has no text',
    'failed [2]: [2] is no document of LangChain: it has no field "page_content".',
    'failed [3]: [3].metadata.n has the number 12345678901234567890, which would become 12345678901234567000. Write it ' +
      'as a string.',
    'a',
    'c',
  ]);
});

test('another file is refused', async () => {
  expect((await readUntilError(readLangchain, '[{"id": "1", "memory": "a"}]')).message).toBe(
    "The file has no LangChain documents. The file looks like mem0's memories: try --from mem0.",
  );
  const { message } = await readUntilError(readLangchain, '{"page_content": "a"}\n{"page_content": b}\n');
  expect(message).toBe('The file is not valid JSON in line 2: unexpected "b" at byte 39.');
});
