import { sql } from 'drizzle-orm';
import { boolean, check, pgTable, uuid, varchar } from 'drizzle-orm/pg-core';

/** What the database knows of itself: one row, made by the migration. */
export const installation = pgTable(
  'installation',
  {
    only: boolean('only').primaryKey().default(true),
    /** The name of the database in exports, so that an import knows its rows again. */
    databaseId: uuid('database_id').notNull().defaultRandom(),
    /** The model of the embeddings that searches compare. NULL until the first server has started. */
    embeddingModel: varchar('embedding_model', { length: 200 }),
    /** The model to which the embeddings are being changed, if they are. */
    nextEmbeddingModel: varchar('next_embedding_model', { length: 200 }),
  },
  (t) => [check('installation_one_row', sql`${t.only}`)],
);
