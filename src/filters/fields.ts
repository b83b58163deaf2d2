import type { PgColumn } from 'drizzle-orm/pg-core';
import { documentChunks, documents, memories, toolEmbeddings } from '../../schema/index.ts';
import { compileComparisons } from './comparisons.ts';
import type {
  EmbeddingStatus,
  EnumCondition,
  JsonCondition,
  OrderedCondition,
  StringCondition,
} from './conditions.ts';
import { documentStatusTests, type EmbeddingState, embeddingStatusTests } from './embedding-status.ts';
import { compileJson } from './json.ts';
import { type Conditions, compileInner, type Field, type Nesting } from './nesting.ts';
import { dateTime, double, id, integer, numeric, type Scalar, testedEnum, text } from './operators.ts';
import { DocumentCondition, Ownership } from './parts.ts';

const NOT_NULL = 'this field has a value in every row: compare with a value.';

function scalarField<T>(column: PgColumn, scalar: Scalar<T>): Field<OrderedCondition<T>> {
  return {
    compile: (condition, inputPath) =>
      compileComparisons(column, scalar, condition, column.notNull ? NOT_NULL : undefined, inputPath),
  };
}

const textField = (column: PgColumn): Field<StringCondition> => scalarField(column, text);

/** The owner of a row. A search takes the condition on one owner for its scope. */
const ownerField = (column: PgColumn): Field<StringCondition> =>
  scalarField(column, { ...text, equals: (_, userId) => new Ownership(column, userId) });

const jsonField = (column: PgColumn): Field<JsonCondition> => ({
  compile: (condition, inputPath) => compileJson(column, condition, !column.notNull, inputPath),
});

function embeddingStatusField(row: EmbeddingState): Field<EnumCondition<EmbeddingStatus>> {
  const status = testedEnum(embeddingStatusTests(row));
  return {
    compile: (condition, inputPath) =>
      compileComparisons(row.embedding, status, condition, NOT_NULL, inputPath),
  };
}

// The fields of every table that a filter can name: all columns except the vectors, the tsvectors, the lengths for
// BM25, and the two generated columns that only foreign keys use (last_chunk_index, previous_chunk_index).

export const memoryFields = {
  id: scalarField(memories.id, id),
  userId: ownerField(memories.userId),
  content: textField(memories.content),
  contentSummary: textField(memories.contentSummary),
  source: textField(memories.source),
  sessionId: textField(memories.sessionId),
  importanceScore: scalarField(memories.importanceScore, double),
  metadata: jsonField(memories.metadata),
  idempotencyKey: textField(memories.idempotencyKey),
  embeddingModel: textField(memories.embeddingModel),
  embeddingStatus: embeddingStatusField(memories),
  createdAt: scalarField(memories.createdAt, dateTime),
  updatedAt: scalarField(memories.updatedAt, dateTime),
};

export const documentFields = {
  id: scalarField(documents.id, id),
  userId: ownerField(documents.userId),
  filename: textField(documents.filename),
  filePath: textField(documents.filePath),
  fileType: textField(documents.fileType),
  fileSize: scalarField(documents.fileSize, numeric),
  contentHash: textField(documents.contentHash),
  totalChunks: scalarField(documents.totalChunks, integer),
  embeddingStatus: {
    compile: (condition, inputPath) =>
      compileComparisons(documents.id, testedEnum(documentStatusTests()), condition, NOT_NULL, inputPath),
  } as Field<EnumCondition<EmbeddingStatus>>,
  metadata: jsonField(documents.metadata),
  createdAt: scalarField(documents.createdAt, dateTime),
  processedAt: scalarField(documents.processedAt, dateTime),
  updatedAt: scalarField(documents.updatedAt, dateTime),
};

/** The field `document`: a chunk meets it if its document passes the filter. */
const documentOfChunk: Field<DocumentFilters> = {
  compile: (filters, inputPath) => [
    new DocumentCondition(compileInner(documentFields, filters, inputPath.deeper())),
  ],
};

export const chunkFields = {
  id: scalarField(documentChunks.id, id),
  userId: ownerField(documentChunks.userId),
  documentId: scalarField(documentChunks.documentId, id),
  document: documentOfChunk,
  chunkIndex: scalarField(documentChunks.chunkIndex, integer),
  totalChunks: scalarField(documentChunks.totalChunks, integer),
  content: textField(documentChunks.content),
  contentSummary: textField(documentChunks.contentSummary),
  chunkSize: scalarField(documentChunks.chunkSize, integer),
  overlapSize: scalarField(documentChunks.overlapSize, integer),
  startOffset: scalarField(documentChunks.startOffset, integer),
  endOffset: scalarField(documentChunks.endOffset, integer),
  metadata: jsonField(documentChunks.metadata),
  embeddingModel: textField(documentChunks.embeddingModel),
  embeddingStatus: embeddingStatusField(documentChunks),
  createdAt: scalarField(documentChunks.createdAt, dateTime),
};

export const toolFields = {
  id: scalarField(toolEmbeddings.id, id),
  toolName: textField(toolEmbeddings.toolName),
  toolDescription: textField(toolEmbeddings.toolDescription),
  toolParameters: jsonField(toolEmbeddings.toolParameters),
  usageCount: scalarField(toolEmbeddings.usageCount, integer),
  lastUsed: scalarField(toolEmbeddings.lastUsed, dateTime),
  embeddingModel: textField(toolEmbeddings.embeddingModel),
  embeddingStatus: embeddingStatusField(toolEmbeddings),
  createdAt: scalarField(toolEmbeddings.createdAt, dateTime),
  updatedAt: scalarField(toolEmbeddings.updatedAt, dateTime),
};

export interface MemoryFilters extends Conditions<typeof memoryFields>, Nesting<MemoryFilters> {}
export interface DocumentFilters extends Conditions<typeof documentFields>, Nesting<DocumentFilters> {}
export interface ChunkFilters extends Conditions<typeof chunkFields>, Nesting<ChunkFilters> {}
export interface ToolFilters extends Conditions<typeof toolFields>, Nesting<ToolFilters> {}
