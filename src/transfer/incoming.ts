import { createHash } from 'node:crypto';
import { FunesError } from '../errors.ts';

/** A row of a file, with what an import has to know of it. */
export interface Incoming {
  kind: 'memory' | 'document' | 'tool';
  /** The line where it begins, from 1. */
  line: number;
  /** The text of a JSON object whose `row` has the fields of the row. PostgreSQL reads it, so numbers and times lose nothing. */
  json: string;
  /** Empty for a tool. */
  userId: string;
  /** Where the row comes from. With the user, it names the row; for a tool its name. */
  origin: string;
  idempotencyKey: string | null;
  /** The id that the row has if it comes from this database. */
  ownId: string | null;
  /** When the row with that id was made. A copy of the database has its name, and other rows may have got these ids there. */
  ownCreatedAt?: string | null;
  contentHash: string | null;
  archivedAt: string | null;
  /** What to embed. Undefined if the row has its vector, or can never have one. */
  text: string | undefined;
  chunks: readonly IncomingChunk[];
}

/** A chunk of a document of a file. */
export interface IncomingChunk {
  line: number;
  json: string;
  text: string | undefined;
}

/** What is wrong with a line. The import goes on with the next one. */
export interface Faulty {
  kind: 'fault';
  line: number;
  reason: string;
}

/** A message that funes has no use for, because the person did not see it or it has no text. It is counted, and no fault. */
export interface LeftOut {
  kind: 'leftOut';
}

/** How far a file is read, and what was read. */
export type Read = (Incoming | Faulty | LeftOut) & {
  /** Bytes up to the end of this row. */
  bytes: number;
};

/** A file that cannot be imported at all, or from this line on. */
export function unreadable(reason: string): FunesError {
  return new FunesError('BAD_USER_INPUT', reason);
}

/** A text that is unlikely to occur twice, for the columns of `origin`. */
export function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url');
}

/**
 * Names rows of files that have no ids of ours: by user, content and time, and by the number among equal ones, so that two equal
 * texts stay two, and the same file read again has the same names.
 */
export class OriginsOfContent {
  private readonly equalBefore = new Map<string, number>();

  /** @param createdAt as the file says it. */
  next(userId: string, content: string, createdAt: string | null): string {
    const name = digest([userId, content, createdAt]);
    // The first characters tell texts apart well enough to count equal ones, and millions of them take less memory.
    const short = name.slice(0, 16);
    const count = this.equalBefore.get(short) ?? 0;
    this.equalBefore.set(short, count + 1);
    return `hash:${name}:${count}`;
  }
}
