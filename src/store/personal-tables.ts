import { getTableColumns } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { apiKeys, audit, documentChunks, documents, memories, memoriesArchive } from '../../schema/index.ts';
import { keyColumns } from './rows.ts';

/** A table whose rows belong to persons. */
export interface PersonalTable {
  table: PgTable;
  id: PgColumn;
  /** The person whose row it is: the column `user_id`. */
  userId: PgColumn;
  /** What an export has of a row, by the names of the API; vectors are beside. */
  columns: Readonly<Record<string, PgColumn>>;
  embedding?: PgColumn;
  /** Exports read the steps one after another, and the rows of a step by id. Rows that move between tables are in one step. */
  exportStep: number;
  /** Who has these rows in an export. */
  exportedFor: 'everybody' | 'administrators';
  /** How these rows go when a person is forgotten. Those that go with documents do so by their foreign key. */
  forgotten: 'deleted' | 'deleted with documents' | 'kept';
}

/**
 * All tables whose rows belong to persons, by what the API calls a row of each. `exportUser` and `forgetUser` are made of this list. A
 * test compares the list with the catalog: a table with a column `user_id` that is missing here fails it.
 */
export const personalTables = {
  MEMORY: {
    ...personal(memories),
    embedding: memories.embedding,
    exportStep: 0,
    exportedFor: 'everybody',
    forgotten: 'deleted',
  },
  ARCHIVED_MEMORY: {
    ...personal(memoriesArchive),
    embedding: memoriesArchive.embedding,
    exportStep: 0,
    exportedFor: 'everybody',
    forgotten: 'deleted',
  },
  DOCUMENT: { ...personal(documents), exportStep: 1, exportedFor: 'everybody', forgotten: 'deleted' },
  CHUNK: {
    ...personal(documentChunks),
    embedding: documentChunks.embedding,
    exportStep: 2,
    exportedFor: 'everybody',
    forgotten: 'deleted with documents',
  },
  KEY: {
    ...personal(apiKeys),
    columns: keyColumns,
    exportStep: 3,
    exportedFor: 'everybody',
    forgotten: 'deleted',
  },
  AUDIT: {
    table: audit,
    id: audit.id,
    userId: audit.about,
    columns: getTableColumns(audit),
    exportStep: 4,
    exportedFor: 'administrators',
    forgotten: 'kept',
  },
} satisfies Record<string, PersonalTable>;

/** What a row of a person is. */
export type PersonalKind = keyof typeof personalTables;

/** The table with its columns, but for those that the database computes and for the vectors. */
function personal<Table extends PgTable & { id: PgColumn; userId: PgColumn }>(table: Table) {
  const columns = Object.entries<PgColumn>(getTableColumns(table)).filter(
    ([name, column]) => column.generated === undefined && !/^(embedding|nextEmbedding)$/.test(name),
  );
  return {
    table,
    id: table.id as PgColumn,
    userId: table.userId as PgColumn,
    columns: Object.fromEntries(columns),
  };
}
