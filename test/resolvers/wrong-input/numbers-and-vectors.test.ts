import { describe } from 'vitest';
import { EMBEDDING_DIMENSIONS } from '../../../schema/columns/vector.ts';
import {
  ChunkNeighboursDocument,
  ChunksDocument,
  CreateMemoryDocument,
  DocumentChunksDocument,
  DocumentNeighboursDocument,
  DocumentsDocument,
  IngestDocumentDocument,
  MemoriesDocument,
  MemoryNeighboursDocument,
  SimilarChunksDocument,
  SimilarDocumentsDocument,
  SimilarMemoriesDocument,
  SimilarToolsDocument,
  ToolNeighboursDocument,
  ToolsDocument,
  UpdateDocumentDocument,
  UpdateMemoryDocument,
} from '../../generated/operations.ts';
import {
  type Case,
  documentChange,
  memoryChange,
  nameOf,
  newDocument,
  newMemory,
  type Operation,
  refuses,
  stored,
  storeRows,
} from './refusals.ts';

storeRows();

describe('a number', () => {
  refuses('must be importance from 0 to 1: %s', [
    ...[-0.01, 1.000001, 1e300].flatMap((importanceScore): Case[] => [
      [
        `${importanceScore}`,
        CreateMemoryDocument,
        newMemory({ importanceScore }),
        `input.importanceScore must be within 0 and 1, not ${importanceScore}.`,
      ],
      [
        `${importanceScore}`,
        UpdateMemoryDocument,
        memoryChange({ importanceScore }),
        `input.importanceScore must be within 0 and 1, not ${importanceScore}.`,
      ],
    ]),
    [
      'null',
      UpdateMemoryDocument,
      memoryChange({ importanceScore: null }),
      'input.importanceScore must not be null: leave it out to keep the stored value.',
    ],
    [
      'infinite',
      'mutation { createMemory(input: { content: "x", importanceScore: 1e999 }) { id } }',
      {},
      'input.importanceScore must be within 0 and 1, not Infinity.',
    ],
    [
      'NaN',
      'mutation { createMemory(input: { content: "x", importanceScore: NaN }) { id } }',
      {},
      /Float cannot represent non numeric value: NaN/,
    ],
    [
      'a text',
      CreateMemoryDocument,
      newMemory({ importanceScore: '0.5' }),
      /Float cannot represent non numeric value: "0.5"/,
    ],
  ]);

  const searches: [Operation, (more: object) => () => object][] = [
    [SimilarMemoriesDocument, (more) => () => ({ text: 'x', ...more })],
    [SimilarDocumentsDocument, (more) => () => ({ text: 'x', ...more })],
    [SimilarChunksDocument, (more) => () => ({ text: 'x', ...more })],
    [SimilarToolsDocument, (more) => () => ({ text: 'x', ...more })],
    [MemoryNeighboursDocument, (more) => () => ({ id: stored.ids.memory, ...more })],
    [DocumentNeighboursDocument, (more) => () => ({ id: stored.ids.document, ...more })],
    [ChunkNeighboursDocument, (more) => () => ({ id: stored.ids.chunk, ...more })],
    [ToolNeighboursDocument, (more) => () => ({ name: 'clock', ...more })],
  ];
  refuses(
    'must be a k from 1 to 200: %s',
    searches.flatMap(([operation, variables]): Case[] => [
      [
        `0 in ${nameOf(operation)}`,
        operation,
        variables({ k: 0 }),
        'k is how many matches to return: at least 1, not 0.',
      ],
      [
        `-1 in ${nameOf(operation)}`,
        operation,
        variables({ k: -1 }),
        'k is how many matches to return: at least 1, not -1.',
      ],
      [
        `201 in ${nameOf(operation)}`,
        operation,
        variables({ k: 201 }),
        'k may be at most 200, not 201.',
        'LIMIT_EXCEEDED',
      ],
    ]),
  );
  refuses(
    'must be an option within its range: %s',
    searches.flatMap(([operation, variables]): Case[] => [
      [
        'efSearch 0',
        operation,
        variables({ options: { efSearch: 0 } }),
        'options.efSearch must be within 1 and 1000, not 0.',
      ],
      [
        'efSearch 1001',
        operation,
        variables({ options: { efSearch: 1001 } }),
        'options.efSearch must be within 1 and 1000, not 1001.',
        'LIMIT_EXCEEDED',
      ],
      [
        'efSearch with exact',
        operation,
        variables({ options: { efSearch: 9, exact: true } }),
        'options.efSearch tunes the vector index, which options.exact does not use: leave one of them out.',
      ],
      [
        'maxDistance -1',
        operation,
        variables({ options: { maxDistance: -1 } }),
        'options.maxDistance must be 0 or more, not -1.',
      ],
      [
        'metric',
        operation,
        variables({ options: { metric: 'MANHATTAN' } }),
        /Value "MANHATTAN" does not exist in "Metric" enum/,
      ],
    ]),
  );
  refuses('must be a whole one, of 32 bits: %s', [
    ['k 2.5', SimilarMemoriesDocument, { text: 'x', k: 2.5 }, /Int cannot represent non-integer value: 2.5/],
    [
      'k 2^31',
      SimilarMemoriesDocument,
      { text: 'x', k: 2 ** 31 },
      /Int cannot represent non 32-bit signed integer value: 2147483648/,
    ],
    [
      'k null',
      SimilarMemoriesDocument,
      { text: 'x', k: null },
      /Variable "\$k" of non-null type "Int!" must not be null/,
    ],
    ['first', MemoriesDocument, { first: '3' }, /Int cannot represent non-integer value: "3"/],
  ]);
  refuses(
    'must be a page of 0 to 200: %s',
    [MemoriesDocument, DocumentsDocument, ChunksDocument, ToolsDocument, DocumentChunksDocument].flatMap(
      (operation): Case[] => [
        [
          `-1 in ${nameOf(operation)}`,
          operation,
          () => ({ id: stored.ids.document, first: -1 }),
          'first must be 0 or more, not -1.',
        ],
        [
          `201 in ${nameOf(operation)}`,
          operation,
          () => ({ id: stored.ids.document, first: 201 }),
          'first may be at most 200, not 201. Read on with after.',
          'LIMIT_EXCEEDED',
        ],
      ],
    ),
  );
  refuses('must be a chunk size that can be cut: %s', [
    ...[newDocument, (input: object) => documentChange({ content: 'new text', ...input })].flatMap(
      (input, i): Case[] => {
        const operation = i === 0 ? IngestDocumentDocument : UpdateDocumentDocument;
        return [
          [
            '7',
            operation,
            input({ chunkSize: 7 }),
            /chunkSize is 7; it must be a whole number of tokens, 8 or more/,
          ],
          [
            '-200',
            operation,
            input({ chunkSize: -200 }),
            /chunkSize is -200; it must be a whole number of tokens, 8 or more/,
          ],
          [
            '1001',
            operation,
            input({ chunkSize: 1001 }),
            'input.chunkSize must be within 1 and 1000, not 1001.',
            'LIMIT_EXCEEDED',
          ],
          [
            'overlap -1',
            operation,
            input({ overlap: -1 }),
            /overlap is -1; it must be a whole number of tokens from 0 to 100/,
          ],
          [
            'overlap 101',
            operation,
            input({ overlap: 101 }),
            /overlap is 101; it must be a whole number of tokens from 0 to 100/,
          ],
          [
            'overlap 11 of 20',
            operation,
            input({ chunkSize: 20, overlap: 11 }),
            /from 0 to 10, half the chunkSize of 20/,
          ],
        ];
      },
    ),
    [
      'without text',
      UpdateDocumentDocument,
      documentChange({ chunkSize: 50 }),
      /are only for new text. Send content or contentBase64 with them/,
    ],
  ]);
});

describe('a vector', () => {
  const zeros = (length = EMBEDDING_DIMENSIONS) => Array.from({ length }, () => 0);
  const vectorSearches = [
    SimilarMemoriesDocument,
    SimilarDocumentsDocument,
    SimilarChunksDocument,
    SimilarToolsDocument,
  ];
  refuses(
    'must be 384 finite numbers with a direction: %s',
    vectorSearches.flatMap((operation): Case[] => [
      [
        '383',
        operation,
        { vector: zeros(EMBEDDING_DIMENSIONS - 1) },
        'vector must have 384 numbers, like the stored embeddings, not 383.',
      ],
      [
        '385',
        operation,
        { vector: zeros(EMBEDDING_DIMENSIONS + 1) },
        'vector must have 384 numbers, like the stored embeddings, not 385.',
      ],
      ['none', operation, { vector: [] }, 'vector must have 384 numbers, like the stored embeddings, not 0.'],
      [
        '1e39',
        operation,
        { vector: zeros().with(7, 1e39) },
        'vector[7] must be a finite 32-bit number, not 1e+39.',
      ],
      [
        'null',
        operation,
        { vector: [null, ...zeros(EMBEDDING_DIMENSIONS - 1)] },
        /Expected non-nullable type "Float!" not to be null/,
      ],
      [
        '"NaN"',
        operation,
        { vector: ['NaN', ...zeros(EMBEDDING_DIMENSIONS - 1)] },
        /Float cannot represent non numeric value: "NaN"/,
      ],
      ['zeros', operation, { vector: zeros() }, 'vector has only zeros: such a vector has no direction.'],
      // The squares of both are outside the range of the 32-bit floats that pgvector adds up.
      [
        '1e-20',
        operation,
        { vector: zeros().fill(1e-20) },
        /^vector has a length of 1.96e-19; it must be within 1e-15 and 1e15/,
      ],
      [
        '1e19',
        operation,
        { vector: zeros().fill(1e19), options: { metric: 'EUCLIDEAN' } },
        /^vector has a length of 1.96e\+20; it must be within/,
      ],
      [
        'with a text',
        operation,
        { vector: zeros().fill(1), text: 'x' },
        'Both text and vector are given: send only one of them.',
      ],
      ['neither', operation, {}, 'The search has no query: send text, vector or like.'],
      [
        'both null',
        operation,
        { text: null, vector: null },
        'The search has no query: send text, vector or like.',
      ],
    ]),
  );
  refuses('may not be infinite where JSON cannot say it: %s', [
    [
      'in a query',
      `{ similarMemories(vector: [${zeros().with(3, 1).join(',').replace('1', '1e999')}]) { score } }`,
      {},
      'vector[3] must be a finite 32-bit number, not Infinity.',
    ],
  ]);
});
