import { eq, type SQL, type SQLWrapper } from 'drizzle-orm';
import { DEFAULT_USER } from '../schema/columns/common.ts';
import { FunesError, quote } from './errors.ts';

/** What a person may do: an `admin` everything, a `user` read and write own rows, a `reader` read own rows. */
export const viewerRoles = ['admin', 'user', 'reader'] as const;

export type ViewerRole = (typeof viewerRoles)[number];

/** The person who sends a request. Every store and search function takes a viewer. `visibleTo` decides what is visible. */
export interface Viewer {
  /** The owner of the rows that this person writes, unless the request names another user. */
  readonly userId: string;
  /** An `admin` reads and writes the rows of all users. Others read and write only their own rows. */
  readonly role: ViewerRole;
  /** The administrator who acts for this user, for the log and the audit. */
  readonly actor?: string;
  /** The beginning of the key of this request, for the audit. */
  readonly keyPrefix?: string;
}

/** The viewer of every request without authentication: the person who runs the server. */
export const localViewer: Viewer = { userId: DEFAULT_USER, role: 'admin' };

/** The actor of what the command line does, in the audit. A request cannot have it: an administrator of this name acts for nobody. */
export const commandLineActor = 'command line';

/** The person who runs a command on the machine of the server. */
export const commandLineViewer: Viewer = { ...localViewer, actor: commandLineActor };

/** Returns the condition for the rows that the viewer may see. Returns undefined if the viewer may see all rows. */
export function visibleTo(viewer: Viewer, userId: SQLWrapper): SQL | undefined {
  return viewer.role === 'admin' ? undefined : eq(userId, viewer.userId);
}

/**
 * Returns the owner of the rows that a request of the viewer is about.
 * @param inputPath the input path of `requested`.
 * @param rule what only an administrator may do, for the message. By default it is to write rows.
 * @throws FunesError FORBIDDEN if somebody who is no administrator names another user.
 */
export function ownerOf(
  viewer: Viewer,
  requested: string | null | undefined,
  inputPath: string,
  rule = 'Only an administrator writes rows of other users. Leave it out.',
): string {
  if (requested == null || requested === viewer.userId) return viewer.userId;
  if (viewer.role === 'admin') return requested;
  throw new FunesError(
    'FORBIDDEN',
    `${inputPath} is ${quote(requested)}, and this request is by ${quote(viewer.userId)}. ${rule}`,
  );
}
