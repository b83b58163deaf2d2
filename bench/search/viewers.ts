import { localViewer, type Viewer } from '../../src/viewer.ts';

/** A person whose searches are measured. */
export interface BenchViewer {
  name: string;
  viewer: Viewer;
  /** The script that serves the API to this person, and its arguments. */
  server: readonly [script: string, ...parameters: string[]];
  /** Settings of that server. */
  env?: Record<string, string>;
  /** The requests carry a key. */
  byKey?: boolean;
  /** Whose rows this person sees: the name of the right answers in `BenchQuery.truth`. */
  sees: 'admin' | 'user';
}

/** The owners of the memories: each has a tenth of them. */
export const userIds: readonly string[] = Array.from({ length: 10 }, (_, n) => `user-${n}`);

const [userId] = userIds as [string];

const serve = ['src/main.ts', 'serve'] as const;

/**
 * The administrator searches the memories of all users, as without authentication; the user those of one. The last two are the
 * administrator with a key: once the server keeps the answer of a look-up, as it does by default, and once it looks the key up for each
 * request.
 */
export const viewers: readonly BenchViewer[] = [
  { name: 'admin', sees: 'admin', viewer: localViewer, server: serve },
  {
    name: 'user',
    sees: 'user',
    viewer: { userId, role: 'user' },
    server: ['bench/search/user-server.ts', userId],
  },
  {
    name: 'key',
    sees: 'admin',
    viewer: localViewer,
    server: serve,
    byKey: true,
    env: { FUNES_AUTH: 'keys' },
  },
  {
    name: 'key not kept',
    sees: 'admin',
    viewer: localViewer,
    server: serve,
    byKey: true,
    env: { FUNES_AUTH: 'keys', FUNES_KEY_CACHE: '0' },
  },
];
