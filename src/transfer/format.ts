import { getTableColumns } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { documentChunks, documents, memoriesArchive, toolEmbeddings } from '../../schema/index.ts';

// An export is JSON Lines. The first line is a header, the last one says how many rows there are, and each line between them is a
// row: `{"kind": ..., "row": {...}}`. The chunks of a document follow it. Fields have the names of the API.

/** The version of the format. An import reads no other. */
export const formatVersion = 1;

/** What a line holds. A memory with `archivedAt` is an archived one. */
export const lineKinds = ['memory', 'document', 'chunk', 'tool'] as const;
export type LineKind = (typeof lineKinds)[number];

/** The first line of an export. */
export interface Header {
  funes: 'export';
  version: number;
  /** The exporting database. With it, an import knows rows again. */
  databaseId: string;
  /** The last migration of the exporting database, for people. */
  schema: string | null;
  vectors: boolean;
  exportedAt: string;
}

/** What a row of a database has of an embedding. An export without vectors leaves these fields out. */
const vectorFields = ['embedding', 'embeddingModel', 'embeddingSource'];
/** What stays behind: how far a server is with embedding a row. */
const unexported = /^(embeddingAttempts|embeddingRetryAt|nextEmbedding|nextEmbeddingModel)$/;

/** A column with its field. */
export interface Field {
  name: string;
  column: PgColumn;
}

/** The fields of each kind of line: all columns, but for those that the database computes. */
export const fieldsOf: Readonly<Record<LineKind, readonly Field[]>> = {
  memory: fields(memoriesArchive),
  document: fields(documents),
  chunk: fields(documentChunks),
  tool: fields(toolEmbeddings),
};

/** Returns the fields of an export with vectors, or without. */
export function exportedFields(kind: LineKind, vectors: boolean): readonly Field[] {
  return fieldsOf[kind].filter(({ name }) => vectors || !vectorFields.includes(name));
}

function fields(table: PgTable): Field[] {
  return Object.entries<PgColumn>(getTableColumns(table))
    .filter(([name, { generated }]) => generated === undefined && !unexported.test(name))
    .map(([name, column]) => ({ name, column }));
}
