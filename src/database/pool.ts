import { setTimeout as delay } from 'node:timers/promises';
import { Semaphore, type SemaphoreInterface, withTimeout } from 'async-mutex';
import type { Logger } from 'pino';
import type { ReservedSql, Sql } from 'postgres';
import { FunesError } from '../errors.ts';
import { openClient } from './client.ts';
import type { EmbeddedDatabase } from './embedded/embedded-database.ts';
import { databaseError, isUnreachable } from './errors.ts';
import { guardReservation } from './reservation.ts';
import {
  type LocalSettings,
  type SchemaPath,
  startupParameters,
  transactionParameters,
} from './session-settings.ts';

export interface PoolOptions {
  /** A server's URL, or the embedded database. */
  database: string | EmbeddedDatabase;
  /** How many connections to open to a server. Ignored for the embedded database, which has exactly one. */
  poolSize?: number;
  /** How long a statement may take, in milliseconds; 0 means no limit. */
  statementTimeoutMs?: number;
  /** How long one attempt to connect may take, in milliseconds. */
  connectTimeoutMs?: number;
  /** How long a request waits for a connection while all are in use, in milliseconds. */
  acquireTimeoutMs?: number;
  /**
   * False if a pooler gives each transaction another session, as PgBouncer in transaction mode does. The pool then uses no named
   * prepared statements and no settings of the session: they would reach other clients or be refused. Default: true, until
   * `expectPooler` is called.
   */
  preparedStatements?: boolean;
  /** The name of the connections in pg_stat_activity. */
  applicationName?: string;
  logger?: (Pick<Logger, 'debug'> & Partial<Pick<Logger, 'warn'>>) | undefined;
}

export interface Pool {
  /** The largest number of connections. */
  readonly size: number;
  /** Whether the database is the embedded one, which has no settings but its own. */
  readonly isEmbedded: boolean;
  /** Whether each transaction may get another session, so that nothing can be kept in one. */
  readonly isPooled: boolean;
  /** Whether to send named prepared statements. */
  readonly prepare: boolean;
  readonly statementTimeoutMs: number;
  /** Settings for SET LOCAL in each transaction, because a session behind a pooler cannot have them. Empty without a pooler. */
  readonly localSettings: LocalSettings;
  /** Where the tables and the extension are, once `useSchemas` has been called. */
  readonly schemas: SchemaPath | undefined;
  /**
   * Reserves a connection for one user. The user must call `release`, and may call it at any time. If the connection is lost
   * before, all its statements, waiting or new, are rejected with a connection error; none runs on another connection.
   * Arrays, dates and times are passed in PostgreSQL's text form.
   *
   * @param options.statementTimeoutMs how long the pool waits for each answer, instead of its own limit; 0 means no limit.
   *   Maintenance sets it together with the server's `statement_timeout`.
   * @throws FunesError UNAVAILABLE if no connection becomes free in time, or if the database cannot be reached.
   */
  reserve(options?: { statementTimeoutMs?: number }): Promise<ReservedSql>;
  /**
   * From now on, takes each transaction to have a session of its own: no settings of the session, and no named prepared statements.
   * What is reserved goes on to its end; new reservations get new connections.
   * @param options.prepare true to go on with named prepared statements, for a pooler that knows them.
   * @param options.reason the code of the error by which a pooler was noticed while the server runs; the log gets a line.
   */
  expectPooler(options?: { prepare?: boolean; reason?: string }): void;
  /**
   * Makes these schemas the search path.
   * @param options.isInUse whether connections have that search path without being told.
   */
  useSchemas(path: SchemaPath, options: { isInUse: boolean }): void;
  /** Waits until no connection is in use, at most `timeoutMs` (default 5 s), then closes all of them. */
  close(timeoutMs?: number): Promise<void>;
}

/** Makes a pool. It does not connect before the first reservation. */
export function openPool(options: PoolOptions): Pool {
  return new GuardedPool(options);
}

/** One postgres.js client. When one of its connections is lost, another client replaces it; see `GuardedPool`. */
interface Generation {
  sql: Sql;
  /** Reservations that are in use or being opened. */
  users: number;
  /** Connections that are open and not reserved. */
  idle: number;
  /** The last reservation that is being opened. If one fails, all that wait behind it fail. */
  opening: Promise<unknown>;
  retired: boolean;
}

const answerGraceMs = 5000; // after statement_timeout, for the answer to arrive
// The embedded engine may write a checkpoint first. Ending it during a checkpoint costs more than waiting.
const checkpointGraceMs = 10_000;
// The embedded engine accepts one connection. It hangs up on a new one until it has seen the last one end.
const mostRefusals = 5;
const refusalPauseMs = 10;
const isHangUp = (error: unknown) =>
  error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET');

/**
 * A pool that works around two defects of postgres.js:
 * - A connection that was lost and opened again still has old bytes in its buffers, which it sends before the next statement.
 *   So when a connection is lost, this pool replaces the whole client. Reservations of the old client go on to their end.
 * - Only a connection that is open and idle is reserved reliably. A reservation that must wait or connect may never come (its
 *   issues 751, 1195). So this pool queues reservations itself, and opens a connection by a statement before it reserves it.
 */
class GuardedPool implements Pool {
  readonly size: number;
  readonly isEmbedded: boolean;
  readonly statementTimeoutMs: number;
  isPooled: boolean;
  prepare: boolean;
  localSettings: LocalSettings = {};
  schemas: SchemaPath | undefined;
  private readonly connectTimeoutMs: number;
  private readonly embedded: EmbeddedDatabase | undefined;
  private readonly turns: SemaphoreInterface;
  private readonly generations = new Set<Generation>();
  private current: Generation | undefined;
  private closed = false;
  /** When the database last answered anything. */
  private answeredAt = 0;
  /** The error for reservations that are sent away while they wait for their turn. */
  private refusal: unknown = closing();

  constructor(private readonly options: PoolOptions) {
    this.embedded = typeof options.database === 'string' ? undefined : options.database;
    this.size = this.embedded === undefined ? (options.poolSize ?? 10) : 1;
    this.isEmbedded = this.embedded !== undefined;
    this.prepare = options.preparedStatements ?? true;
    this.isPooled = !this.prepare;
    this.statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
    this.connectTimeoutMs = options.connectTimeoutMs ?? 5000;
    this.decideSettings();
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

  expectPooler({ prepare = false, reason }: { prepare?: boolean; reason?: string } = {}): void {
    if (this.isPooled && this.prepare === prepare) return;
    if (reason !== undefined) {
      this.options.logger?.warn?.(
        `The database answers as behind a pooler that gives each transaction another session (${reason}). From now on each ` +
          'transaction makes its own settings, and no prepared statements are used.',
      );
    }
    this.isPooled = true;
    this.prepare = prepare;
    this.decideSettings();
    if (this.current !== undefined) this.retire(this.current);
  }

  useSchemas(path: SchemaPath, { isInUse }: { isInUse: boolean }): void {
    const changed = this.schemas?.home !== path.home || this.schemas.vector !== path.vector;
    if (!changed || this.isEmbedded) return;
    this.schemas = path;
    this.decideSettings();
    if (this.current === undefined || this.isPooled) return;
    Object.assign(this.current.sql.options.connection, this.sessionParameters());
    if (!isInUse) this.retire(this.current);
  }

  private decideSettings(): void {
    this.localSettings = this.isPooled ? transactionParameters(this.statementTimeoutMs, this.schemas) : {};
  }

  private sessionParameters(): Record<string, string> {
    return this.isPooled ? {} : startupParameters(this.statementTimeoutMs, this.schemas);
  }

  private async connect(): Promise<{ generation: Generation; reserved: ReservedSql }> {
    for (let refusals = 0; ; ) {
      const generation = this.current ?? this.newGeneration();
      generation.users++;
      // The time of each attempt begins with its turn, because many connections that open in sequence are no failure.
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

  /** Opens a connection of this client; undefined if the client was retired before this reservation's turn. */
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
        session: this.sessionParameters(),
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
   * Rejects all reservations that wait for their turn, if the database has not answered at all since `beganAt`: each of them
   * would wait as long again. If the database answered on any connection, even with a refusal, they keep waiting.
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

/** Without this limit, postgres.js would try for ever if a proxy accepts its connections and closes them at once. */
async function answerWithin<T>(ms: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(noAnswer()), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    answer.catch(() => {}); // a late answer fails, because its client has been ended
  }
}

const noAnswer = () =>
  Object.assign(new Error('The database did not answer in time.'), { code: 'ETIMEDOUT' });

/** Nobody sees this error: `GuardedPool.refusal` replaces it. */
const sentAway = new Error('All reservations that waited were sent away.');

const closing = () => new FunesError('UNAVAILABLE', 'The server is shutting down. Send the request again.');

function allBusy(size: number, waitedMs: number, mayGrow: boolean): FunesError {
  const which = size === 1 ? 'The only database connection was' : `All ${size} database connections were`;
  const advice = mayGrow ? ', or raise FUNES_POOL_SIZE' : '';
  return new FunesError('UNAVAILABLE', `${which} in use for ${waitedMs / 1000} s. Try again later${advice}.`);
}
