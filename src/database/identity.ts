import type { Viewer } from '../viewer.ts';
import { databaseRoles } from './roles.ts';

/** Whether the transactions of a viewer run as the app role, behind the policies of row-level security. */
export function runsAsApp({ role }: Viewer): boolean {
  return role !== 'admin';
}

/**
 * The statements by which a transaction becomes its viewer: the app role, and the user whose rows the policies let through. They
 * travel in one string with BEGIN, which takes no parameters. So the only value in them, the name of the user, is written in
 * hex digits of its UTF-8 bytes: no name can end the literal or the statement.
 *
 * The transactions of an administrator run as the user of the connection, who owns the tables. Behind a policy, even one that
 * lets all rows through, PostgreSQL uses no statistics for operators that are not leakproof, such as @>. It then takes another
 * index than the vector index for a filtered search.
 */
export function identityStatements(viewer: Viewer): string[] {
  if (!runsAsApp(viewer)) return [];
  const user = Buffer.from(viewer.userId, 'utf8').toString('hex');
  return [
    `set local role ${databaseRoles.app}`,
    `select set_config('funes.user', convert_from(decode('${user}', 'hex'), 'UTF8'), true)`,
  ];
}
