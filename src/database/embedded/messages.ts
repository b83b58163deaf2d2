import type { ErrorCode } from '../../errors.ts';

/** Where the engine listens: on a unix socket, or on the loopback interface if there are no unix sockets. */
export type Endpoint = { path: string } | { host: string; port: number };

/** The argument with which the server starts its engine process. */
export interface EngineOptions {
  /** The folder with the lock, the socket and the cluster. */
  folder: string;
  /** The folder that keeps an empty cluster for new data folders. */
  cacheDir: string;
  endpoint: Endpoint;
  serverPid: number;
}

export type EngineMessage =
  | { type: 'ready'; endpoint: Endpoint }
  | { type: 'suspended' }
  | { type: 'refused'; code: ErrorCode; message: string; folderInUse: boolean }
  | { type: 'log'; text: string };

/** `suspend` closes the cluster and `resume` opens it again, in the same process and at the same endpoint. */
export type ServerMessage = { type: 'close' } | { type: 'suspend' } | { type: 'resume' };
