import { LRUCache } from 'lru-cache';
import { originOf } from '../database/origin.ts';
import type { Database } from '../database/transaction.ts';
import type { Viewer } from '../viewer.ts';
import type { AuditEntry } from './audit.ts';

/** How long a line of the audit stands for what the same actor does again. */
const lineStandsForMs = 3_600_000;
/** Lines that are remembered. The least recent is forgotten first: then one line more is written. */
const mostRemembered = 20_000;

/** Remembers which lines of the audit this process has written lately. */
export interface AuditNotes {
  has(line: string): boolean;
  /** Remembers a line whose transaction has ended. */
  add(line: string): void;
  /**
   * Runs `write`, which writes the line; or `read` if the line was written lately. Waits for another `write` of the line that has
   * begun, so that many at once write one line, and so that nobody relies on a line that is undone.
   */
  once<T>(line: string, work: { write: () => Promise<T>; read: () => Promise<T> }): Promise<T>;
}

const notesOf = new WeakMap<Database, AuditNotes>();

/** Returns what is remembered of the audit of a database. */
export function auditNotes(database: Database): AuditNotes {
  const key = originOf(database);
  const known = notesOf.get(key);
  if (known !== undefined) return known;
  const notes = makeNotes();
  notesOf.set(key, notes);
  return notes;
}

/** Names the line that a viewer writes. */
export function nameOfLine(
  { userId, actor, keyPrefix }: Viewer,
  { action, about }: Pick<AuditEntry, 'action' | 'about'>,
): string {
  return JSON.stringify([action, about, userId, actor, keyPrefix]);
}

function makeNotes(): AuditNotes {
  const written = new LRUCache<string, true>({ max: mostRemembered, ttl: lineStandsForMs });
  const begun = new Map<string, Promise<unknown>>();

  const has = (line: string) => written.has(line);
  const add = (line: string) => void written.set(line, true);

  async function write<T>(line: string, work: () => Promise<T>): Promise<T> {
    const running = work();
    begun.set(line, running);
    try {
      const result = await running;
      add(line);
      return result;
    } finally {
      begun.delete(line);
    }
  }

  return {
    has,
    add,
    async once(line, work) {
      for (;;) {
        const running = begun.get(line);
        if (running === undefined) return has(line) ? work.read() : write(line, work.write);
        // If it fails, the next one that waits writes the line.
        await running.catch(() => {});
      }
    },
  };
}
