import { sql } from 'drizzle-orm';
import { jsonb, text, timestamp, varchar } from 'drizzle-orm/pg-core';
import { EMBEDDING_DIMENSIONS, vector } from './vector.ts';

/** The user whose rows are meant when nobody is named. */
export const DEFAULT_USER = 'default_user';

export type JsonObject = Record<string, unknown>;

// Functions, not constants: a Drizzle column builder belongs to the one table it was made for.

/** Owner of a row, and the column that the tables are distributed by when they are spread over several machines. */
export const userId = () => varchar('user_id', { length: 100 }).notNull().default(DEFAULT_USER);

/** `vector(EMBEDDING_DIMENSIONS)` and the model that made it; both NULL while the row waits for its embedding. */
export const embeddingColumns = () => ({
  embedding: vector('embedding', { dimensions: EMBEDDING_DIMENSIONS }),
  embeddingModel: varchar('embedding_model', { length: 200 }),
});

export const metadata = () => jsonb('metadata').$type<JsonObject>().notNull().default({});

export const contentColumns = () => ({
  content: text('content').notNull(),
  contentSummary: text('content_summary'),
});

/** A point in time as `timestamptz`, with the database's clock as the default. */
export const timestampNow = (name: string) =>
  timestamp(name, { withTimezone: true, mode: 'date' }).notNull().defaultNow();

/** The one place that sets `updated_at`: Drizzle adds it to every UPDATE (and upsert) that goes through the table. */
export const updatedAt = () => timestampNow('updated_at').$onUpdate(() => sql`now()`);
