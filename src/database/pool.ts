import { setTimeout as delay } from 'node:timers/promises';
import { Semaphore, type SemaphoreInterface, withTimeout } from 'async-mutex';
import type { Logger } from 'pino';
import type { ReservedSql, Sql } from 'postgres';
import { FunesError } from '../errors.ts';
import { openClient } from './client.ts';
import type { EmbeddedDatabase } from './embedded/embedded-database.ts';
import { databaseError, isUnreachable } from './errors.ts';
import { guardReservation } from './reservation.ts';

export interface PoolOptions {
  /** A server's URL, or the embedded database. */
  database: string | EmbeddedDatabase;
  /** Connections to a server. The embedded database has exactly one, whatever is said here. */
  poolSize?: number;
  /** How long a statement may take, in milliseconds; 0 for ever. */
  statementTimeoutMs?: number;
  /** How long one attempt to connect may take, in milliseconds. */
  connectTimeoutMs?: number;
  /** How long a request waits for a connection while all are in use, in milliseconds. */
  acquireTimeoutMs?: number;
  /**
   * Off behind a pooler that hands each transaction another connection, such as PgBouncer in transaction mode: no named
   * prepared statements and no settings of the session, which would reach other clients or be refused.
   */
  preparedStatements?: boolean;
  /** How the connections are named in pg_stat_activity. */
  applicationName?: string;
  logger?: Pick<Logger, 'debug'> | undefined;
}

export interface Pool {
  /** How many connections it opens at most. */
  readonly size: number;
  /** Send named prepared statements. */
  readonly prepare: boolean;
  readonly statementTimeoutMs: number;
  /** Settings that the session cannot have, so that each transaction must SET LOCAL them. Empty without a pooler. */
  readonly localSettings: Readonly<Record<string, number>>;
  /**
   * A connection of one's own until `release`, which must be called and always may be. When the connection is lost
   * meanwhile, all its statements, waiting or new, are rejected with a connection error; none runs elsewhere.
   * Arrays, dates and times are passed as PostgreSQL writes them.
   *
   * @param options.statementTimeoutMs how long this side waits for each answer, instead of the pool's own time; 0 for
   *   ever. Maintenance sets it together with the server's `statement_timeout`.
   * @throws FunesError UNAVAILABLE when no connection is free in time, or the database cannot be reached.
   */
  reserve(options?: { statementTimeoutMs?: number }): Promise<ReservedSql>;
  /** Waits for the connections in use, at most `timeoutMs` (default 5 s), then closes all. */
  close(timeoutMs?: number): Promise<void>;
}

/** Opens nothing yet: the first reservation connects. */
export function openPool(options: PoolOptions): Pool {
  return new GuardedPool(options);
}

/** One postgres.js client. It is replaced when a connection of it is lost; see `GuardedPool`. */
interface Generation {
  sql: Sql;
  /** Reservations, given or being opened. */
  users: number;
  /** Connections that are open and not reserved. */
  idle: number;
  /** The reservation being opened last. A failure stands for all that wait behind it. */
  opening: Promise<unknown>;
  retired: boolean;
}

const answerGraceMs = 5000; // beyond statement_timeout, for a server that answers at all
// The embedded engine may write a checkpoint first, and ending it in the middle costs more than waiting.
const checkpointGraceMs = 10_000;
// The embedded engine has one connection and hangs up on another until it has seen the last one end.
const mostRefusals = 5;
const refusalPauseMs = 10;
const isHangUp = (error: unknown) =>
  error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET');

/**
 * postgres.js' connections are not to be used again once they were lost (what they did not send or receive then stays
 * in them and comes out in front of the next statement), so a loss replaces the whole client; reservations of the old
 * one go on to their end. And postgres.js reserves reliably only what is open and idle: a reservation that has to wait
 * or to connect may be forgotten or given to nobody (its issues 751, 1195). So waiting happens here, and a connection
 * is opened by a statement before it is reserved.
 */
class GuardedPool implements Pool {
  readonly size: number;
  readonly prepare: boolean;
  readonly statementTimeoutMs: number;
  readonly localSettings: Readonly<Record<string, number>>;
  private readonly connectTimeoutMs: number;
  private readonly embedded: EmbeddedDatabase | undefined;
  private readonly turns: SemaphoreInterface;
  private readonly generations = new Set<Generation>();
  private current: Generation | undefined;
  private closed = false;
  /** When the database last answered anything. */
  private answeredAt = 0;
  /** What those that wait for a turn are told when they are sent away. */
  private refusal: unknown = closing();

  constructor(private readonly options: PoolOptions) {
    this.embedded = typeof options.database === 'string' ? undefined : options.database;
    this.size = this.embedded === undefined ? (options.poolSize ?? 10) : 1;
    this.prepare = options.preparedStatements ?? true;
    this.statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
    this.connectTimeoutMs = options.connectTimeoutMs ?? 5000;
    this.localSettings = this.prepare ? {} : { statement_timeout: this.statementTimeoutMs };
    const acquireTimeoutMs = options.acquireTimeoutMs ?? 30_000;
    this.turns = withTimeout(
      new Semaphore(this.size, sentAway),
      acquireTimeoutMs,
      allBusy(this.size, acquireTimeoutMs, this.embedded === undefined),
    );
  }

  async reserve({ statementTimeoutMs = this.statementTimeoutMs } = {}): Promise<ReservedSql> {
    if (this.closed) throw closing();
    const [, giveTurn] = await this.turns.acquire().catch((error: unknown) => {
      throw error === sentAway ? this.refusal : error;
    });
    const began = performance.now();
    try {
      const { generation, reserved } = await this.connect();
      return guardReservation(reserved, {
        greetingPatienceMs: this.connectTimeoutMs + (this.embedded ? checkpointGraceMs : 0),
        patienceMs: statementTimeoutMs === 0 ? 0 : statementTimeoutMs + (this.embedded ? 0 : answerGraceMs),
        onAnswer: () => {
          this.answeredAt = performance.now();
        },
        onSilent: (since) => this.giveUpConnection(since),
        onStuck: () => this.giveUpStatement(),
        onRelease: (lost) => {
          if (!lost) generation.idle++;
          this.leave(generation, lost);
          giveTurn();
        },
      });
    } catch (error) {
      this.sendAway(error, began);
      giveTurn();
      throw databaseError(error) ?? error;
    }
  }

  async close(timeoutMs = 5000): Promise<void> {
    this.closed = true;
    this.refusal = closing();
    this.turns.cancel();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.turns.waitForUnlock(this.size), late]);
    clearTimeout(timer);
    await Promise.all([...this.generations].map(({ sql }) => sql.end({ timeout: 0 })));
  }

  private async connect(): Promise<{ generation: Generation; reserved: ReservedSql }> {
    for (let refusals = 0; ; ) {
      const generation = this.current ?? this.newGeneration();
      generation.users++;
      // The time of each begins when it is its turn: many that open one after another are no sign of a failure.
      const opening = generation.opening.then(() =>
        answerWithin(this.connectTimeoutMs * 1.1, this.open(generation)),
      );
      generation.opening = opening;
      try {
        const reserved = await opening;
        if (reserved !== undefined) return { generation, reserved };
        this.leave(generation, true);
      } catch (error) {
        this.leave(generation, true);
        if (this.embedded === undefined || !isHangUp(error) || ++refusals > mostRefusals) throw error;
        await delay(refusals * refusalPauseMs);
      }
    }
  }

  /** A connection of this client; undefined when the client was given up while this was waiting for its turn. */
  private async open(generation: Generation): Promise<ReservedSql | undefined> {
    if (generation.retired) return undefined;
    if (generation.idle === 0) {
      await generation.sql.unsafe('');
      this.answeredAt = performance.now();
    } else generation.idle--;
    return generation.sql.reserve();
  }

  private newGeneration(): Generation {
    const { database, applicationName = 'funes', logger } = this.options;
    const generation: Generation = {
      sql: openClient({
        database: typeof database === 'string' ? database : database.connection,
        connections: this.size,
        connectTimeoutMs: this.connectTimeoutMs,
        prepare: this.prepare,
        statementTimeoutMs: this.statementTimeoutMs,
        applicationName,
        logger,
        onclose: () => this.retire(generation),
      }),
      users: 0,
      idle: 0,
      opening: Promise.resolve(),
      retired: false,
    };
    this.generations.add(generation);
    this.current = generation;
    return generation;
  }

  private leave(generation: Generation, lost: boolean): void {
    generation.users--;
    if (lost) this.retire(generation);
    else this.endWhenUnused(generation);
  }

  private retire(generation: Generation): void {
    generation.retired = true;
    if (this.current === generation) this.current = undefined;
    this.endWhenUnused(generation);
  }

  private endWhenUnused(generation: Generation): void {
    if (!generation.retired || generation.users > 0 || !this.generations.delete(generation)) return;
    generation.sql.end({ timeout: 0 }).catch((error: unknown) => this.options.logger?.debug({ err: error }));
  }

  /**
   * Fails all that wait for a turn, when the database was silent as long as an attempt to reach it took: each of them
   * would spend as long on its own. When it answered another connection meanwhile, or answered this one with a refusal,
   * it is there, and they keep waiting.
   */
  private sendAway(error: unknown, beganAt: number): void {
    if (!isUnreachable(error) || this.answeredAt > beganAt) return;
    this.refusal = databaseError(error) ?? error;
    this.turns.cancel();
  }

  private giveUpConnection(silentSince: number): Error {
    const error = noAnswer();
    this.embedded?.interrupt();
    this.sendAway(error, silentSince);
    return error;
  }

  private giveUpStatement(): Error {
    if (this.embedded === undefined) return noAnswer();
    this.embedded.interrupt();
    return Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' });
  }
}

/** postgres.js itself tries for ever when something accepts its connections and closes them at once, as a proxy may. */
async function answerWithin<T>(ms: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(noAnswer()), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    answer.catch(() => {}); // when it was late, its client is ended and its connection with it
  }
}

const noAnswer = () =>
  Object.assign(new Error('The database did not answer in time.'), { code: 'ETIMEDOUT' });

/** Never shown: `GuardedPool.refusal` says why. */
const sentAway = new Error('Nobody that waits for a connection gets one.');

const closing = () => new FunesError('UNAVAILABLE', 'The server is shutting down. Send the request again.');

function allBusy(size: number, waitedMs: number, mayGrow: boolean): FunesError {
  const which = size === 1 ? 'The only database connection was' : `All ${size} database connections were`;
  const advice = mayGrow ? ', or raise FUNES_POOL_SIZE' : '';
  return new FunesError('UNAVAILABLE', `${which} in use for ${waitedMs / 1000} s. Try again later${advice}.`);
}
