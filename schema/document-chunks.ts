import { type SQL, sql } from 'drizzle-orm';
import { check, foreignKey, index, integer, pgTable, primaryKey, unique } from 'drizzle-orm/pg-core';
import {
  contentColumns,
  embeddingColumns,
  isPending,
  metadata,
  timestampNow,
  userId,
} from './columns/common.ts';
import { bigintId } from './columns/id.ts';
import { ownerPolicies } from './columns/policies.ts';
import { tsvector } from './columns/tsvector.ts';
import { documents } from './documents.ts';

/** A piece of a document's text, short enough for one embedding. */
export const documentChunks = pgTable(
  'document_chunks',
  {
    id: bigintId('id').generatedAlwaysAsIdentity(),
    userId: userId(),
    documentId: bigintId('document_id').notNull(),
    chunkIndex: integer('chunk_index').notNull(),
    totalChunks: integer('total_chunks').notNull(),
    previousChunkIndex: integer('previous_chunk_index').generatedAlwaysAs(
      (): SQL => sql`nullif(${documentChunks.chunkIndex}, 0) - 1`,
    ),
    ...contentColumns(),
    ...embeddingColumns(),
    chunkSize: integer('chunk_size').notNull(),
    overlapSize: integer('overlap_size').notNull().default(0),
    startOffset: integer('start_offset').notNull(),
    endOffset: integer('end_offset').notNull(),
    metadata: metadata(),
    createdAt: timestampNow('created_at'),
    // The text of `chunkText`: behind the header of its table if the content does not have that row.
    contentTsv: tsvector('content_tsv').generatedAlwaysAs(
      (): SQL => sql`to_tsvector('english', case when strpos(${documentChunks.content}, ${documentChunks.metadata} ->> 'tableHeader') = 0
        then (${documentChunks.metadata} ->> 'tableHeader') || ' ' || ${documentChunks.content} else ${documentChunks.content} end)`,
    ),
    contentLength: integer('content_length').generatedAlwaysAs(
      (): SQL => sql`length(${documentChunks.content})`,
    ),
  },
  (t) => [
    primaryKey({ name: 'document_chunks_pkey', columns: [t.id, t.userId] }),
    unique('idx_document_chunks_doc_index').on(t.documentId, t.chunkIndex, t.userId),
    foreignKey({
      name: 'document_chunks_document_fkey',
      columns: [t.documentId, t.userId, t.totalChunks],
      foreignColumns: [documents.id, documents.userId, documents.totalChunks],
    }).onDelete('cascade'),
    foreignKey({
      name: 'document_chunks_previous_fkey',
      columns: [t.documentId, t.previousChunkIndex, t.userId],
      foreignColumns: [t.documentId, t.chunkIndex, t.userId],
    }),
    check('document_chunks_content_not_blank', sql`${t.content} ~ '[^[:space:]]'`),
    check('document_chunks_index_range', sql`${t.chunkIndex} >= 0 and ${t.chunkIndex} < ${t.totalChunks}`),
    check('document_chunks_sizes', sql`${t.chunkSize} > 0 and ${t.overlapSize} >= 0`),
    check('document_chunks_offsets', sql`${t.startOffset} >= 0 and ${t.startOffset} < ${t.endOffset}`),
    check(
      'document_chunks_embedding_has_model',
      sql`(${t.embedding} is null) = (${t.embeddingModel} is null)`,
    ),
    check('document_chunks_embedding_source', sql`${t.embeddingSource} in ('FUNES', 'CLIENT')`),
    check('document_chunks_embedding_error', sql`${t.embeddingError} is null or ${t.embedding} is null`),
    check(
      'document_chunks_next_embedding_has_model',
      sql`(${t.nextEmbedding} is null) = (${t.nextEmbeddingModel} is null)`,
    ),
    index('idx_document_chunks_embedding_hnsw')
      .using('hnsw', t.embedding.op('vector_cosine_ops'))
      .with({ m: 16, ef_construction: 64 }),
    index('idx_document_chunks_next_embedding_hnsw')
      .using('hnsw', t.nextEmbedding.op('vector_cosine_ops'))
      .with({ m: 16, ef_construction: 64 }),
    index('idx_document_chunks_user_id').on(t.userId),
    // Finds the chunks of a part of a document's text. It has all rows, but only a query that says so uses it, so that it takes no
    // other query away from the index by chunk_index.
    index('idx_document_chunks_document_start')
      .on(t.documentId, t.startOffset)
      .where(sql`${t.startOffset} >= 0`),
    // For the numbers of a user's rows: how many, how long, and a random share of them. See src/search/sql/own-rows.ts.
    index('idx_document_chunks_user_share').on(t.userId, sql`hashint8(${t.id})`, t.contentLength),
    index('idx_document_chunks_metadata').using('gin', t.metadata.op('jsonb_path_ops')),
    index('idx_document_chunks_pending').on(t.id).where(isPending(t)),
    index('idx_document_chunks_content_tsv').using('gin', t.contentTsv),
    ...ownerPolicies('document_chunks', t.userId),
  ],
);
