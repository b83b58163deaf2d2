import { FunesError } from '../errors.ts';
import type { Viewer } from '../viewer.ts';
import { errorCode } from './errors.ts';
import { databaseRoles } from './roles.ts';

/** Whether a policy of row-level security lets through only the rows of this viewer. For an administrator it lets through all. */
export function hasOwnRowsOnly({ role }: Viewer): boolean {
  return role !== 'admin';
}

/**
 * The statements by which a transaction becomes its viewer: the role, and the user whose rows the policies of the app role let
 * through. They travel in one string with BEGIN, which takes no parameters. So the only value in them, the name of the user, is
 * written in hex digits of its UTF-8 bytes: no name can end the literal or the statement.
 */
export function identityStatements(viewer: Viewer): string[] {
  if (!hasOwnRowsOnly(viewer)) return [`set local role ${databaseRoles.admin}`];
  const user = Buffer.from(viewer.userId, 'utf8').toString('hex');
  return [
    `set local role ${databaseRoles.app}`,
    `select set_config('funes.user', convert_from(decode('${user}', 'hex'), 'UTF8'), true)`,
  ];
}

/**
 * Says what is missing if a transaction cannot become its viewer, because its role is not there or the user of the connection may
 * not switch to it. Undefined for any other error.
 */
export function identityProblem(error: unknown): FunesError | undefined {
  // PostgreSQL translates its messages, but not the name in them.
  const role = Object.values(databaseRoles).find(
    (name) => error instanceof Error && error.message.includes(`"${name}"`),
  );
  const problems: Readonly<Record<string, string>> = {
    // invalid_parameter_value
    '22023': `The database has no role ${role}, which requests run as. Run "funes migrate".`,
    // insufficient_privilege
    '42501': `The user of the database may not switch to the role ${role}, which requests run as.`,
  };
  const problem = role && problems[errorCode(error) ?? ''];
  if (problem === undefined || problem === '') return undefined;
  return new FunesError(
    'UNAVAILABLE',
    `${problem} After a database was restored without its roles, also run "funes roles --apply".`,
    { cause: error },
  );
}
