import { type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { documentChunks, memories, toolEmbeddings } from '../../schema/index.ts';
import {
  type ChunkRow,
  chunkColumns,
  type MemoryRow,
  memoryColumns,
  type ToolRow,
  toolColumns,
} from '../store/rows.ts';
import { alias } from './sql/pipeline.ts';

/** What a search needs to know of a table that it searches in. */
export interface SearchTable {
  table: PgTable;
  id: PgColumn;
  /** The owner of a row; undefined if all users share the rows. */
  userId: PgColumn | undefined;
  embedding: PgColumn;
  /** The model of `embedding`. */
  embeddingModel: PgColumn;
  /** The tsvector column. */
  tsv: PgColumn;
  /** The stored length of the text, in characters. */
  length: PgColumn;
  /** The columns that a hit has beside its distance: the primary key and `group`. */
  key: readonly PgColumn[];
  /** What makes rows turns of one conversation: the same user and session. Ids order the turns. */
  session?: { userId: PgColumn; sessionId: PgColumn };
  worth?: Worth;
  /** Only the best row of each group is a match. The group of a chunk is its document. */
  group?: PgColumn;
}

/** The columns that `weights` weighs beside relevance. */
export interface Worth {
  importance: PgColumn;
  createdAt: PgColumn;
}

/** A table whose rows are matches themselves. */
export interface RowTable<Row> extends SearchTable {
  /** The columns that a match shows. */
  columns: { [Name in keyof Row]: PgColumn | SQL };
  /** The text of the row `source`, if a stored row is the query of a search by words. */
  sourceText: SQL;
}

export const memoryTable: RowTable<MemoryRow> = {
  table: memories,
  id: memories.id,
  userId: memories.userId,
  embedding: memories.embedding,
  embeddingModel: memories.embeddingModel,
  tsv: memories.contentTsv,
  length: memories.contentLength,
  key: [memories.id, memories.userId],
  session: { userId: memories.userId, sessionId: memories.sessionId },
  worth: { importance: memories.importanceScore, createdAt: memories.createdAt },
  columns: memoryColumns,
  sourceText: sql`${alias.source}.content`,
};

export const chunkTable: RowTable<ChunkRow> = {
  table: documentChunks,
  id: documentChunks.id,
  userId: documentChunks.userId,
  embedding: documentChunks.embedding,
  embeddingModel: documentChunks.embeddingModel,
  tsv: documentChunks.contentTsv,
  length: documentChunks.contentLength,
  key: [documentChunks.id, documentChunks.userId],
  columns: chunkColumns,
  sourceText: sql`${alias.source}.content`,
};

/** The chunks, in a search for documents: the best chunk of each document stands for it. */
export const documentChunkTable: SearchTable = {
  table: documentChunks,
  id: documentChunks.id,
  userId: documentChunks.userId,
  embedding: documentChunks.embedding,
  embeddingModel: documentChunks.embeddingModel,
  tsv: documentChunks.contentTsv,
  length: documentChunks.contentLength,
  group: documentChunks.documentId,
  key: [documentChunks.id, documentChunks.documentId, documentChunks.userId],
};

export const toolTable: RowTable<ToolRow> = {
  table: toolEmbeddings,
  id: toolEmbeddings.id,
  userId: undefined,
  embedding: toolEmbeddings.embedding,
  embeddingModel: toolEmbeddings.embeddingModel,
  tsv: toolEmbeddings.contentTsv,
  length: toolEmbeddings.contentLength,
  key: [toolEmbeddings.id],
  columns: toolColumns,
  sourceText: sql`${alias.source}.tool_description`,
};
