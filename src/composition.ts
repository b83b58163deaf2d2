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
import {
  type AuthConfig,
  type Authenticate,
  authenticator,
  describeAccess,
} from './security/authenticate.ts';
import type { Services } from './services.ts';
import type { Viewer } from './viewer.ts';

/** The services behind the API. */
export interface Backend {
  readonly services: Services;
  /** Describes the database, for people. */
  readonly database: string;
  close(): Promise<void>;
}

/** A running server. */
export interface FunesServer {
  /** The URL for clients on this machine, without a path. */
  readonly url: string;
  readonly database: string;
  readonly model: string;
  /** Says who is let in, for people. */
  readonly access: string;
  /** Waits for the requests in flight, then closes everything. */
  close(): Promise<void>;
}

/**
 * Starts the server. This file is the composition root: it builds database, embedder and API from the settings, and only this
 * file and main.ts may import from `resolvers`.
 * @throws FunesError that says what is wrong and what to do. Everything that had started is being closed.
 */
export async function startFunes(config: Config, log: Logger): Promise<FunesServer> {
  const backend = await startBackend(config, log);
  try {
    const http = await startApi(config, backend.services);
    return {
      url: http.url,
      database: backend.database,
      model: backend.services.embedder.model,
      access: describeAccess(config),
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

/**
 * Starts the API over HTTP. Closing the server does not close `services`.
 * @param authenticate who sends a request; by default as the settings say.
 */
export function startApi(
  config: HttpConfig & AuthConfig,
  services: Services,
  authenticate: Authenticate = authenticator(config, services.database, services.log),
): Promise<HttpServer> {
  const contextFor = (viewer: Viewer) => createContext(services, viewer);
  return startHttpServer({
    config,
    schema: buildSchema(),
    createContext: ({ raw }) => {
      const viewer = authenticate(raw.rawHeaders);
      return viewer instanceof Promise ? viewer.then(contextFor) : contextFor(viewer);
    },
    logger: services.log,
    examples: exampleQueries,
  });
}

/**
 * Starts the services without the HTTP server: migrates the database and loads the model, both at the same time.
 * @throws FunesError as soon as one of them fails. The other one is closed as soon as it has started.
 */
export async function startBackend(config: Config, log: Logger): Promise<Backend> {
  const starts = [
    openDatabase(config, log),
    startEmbedder({ model: config.embeddingModel, cacheDir: join(config.dataDir, 'models') }, log),
  ] as const;
  const [database, embedder] = await Promise.all(starts).catch((error: unknown) => {
    // Not awaited: loading the model takes seconds, and connecting to a database may take up to an hour.
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
