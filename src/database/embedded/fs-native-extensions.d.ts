// The package has no types.
declare module 'fs-native-extensions' {
  /** Takes an exclusive lock on an open file; false if another file descriptor holds one. */
  export function tryLock(fd: number): boolean;
  export function unlock(fd: number): void;
}
