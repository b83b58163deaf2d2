import { describe, expect, test } from 'vitest';
import {
  ChunkNeighboursDocument,
  CreateMemoriesDocument,
  CreateMemoryDocument,
  DeleteToolDocument,
  DocumentNeighboursDocument,
  IngestDocumentDocument,
  MemoriesDocument,
  MemoryDocument,
  MemoryNeighboursDocument,
  RecordToolUseDocument,
  RegisterToolsDocument,
  SimilarChunksDocument,
  SimilarDocumentsDocument,
  SimilarMemoriesDocument,
  SimilarToolsDocument,
  ToolDocument,
  ToolNeighboursDocument,
  UpdateDocumentDocument,
  UpdateMemoryDocument,
} from '../../generated/operations.ts';
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
  send,
  stored,
  storeRows,
  type Variables,
} from './refusals.ts';

storeRows();

/** Each input that takes a text, with its input path. */
const textFields: [field: string, operation: Operation, variables: (text: string) => Variables][] = [
  ['input.content', CreateMemoryDocument, (content) => newMemory({ content })],
  ['input.contentSummary', CreateMemoryDocument, (contentSummary) => newMemory({ contentSummary })],
  ['input.source', CreateMemoryDocument, (source) => newMemory({ source })],
  ['input.sessionId', CreateMemoryDocument, (sessionId) => newMemory({ sessionId })],
  ['input.userId', CreateMemoryDocument, (userId) => newMemory({ userId })],
  ['input.idempotencyKey', CreateMemoryDocument, (idempotencyKey) => newMemory({ idempotencyKey })],
  [
    'inputs[1].content',
    CreateMemoriesDocument,
    (content) => ({ inputs: [{ content: 'fine' }, { content }] }),
  ],
  ['input.content', UpdateMemoryDocument, (content) => memoryChange({ content })],
  ['input.contentSummary', UpdateMemoryDocument, (contentSummary) => memoryChange({ contentSummary })],
  ['input.source', UpdateMemoryDocument, (source) => memoryChange({ source })],
  ['input.sessionId', UpdateMemoryDocument, (sessionId) => memoryChange({ sessionId })],
  ['input.filename', IngestDocumentDocument, (filename) => newDocument({ filename })],
  ['input.filePath', IngestDocumentDocument, (filePath) => newDocument({ filePath })],
  ['input.userId', IngestDocumentDocument, (userId) => newDocument({ userId })],
  ['input.content', IngestDocumentDocument, (content) => newDocument({ content })],
  ['input.filename', UpdateDocumentDocument, (filename) => documentChange({ filename })],
  ['input.filePath', UpdateDocumentDocument, (filePath) => documentChange({ filePath })],
  ['input.content', UpdateDocumentDocument, (content) => documentChange({ content })],
  ['inputs[0].toolName', RegisterToolsDocument, (toolName) => newTool({ toolName })],
  ['inputs[0].toolDescription', RegisterToolsDocument, (toolDescription) => newTool({ toolDescription })],
  ['name', ToolDocument, (name) => ({ name })],
  ['name', RecordToolUseDocument, (name) => ({ name })],
  ['name', DeleteToolDocument, (name) => ({ name })],
  ['text', SimilarMemoriesDocument, (text) => ({ text })],
  ['text', SimilarDocumentsDocument, (text) => ({ text })],
  ['text', SimilarChunksDocument, (text) => ({ text })],
  ['text', SimilarToolsDocument, (text) => ({ text })],
  ['text', MemoryNeighboursDocument, (text) => () => ({ id: stored.ids.memory, text })],
  ['text', DocumentNeighboursDocument, (text) => () => ({ id: stored.ids.document, text })],
  ['text', ChunkNeighboursDocument, (text) => () => ({ id: stored.ids.chunk, text })],
  ['text', ToolNeighboursDocument, (text) => ({ name: 'clock', text })],
];

const namedTextFields = textFields.map(
  ([field, operation, variables]) =>
    [`${field} of ${nameOf(operation)}`, field, operation, variables] as const,
);

describe('a text', () => {
  const unstorable: [text: string, what: string][] = [
    ['a \0 in the middle', 'a NUL character (U+0000): "a \\u0000 in the middle"'],
    ['a bell \u0007', 'a control character (U+0007)'],
    ['red \u001b[31m', 'a control character (U+001B)'],
    ['rubbed out \u007f', 'a control character (U+007F)'],
    ['half a pair \ud83d', 'half of a surrogate pair: "half a pair \\ud83d"'],
    ['the other half \ude00', 'half of a surrogate pair'],
    ['the wrong way round \ude00\ud83d', 'half of a surrogate pair'],
  ];

  test.each(namedTextFields)('may not be blank: %s', async (_, field, operation, variables) => {
    const before = await stored.server.contents();
    // The next-line character, and invisible characters. Databases disagree whether these are blanks.
    const invisible = [
      '\u200b\u2060\u00ad\ufeff',
      '\u3164\uffa0\u115f',
      '\u2800',
      '\u034f',
      '\ufe0f\u{e0100}',
    ];
    for (const text of ['', ' \n\t\r', '\u00a0\u3000\u2028', '\u0085', ...invisible]) {
      const { errors } = await send(operation, variables(text));
      expect(errors).toMatchObject([
        { message: `${field} must not be blank.`, extensions: { code: 'BAD_USER_INPUT' } },
      ]);
    }
    expect(await stored.server.contents()).toEqual(before);
  });

  test.each(namedTextFields)(
    'may not have what no text can hold: %s',
    async (_, field, operation, variables) => {
      const before = await stored.server.contents();
      for (const [text, what] of unstorable) {
        const { errors } = await send(operation, variables(text));
        expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
        expect(errors?.[0]?.message).toContain(`${field} contains ${what}`);
      }
      expect(await stored.server.contents()).toEqual(before);
    },
  );

  const lengths: Record<string, number> = {
    'input.source': 50,
    'input.sessionId': 100,
    'input.userId': 100,
    'input.idempotencyKey': 200,
    'input.filename': 255,
    'input.filePath': 4096,
    'inputs[0].toolName': 100,
    name: 100,
    text: 20_000,
  };
  refuses(
    'may not be longer than its limit: %s',
    textFields.map(([field, operation, variables]): Case => {
      const ofDocument = nameOf(operation).endsWith('Document');
      const most = field === 'input.content' && ofDocument ? 5_000_000 : (lengths[field] ?? 100_000);
      const message = `${field} has ${most + 1} characters; at most ${most} are allowed.`;
      return [
        `${field} of ${nameOf(operation)}`,
        operation,
        variables('x'.repeat(most + 1)),
        message,
        'LIMIT_EXCEEDED',
      ];
    }),
  );

  const tenMegabytes = 'ten bytes '.repeat(1_000_000);
  refuses('of 10 MB is refused by its length: %s', [
    [
      'a memory',
      CreateMemoryDocument,
      newMemory({ content: tenMegabytes }),
      'input.content has 10000000 characters; at most 100000 are allowed.',
      'LIMIT_EXCEEDED',
    ],
    [
      'a document',
      IngestDocumentDocument,
      newDocument({ content: tenMegabytes }),
      'input.content has 10000000 characters; at most 5000000 are allowed.',
      'LIMIT_EXCEEDED',
    ],
    [
      'a file',
      IngestDocumentDocument,
      newDocument(file(tenMegabytes)),
      'The text of the file "notes.txt" has 10000000 characters; at most 5000000 are allowed.',
      'LIMIT_EXCEEDED',
    ],
    [
      'a query',
      SimilarChunksDocument,
      { text: tenMegabytes },
      'text has 10000000 characters; at most 20000 are allowed.',
      'LIMIT_EXCEEDED',
    ],
    [
      'an id',
      MemoryDocument,
      { id: tenMegabytes },
      /^id must be an id, .* not "ten bytes .*… \(10000002 characters\)\.$/,
    ],
    [
      'a cursor',
      MemoriesDocument,
      { after: tenMegabytes },
      /^after must be a cursor .*… \(10000002 characters\)\.$/,
    ],
    [
      'in a filter',
      MemoriesDocument,
      { filters: { content: { eq: tenMegabytes } } },
      'filters.content.eq has 10000000 characters; a string in a filter may have at most 10000.',
      'LIMIT_EXCEEDED',
    ],
  ]);

  refuses('may be left out or null only where there can be none: %s', [
    [
      'content of a new memory',
      CreateMemoryDocument,
      { input: {} },
      /Field "content" of required type "String!" was not provided/,
    ],
    [
      'content of a new memory',
      CreateMemoryDocument,
      { input: { content: null } },
      /Expected non-nullable type "String!" not to be null/,
    ],
    [
      'content',
      UpdateMemoryDocument,
      memoryChange({ content: null }),
      'input.content must not be null: leave it out to keep the stored value.',
    ],
    [
      'source',
      UpdateMemoryDocument,
      memoryChange({ source: null }),
      'input.source must not be null: leave it out to keep the stored value.',
    ],
    [
      'filename',
      UpdateDocumentDocument,
      documentChange({ filename: null }),
      'input.filename must not be null, because every document has a value for it. Leave it out to keep the value.',
    ],
    [
      'toolDescription',
      RegisterToolsDocument,
      newTool({ toolDescription: null }),
      /Expected non-nullable type "String!" not to be null/,
    ],
  ]);
});
