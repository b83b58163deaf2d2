import { sql } from 'drizzle-orm';
import { databaseError, errorCode } from '../database/errors.ts';
import { type Database, type LocalSettings, transaction } from '../database/transaction.ts';
import type { Viewer } from '../viewer.ts';
import { expectedCatalog, readCatalog } from './catalog.ts';
import { dataChecks } from './data.ts';
import type { Finding, FindingCode, Query, Surroundings } from './finding.ts';
import { checkMigrations, readMigrationState } from './migrations.ts';
import { checkRoles, checkSettings, checkVersions } from './server.ts';
import { checkUseOfIndexes, compareCatalogs } from './structure.ts';

/** Runs `work` in one read-only transaction, which sees the rows of all users. */
export type ReadOnly = <T>(work: (query: Query) => Promise<T>, settings?: LocalSettings) => Promise<T>;

/** What the doctor found. */
export interface Examination {
  readonly findings: readonly Finding[];
  /** PostgreSQL's version, as the server writes it. */
  readonly postgres: string;
  /** The version of the extension vector; null if it is not there. */
  readonly vector: string | null;
  readonly migrations: { readonly applied: number; readonly pending: readonly string[] };
}

/** Reads as an administrator, by the one way that requests have to the database. */
export function readAsAdministrator(database: Database, viewer: Viewer): ReadOnly {
  return (work, settings = {}) =>
    transaction(database, viewer, { access: 'read', settings }, (tx) =>
      work(async (text) => [...(await tx.execute(sql.raw(text)))] as never),
    );
}

/** Plans are then as they would be for tables with many rows. */
const asIfLarge: LocalSettings = { enable_seqscan: 'off', enable_sort: 'off', enable_bitmapscan: 'off' };

/**
 * Examines a database: its migrations, its tables with all that belongs to them, its rows, and the settings of its server. It only
 * reads, and works on the tables of an earlier version.
 * @throws FunesError UNAVAILABLE if the database is empty or cannot be reached.
 */
export async function examine(read: ReadOnly, engine: Surroundings['engine']): Promise<Examination> {
  const { surroundings, versions, state } = await read(async (query) => ({
    ...(await readSurroundings(query, engine)),
    state: await readMigrationState(query),
  }));
  const findings: Finding[] = [...checkMigrations(state)];
  const examination = (): Examination => ({
    findings: [...findings],
    ...versions,
    migrations: { applied: state.applied.length, pending: state.pending },
  });
  /** A check that fails is a finding, too: it does not keep the others from being made. */
  const add = async (what: string, check: (query: Query) => Promise<Finding[]>, settings?: LocalSettings) => {
    try {
      findings.push(...(await read(check, settings)));
    } catch (error) {
      findings.push(notChecked(what, error));
    }
  };
  await add('the version of pgvector', checkVersions);
  // What a newer version makes of the tables is not known here.
  if (state.unknown > 0) return examination();
  const expected = expectedCatalog(state.applied);
  const tables = [...new Set(expected.flatMap(({ kind, name }) => (kind === 'table' ? [name] : [])))];
  const found = await read((query) => readCatalog(query, tables));
  findings.push(...compareCatalogs(expected, found, surroundings));
  await add(
    'the use of indexes',
    (query) => checkUseOfIndexes(query, expected, found, surroundings),
    asIfLarge,
  );
  for (const { what, check } of dataChecks(surroundings, expected, found)) await add(what, check);
  await add('settings', (query) => checkSettings(query, surroundings, expected, found));
  // An earlier version has other rights.
  if (state.pending.length === 0) await add('roles', (query) => checkRoles(query, surroundings, found));
  return examination();
}

/** Reads what `mend` needs to know of the database. */
export async function readSurroundings(
  query: Query,
  engine: Surroundings['engine'],
): Promise<{ surroundings: Surroundings; versions: Pick<Examination, 'postgres' | 'vector'> }> {
  const [row] = await query<Omit<Surroundings, 'engine'> & Pick<Examination, 'postgres' | 'vector'>>(
    `select quote_ident(current_schema()) as schema, quote_ident(current_database()) as database, quote_ident(session_user) as user,
      current_setting('server_version') as postgres, (select extversion from pg_extension where extname = 'vector') as vector`,
  );
  if (row === undefined) throw new Error('The database did not say what it is.');
  const { postgres, vector, ...rest } = row;
  return { surroundings: { engine, ...rest }, versions: { postgres, vector } };
}

function notChecked(what: string, error: unknown): Finding {
  const reason = databaseError(error)?.message ?? `The database answers with the error ${codeOf(error)}.`;
  return {
    code: 'NOT_CHECKED' satisfies FindingCode,
    subject: what,
    problem: `${what.charAt(0).toUpperCase()}${what.slice(1)} could not be checked. ${reason}`,
    meaning: 'More may be wrong than was found.',
    command: 'Mend what else was found, then run funes doctor again.',
    statements: [],
  };
}

function codeOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = errorCode(cause);
    if (code !== undefined) return code;
  }
  return 'unknown';
}
