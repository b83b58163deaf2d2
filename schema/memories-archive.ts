import { sql } from 'drizzle-orm';
import { check, index, pgTable, primaryKey, uniqueIndex } from 'drizzle-orm/pg-core';
import { isPending, timestampNow } from './columns/common.ts';
import { bigintId } from './columns/id.ts';
import { ownerPolicies } from './columns/policies.ts';
import { memoryColumns } from './memories.ts';

/** Memories that were taken out of search. They keep their id, so that a restored memory is the memory that was archived. */
export const memoriesArchive = pgTable(
  'memories_archive',
  {
    id: bigintId('id').notNull(),
    ...memoryColumns(),
    updatedAt: timestampNow('updated_at'),
    archivedAt: timestampNow('archived_at'),
  },
  (t) => [
    primaryKey({ name: 'memories_archive_pkey', columns: [t.id, t.userId] }),
    check('memories_archive_content_not_blank', sql`${t.content} ~ '[^[:space:]]'`),
    check('memories_archive_importance_range', sql`${t.importanceScore} between 0 and 1`),
    check(
      'memories_archive_embedding_has_model',
      sql`(${t.embedding} is null) = (${t.embeddingModel} is null)`,
    ),
    check('memories_archive_embedding_source', sql`${t.embeddingSource} in ('FUNES', 'CLIENT')`),
    check('memories_archive_embedding_error', sql`${t.embeddingError} is null or ${t.embedding} is null`),
    check(
      'memories_archive_next_embedding_has_model',
      sql`(${t.nextEmbedding} is null) = (${t.nextEmbeddingModel} is null)`,
    ),
    // For a write that is repeated after its memory was archived, and for an import that is repeated.
    index('idx_memories_archive_user_idempotency_key')
      .on(t.userId, t.idempotencyKey)
      .where(sql`${t.idempotencyKey} is not null`),
    uniqueIndex('memories_archive_user_origin').on(t.userId, t.origin).where(sql`${t.origin} is not null`),
    index('idx_memories_archive_pending').on(t.id).where(isPending(t)),
    index('idx_memories_archive_user_archived').on(t.userId, t.archivedAt.desc().nullsFirst()),
    ...ownerPolicies('memories_archive', t.userId),
  ],
);
