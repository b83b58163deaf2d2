import { type SQL, sql } from 'drizzle-orm';
import {
  bigint,
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  varchar,
} from 'drizzle-orm/pg-core';
import { metadata, origin, timestampNow, updatedAt, userId } from './columns/common.ts';
import { bigintId } from './columns/id.ts';
import { ownerPolicies } from './columns/policies.ts';

/** A source text. Its words are in `document_chunks`. */
export const documents = pgTable(
  'documents',
  {
    id: bigintId('id').generatedAlwaysAsIdentity(),
    userId: userId(),
    filename: varchar('filename', { length: 255 }).notNull(),
    filePath: text('file_path'),
    fileType: varchar('file_type', { length: 20 }),
    fileSize: bigint('file_size', { mode: 'number' }),
    contentHash: varchar('content_hash', { length: 64 }).notNull(),
    totalChunks: integer('total_chunks').notNull().default(0),
    // Constraints make sure that total_chunks is the number of chunks: this column, its deferred foreign key (migration 0002)
    // and the keys of document_chunks. Triggers could not be distributed over several machines.
    lastChunkIndex: integer('last_chunk_index').generatedAlwaysAs(
      (): SQL => sql`nullif(${documents.totalChunks}, 0) - 1`,
    ),
    createdAt: timestampNow('created_at'),
    processedAt: timestampNow('processed_at'),
    updatedAt: updatedAt(),
    metadata: metadata(),
    origin: origin(),
  },
  (t) => [
    primaryKey({ name: 'documents_pkey', columns: [t.id, t.userId] }),
    unique('documents_user_content_hash').on(t.userId, t.contentHash),
    uniqueIndex('documents_user_origin').on(t.userId, t.origin).where(sql`${t.origin} is not null`),
    unique('documents_total_chunks_key').on(t.id, t.userId, t.totalChunks),
    check('documents_filename_not_blank', sql`${t.filename} ~ '[^[:space:]]'`),
    check('documents_content_hash_sha256', sql`${t.contentHash} ~ '^[0-9a-f]{64}$'`),
    check('documents_file_size_range', sql`${t.fileSize} >= 0`),
    check('documents_total_chunks_range', sql`${t.totalChunks} >= 0`),
    index('idx_documents_user_created').on(t.userId, t.createdAt.desc().nullsFirst()),
    index('idx_documents_user_file_path').on(t.userId, t.filePath).where(sql`${t.filePath} is not null`),
    index('idx_documents_metadata').using('gin', t.metadata.op('jsonb_path_ops')),
    ...ownerPolicies('documents', t.userId),
  ],
);
