/** Everything that can be wrong, by its code. A code never changes its meaning, because scripts and people look for it. */
export const findingCodes = [
  'MIGRATIONS_PENDING',
  'DATABASE_NEWER',
  'TABLE_MISSING',
  'COLUMN_MISSING',
  'COLUMN_DIFFERS',
  'CONSTRAINT_MISSING',
  'CONSTRAINT_DIFFERS',
  'CONSTRAINT_DISABLED',
  'INDEX_MISSING',
  'INDEX_DIFFERS',
  'INDEX_INVALID',
  'INDEX_UNUSED',
  'ROW_SECURITY_OFF',
  'POLICY_MISSING',
  'POLICY_DIFFERS',
  'FUNCTION_MISSING',
  'FUNCTION_DIFFERS',
  'ROLES_MISSING',
  'GRANTS_MISSING',
  'INSTALLATION_ROW_MISSING',
  'EMBEDDINGS_PENDING',
  'EMBEDDINGS_FAILED',
  'EMBEDDINGS_STALE',
  'EMBEDDINGS_OF_OTHER_DIMENSIONS',
  'CHUNKS_WITHOUT_DOCUMENT',
  'CHUNKS_MISCOUNTED',
  'IDS_BEHIND',
  'PGVECTOR_OLD',
  'MAINTENANCE_MEMORY_LOW',
  'SETTING_HARMS',
  'NOT_CHECKED',
] as const;

export type FindingCode = (typeof findingCodes)[number];

/** Something that is wrong with the database. No part of it has stored text. */
export interface Finding {
  readonly code: FindingCode;
  /** What it is about: a table, an index, a setting. */
  readonly subject: string;
  /** What was found, as a sentence. */
  readonly problem: string;
  /** What follows from it, as a sentence. */
  readonly meaning: string;
  /** The command that mends it, or what to do if no command can. */
  readonly command: string;
  /** What `command` runs, if it is SQL. */
  readonly statements: readonly string[];
}

/** A finding that the statements mend. */
export function mendable(
  code: FindingCode,
  subject: string,
  problem: string,
  meaning: string,
  statements: readonly string[],
): Finding {
  return { code, subject, problem, meaning, command: `funes doctor --fix ${code}`, statements };
}

/** Runs statements in one read-only transaction. */
export type Query = <Row extends object>(text: string) => Promise<Row[]>;

/** What is known of the database before anything is checked. */
export interface Surroundings {
  readonly engine: 'embedded' | 'server';
  /** The schema of the tables, quoted. */
  readonly schema: string;
  /** The database, quoted. */
  readonly database: string;
  /** The user of the connections, quoted. */
  readonly user: string;
}

/** A name as SQL has it. */
export const ident = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text as SQL has it. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
