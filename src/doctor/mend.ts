import type { ReservedSql } from 'postgres';
import type { Pool } from '../database/pool.ts';
import { type Examination, examine, type ReadOnly } from './doctor.ts';
import type { Finding, FindingCode, Surroundings } from './finding.ts';

/** What `mend` has done with one finding. */
export interface Mended {
  readonly finding: Finding;
  /** Why it could not be mended; undefined if it was. */
  readonly failure: string | undefined;
}

/** Some things can be mended only after others, such as an index of a column that is missing. */
const mostRounds = 5;

/** PostgreSQL runs it only outside a transaction. */
const isAlone = (statement: string) => /\bindex concurrently\b|^alter system\b/.test(statement);

/**
 * Runs the statements of all findings with this code, each finding in a transaction of its own, unless they build an index beside
 * running writes. Goes on while something is mended that another finding needs.
 * @param codes `all` for all findings that have statements.
 */
export async function mend(
  pool: Pool,
  read: ReadOnly,
  engine: Surroundings['engine'],
  codes: readonly FindingCode[] | 'all',
): Promise<{ mended: Mended[]; left: Examination }> {
  const mended: Mended[] = [];
  const done = new Set<string>();
  let left = await examine(read, engine);
  for (let round = 0; round < mostRounds; round++) {
    const sick = left.findings.filter(
      ({ code, statements }) => statements.length > 0 && (codes === 'all' || codes.includes(code)),
    );
    const failures: Mended[] = [];
    for (const finding of sick) {
      const key = `${finding.code} ${finding.subject} ${finding.problem}`;
      const failure = done.has(key)
        ? 'it was mended, and is found again'
        : await run(pool, finding.statements);
      if (failure === undefined) {
        done.add(key);
        mended.push({ finding, failure });
      } else failures.push({ finding, failure });
    }
    const progress = failures.length < sick.length;
    if (sick.length > 0) left = await examine(read, engine);
    if (!progress || failures.length === 0) return { mended: [...mended, ...failures], left };
  }
  return { mended, left };
}

/** Runs statements. Returns why the database refuses one. */
async function run(pool: Pool, statements: readonly string[]): Promise<string | undefined> {
  const connection = await pool.reserve({ statementTimeoutMs: 0 });
  try {
    if (statements.some(isAlone)) await runAlone(connection, statements);
    else await runTogether(connection, statements);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    connection.release();
  }
}

async function runTogether(connection: ReservedSql, statements: readonly string[]): Promise<void> {
  await connection.unsafe('begin; set local statement_timeout = 0');
  try {
    for (const statement of statements) await connection.unsafe(statement);
    await connection.unsafe('commit');
  } catch (error) {
    await connection.unsafe('rollback').catch(() => {});
    throw error;
  }
}

async function runAlone(connection: ReservedSql, statements: readonly string[]): Promise<void> {
  const [before] = await connection.unsafe<{ timeout: string }[]>(
    "select current_setting('statement_timeout') as timeout",
  );
  await connection.unsafe('set statement_timeout = 0');
  try {
    for (const statement of statements) await connection.unsafe(statement);
  } finally {
    await connection.unsafe(`set statement_timeout = '${before?.timeout ?? 0}'`).catch(() => {});
  }
}
