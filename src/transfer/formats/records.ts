import { FunesError } from '../../errors.ts';

/** What every record has. */
interface FromFile {
  /** Where in the file it is, for messages: `[3].chat_messages[5]`, or `line 12`. */
  inputPath: string;
}

/** A memory of another program's file. */
export interface MemoryRecord extends FromFile {
  kind: 'memory';
  userId?: string;
  content: string;
  /** In UTC, to the microsecond: `2024-05-01T12:00:00.123456Z`. */
  createdAt?: string;
  sessionId?: string;
  source?: string;
  importanceScore?: number;
  metadata: Record<string, unknown>;
}

/** A document of another program's file, which has been cut into chunks there. */
export interface DocumentRecord extends FromFile {
  kind: 'document';
  filename: string;
  metadata: Record<string, unknown>;
  chunks: { content: string; metadata: Record<string, unknown> }[];
}

/** What the file has and funes has no use for, such as a message without text. */
export interface LeftOut extends FromFile {
  kind: 'leftOut';
  /** Completes "left out, because it ...". */
  reason: string;
}

/** A part of the file that is wrong. What stands beside it can be imported. */
export interface Failed extends FromFile {
  kind: 'failed';
  message: string;
}

export type FileRecord = MemoryRecord | DocumentRecord | LeftOut | Failed;

/** Makes a record. If that throws a FunesError, returns what failed instead, so that the rest of the file can be read. */
export function recordOr<T>(inputPath: string, make: () => T): T | Failed {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof FunesError)) throw error;
    return { kind: 'failed', inputPath, message: error.message };
  }
}

/** A file that cannot be read, or not further. */
export function badFile(message: string): FunesError {
  return new FunesError('BAD_USER_INPUT', message);
}

/** One record that cannot be imported. */
export function badRecord(inputPath: string, message: string): FunesError {
  return new FunesError('BAD_USER_INPUT', `${inputPath} ${message}`);
}
