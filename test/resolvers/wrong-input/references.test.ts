import { describe, expect, test } from 'vitest';
import {
  ChunkDocument,
  ChunksDocument,
  DeleteDocumentDocument,
  DeleteMemoriesDocument,
  DeleteMemoryDocument,
  DocumentChunksDocument,
  DocumentDocument,
  DocumentsDocument,
  MemoriesDocument,
  MemoryDocument,
  RecordToolUseDocument,
  SimilarChunksDocument,
  SimilarMemoriesDocument,
  ToolsDocument,
  UpdateDocumentDocument,
  UpdateMemoryDocument,
} from '../../generated/operations.ts';
import { type Case, nameOf, type Operation, refuses, stored, storeRows } from './refusals.ts';

storeRows();

describe('an id', () => {
  const impossible = [
    '',
    ' ',
    'abc',
    '-1',
    '0',
    '1.5',
    '1e3',
    '007',
    ' 1',
    '1 ',
    '٣',
    '0x10',
    "1' or '1'='1",
    '9223372036854775808',
    '9'.repeat(40),
  ];
  const byId: [Operation, (id: string) => object][] = [
    [MemoryDocument, (id) => ({ id })],
    [DocumentDocument, (id) => ({ id })],
    [ChunkDocument, (id) => ({ id })],
    [UpdateMemoryDocument, (id) => ({ id, input: { content: 'changed' } })],
    [UpdateDocumentDocument, (id) => ({ id, input: { content: 'changed' } })],
    [DeleteMemoryDocument, (id) => ({ id })],
    [DeleteDocumentDocument, (id) => ({ id })],
  ];
  const named = byId.map(([operation, variables]) => [nameOf(operation), operation, variables] as const);
  test.each(named)('must be one: %s', async (_, operation, variables) => {
    const before = await stored.server.contents();
    for (const id of impossible) {
      const { errors } = await stored.server.raw(operation, variables(id));
      expect(errors).toMatchObject([
        {
          message: `id must be an id, a whole number like "42", not ${JSON.stringify(id)}.`,
          extensions: { code: 'BAD_USER_INPUT' },
        },
      ]);
    }
    expect(await stored.server.contents()).toEqual(before);
  });

  const unknown = '9223372036854775807';
  refuses('that nothing has cannot be changed: %s', [
    [
      'memory',
      UpdateMemoryDocument,
      { id: unknown, input: { content: 'x' } },
      `There is no memory with id "${unknown}".`,
      'NOT_FOUND',
    ],
    [
      'document',
      UpdateDocumentDocument,
      { id: unknown, input: { content: 'x' } },
      `There is no document with id "${unknown}".`,
      'NOT_FOUND',
    ],
    [
      'document',
      UpdateDocumentDocument,
      { id: unknown, input: { filename: 'x' } },
      `There is no document with id "${unknown}".`,
      'NOT_FOUND',
    ],
    [
      'document',
      UpdateDocumentDocument,
      { id: unknown, input: {} },
      `There is no document with id "${unknown}".`,
      'NOT_FOUND',
    ],
    ['tool', RecordToolUseDocument, { name: 'sundial' }, 'There is no tool named "sundial".', 'NOT_FOUND'],
  ]);
  refuses('that is wrong in a list spares the others: %s', [
    [
      'ids',
      DeleteMemoriesDocument,
      () => ({ ids: [stored.ids.memory, 'abc'] }),
      'ids[1] must be an id, a whole number like "42", not "abc".',
    ],
  ]);
});

describe('a filter', () => {
  refuses('with what it does not know, or cannot compare, is refused: %s', [
    [
      'operator',
      MemoriesDocument,
      { filters: { metadata: { matches: 1 } } },
      /Field "matches" is not defined by type "JSONFilter"/,
    ],
    [
      'operator on a path',
      MemoriesDocument,
      { filters: { metadata: { at: [{ path: ['a'], number: { startsWith: '1' } }] } } },
      /Field "startsWith" is not defined by type "FloatFilter"/,
    ],
    [
      'field',
      MemoriesDocument,
      { filters: { embedding: { eq: 1 } } },
      /Field "embedding" is not defined by type "MemoryFilters"/,
    ],
    [
      'type',
      MemoriesDocument,
      { filters: { importanceScore: { gt: 'high' } } },
      /Float cannot represent non numeric value: "high"/,
    ],
    [
      'type on a path',
      MemoriesDocument,
      { filters: { metadata: { at: [{ path: ['a'], number: { gt: '3' } }] } } },
      /Float cannot represent non numeric value: "3"/,
    ],
    [
      'no path',
      MemoriesDocument,
      { filters: { metadata: { at: [{ path: [], exists: true }] } } },
      'filters.metadata.at[0].path is empty: name at least one key.',
    ],
    [
      'no object',
      MemoriesDocument,
      { filters: { metadata: { contains: 'a' } } },
      /JSONObject cannot represent non-object value: a/,
    ],
    [
      'date',
      MemoriesDocument,
      { filters: { createdAt: { gt: 'yesterday' } } },
      /DateTime cannot represent an invalid date-time-string yesterday/,
    ],
    [
      'id',
      MemoriesDocument,
      { filters: { id: { in: ['1', 'x'] } } },
      /^filters\.id\.in\[1\] must be an id, .* not "x"/,
    ],
    [
      'null',
      MemoriesDocument,
      { filters: { source: { eq: null } } },
      'filters.source.eq is null, but this field has a value in every row: compare with a value.',
    ],
    [
      'NUL',
      SimilarMemoriesDocument,
      { text: 'x', filters: { or: [{ id: { eq: '1' } }, { content: { contains: '\0' } }] } },
      /^filters\.or\[1\]\.content\.contains contains a NUL character/,
    ],
    [
      'surrogate',
      SimilarChunksDocument,
      { text: 'x', filters: { document: { filename: { eq: '\udc00' } } } },
      /^filters\.document\.filename\.eq contains half of a surrogate pair/,
    ],
    [
      'enum',
      MemoriesDocument,
      { filters: { embeddingStatus: { eq: 'DONE' } } },
      /Value "DONE" does not exist in "EmbeddingStatus" enum/,
    ],
  ]);
});

describe('a cursor', () => {
  const forged = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');
  const lists = [MemoriesDocument, DocumentsDocument, ChunksDocument, ToolsDocument, DocumentChunksDocument];
  const garbage = ['', 'x', 'null', '%%%', 'e30', 'W10', '"', '\0', '\ud800', "1'; drop table memories; --"];
  refuses(
    'that was made up is refused: %s',
    lists.flatMap((operation) =>
      garbage.map(
        (after): Case => [
          `${JSON.stringify(after)} in ${nameOf(operation)}`,
          operation,
          () => ({ id: stored.ids.document, after }),
          /^after must be a cursor of this (list|document's chunks), not "/,
        ],
      ),
    ),
  );
  const own = /^after must be a cursor of this list, not "[\w-]+("|… \(\d+ characters\))\.$/;
  refuses('of ours that was changed is refused: %s', [
    [
      'no date',
      MemoriesDocument,
      { after: forged('memories', 'CREATED_AT', 'DESC', 'yesterday noon', '1') },
      own,
    ],
    [
      'no number',
      MemoriesDocument,
      {
        after: forged('memories', 'IMPORTANCE_SCORE', 'ASC', 'x', '1'),
        orderBy: { field: 'IMPORTANCE_SCORE', direction: 'ASC' },
      },
      own,
    ],
    ['NUL', ToolsDocument, { after: forged('tools', 'TOOL_NAME', 'ASC', '\0', '1') }, own],
    [
      'id beyond bigint',
      ToolsDocument,
      { after: forged('tools', 'TOOL_NAME', 'ASC', 'a', '9'.repeat(20)) },
      own,
    ],
    ['id', ToolsDocument, { after: forged('tools', 'TOOL_NAME', 'ASC', 'a', '1 or 1=1') }, own],
    ['longer', ToolsDocument, { after: forged('tools', 'TOOL_NAME', 'ASC', 'a', '1', '2') }, own],
  ]);
  refuses('of another list or order is refused, and told apart: %s', [
    [
      'other list',
      DocumentsDocument,
      () => ({ after: stored.cursors.memories }),
      'after is a cursor of memories ordered by CREATED_AT DESC, and this list is documents ordered by PROCESSED_AT DESC. Send the orderBy that you sent when you got the cursor.',
    ],
    [
      'other field',
      MemoriesDocument,
      () => ({ after: stored.cursors.memoriesById }),
      /^after is a cursor of memories ordered by ID DESC, and this list is memories ordered by CREATED_AT DESC/,
    ],
    [
      'other direction',
      MemoriesDocument,
      () => ({ after: stored.cursors.memoriesUpwards }),
      /^after is a cursor of memories ordered by CREATED_AT ASC/,
    ],
    [
      'other list',
      ToolsDocument,
      () => ({ after: stored.cursors.chunks }),
      /^after is a cursor of chunks ordered by ID ASC, and this list is tools/,
    ],
    ['other list', ChunksDocument, () => ({ after: stored.cursors.tools }), /^after is a cursor of tools/],
    [
      'of all chunks',
      DocumentChunksDocument,
      () => ({ id: stored.ids.document, after: stored.cursors.chunks }),
      /^after must be a cursor of this document's chunks, not/,
    ],
    [
      "of a document's chunks",
      ChunksDocument,
      () => ({ after: stored.cursors.firstDocument }),
      /^after must be a cursor of this list, not/,
    ],
    [
      "of another document's chunks",
      DocumentChunksDocument,
      () => ({ id: stored.ids.document, after: stored.cursors.firstDocument }),
      /^after must be a cursor of this document's chunks, not/,
    ],
  ]);
});

describe('a query', () => {
  refuses('that is no GraphQL of ours is refused: %s', [
    ['syntax', '{ memories { ', {}, /Syntax Error: Expected Name, found <EOF>/],
    ['field', '{ memories { secrets } }', {}, /Cannot query field "secrets" on type "MemoryConnection"/],
    [
      'half a pair',
      '{ similarMemories(text: "\\ud800") { score } }',
      {},
      /Syntax Error: Invalid Unicode escape sequence: "\\ud800"/,
    ],
    ['variable', MemoryDocument, {}, /Variable "\$id" of required type "ID!" was not provided/],
  ]);
});
