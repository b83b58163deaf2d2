import { sql } from 'drizzle-orm';
import { jsonb, text, timestamp, varchar } from 'drizzle-orm/pg-core';
import { EMBEDDING_DIMENSIONS, vector } from './vector.ts';

/** The owner of rows whose owner is not named. */
export const DEFAULT_USER = 'default_user';

export type JsonObject = Record<string, unknown>;

// Functions, not constants, because each table needs Drizzle column builders of its own.

/** Owner of a row. It is in every key, so that tables can be distributed over several machines by it. */
export const userId = () => varchar('user_id', { length: 100 }).notNull().default(DEFAULT_USER);

/** `vector(EMBEDDING_DIMENSIONS)` and the model that made it. Both are NULL while the row waits for its embedding. */
export const embeddingColumns = () => ({
  embedding: vector('embedding', { dimensions: EMBEDDING_DIMENSIONS }),
  embeddingModel: varchar('embedding_model', { length: 200 }),
});

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
