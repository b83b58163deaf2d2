import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FunesError } from '../../errors.ts';

const unixPathBytes = 103; // sun_path has 104 bytes with its NUL on macOS, 108 on Linux

/** The folder of the embedded database inside the data folder of the server. Only its owner can enter it. */
export const databaseFolder = (dataDir: string): string => join(resolve(dataDir), 'database');

/** Where a unix socket listens. */
export interface SocketPath {
  readonly path: string;
  /** Removes the folder that was made for the socket, if there is one. Call it after the socket is closed. */
  remove(): void;
}

/** A path for the unix socket `name` of this folder: in the folder, or in a new private folder if the path were too long. */
export function socketPath(folder: string, name: string): SocketPath {
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= unixPathBytes) return { path, remove: () => {} };
  const shortFolder = mkdtempSync(join(tmpdir(), 'funes-')); // made with mode 0700
  return {
    path: join(shortFolder, name),
    remove: () => rmSync(shortFolder, { recursive: true, force: true }),
  };
}

/** Another process uses the folder of an embedded database. */
export class FolderInUse extends FunesError {
  constructor(message: string) {
    super('UNAVAILABLE', message);
  }
}
