import { customType } from 'drizzle-orm/pg-core';

/** A full-text `tsvector` column. Only PostgreSQL writes it (it is generated), so its text form is all that is needed. */
export const tsvector = customType<{ data: string; driverData: string }>({ dataType: () => 'tsvector' });
