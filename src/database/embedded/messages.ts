import type { ErrorCode } from '../../errors.ts';

/** Where the engine listens: a unix socket, or the loopback interface where there are no unix sockets. */
export type Endpoint = { path: string } | { host: string; port: number };

/** What the server tells its engine process when it starts it. */
export interface EngineOptions {
  /** The folder with the lock, the socket and the cluster. */
  folder: string;
  /** Where a freshly made cluster is kept, to be copied into new data folders. */
  cacheDir: string;
  endpoint: Endpoint;
  serverPid: number;
}

export type EngineMessage =
  | { type: 'ready'; endpoint: Endpoint }
  | { type: 'suspended' }
  | { type: 'refused'; code: ErrorCode; message: string }
  | { type: 'log'; text: string };

/** `suspend` closes the cluster and `resume` opens it again, in the same process and at the same endpoint. */
export type ServerMessage = { type: 'close' } | { type: 'suspend' } | { type: 'resume' };
