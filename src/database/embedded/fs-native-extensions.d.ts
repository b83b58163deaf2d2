// The package carries no types.
declare module 'fs-native-extensions' {
  /** Asks for an exclusive lock on an open file; false when another file descriptor holds one. */
  export function tryLock(fd: number): boolean;
  export function unlock(fd: number): void;
}
