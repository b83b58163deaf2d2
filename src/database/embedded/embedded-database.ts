import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { root } from '../../distribution.ts';
import { FunesError } from '../../errors.ts';
import { databaseFolder, socketPath } from './data-folder.ts';
import { type EngineChild, launchEngine } from './engine-child.ts';
import type { Endpoint, EngineOptions } from './messages.ts';

export interface EmbeddedDatabaseOptions {
  /** The data folder of the server. The database uses its subfolder `database`. */
  dataDir: string;
  /** The folder that keeps the files of an empty database, so that only the first start must make them. */
  cacheDir?: string;
  /** Listen on the loopback interface instead of a unix socket. The default on Windows, which has no unix sockets. */
  loopback?: boolean;
  logger?: Pick<Logger, 'debug' | 'info' | 'error'>;
}

/** Options of postgres.js to connect. A pool must have exactly one connection, because PGlite is one session. */
export type EmbeddedConnection = Endpoint & { user: string; database: string };

export interface EmbeddedDatabase {
  readonly connection: EmbeddedConnection;
  /** Describes the database for people: where its data is. */
  readonly describe: string;
  /** The process of the engine; undefined while a new process is being started. */
  readonly pid: number | undefined;
  /**
   * Ends the running statement by killing the engine, which starts again at once. No other way works, because PGlite sees
   * neither a cancel request nor a timeout while it computes. No acknowledged write is lost.
   */
  interrupt(): void;
  /**
   * Closes the cluster, lets `change` replace its files, and opens it again in the same process. That is much faster than a
   * new start; tests use it to go to their next database. It ends every connection. If it fails, close the database.
   */
  exchange(change: () => Promise<void>): Promise<void>;
  /** Closes the engine with a checkpoint, and unlocks the data folder. */
  close(): Promise<void>;
}

const steadyAfterMs = 1000;
const longestPauseMs = 5000;

const defaultCacheDir = fileURLToPath(new URL('./node_modules/.cache/funes', root));

/**
 * Starts the embedded PostgreSQL with pgvector in a child process. If the process dies before `close`, it is started again.
 *
 * @throws FolderInUse if another process uses the data folder (the message names its pid); FunesError UNAVAILABLE if the folder
 *   cannot be opened.
 */
export async function startEmbeddedDatabase(options: EmbeddedDatabaseOptions): Promise<EmbeddedDatabase> {
  const { dataDir, cacheDir = defaultCacheDir, loopback = process.platform === 'win32' } = options;
  const folder = databaseFolder(dataDir);
  const socket = loopback ? undefined : socketPath(folder, 'engine.sock');
  const engineOptions: EngineOptions = {
    folder,
    cacheDir,
    endpoint: socket === undefined ? { host: '127.0.0.1', port: 0 } : { path: socket.path },
    serverPid: process.pid,
  };
  const supervisor = new EngineSupervisor(engineOptions, options.logger);
  try {
    const first = await supervisor.start();
    return {
      connection: { ...first.endpoint, user: 'postgres', database: 'postgres' },
      describe: `the embedded database in ${folder}`,
      get pid() {
        return supervisor.pid;
      },
      interrupt: () => supervisor.interrupt(),
      exchange: (change) => supervisor.exchange(change),
      close: () => supervisor.close().finally(() => socket?.remove()),
    };
  } catch (error) {
    socket?.remove();
    throw error;
  }
}

/** Starts an engine process, and starts another one when it dies. */
class EngineSupervisor {
  private child: EngineChild | undefined;
  private watching: Promise<void> | undefined;
  private interrupted = false;
  private readonly closing = new AbortController();

  constructor(
    private options: EngineOptions,
    private readonly logger: EmbeddedDatabaseOptions['logger'],
  ) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  async start(): Promise<EngineChild> {
    const child = await this.launch();
    this.options = { ...this.options, endpoint: child.endpoint }; // a restart must listen where the pool connects
    this.watching = this.watch(child);
    return child;
  }

  interrupt(): void {
    this.interrupted = true;
    this.child?.kill();
  }

  async exchange(change: () => Promise<void>): Promise<void> {
    if (this.child === undefined)
      throw new FunesError('UNAVAILABLE', 'The embedded database is being started.');
    await this.child.exchange(change);
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.child?.close();
    await this.watching;
  }

  private async launch(): Promise<EngineChild> {
    this.child = await launchEngine(this.options, (line) => this.logger?.debug(line));
    return this.child;
  }

  private async watch(first: EngineChild): Promise<void> {
    let readyAt = Date.now();
    let pauseMs = 0;
    for (let child: EngineChild | undefined = first; ; ) {
      const how = await child?.exited;
      this.child = undefined;
      if (this.closing.signal.aborted) return;
      if (this.interrupted)
        this.logger?.info('The embedded database was ended to stop a statement; starting it again.');
      else if (how !== undefined)
        this.logger?.error({ how }, 'The embedded database ended; starting it again.');
      // An engine that dies soon after each start must not be started in a tight loop.
      const steady = this.interrupted || Date.now() - readyAt > steadyAfterMs;
      pauseMs = steady ? 0 : Math.min(longestPauseMs, pauseMs * 2 + 100);
      this.interrupted = false;
      await delay(pauseMs, undefined, { signal: this.closing.signal }).catch(() => {});
      if (this.closing.signal.aborted) return;
      child = await this.launch().catch((error: unknown) => {
        this.logger?.error({ err: error }, 'The embedded database could not be started again.');
        return undefined;
      });
      readyAt = Date.now();
      if (this.closing.signal.aborted) await child?.close();
      else if (child !== undefined) this.logger?.info({ pid: child.pid }, 'The embedded database is back.');
    }
  }
}
