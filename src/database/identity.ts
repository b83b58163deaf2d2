import type { Viewer } from '../viewer.ts';
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
