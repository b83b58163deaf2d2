import { type SQL, sql } from 'drizzle-orm';
import {
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  unique,
  uniqueIndex,
  varchar,
} from 'drizzle-orm/pg-core';
import {
  contentColumns,
  embeddingColumns,
  isPending,
  metadata,
  origin,
  timestampNow,
  updatedAt,
  userId,
} from './columns/common.ts';
import { bigintId } from './columns/id.ts';
import { ownerPolicies } from './columns/policies.ts';
import { tsvector } from './columns/tsvector.ts';

/** The columns that are alike in `memories` and `memories_archive`. */
export const memoryColumns = () => ({
  userId: userId(),
  ...contentColumns(),
  ...embeddingColumns(),
  source: varchar('source', { length: 50 }).notNull().default('chat'),
  sessionId: varchar('session_id', { length: 100 }),
  importanceScore: doublePrecision('importance_score').notNull().default(0.5),
  metadata: metadata(),
  idempotencyKey: varchar('idempotency_key', { length: 200 }),
  /** A hash of each field of the write that used the key, by the field's name. NULL without a key, and for writes of old versions. */
  idempotencyFields: jsonb('idempotency_fields').$type<Record<string, string>>(),
  origin: origin(),
  createdAt: timestampNow('created_at'),
});

/** What an application remembers: one utterance or fact a row. */
export const memories = pgTable(
  'memories',
  {
    id: bigintId('id').generatedAlwaysAsIdentity(),
    ...memoryColumns(),
    updatedAt: updatedAt(),
    contentTsv: tsvector('content_tsv').generatedAlwaysAs(
      (): SQL => sql`to_tsvector('english', ${memories.content})`,
    ),
    contentLength: integer('content_length').generatedAlwaysAs((): SQL => sql`length(${memories.content})`),
  },
  (t) => [
    primaryKey({ name: 'memories_pkey', columns: [t.id, t.userId] }),
    unique('memories_user_idempotency_key').on(t.userId, t.idempotencyKey),
    uniqueIndex('memories_user_origin').on(t.userId, t.origin).where(sql`${t.origin} is not null`),
    check('memories_content_not_blank', sql`${t.content} ~ '[^[:space:]]'`),
    check('memories_importance_range', sql`${t.importanceScore} between 0 and 1`),
    check('memories_embedding_has_model', sql`(${t.embedding} is null) = (${t.embeddingModel} is null)`),
    check('memories_embedding_source', sql`${t.embeddingSource} in ('FUNES', 'CLIENT')`),
    check('memories_embedding_error', sql`${t.embeddingError} is null or ${t.embedding} is null`),
    check(
      'memories_next_embedding_has_model',
      sql`(${t.nextEmbedding} is null) = (${t.nextEmbeddingModel} is null)`,
    ),
    index('idx_memories_embedding_hnsw')
      .using('hnsw', t.embedding.op('vector_cosine_ops'))
      .with({ m: 16, ef_construction: 64 }),
    index('idx_memories_next_embedding_hnsw')
      .using('hnsw', t.nextEmbedding.op('vector_cosine_ops'))
      .with({ m: 16, ef_construction: 64 }),
    index('idx_memories_pending').on(t.id).where(isPending(t)),
    index('idx_memories_created_at').on(t.createdAt.desc().nullsFirst()),
    index('idx_memories_source').on(t.source),
    index('idx_memories_user_id').on(t.userId),
    index('idx_memories_session_id').on(t.sessionId),
    index('idx_memories_importance').on(t.importanceScore.desc().nullsFirst()),
    index('idx_memories_user_created').on(t.userId, t.createdAt.desc().nullsFirst()),
    // For the turns before and after a memory in its session.
    index('idx_memories_user_session').on(t.userId, t.sessionId, t.id),
    // For the numbers of a user's rows: how many, how long, and a random share of them. See src/search/sql/own-rows.ts.
    index('idx_memories_user_share').on(t.userId, sql`hashint8(${t.id})`, t.contentLength),
    index('idx_memories_metadata').using('gin', t.metadata.op('jsonb_path_ops')),
    index('idx_memories_content_tsv').using('gin', t.contentTsv),
    ...ownerPolicies('memories', t.userId),
  ],
);
