import { localViewer, type Viewer } from '../../src/viewer.ts';

/** A person whose searches are measured. */
export interface BenchViewer {
  name: string;
  viewer: Viewer;
  /** The script that serves the API to this person, and its arguments. */
  server: readonly [script: string, ...parameters: string[]];
}

/** The owners of the memories: each has a tenth of them. */
export const userIds: readonly string[] = Array.from({ length: 10 }, (_, n) => `user-${n}`);

const [userId] = userIds as [string];

/** The administrator searches the memories of all users, as without authentication; the user those of one. */
export const viewers: readonly BenchViewer[] = [
  { name: 'admin', viewer: localViewer, server: ['src/main.ts', 'serve'] },
  { name: 'user', viewer: { userId, role: 'user' }, server: ['bench/search/user-server.ts', userId] },
];
