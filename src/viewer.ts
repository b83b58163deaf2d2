import { eq, type SQL, type SQLWrapper } from 'drizzle-orm';
import { DEFAULT_USER } from '../schema/columns/common.ts';

/** Who asks. Every store and search function takes it, so that what a person may see is decided in one place. */
export interface Viewer {
  /** Owner of the rows this person writes when the request names no other user. */
  readonly userId: string;
  /** An `admin` sees the rows of every user, and may write for them; others only their own. */
  readonly role: 'admin' | 'user' | 'reader';
}

/** Without authentication there is one person, who runs the server. */
export const localViewer: Viewer = { userId: DEFAULT_USER, role: 'admin' };

/** The condition that keeps a query within what the viewer may see; undefined where that is everything. */
export function visibleTo(viewer: Viewer, userId: SQLWrapper): SQL | undefined {
  return viewer.role === 'admin' ? undefined : eq(userId, viewer.userId);
}

/** The owner of a row that is being written: only an admin can name somebody else. */
export function ownerOf(viewer: Viewer, requested: string | null | undefined): string {
  return viewer.role === 'admin' ? (requested ?? viewer.userId) : viewer.userId;
}
