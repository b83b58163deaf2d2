import { array, assert, asyncProperty, constantFrom, record, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCsvMap, readCsv } from '../../../../src/transfer/formats/csv.ts';
import { partsOf, read, readUntilError, summary } from './read.ts';

const mapped = (map: string) => (bytes: AsyncIterable<Uint8Array>) => readCsv(bytes, parseCsvMap(map));

test('columns named like fields are fields, all others are metadata', async () => {
  const file = [
    'Content,created_at,SESSION ID,source,user_id,importanceScore,topic,',
    '"Bread, ""sour""\nand fresh",2024-05-01 12:00:00.123456,s-1,notes,alice,0.25,007,last',
    'Tea,,,,,,,',
    '',
    ' ,2024-05-01,,,,,,',
    'Salt,1714564800,,,,,1234567890123456789,',
  ].join('\r\n');
  expect(await read(readCsv, file, 3)).toEqual([
    {
      kind: 'memory',
      inputPath: 'line 2',
      userId: 'alice',
      content: 'Bread, "sour"\nand fresh',
      createdAt: '2024-05-01T12:00:00.123456Z',
      sessionId: 's-1',
      source: 'notes',
      importanceScore: 0.25,
      metadata: { topic: '007', 'column 8': 'last' },
    },
    { kind: 'memory', inputPath: 'line 4', content: 'Tea', metadata: {} },
    { kind: 'leftOut', inputPath: 'line 6', reason: 'has no text' },
    {
      kind: 'memory',
      inputPath: 'line 7',
      content: 'Salt',
      createdAt: '2024-05-01T12:00:00.000000Z',
      metadata: { topic: '1234567890123456789' },
    },
  ]);
});

describe('--map', () => {
  test('names columns, also one for two fields, and keeps the rest', async () => {
    const reader = mapped(
      'content=text, createdAt=date,metadata.topic=about,metadata.day=date,"metadata.x=a, b"',
    );
    const file = 'text;date;about;content;a, b\nBread, and tea;2024-05-01;food;other;1\n';
    expect(await read(reader, file)).toEqual([
      {
        kind: 'memory',
        inputPath: 'line 2',
        content: 'Bread, and tea',
        createdAt: '2024-05-01T00:00:00.000000Z',
        metadata: { topic: 'food', day: '2024-05-01', content: 'other', x: '1' },
      },
    ]);
  });

  test.each([
    ['content', '--map: "content" is not FIELD=COLUMN, such as content=text.'],
    [
      'contents=text',
      '--map: there is no field "contents". Fields are content, createdAt, sessionId, source, userId, importanceScore and ' +
        'metadata.NAME.',
    ],
    ['content=a,content=b', '--map: it says content twice.'],
  ])('%s is refused', (map, message) => {
    expect(() => parseCsvMap(map)).toThrow(message);
  });

  test.each([
    [
      'content=txt',
      'The file has no column "txt", which --map names. Its columns are "text", "date", "Date ".',
    ],
    [
      'createdAt=date',
      'The file has no column "content". Say which column has the text: --map content=COLUMN. Its columns are "text", "date".',
    ],
  ])('%s needs its columns', async (map, message) => {
    const header = map === 'content=txt' ? 'text,date,"Date "' : 'text,date';
    const got = (await readUntilError(mapped(map), `${header}\na,b\n`)).message;
    expect(got).toBe(message.replace('"Date "', '"Date"'));
  });
});

test.each([
  ['', 'The file is empty.'],
  ['\n\n', 'The file is empty: it has no header.'],
  ['content,a,a\n', 'The file has two columns "a". Rename one of them.'],
  [
    'content,created_at,createdAt\n',
    'Two columns of the file are createdAt: "created_at" and "createdAt". Say by --map which one is meant.',
  ],
  [
    '[{"mapping": {}}]',
    "The file is not CSV: it begins like JSON. The file looks like ChatGPT's conversations: try --from chatgpt.",
  ],
  ['{"a": 1}', 'The file is not CSV: it begins like JSON. Try another --from.'],
])('%j is refused', async (file, message) => {
  expect(await readUntilError(readCsv, file)).toEqual({ records: [], message });
});

test('what is wrong with one row leaves the others', async () => {
  const file = 'content,date,importance_score\na,b\nc,,2\nd,,1,x\ne,,\nf,,high\n';
  expect(summary(await read(mapped('createdAt=date'), file))).toEqual([
    'failed line 2: line 2 has 2 cells, and the header has 3.',
    'failed line 3: line 3, column "importance_score", is no number from 0 to 1: "2".',
    'failed line 4: line 4 has 4 cells, and the header has 3.',
    'e',
    'failed line 6: line 6, column "importance_score", is no number from 0 to 1: "high".',
  ]);
  expect(summary(await read(readCsv, 'content,createdAt\na,03/04/2024\n'))).toEqual([
    'failed line 2: line 2, column "createdAt", is no time: "03/04/2024". Times are like 2024-05-01, ' +
      '2024-05-01T12:00:00.5Z, or seconds since 1970.',
  ]);
});

test('a quote that is never closed is an error of its line, and is not read to the end of a large file', async () => {
  const short = await readUntilError(readCsv, 'content,n\na,1\n"b,2\nc,3\n');
  expect(summary(short.records)).toEqual(['a']);
  expect(short.message).toMatch(/^The file is not valid CSV, at line 3: Quote Not Closed/);

  let parts = 0;
  async function* large() {
    yield Buffer.from('content,n\n"b');
    for (; parts < 1000; parts++) yield Buffer.alloc(64 * 1024, 'x');
  }
  await expect(async () => {
    for await (const _ of readCsv(large()));
  }).rejects.toThrow(/^The file is not valid CSV, at line 2: Max Record Size/);
  expect(parts).toBeLessThan(200);
});

test('any text comes back as it was quoted, in whatever parts the file is read', async () => {
  const cell = string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replaceAll('\0', ' '));
  const quoting = constantFrom(',', ';', '\t', '|');
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  await assert(
    asyncProperty(
      array(record({ content: cell, note: cell }), { maxLength: 8 }),
      quoting,
      constantFrom('\n', '\r\n'),
      constantFrom(1, 2, 7, 1000),
      async (rows, delimiter, newline, partLength) => {
        const file = [['content', 'note'], ...rows.map(({ content, note }) => [content, note])]
          .map((cells, i) => cells.map((text) => (i === 0 ? text : quoted(text))).join(delimiter))
          .join(newline);
        const records = await read(readCsv, file, partLength);
        expect(
          records.map((one) => (one.kind === 'memory' ? [one.content, one.metadata] : one.kind)),
        ).toEqual(
          rows.map(({ content, note }) =>
            /\S/.test(content) ? [content, note === '' ? {} : { note }] : 'leftOut',
          ),
        );
      },
    ),
  );
});

test('a reader that is given up ends its file', async () => {
  let ended = false;
  async function* file() {
    try {
      yield Buffer.from('content\n');
      for (let i = 0; i < 1e6; i++) yield* partsOf(`row ${i}\n`.repeat(1000), 64 * 1024);
    } finally {
      ended = true;
    }
  }
  for await (const _ of readCsv(file())) break;
  await expect.poll(() => ended).toBe(true);
});
