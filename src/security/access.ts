import { FunesError } from '../errors.ts';
import type { Viewer, ViewerRole } from '../viewer.ts';

/** The roles of a field that is not guarded. */
export const everybody: readonly ViewerRole[] = ['admin', 'user', 'reader'];
const writers: readonly ViewerRole[] = ['admin', 'user'];
/** The roles of what only administrators may do. */
export const administrators: readonly ViewerRole[] = ['admin'];

/**
 * Who may call which mutation, and which queries are not for everybody: the one place that decides what a role may do. Which rows
 * somebody reads and writes there is another question, which `visibleTo`, `ownerOf` and the policies of the database answer.
 */
const access: Readonly<Record<string, readonly ViewerRole[]>> = {
  createMemory: writers,
  createMemories: writers,
  updateMemory: writers,
  deleteMemory: writers,
  deleteMemories: writers,
  deleteMemoriesWhere: writers,
  archiveMemories: writers,
  restoreMemories: writers,
  restoreMemoriesWhere: writers,
  ingestDocument: writers,
  updateDocument: writers,
  deleteDocument: writers,
  deleteDocumentsWhere: writers,
  recordToolUse: writers,
  registerTools: administrators,
  deleteTool: administrators,
  createKey: administrators,
  revokeKey: administrators,
  keys: administrators,
  forgetUser: writers,
  audit: administrators,
  integrity: administrators,
  indexes: administrators,
};

/** A field of the API at the root. */
export interface RootField {
  name: string;
  kind: 'query' | 'mutation';
}

/** Returns who may call a field. A query is for everybody unless `access` names it. @throws Error for an unknown mutation. */
export function rolesFor({ name, kind }: RootField): readonly ViewerRole[] {
  const roles = access[name];
  if (roles === undefined && kind === 'mutation') {
    throw new Error(`src/security/access.ts does not say who may call the mutation ${name}.`);
  }
  return roles ?? everybody;
}

/** Lets only viewers of these roles go on. @throws FunesError FORBIDDEN that names the field. */
export function checkAccess({ role, actor }: Viewer, field: string, roles: readonly ViewerRole[]): void {
  if (roles.includes(role)) return;
  const who = roles.includes('user') ? 'The roles admin and user' : 'Only administrators';
  const why =
    actor === undefined
      ? `this request has the role ${role}`
      : 'this request acts for a user (X-Funes-User) and has the rights of that user';
  throw new FunesError('FORBIDDEN', `${who} may call ${field}, and ${why}.`);
}
