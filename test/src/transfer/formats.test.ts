import { setImmediate } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { maintenance } from '../../../src/database/maintenance.ts';
import { parseMap } from '../../../src/transfer/formats/fields.ts';
import { largestElement, readJsonList } from '../../../src/transfer/json-list.ts';
import type { ForeignFormat } from '../../../src/transfer/read-file.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { importText } from './exchange.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
beforeEach(() => run('delete from memories'));
afterAll(() => database.close());

function run(statement: string): Promise<Record<string, unknown>[]> {
  return maintenance(database.pool, { access: 'write' }, async (tx) => [
    ...(await tx.execute(sql.raw(statement))),
  ]) as Promise<Record<string, unknown>[]>;
}

const stored = () =>
  run(`select user_id as user, content, source, session_id as session, metadata,
    to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') as created from memories order by id`);

const bring = (
  from: ForeignFormat,
  content: string | object,
  options: { user?: string; map?: string } = {},
) =>
  importText(database.pool, typeof content === 'string' ? content : JSON.stringify(content), {
    from,
    user: options.user,
    map: options.map === undefined ? undefined : parseMap(options.map),
  });

const chatGpt = [
  {
    title: 'Trip to Lisbon',
    create_time: 1706745600,
    conversation_id: 'c-1',
    current_node: 'm4',
    mapping: {
      root: { id: 'root', parent: null, children: ['m1'], message: null },
      m1: node('m1', 'root', ['m2', 'm3'], 'system', ['You are helpful.']),
      m2: node('m2', 'm1', [], 'user', ['A question that was asked anew.']),
      m3: node('m3', 'm1', ['m4'], 'user', [{ content_type: 'image_asset_pointer' }, 'When is it warm?']),
      m4: node('m4', 'm3', [], 'assistant', ['From May on.'], { model_slug: 'gpt-4o' }),
    },
  },
];
function node(id: string, parent: string, children: string[], role: string, parts: unknown[], metadata = {}) {
  const message = {
    id,
    author: { role },
    create_time: 1706745600.123456,
    content: { content_type: 'text', parts },
    weight: 1,
    metadata,
  };
  return { id, parent, children, message };
}

test('ChatGPT: what is on the path to the current node, by the person and the assistant', async () => {
  expect(await bring('chatgpt', chatGpt)).toMatchObject({ memories: 2, failed: 0 });
  const common = {
    user: 'default_user',
    source: 'chatgpt',
    session: 'c-1',
    created: '2024-02-01T00:00:00.123456',
  };
  expect(await stored()).toEqual([
    { ...common, content: 'When is it warm?', metadata: { role: 'user', title: 'Trip to Lisbon' } },
    {
      ...common,
      content: 'From May on.',
      metadata: { role: 'assistant', title: 'Trip to Lisbon', model: 'gpt-4o' },
    },
  ]);
});

test('Claude: messages with their blocks and attached texts', async () => {
  const claude = [
    {
      uuid: 'u-1',
      name: 'Bread',
      created_at: '2024-03-01T10:00:00.000000Z',
      chat_messages: [
        {
          uuid: 'm',
          sender: 'human',
          text: 'How long?',
          content: [{ type: 'text', text: 'How long?' }],
          created_at: '2024-03-01T10:00:01.654321Z',
          attachments: [{ file_name: 'recipe.txt', extracted_content: 'Flour and water.' }],
        },
        { sender: 'assistant', text: 'An hour.', content: [], created_at: '2024-03-01T10:00:02+00:00' },
        { sender: 'assistant', text: '', content: [] },
      ],
    },
  ];
  expect(await bring('claude', claude, { user: 'ada' })).toMatchObject({ memories: 2, failed: 0 });
  const common = { user: 'ada', source: 'claude', session: 'u-1' };
  expect(await stored()).toEqual([
    {
      ...common,
      content: 'How long?\n\nFlour and water.',
      created: '2024-03-01T10:00:01.654321',
      metadata: { role: 'user', title: 'Bread', attachments: ['recipe.txt'] },
    },
    {
      ...common,
      content: 'An hour.',
      created: '2024-03-01T10:00:02.000000',
      metadata: { role: 'assistant', title: 'Bread' },
    },
  ]);
});

const mem0 = {
  id: 'x',
  memory: 'Likes tea',
  hash: 'h',
  user_id: 'grace',
  created_at: '2024-07-20T01:30:36.275141-07:00',
  updated_at: null,
  metadata: { category: 'drinks' },
};

test.each<[string, object]>([
  ['an object with results', { relations: [], results: [mem0] }],
  ['a list', [mem0]],
])('mem0: %s', async (_, content) => {
  expect(await bring('mem0', content)).toMatchObject({ memories: 1, failed: 0 });
  expect(await stored()).toEqual([
    {
      user: 'grace',
      content: 'Likes tea',
      source: 'mem0',
      session: null,
      metadata: { category: 'drinks' },
      created: '2024-07-20T08:30:36.275141',
    },
  ]);
});

test('LangChain: dumped documents and plain ones', async () => {
  const content = [
    {
      lc: 1,
      type: 'constructor',
      id: ['langchain', 'schema', 'document', 'Document'],
      kwargs: { page_content: 'Dumped', metadata: { source: 'a.txt', page: 3 } },
    },
    { page_content: 'Plain', metadata: {} },
    { pageContent: 'Of JavaScript' },
    { text: 'no document' },
  ];
  expect(await bring('langchain', content)).toMatchObject({
    memories: 3,
    faults: ['line 4: it is no document of LangChain'],
  });
  expect((await stored()).map(({ content, metadata }) => [content, metadata])).toEqual([
    ['Dumped', { source: 'a.txt', page: 3 }],
    ['Plain', {}],
    ['Of JavaScript', {}],
  ]);
});

test.each<[string, string]>([
  ['JSON Lines', '{"page_content":"a","metadata":{"n":1}}\n\n{"page_content":"b {"}\n'],
  ['one after the other', '{"page_content":"a","metadata":{"n":1}} {"page_content":"b {"}'],
])('LangChain: %s', async (_, text) => {
  expect(await bring('langchain', text)).toMatchObject({ memories: 2, failed: 0 });
  expect(await stored()).toMatchObject([{ content: 'a', metadata: { n: 1 } }, { content: 'b {' }]);
});

test('LangChain: one document in several lines', async () => {
  const text = JSON.stringify({ page_content: 'alone', metadata: { source: 'a' } }, null, 2);
  expect(await bring('langchain', text)).toMatchObject({ memories: 1, failed: 0 });
});

test('LangChain: JSON Lines that are cut say after which document', async () => {
  await expect(bring('langchain', '{"page_content":"a"}\n{"page_con')).rejects.toThrow(
    'The file is not valid JSON: it is broken or cut after entry 1.',
  );
  expect(await stored()).toMatchObject([{ content: 'a' }]);
});

test('ChatGPT: what the assistant sent to a tool is left out', async () => {
  const question = node('m1', 'root', ['m2'], 'user', ['What is 2 ** 70?']);
  const call = node('m2', 'm1', ['m3'], 'assistant', ['print(2 ** 70)']);
  const answer = node('m3', 'm2', [], 'assistant', ['A large number.']);
  const mapping = {
    m1: question,
    m2: { ...call, message: { ...call.message, recipient: 'python' } },
    m3: { ...answer, message: { ...answer.message, recipient: 'all' } },
  };
  const report = await bring('chatgpt', [{ conversation_id: 'c', current_node: 'm3', mapping }]);
  expect(report).toMatchObject({ memories: 2, failed: 0, leftOut: 1 });
  expect(await stored()).toMatchObject([{ content: 'What is 2 ** 70?' }, { content: 'A large number.' }]);
});

test('messages that are left out are counted', async () => {
  expect(await bring('chatgpt', chatGpt)).toMatchObject({ memories: 2, failed: 0, leftOut: 1 });
  const messages = [
    { sender: 'human', text: 'Hello' },
    { sender: 'assistant', text: '', content: [{ type: 'tool_use', name: 'search' }] },
  ];
  expect(await bring('claude', [{ uuid: 'u', chat_messages: messages }])).toMatchObject({
    memories: 1,
    failed: 0,
    leftOut: 1,
  });
});

test.each<[ForeignFormat, object, string]>([
  ['claude', { mapping: {} }, 'it is no conversation of Claude; it looks like one that --from chatgpt reads'],
  [
    'chatgpt',
    { chat_messages: [] },
    'it is no conversation of ChatGPT; it looks like one that --from claude reads',
  ],
  ['langchain', mem0, 'it is no document of LangChain; it looks like one that --from mem0 reads'],
  ['mem0', { page_content: 'a' }, 'it is no memory of mem0; it looks like one that --from langchain reads'],
  ['mem0', { text: 'a' }, 'it is no memory of mem0'],
])('the file of another program says which it looks like: %s %j', async (from, entry, reason) => {
  expect(await bring(from, [entry])).toMatchObject({ failed: 1, faults: [`line 1: ${reason}`] });
});

describe('CSV', () => {
  test('takes columns by the map and by their names, and the others as metadata', async () => {
    const csv =
      '\ufefftext,date,userId,mood\n"Two\nlines, quoted",2024-05-31 18:00,ada,good\nOther,2024-05-31,,\n';
    expect(await bring('csv', csv, { map: 'content=text,createdAt=date' })).toMatchObject({
      memories: 2,
      failed: 0,
    });
    expect(await stored()).toMatchObject([
      {
        user: 'ada',
        content: 'Two\nlines, quoted',
        created: '2024-05-31T18:00:00.000000',
        metadata: { mood: 'good' },
      },
      { user: 'default_user', content: 'Other', created: '2024-05-31T00:00:00.000000' },
    ]);
  });

  test('has seconds since 1970 as a time, and nothing in blank cells', async () => {
    const csv = 'content,createdAt,importanceScore\na,1706745600.5,0.25\nb, , \n';
    expect(await bring('csv', csv)).toMatchObject({ memories: 2, failed: 0 });
    expect(await stored()).toMatchObject([{ created: '2024-02-01T00:00:00.500000' }, { content: 'b' }]);
    const scores = await run('select importance_score as score from memories order by id');
    expect(scores).toEqual([{ score: 0.25 }, { score: 0.5 }]);
  });

  test('names the line of a row that is wrong', async () => {
    const csv = 'content,createdAt\na,yesterday\n,2024-01-01\nc,2024-01-01\n';
    const report = await bring('csv', csv);
    expect(report).toMatchObject({ memories: 1, failed: 2 });
    expect(report.faults).toEqual([
      expect.stringMatching(/^line 2: createdAt is "yesterday", not a time/),
      'line 3: content must not be blank',
    ]);
  });

  test.each<[string, string, string | undefined, string]>([
    [
      'a column that is not there',
      'content\na\n',
      'createdAt=when',
      'The file has no column "when", which --map names.',
    ],
    ['no column for the content', 'text\na\n', undefined, 'The file has no column "content".'],
    [
      'a quote that is never closed',
      'content,b\na,"b\n',
      undefined,
      'The file is not a CSV that can be read',
    ],
  ])('refuses %s', async (_, csv, map, message) => {
    await expect(bring('csv', csv, map === undefined ? {} : { map })).rejects.toThrow(message);
  });

  test('takes keys of the metadata by the map', async () => {
    const csv = 'text,about,note\na,food,x\n';
    expect(await bring('csv', csv, { map: 'content=text,metadata.topic=about' })).toMatchObject({
      memories: 1,
    });
    expect(await stored()).toMatchObject([{ content: 'a', metadata: { topic: 'food', note: 'x' } }]);
  });

  test('refuses a key of the metadata whose column is not there, and names the columns', async () => {
    await expect(bring('csv', 'content\na\n', { map: 'metadata.topic=about' })).rejects.toThrow(
      'The file has no column "about", which --map names. It has "content".',
    );
  });

  test.each([';', '\t', '|', ','])('separates cells by %j if the header does', async (delimiter) => {
    const csv = `content${delimiter}note\n"a, b; c | d"${delimiter}x\n`;
    expect(await bring('csv', csv)).toMatchObject({ memories: 1, failed: 0 });
    expect(await stored()).toMatchObject([{ content: 'a, b; c | d', metadata: { note: 'x' } }]);
  });

  test('leaves out a row with other cells than the header, and imports the others', async () => {
    const report = await bring('csv', 'content,b\na,1\nb\nc,3,4\nd,5\n');
    expect(report).toMatchObject({ memories: 2, failed: 2 });
    expect(report.faults).toEqual([
      'line 3: it has 1 cells, and the header has 2',
      'line 4: it has 3 cells, and the header has 2',
    ]);
  });

  test('imports the rows before one that cannot be read', async () => {
    const csv = 'content,b\na,1\nb,2\n"broken\nc,3\n';
    await expect(bring('csv', csv)).rejects.toThrow('The file is not a CSV that can be read');
    expect((await stored()).map(({ content }) => content)).toEqual(['a', 'b']);
  });

  test('returns any text as it was quoted', async () => {
    const cell = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    const isStorable = (text: string) => /[a-z]/i.test(text) && !/[\p{Cc}\p{Cs}]/u.test(text);
    const cells = fc.array(fc.tuple(cell.filter(isStorable), fc.stringMatching(/^[",;|\r\n\t a]{1,8}$/)), {
      minLength: 1,
      maxLength: 6,
    });
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(cells, fc.constantFrom(',', ';', '\t', '|'), async (rows, delimiter) => {
        await run('delete from memories');
        const lines = rows.map((row) => row.map(quoted).join(delimiter));
        await bring('csv', [`content${delimiter}note`, ...lines].join('\n'));
        const found = (await stored()) as { content: string; metadata: { note: string } }[];
        expect(found.map(({ content, metadata }) => [content, metadata.note])).toEqual(rows);
      }),
      { numRuns: 30 },
    );
  });

  test('refuses bytes that are no UTF-8', async () => {
    const bytes = Buffer.from('content\nJos\xe9\n', 'latin1');
    await expect(importText(database.pool, bytes, { from: 'csv' })).rejects.toThrow('The file is not UTF-8.');
  });
});

describe('JSON Lines', () => {
  test('have fields of memories, and other keys as metadata', async () => {
    const text = '{"content":"a","createdAt":1706745600.5,"tag":"x","metadata":{"n":1}}\n\n{"content":"b"}\n';
    expect(await bring('jsonl', text)).toMatchObject({ memories: 2, failed: 0 });
    expect(await stored()).toMatchObject([
      { content: 'a', created: '2024-02-01T00:00:00.500000', metadata: { tag: 'x', n: 1 } },
      { content: 'b', metadata: {} },
    ]);
  });

  test.each<[string, string, string]>([
    [
      'a number that would be rounded',
      '{"content":"a","n":1234567890123456789}',
      'the line has the number 1234567890123456789',
    ],
    ['a vector without its model', '{"content":"a","embedding":[1]}', 'embedding is sent without'],
    ['a time in the future', '{"content":"a","createdAt":"9999-01-01"}', 'in the future'],
    [
      'milliseconds as a time',
      '{"content":"a","createdAt":1706745600000}',
      'createdAt is 1706745600000, which is too much for seconds since 1970',
    ],
    ['no text', '{"content":7}', 'content is 7, not a text'],
    ['a cut end', '{"content":"a', 'the file ends in the middle of this line'],
  ])('refuse %s', async (_, line, reason) => {
    const report = await bring('jsonl', `{"content":"good"}\n${line}`);
    expect(report).toMatchObject({ memories: 1, failed: 1 });
    expect(report.faults).toEqual([expect.stringContaining(reason)]);
    expect(report.faults[0]).toMatch(/^line 2: /);
  });
});

describe('a list in JSON', () => {
  test.each<[string, string, string]>([
    ['is cut', '[{"memory":"a"},{"mem', 'The file is not valid JSON: it is broken or cut after entry 1.'],
    ['is no list', '{"memories":[]}', 'The file is not a list in JSON, or an object with a list "results".'],
    ['is text', 'hello', 'The file is not valid JSON'],
  ])('%s', async (_, text, message) => {
    await expect(bring('mem0', text)).rejects.toThrow(message);
  });

  test.each([
    ['one text', ''],
    ['many values', ',"memory":"'],
  ])(
    'with an entry that is too large for the memory is refused before all of it is read: %s',
    async (_, between) => {
      let megabytes = 0;
      async function* file() {
        yield Buffer.from('[{"memory":"a"},{"memory":"');
        for (; megabytes < 500; megabytes++) {
          await setImmediate(); // as a file is read
          const text = 'x'.repeat(2 ** 20);
          yield Buffer.from(between === '' ? text : `${text}"${between}`);
        }
      }
      const entries: unknown[] = [];
      await expect(async () => {
        for await (const { value } of readJsonList(file(), { name: 'The file' })) entries.push(value);
      }).rejects.toThrow(`The file has more than ${largestElement} bytes in the one entry after entry 1.`);
      expect(entries).toEqual([{ memory: 'a' }]);
      expect(megabytes).toBeLessThan(80);
    },
  );

  test('with a number that would be rounded', async () => {
    const text = '[{"memory":"a","metadata":{"n":1234567890123456789}},{"memory":"b"}]';
    const report = await bring('mem0', text);
    expect(report).toMatchObject({ memories: 1, failed: 1 });
    expect(report.faults[0]).toContain('the number 1234567890123456789');
  });
});

test('the same file twice adds nothing, and two equal texts stay two', async () => {
  const text = '{"content":"a"}\n{"content":"a"}\n{"content":"b"}\n';
  expect(await bring('jsonl', text)).toMatchObject({ memories: 3, known: 0 });
  expect(await bring('jsonl', text)).toMatchObject({ memories: 0, known: 3, embedded: [] });
  expect(await bring('jsonl', text, { user: 'ada' })).toMatchObject({ memories: 3, known: 0 });
});

test.each([
  ['content', 'content'],
  ['x=1', 'x=1'],
  ['content=', 'content='],
])('refuses the map %s', (map, shown) => {
  expect(() => parseMap(map)).toThrow(`--map has "${shown}"; it must be FIELD=COLUMN`);
});
