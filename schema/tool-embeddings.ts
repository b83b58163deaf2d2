import { type SQL, sql } from 'drizzle-orm';
import {
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  varchar,
} from 'drizzle-orm/pg-core';
import { embeddingColumns, isPending, type JsonObject, timestampNow, updatedAt } from './columns/common.ts';
import { bigintId } from './columns/id.ts';
import { tsvector } from './columns/tsvector.ts';

/** A tool that an agent can call. Tools are shared by all users. */
export const toolEmbeddings = pgTable(
  'tool_embeddings',
  {
    id: bigintId('id').generatedAlwaysAsIdentity(),
    toolName: varchar('tool_name', { length: 100 }).notNull(),
    toolDescription: text('tool_description').notNull(),
    toolParameters: jsonb('tool_parameters').$type<JsonObject>(),
    ...embeddingColumns(),
    usageCount: integer('usage_count').notNull().default(0),
    lastUsed: timestamp('last_used', { withTimezone: true, mode: 'date' }),
    createdAt: timestampNow('created_at'),
    updatedAt: updatedAt(),
    // PostgreSQL's parser takes get_weather and getWeather for one word each. Split, their parts can be found.
    contentTsv: tsvector('content_tsv').generatedAlwaysAs(
      (): SQL =>
        sql`to_tsvector('english', regexp_replace(${toolEmbeddings.toolName}, '([[:lower:]])([[:upper:]])|[_.-]', '\\1 \\2', 'g') || ' ' || ${toolEmbeddings.toolDescription})`,
    ),
    contentLength: integer('content_length').generatedAlwaysAs(
      (): SQL => sql`length(${toolEmbeddings.toolName}) + length(${toolEmbeddings.toolDescription})`,
    ),
  },
  (t) => [
    primaryKey({ name: 'tool_embeddings_pkey', columns: [t.id] }),
    unique('tool_embeddings_tool_name').on(t.toolName),
    check('tool_embeddings_name_not_blank', sql`${t.toolName} ~ '[^[:space:]]'`),
    check('tool_embeddings_description_not_blank', sql`${t.toolDescription} ~ '[^[:space:]]'`),
    check('tool_embeddings_usage_count_range', sql`${t.usageCount} >= 0`),
    check(
      'tool_embeddings_embedding_has_model',
      sql`(${t.embedding} is null) = (${t.embeddingModel} is null)`,
    ),
    check('tool_embeddings_embedding_source', sql`${t.embeddingSource} in ('FUNES', 'CLIENT')`),
    check('tool_embeddings_embedding_error', sql`${t.embeddingError} is null or ${t.embedding} is null`),
    check(
      'tool_embeddings_next_embedding_has_model',
      sql`(${t.nextEmbedding} is null) = (${t.nextEmbeddingModel} is null)`,
    ),
    index('idx_tool_embeddings_hnsw')
      .using('hnsw', t.embedding.op('vector_cosine_ops'))
      .with({ m: 16, ef_construction: 64 }),
    index('idx_tool_embeddings_next_hnsw')
      .using('hnsw', t.nextEmbedding.op('vector_cosine_ops'))
      .with({ m: 16, ef_construction: 64 }),
    index('idx_tool_embeddings_pending').on(t.id).where(isPending(t)),
    index('idx_tool_embeddings_content_tsv').using('gin', t.contentTsv),
    index('idx_tool_embeddings_parameters').using('gin', t.toolParameters.op('jsonb_path_ops')),
  ],
);
