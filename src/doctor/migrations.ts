import { readFileSync } from 'node:fs';
import { root } from '../distribution.ts';
import { FunesError } from '../errors.ts';
import type { Finding, Query } from './finding.ts';

/** Which migrations a database has. */
export interface MigrationState {
  /** Tags of those that it has, in their order. */
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** How many it has that this version does not know. */
  readonly unknown: number;
}

/**
 * Reads which migrations a database has.
 * @throws FunesError UNAVAILABLE if it has none: it is empty.
 */
export async function readMigrationState(query: Query): Promise<MigrationState> {
  const journal = readFileSync(new URL('./drizzle/meta/_journal.json', root), 'utf8');
  const known = (JSON.parse(journal) as { entries: { tag: string; when: number }[] }).entries;
  // The catalog, because to_regclass fails without a right to the schema.
  const [found] = await query(
    "select from pg_tables where schemaname = 'drizzle' and tablename = '__drizzle_migrations'",
  );
  const rows = found
    ? await query<{ created_at: string }>('select created_at from drizzle.__drizzle_migrations')
    : [];
  if (rows.length === 0)
    throw new FunesError(
      'UNAVAILABLE',
      'The database is empty: no migration was applied to it. Run "funes migrate" first, or correct DATABASE_URL or FUNES_DATA_DIR.',
    );
  const times = new Set(rows.map((row) => Number(row.created_at)));
  const has = ({ when }: { when: number }) => times.has(when);
  return {
    applied: known.filter(has).map(({ tag }) => tag),
    pending: known.filter((migration) => !has(migration)).map(({ tag }) => tag),
    unknown: times.size - known.filter(has).length,
  };
}

/** Finds migrations that are pending, or that a newer version has applied. */
export function checkMigrations({ pending, unknown }: MigrationState): Finding[] {
  const findings: Finding[] = [];
  if (pending.length > 0)
    findings.push({
      code: 'MIGRATIONS_PENDING',
      subject: pending.join(', '),
      problem: `${pending.length} ${pending.length === 1 ? 'migration is' : 'migrations are'} pending.`,
      meaning:
        'The tables are those of an earlier version. A server of this version migrates them when it starts, or does not start.',
      command: 'funes migrate',
      statements: [],
    });
  if (unknown > 0)
    findings.push({
      code: 'DATABASE_NEWER',
      subject: 'migrations',
      problem: `The database has ${unknown} ${unknown === 1 ? 'migration' : 'migrations'} that this version of funes does not know.`,
      meaning:
        'A newer version has used this database. This version does not start on it, and does not know what its tables should be.',
      command: 'Install the newer version of funes.',
      statements: [],
    });
  return findings;
}
