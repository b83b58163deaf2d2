import { eq, type SQL, type SQLWrapper } from 'drizzle-orm';
import { DEFAULT_USER } from '../schema/columns/common.ts';

/** The person who sends a request. Every store and search function takes a viewer. `visibleTo` decides what is visible. */
export interface Viewer {
  /** The owner of the rows that this person writes, unless the request names another user. */
  readonly userId: string;
  /** An `admin` reads and writes the rows of all users. Others read and write only their own rows. */
  readonly role: 'admin' | 'user' | 'reader';
}

/** The viewer of every request without authentication: the person who runs the server. */
export const localViewer: Viewer = { userId: DEFAULT_USER, role: 'admin' };

/** Returns the condition for the rows that the viewer may see. Returns undefined if the viewer may see all rows. */
export function visibleTo(viewer: Viewer, userId: SQLWrapper): SQL | undefined {
  return viewer.role === 'admin' ? undefined : eq(userId, viewer.userId);
}

/** Returns the owner of a row that the viewer writes. Only an admin can name another user. */
export function ownerOf(viewer: Viewer, requested: string | null | undefined): string {
  return viewer.role === 'admin' ? (requested ?? viewer.userId) : viewer.userId;
}
