import { describe, expect, test } from 'vitest';
import {
  CreateMemoriesDocument,
  CreateMemoryDocument,
  DeleteMemoriesDocument,
  IngestDocumentDocument,
  RegisterToolsDocument,
  UpdateDocumentDocument,
  UpdateMemoryDocument,
} from '../../generated/operations.ts';
import { readTestFile } from '../../src/ingest/extract/files.ts';
import {
  type Case,
  documentChange,
  file,
  memoryChange,
  nameOf,
  newDocument,
  newMemory,
  newTool,
  type Operation,
  refuses,
  stored,
  storeRows,
  type Variables,
} from './refusals.ts';

storeRows();

describe('JSON', () => {
  const fields: [string, Operation, (json: unknown) => Variables][] = [
    ['input.metadata', CreateMemoryDocument, (metadata) => newMemory({ metadata })],
    ['input.metadata', UpdateMemoryDocument, (metadata) => memoryChange({ metadata })],
    ['input.metadata', IngestDocumentDocument, (metadata) => newDocument({ metadata })],
    ['input.metadata', UpdateDocumentDocument, (metadata) => documentChange({ metadata })],
    ['inputs[0].toolParameters', RegisterToolsDocument, (toolParameters) => newTool({ toolParameters })],
  ];
  const nested = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
  refuses(
    'that cannot be stored is refused: %s',
    fields.flatMap(([field, operation, variables]): Case[] => {
      const where = `${field} of ${nameOf(operation)}`;
      return [
        [
          `1 MB in ${where}`,
          operation,
          variables({ text: 'x'.repeat(1_000_000) }),
          `${field} has 1000011 characters as JSON; at most 65536 are allowed.`,
          'LIMIT_EXCEEDED',
        ],
        [
          `a NUL in ${where}`,
          operation,
          variables({ a: [{ b: '\0' }] }),
          `${field} contains a NUL character (U+0000) in "\\u0000". Remove it.`,
        ],
        [
          `a NUL in a key of ${where}`,
          operation,
          variables({ 'a\0': 1 }),
          `${field} contains a NUL character (U+0000) in "a\\u0000". Remove it.`,
        ],
        [
          `half a pair in ${where}`,
          operation,
          variables({ a: 'x\ud800' }),
          `${field} contains half of a surrogate pair in "x\\ud800". Remove it.`,
        ],
        [
          `half a pair in a key of ${where}`,
          operation,
          variables({ a: { '\udfff': 1 } }),
          `${field} contains half of a surrogate pair in "\\udfff". Remove it.`,
        ],
        [
          `201 levels in ${where}`,
          operation,
          variables(nested(201)),
          `${field} is nested too deep: at most 200 levels of objects and lists are allowed.`,
          'LIMIT_EXCEEDED',
        ],
        [`a list in ${where}`, operation, variables([1]), /JSONObject cannot represent non-object value/],
        [`a text in ${where}`, operation, variables('{}'), /JSONObject cannot represent non-object value/],
      ];
    }),
  );
  refuses('may not have an infinite number, which would become null: %s', [
    [
      'metadata',
      'mutation { createMemory(input: { content: "x", metadata: { a: [1e999] } }) { id } }',
      {},
      'input.metadata contains a number beyond 1.8e308: send it as a string.',
    ],
  ]);
  refuses('may not be null where there is always some: %s', [
    [
      'memory',
      UpdateMemoryDocument,
      memoryChange({ metadata: null }),
      'input.metadata must not be null: leave it out to keep the stored value.',
    ],
    [
      'document',
      UpdateDocumentDocument,
      documentChange({ metadata: null }),
      'input.metadata must not be null, because every document has a value for it. Leave it out to keep the value.',
    ],
  ]);

  test('of ten thousand levels, more than a stack holds, is refused like any other that is too deep', async () => {
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    const query =
      'mutation Deep($metadata: JSONObject) { createMemory(input: { content: "x", metadata: $metadata }) { id } }';
    const response = await fetch(`${stored.server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"query":${JSON.stringify(query)},"variables":{"metadata":{"a":${deep}}}}`,
    });
    expect(await response.json()).toMatchObject({
      data: null,
      errors: [
        {
          message: expect.stringMatching(/^input.metadata is nested too deep/),
          extensions: { code: 'LIMIT_EXCEEDED' },
        },
      ],
    });
  });
});

/** A new document of a test file, by a name of its own, and changed. */
function testFile(name: string, filename = name, change = (bytes: Buffer) => bytes): Variables {
  return newDocument({
    filename,
    content: null,
    contentBase64: change(readTestFile(name)).toString('base64'),
  });
}

describe('a document', () => {
  refuses('needs text of a known format: %s', [
    [
      'jpeg',
      IngestDocumentDocument,
      newDocument({ filename: 'a.jpeg' }),
      /^The file "a.jpeg" has the extension ".jpeg", which cannot be ingested. Supported are txt/,
    ],
    [
      'fileType',
      IngestDocumentDocument,
      newDocument({ fileType: 'application/zip' }),
      /^fileType is "application\/zip", which cannot be ingested/,
    ],
    [
      'an old office file',
      IngestDocumentDocument,
      newDocument({ filename: 'a.doc' }),
      /which cannot be ingested\. .*Save it as docx in an office program\.$/,
    ],
    [
      'pdf as text',
      IngestDocumentDocument,
      newDocument({ filename: 'a.pdf' }),
      'A pdf file is not text. Send its bytes as contentBase64, or set fileType to the format of the content.',
    ],
    [
      'encrypted pdf',
      IngestDocumentDocument,
      testFile('encrypted.pdf'),
      /^The file "encrypted.pdf" is encrypted/,
    ],
    [
      'half a pdf',
      IngestDocumentDocument,
      testFile('manual.pdf', 'manual.pdf', (bytes) => bytes.subarray(0, bytes.length / 2)),
      /^The file "manual.pdf" is cut off/,
    ],
    [
      'pdf of pictures',
      IngestDocumentDocument,
      testFile('drawing.pdf'),
      /^The file "drawing.pdf" has no text layer/,
    ],
    [
      'no pdf',
      IngestDocumentDocument,
      testFile('ledger.xlsx', 'ledger.pdf'),
      'The file "ledger.pdf" is not a PDF. Send it with the fileType that it has.',
    ],
    [
      'docx that holds too much',
      IngestDocumentDocument,
      testFile('bomb.docx'),
      /^The file "bomb.docx" is too much to unpack/,
      'LIMIT_EXCEEDED',
    ],
    [
      'old office file by another name',
      IngestDocumentDocument,
      testFile('report.doc', 'report.docx'),
      /^The file "report.docx" has an old office format/,
    ],
    [
      'binary file by the name of a text',
      IngestDocumentDocument,
      testFile('ledger.xlsx', 'ledger.txt'),
      /^The file "ledger.txt" is no text but a ZIP archive or an office document/,
    ],
    [
      'page that has scripts only',
      IngestDocumentDocument,
      newDocument({ filename: 'a.html', content: '<script>let text = "words";</script>' }),
      'The text of the file "a.html" must not be blank.',
    ],
    [
      'text and bytes',
      IngestDocumentDocument,
      newDocument({ contentBase64: 'YQ==' }),
      /^A document comes as content \(text\) or as contentBase64 \(bytes\)\. Send exactly one/,
    ],
    [
      'neither',
      IngestDocumentDocument,
      newDocument({ content: null }),
      /^A document comes as content \(text\) or as contentBase64 \(bytes\)\. Send exactly one/,
    ],
    [
      'no base64',
      IngestDocumentDocument,
      newDocument({ content: null, contentBase64: 'what?' }),
      'input.contentBase64 is not base64: it has the character "?". Encode the file\'s bytes again.',
    ],
    [
      'cut base64',
      IngestDocumentDocument,
      newDocument({ content: null, contentBase64: 'YWJjZ' }),
      /^input.contentBase64 is not base64: it was cut off/,
    ],
    [
      'no UTF-8',
      IngestDocumentDocument,
      newDocument(file(Uint8Array.of(0x61, 0xff, 0x62))),
      'The file "notes.txt" is not valid UTF-8 (byte 1 is wrong), and which other encoding it has is not certain. ' +
        'Save it as UTF-8 and send it again.',
    ],
    [
      'a surrogate in UTF-8',
      IngestDocumentDocument,
      newDocument(file(Uint8Array.of(0xed, 0xa0, 0x80))),
      /^The file "notes.txt" is not valid UTF-8/,
    ],
    [
      'binary',
      IngestDocumentDocument,
      newDocument(file('BM\u0003\u0004\0\0')),
      /^The file "notes.txt" contains a NUL character \(at character 4\)/,
    ],
    [
      'empty file',
      IngestDocumentDocument,
      newDocument(file('')),
      'The file "notes.txt" is empty. Send one that has text.',
    ],
    [
      'blank file',
      IngestDocumentDocument,
      newDocument(file('\ufeff \n\n\t')),
      'The text of the file "notes.txt" must not be blank.',
    ],
    [
      'nothing but accents',
      IngestDocumentDocument,
      newDocument({ content: '\u0301 \u0302' }),
      /^No search could find this document/,
    ],
    [
      'nothing but marks',
      IngestDocumentDocument,
      newDocument({ content: '--- *** ... !!! ???' }),
      `No search could find this document, because its text has no letter, number or pictograph: ` +
        '"--- *** ... !!! ???". Send a document that has words.',
    ],
    [
      'an empty comment in Markdown',
      IngestDocumentDocument,
      newDocument({ ...file('<!-- -->\n'), filename: 'notes.md' }),
      /^No search could find this document/,
    ],
    [
      'new text of marks',
      UpdateDocumentDocument,
      documentChange({ content: '--- | --- | ---' }),
      /^No search could find this document/,
    ],
    [
      'new bytes of marks',
      UpdateDocumentDocument,
      documentChange(file('***')),
      /^No search could find this document/,
    ],
    [
      'new text of accents',
      UpdateDocumentDocument,
      documentChange({ content: '\u0301' }),
      /^No search could find this document/,
    ],
    [
      'new format',
      UpdateDocumentDocument,
      documentChange({ content: 'x', fileType: 'jpeg' }),
      /^fileType is "jpeg", which cannot be ingested/,
    ],
  ]);
});

describe('a batch', () => {
  const many = <T>(length: number, element: (i: number) => T) => Array.from({ length }, (_, i) => element(i));
  const memories = many(1000, (i) => ({ content: `memory ${i}` }));
  const tools = many(1000, (i) => ({ toolName: `tool ${i}`, toolDescription: 'one of many' }));
  refuses('with one wrong element stores none, and names it: %s', [
    [
      'content',
      CreateMemoriesDocument,
      { inputs: memories.with(499, { content: ' ' }) },
      'inputs[499].content must not be blank.',
    ],
    [
      'importance',
      CreateMemoriesDocument,
      { inputs: memories.with(499, { content: 'x', importanceScore: 2 } as never) },
      'inputs[499].importanceScore must be within 0 and 1, not 2.',
    ],
    [
      'metadata',
      CreateMemoriesDocument,
      { inputs: memories.with(499, { content: 'x', metadata: { a: '\0' } } as never) },
      /^inputs\[499\]\.metadata contains a NUL character/,
    ],
    [
      'key',
      CreateMemoriesDocument,
      { inputs: memories.slice(0, 10).with(9, { content: 'other', idempotencyKey: 'taken' } as never) },
      /^inputs\[9\]\.idempotencyKey "taken" was used before for memory \d+, whose write had other content/,
      'CONFLICT',
    ],
    [
      'key twice',
      CreateMemoriesDocument,
      {
        inputs: [
          { content: 'a', idempotencyKey: 'new' },
          { content: 'b', idempotencyKey: 'new' },
        ],
      },
      /^inputs\[1\]\.idempotencyKey "new" was used before for inputs\[0\], whose write/,
      'CONFLICT',
    ],
    [
      'tool',
      RegisterToolsDocument,
      { inputs: tools.with(499, { toolName: 'x', toolDescription: '' }) },
      'inputs[499].toolDescription must not be blank.',
    ],
    [
      'tool twice',
      RegisterToolsDocument,
      { inputs: [...tools.slice(0, 3), { toolName: 'tool 1', toolDescription: 'again' }] },
      'inputs[3].toolName "tool 1" is the name of inputs[1] too: a batch can register a name only once.',
    ],
    [
      'type',
      CreateMemoriesDocument,
      { inputs: memories.with(499, { content: 7 } as never) },
      /\$inputs" got invalid value 7 at "inputs\[499\]\.content"; String cannot represent/,
    ],
  ]);
  refuses('of more than 1000 is refused: %s', [
    [
      'memories',
      CreateMemoriesDocument,
      { inputs: [...memories, { content: 'x' }] },
      'inputs has 1001 elements; at most 1000 are allowed at once.',
      'LIMIT_EXCEEDED',
    ],
    [
      'tools',
      RegisterToolsDocument,
      { inputs: [...tools, { toolName: 'x', toolDescription: 'x' }] },
      'inputs has 1001 elements; at most 1000 are allowed at once.',
      'LIMIT_EXCEEDED',
    ],
    [
      'ids',
      DeleteMemoriesDocument,
      () => ({ ids: many(1001, () => stored.ids.memory) }),
      'ids has 1001 elements; at most 1000 are allowed at once.',
      'LIMIT_EXCEEDED',
    ],
  ]);
});
