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

/** A table that is searched: by the distance of its embeddings, by its words, and by what else its rows are worth. */
export interface SearchTable {
  table: PgTable;
  id: PgColumn;
  /** Owner of a row; undefined where rows are shared by all users. */
  userId: PgColumn | undefined;
  embedding: PgColumn;
  /** The tsvector column. */
  tsv: PgColumn;
  /** The stored length of the text, in characters. */
  length: PgColumn;
  /** Columns that a hit carries beside its distance: the primary key and `group`. */
  key: readonly PgColumn[];
  /** The conversation of a row: rows of one user and session, in the order of their ids. */
  session?: { userId: PgColumn; sessionId: PgColumn };
  worth?: Worth;
  /** Only the best row of each group is a match: of each document, its best chunk. */
  group?: PgColumn;
}

/** What `weights` weighs beside relevance. */
export interface Worth {
  importance: PgColumn;
  createdAt: PgColumn;
}

/** A table whose rows are matches themselves. */
export interface RowTable<Row> extends SearchTable {
  /** What a match shows of its row. */
  columns: { [Name in keyof Row]: PgColumn | SQL };
  /** The text of a row `source`, for searches by words that are near to a row. */
  sourceText: SQL;
}

export const memoryTable: RowTable<MemoryRow> = {
  table: memories,
  id: memories.id,
  userId: memories.userId,
  embedding: memories.embedding,
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
  tsv: documentChunks.contentTsv,
  length: documentChunks.contentLength,
  key: [documentChunks.id, documentChunks.userId],
  columns: chunkColumns,
  sourceText: sql`${alias.source}.content`,
};

/** Chunks as a search for documents sees them: each document by its best one. */
export const documentChunkTable: SearchTable = {
  table: documentChunks,
  id: documentChunks.id,
  userId: documentChunks.userId,
  embedding: documentChunks.embedding,
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
  tsv: toolEmbeddings.contentTsv,
  length: toolEmbeddings.contentLength,
  key: [toolEmbeddings.id],
  columns: toolColumns,
  sourceText: sql`${alias.source}.tool_description`,
};
