import { type SQL, sql } from 'drizzle-orm';
import { type AnyPgColumn, integer, jsonb, text, timestamp, varchar } from 'drizzle-orm/pg-core';
import { EMBEDDING_DIMENSIONS, vector } from './vector.ts';

/** The owner of rows whose owner is not named. */
export const DEFAULT_USER = 'default_user';

export type JsonObject = Record<string, unknown>;

// Functions, not constants, because each table needs Drizzle column builders of its own.

/** Owner of a row. It is in every key, so that tables can be distributed over several machines by it. */
export const userId = () => varchar('user_id', { length: 100 }).notNull().default(DEFAULT_USER);

/** Who made the vector of a row: the server from the row's text, or the client that sent both. */
export const EMBEDDING_SOURCES = ['FUNES', 'CLIENT'] as const;

/**
 * `vector(EMBEDDING_DIMENSIONS)` and the model that made it. Both are NULL while the row waits for its embedding. If there is a reason
 * why it can never have one, that is in `embedding_error`. `next_embedding` is the vector of the model to which `funes reembed` changes.
 */
export const embeddingColumns = () => ({
  embedding: vector('embedding', { dimensions: EMBEDDING_DIMENSIONS }),
  embeddingModel: varchar('embedding_model', { length: 200 }),
  embeddingSource: varchar('embedding_source', { length: 10, enum: EMBEDDING_SOURCES })
    .notNull()
    .default('FUNES'),
  embeddingError: text('embedding_error'),
  /** How often embedding the row failed, and when to try it again. */
  embeddingAttempts: integer('embedding_attempts').notNull().default(0),
  embeddingRetryAt: timestamp('embedding_retry_at', { withTimezone: true, mode: 'date' }),
  nextEmbedding: vector('next_embedding', { dimensions: EMBEDDING_DIMENSIONS }),
  nextEmbeddingModel: varchar('next_embedding_model', { length: 200 }),
});

/** Condition: a row waits for its embedding. A partial index of each table has these rows, for whoever embeds them. */
export const isPending = (row: { embedding: AnyPgColumn; embeddingError: AnyPgColumn }): SQL =>
  sql`${row.embedding} is null and ${row.embeddingError} is null`;

/** What else the application keeps with a row. */
export const metadata = () => jsonb('metadata').$type<JsonObject>().notNull().default({});

/** The text of a row, and a shorter form of it. */
export const contentColumns = () => ({
  content: text('content').notNull(),
  contentSummary: text('content_summary'),
});

/** A point in time, `timestamptz`. The default is the current time of the database. */
export const timestampNow = (name: string) =>
  timestamp(name, { withTimezone: true, mode: 'date' }).notNull().defaultNow();

/** When a row last changed. Drizzle sets it in every UPDATE and upsert of the table, so no other code has to. */
export const updatedAt = () => timestampNow('updated_at').$onUpdate(() => sql`now()`);

/** Where an imported row comes from: the exporting database and the row's id there, or a hash. A user has each only once. */
export const origin = () => varchar('origin', { length: 200 });
