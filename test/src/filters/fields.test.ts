import { getTableColumns } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { expect, test } from 'vitest';
import { documentChunks, documents, memories, toolEmbeddings } from '../../../schema/index.ts';
import { chunkFields, documentFields, memoryFields, toolFields } from '../../../src/filters/fields.ts';

/** Vectors and tsvectors are searched, not filtered. The other columns are for foreign keys, and for what the server keeps for itself. */
const notFiltered = [
  'embedding',
  'contentTsv',
  'contentLength',
  'lastChunkIndex',
  'previousChunkIndex',
  'embeddingSource',
  'embeddingError',
  'embeddingAttempts',
  'embeddingRetryAt',
  'nextEmbedding',
  'nextEmbeddingModel',
  'idempotencyFields',
  'origin',
];

test.each<[string, object, PgTable, string[]]>([
  ['memories', memoryFields, memories, ['embeddingStatus']],
  ['documents', documentFields, documents, ['embeddingStatus']],
  ['chunks', chunkFields, documentChunks, ['document', 'embeddingStatus']],
  ['tools', toolFields, toolEmbeddings, ['embeddingStatus']],
])('every stored field of %s can be filtered by', (_, fields, table, computed) => {
  const columns = Object.keys(getTableColumns(table)).filter((name) => !notFiltered.includes(name));
  expect(Object.keys(fields).sort()).toEqual([...columns, ...computed].sort());
});
