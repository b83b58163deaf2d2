import { join } from 'node:path';
import type { Logger } from 'pino';
import { createContext } from '../resolvers/context.ts';
import { exampleQueries } from '../resolvers/examples.ts';
import { buildSchema } from '../resolvers/schema.ts';
import { describeDatabaseUrl } from './config/database-url.ts';
import type { Config } from './config.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from './database/embedded/embedded-database.ts';
import { migrate } from './database/migrate.ts';
import { openPool, type Pool } from './database/pool.ts';
import { awaitDatabase } from './database/readiness.ts';
import { startEmbedder } from './embedding/embedder.ts';
import { type HttpConfig, type HttpServer, startHttpServer } from './http/server.ts';
import { Chunker } from './ingest/chunker.ts';
import type { Services } from './services.ts';

/** What runs behind the API, and how it is ended. */
export interface Backend {
  readonly services: Services;
  /** For people: which database, and where. */
  readonly database: string;
  close(): Promise<void>;
}

/** A running server. */
export interface FunesServer {
  /** Where clients on this machine reach it, without a path. */
  readonly url: string;
  readonly database: string;
  readonly model: string;
  /** Lets requests in flight finish, then closes everything. */
  close(): Promise<void>;
}

/**
 * The composition root: builds config -> database -> embedder -> API, and is the only place in `src` that knows of
 * `resolvers`.
 * @throws FunesError saying what is wrong and what to do; what had been started is being closed then.
 */
export async function startFunes(config: Config, log: Logger): Promise<FunesServer> {
  const backend = await startBackend(config, log);
  try {
    const http = await startApi(config, backend.services);
    return {
      url: http.url,
      database: backend.database,
      model: backend.services.embedder.model,
      close: async () => {
        await http.close();
        await backend.close();
      },
    };
  } catch (error) {
    await backend.close();
    throw error;
  }
}

/** The API over HTTP, in front of `services`, which stay open when it is closed. */
export function startApi(config: HttpConfig, services: Services): Promise<HttpServer> {
  return startHttpServer({
    config,
    schema: buildSchema(),
    createContext: () => createContext(services),
    logger: services.log,
    examples: exampleQueries,
  });
}

/**
 * The migrated database and the loaded model, without the HTTP server. Both start at the same time.
 * @throws FunesError as soon as one of them fails, without waiting for the other; that one is closed when it is there.
 */
export async function startBackend(config: Config, log: Logger): Promise<Backend> {
  const starts = [
    openDatabase(config, log),
    startEmbedder({ model: config.embeddingModel, cacheDir: join(config.dataDir, 'models') }, log),
  ] as const;
  const [database, embedder] = await Promise.all(starts).catch((error: unknown) => {
    // Not awaited: loading the model takes seconds, and trying to reach a server up to an hour.
    for (const start of starts) start.then((started) => started.close()).catch(() => {});
    throw error;
  });
  const { pool, describe, close } = database;
  const chunker = new Chunker({ model: config.embeddingModel, cacheDir: join(config.dataDir, 'models') });
  return {
    services: { database: pool, embedder, chunker, log },
    database: describe,
    close: async () => {
      await Promise.all([chunker.close(), embedder.close()]);
      await close();
    },
  };
}

async function openDatabase(
  config: Config,
  log: Logger,
): Promise<{ pool: Pool; describe: string; close: () => Promise<void> }> {
  const embedded: EmbeddedDatabase | undefined = config.databaseUrl
    ? undefined
    : await startEmbeddedDatabase({ dataDir: config.dataDir, logger: log });
  const pool = openPool({
    database: embedded ?? (config.databaseUrl as string),
    poolSize: config.poolSize,
    statementTimeoutMs: config.statementTimeout,
    preparedStatements: config.preparedStatements,
    logger: log,
  });
  const close = async () => {
    await pool.close();
    await embedded?.close();
  };
  try {
    const where = embedded?.describe ?? describeDatabaseUrl(config.databaseUrl as string);
    const versions = await awaitDatabase(pool, {
      where,
      withinMs: config.databaseConnectTimeout,
      logger: log,
    });
    const applied = await migrate(pool);
    if (applied.length > 0) log.debug({ applied }, 'migrations applied');
    return { pool, describe: `${where}, PostgreSQL ${versions.server}, pgvector ${versions.vector}`, close };
  } catch (error) {
    await close();
    throw error;
  }
}
