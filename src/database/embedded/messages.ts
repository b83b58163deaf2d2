import type { ErrorCode } from '../../errors.ts';

/** Where the engine listens: a unix socket, or the loopback interface where there are no unix sockets. */
export type Endpoint = { path: string } | { host: string; port: number };

/** What the server tells its engine process when it starts it. */
export interface EngineOptions {
  /** The folder with the lock, the socket and the cluster. */
  folder: string;
  /** Where a freshly made cluster is kept, to be copied into new data folders. */
  cacheDir: string;
  /** A closed cluster to copy instead of a fresh one, when the data folder has none yet. */
  template?: string;
  endpoint: Endpoint;
  serverPid: number;
}

export type EngineMessage =
  | { type: 'ready'; endpoint: Endpoint }
  | { type: 'refused'; code: ErrorCode; message: string }
  | { type: 'log'; text: string };

export type ServerMessage = { type: 'close' };
