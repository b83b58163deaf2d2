import { and, eq, isNull, lt, or, sql } from 'drizzle-orm';
import { LRUCache } from 'lru-cache';
import { apiKeys } from '../../schema/index.ts';
import { databaseError } from '../database/errors.ts';
import { maintenance } from '../database/maintenance.ts';
import { type Database, transaction } from '../database/transaction.ts';
import { FunesError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Viewer } from '../viewer.ts';
import { hashOfKey, isKey, prefixOfKey } from './keys.ts';

/** Who looks a key up: nobody yet. The database lets this viewer see no row, and call `funes_key`. */
const nobody: Viewer = { userId: '', role: 'reader' };

const mostKept = 10_000;
/** Keys that are unknown, or not found out yet. They have a cache of their own, so that invented keys displace no good one. */
const mostStrangersKept = 1000;
const useNotedEveryMs = 60_000;
/** Noting a use must not hold a connection for long if somebody has locked the row. */
const lockTimeoutMs = 1000;

interface FoundKey {
  id: string;
  viewer: Viewer;
  /** When the key expires, as `performance.now()`; Infinity if it does not. */
  validUntil: number;
}

interface LookUp {
  /** When the statement was sent, as `performance.now()`. Undefined while it waits for a connection. */
  sentAt: number | undefined;
  answer: Promise<FoundKey | undefined>;
  /** Undefined until the answer is there, and if the key is nobody's. */
  userId: string | undefined;
}

export interface KeyLookUpOptions {
  /** How long an answer is kept, in milliseconds. */
  keepMs: number;
  log: Logger;
}

/** Finds whose key something is; undefined if it is nobody's. */
export interface KeyLookUp {
  (key: string): Promise<Viewer | undefined>;
  /** Whether a text has the form of a key, and nothing tells that it was good the last time. */
  isStranger(key: string): boolean;
  /** Drops all answers about the keys of a user. */
  forget(userId: string): void;
}

/**
 * Makes a function that finds whose key something is; undefined if it is nobody's. Answers are kept for `keepMs`, for unknown
 * keys too, counted from when the statement was sent. So a key that is revoked is refused within that time. Requests share a
 * statement that is not sent yet, whatever `keepMs` is, because the statement sees all that was revoked before they came.
 *
 * @throws FunesError UNAVAILABLE if the database does not answer.
 */
export function keyLookUp(database: Database, { keepMs, log }: KeyLookUpOptions): KeyLookUp {
  /** Answers about keys that were good the last time. An old one is not used, but says that much. */
  const good = new LRUCache<string, LookUp>({ max: mostKept });
  const strangers = new LRUCache<string, LookUp>({ max: mostStrangersKept });
  const noteUse = useNotes(database, log);

  function fresh(hash: string): LookUp | undefined {
    const lookUp = good.get(hash) ?? strangers.get(hash);
    const isFresh = lookUp?.sentAt === undefined || performance.now() - lookUp.sentAt < keepMs;
    return isFresh ? lookUp : undefined;
  }

  function begin(hash: string): LookUp {
    const lookUp: LookUp = { sentAt: undefined, answer: Promise.resolve(undefined), userId: undefined };
    const before = good.peek(hash);
    const cache = before === undefined ? strangers : good;
    cache.set(hash, lookUp);
    lookUp.answer = readKey(database, hash, (sentAt) => {
      lookUp.sentAt = sentAt;
    });
    lookUp.answer.then(
      (found) => {
        lookUp.userId = found?.viewer.userId;
        const home = isGood(found) ? good : strangers;
        if (home === cache || cache.peek(hash) !== lookUp) return;
        cache.delete(hash);
        home.set(hash, lookUp);
      },
      () => {
        if (cache.peek(hash) !== lookUp) return;
        // A database that was down does not make a stranger of somebody.
        if (before === undefined) cache.delete(hash);
        else cache.set(hash, before);
      },
    );
    return lookUp;
  }

  function forget(userId: string): void {
    // A look-up without an answer may be about this user, and another one costs little.
    for (const cache of [good, strangers])
      for (const [hash, lookUp] of [...cache])
        if (lookUp.userId === undefined || lookUp.userId === userId) cache.delete(hash);
  }

  const isStranger = (key: string) => isKey(key) && !good.has(hashOfKey(key));

  const find = async (key: string) => {
    if (!isKey(key)) return undefined;
    const hash = hashOfKey(key);
    const found = await (fresh(hash) ?? begin(hash)).answer;
    if (!isGood(found)) return undefined;
    noteUse(found.id);
    return { ...found.viewer, keyPrefix: prefixOfKey(key) };
  };
  return Object.assign(find, { forget, isStranger });
}

function isGood(found: FoundKey | undefined): found is FoundKey {
  return found !== undefined && performance.now() < found.validUntil;
}

type KeyAnswer = { id: string; user_id: string; role: Viewer['role']; lives_ms: number | null };

async function readKey(
  database: Database,
  hash: string,
  onSent: (sentAt: number) => void,
): Promise<FoundKey | undefined> {
  let sentAt = 0;
  const onStatement = () => {
    sentAt = performance.now();
    onSent(sentAt);
  };
  try {
    // The remaining time is by the database's clock, so that it is the same on every server.
    const [row] = await transaction(database, nobody, { access: 'read', single: true, onStatement }, (tx) =>
      tx.execute<KeyAnswer>(
        sql`select id, user_id, role, (extract(epoch from expires_at - statement_timestamp()) * 1000)::float8 as lives_ms
          from funes_key(${hash})`,
      ),
    );
    return (
      row && {
        id: row.id,
        viewer: { userId: row.user_id, role: row.role },
        validUntil: row.lives_ms === null ? Number.POSITIVE_INFINITY : sentAt + row.lives_ms,
      }
    );
  } catch (error) {
    const known = databaseError(error);
    if (known?.code !== 'LIMIT_EXCEEDED') throw known ?? error;
    // The statement timeout. Whoever sent the request cannot ask for less.
    throw new FunesError(
      'UNAVAILABLE',
      'The database needs too long to look up the key. Try again in a few seconds.',
      {
        cause: error,
      },
    );
  }
}

/** Makes a function that notes when a key was used, at most once a minute. Nobody waits for it, and it never throws. */
function useNotes(database: Database, log: Logger): (id: string) => void {
  const notedAt = new LRUCache<string, number>({ max: mostKept });
  return (id) => {
    const now = performance.now();
    const before = notedAt.get(id);
    if (before !== undefined && now - before < useNotedEveryMs) return;
    notedAt.set(id, now);
    // Another server may have noted a use of this key meanwhile.
    const isDue = or(
      isNull(apiKeys.lastUsedAt),
      lt(apiKeys.lastUsedAt, sql`now() - make_interval(secs => ${useNotedEveryMs / 1000})`),
    );
    maintenance(database, { access: 'write', settings: { lock_timeout: lockTimeoutMs } }, (tx) =>
      tx
        .update(apiKeys)
        .set({ lastUsedAt: sql`now()` })
        .where(and(eq(apiKeys.id, id), isDue)),
    ).catch((error: unknown) => log.warn({ err: error }, 'The last use of a key could not be noted.'));
  };
}
