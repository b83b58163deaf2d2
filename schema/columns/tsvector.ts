import { customType } from 'drizzle-orm/pg-core';

/** A full-text `tsvector` column, as text. Nothing converts it, because the column is generated: only PostgreSQL writes it. */
export const tsvector = customType<{ data: string; driverData: string }>({ dataType: () => 'tsvector' });
