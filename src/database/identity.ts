import type { Viewer } from '../viewer.ts';
import { type DatabaseRole, databaseRoles } from './roles.ts';

/** The role that the transactions of a viewer run as. */
export function databaseRoleOf({ role }: Viewer): DatabaseRole {
  return role === 'admin' ? databaseRoles.admin : databaseRoles.app;
}

/**
 * The statements by which a transaction becomes its viewer: the role, and for the app role the user whose rows the policies let
 * through. They travel in one string with BEGIN, which takes no parameters. So the only value in them, the name of the user,
 * is written in hex digits of its UTF-8 bytes: no name can end the literal or the statement.
 *
 * The role is a role of the database and not a setting that a policy reads, so that no statement of a request can change what
 * an administrator is.
 */
export function identityStatements(viewer: Viewer): string {
  const role = databaseRoleOf(viewer);
  if (role === databaseRoles.admin) return `set local role ${role}`;
  const user = Buffer.from(viewer.userId, 'utf8').toString('hex');
  return `set local role ${role}; select set_config('funes.user', convert_from(decode('${user}', 'hex'), 'UTF8'), true)`;
}
