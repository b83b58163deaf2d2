import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createContext } from '../resolvers/context.ts';
import { exampleQueries } from '../resolvers/examples.ts';
import { buildSchema } from '../resolvers/schema.ts';
import { listenForCommands } from './cli/control-server.ts';
import type { Config } from './config.ts';
import { startEmbedder } from './embedding/embedder.ts';
import { openGenerations } from './generations.ts';
import { byUserOrAddress } from './http/rate-limit.ts';
import type { RequestRecord } from './http/request-log.ts';
import { type HttpConfig, type HttpServer, startHttpServer } from './http/server.ts';
import { Chunker } from './ingest/chunker.ts';
import { Extractor } from './ingest/extractor.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import { observeDatabase } from './metrics/observed-database.ts';
import { type OpenDatabase, openMigratedDatabase } from './open-database.ts';
import { readinessChecker } from './readiness.ts';
import {
  type AuthConfig,
  type Authenticate,
  authenticator,
  describeAccess,
} from './security/authenticate.ts';
import type { Services } from './services.ts';
import { startFiller } from './store/filler.ts';
import type { Viewer } from './viewer.ts';
import { withResolvers } from './with-resolvers.ts';

/** A first query to paste into the explorer. */
export const firstQuery: string = exampleQueries[0]?.query.trim() ?? '';

/** How long a start that failed waits for the model, which loads at the same time. From the disk it takes some 2 s. */
const longestLoadMs = 10_000;

/** The services behind the API. */
export interface Backend {
  readonly services: Services;
  /** Describes the database, for people. */
  readonly database: string;
  /** What the server counts of itself; undefined if FUNES_METRICS is off. */
  readonly metrics: Metrics | undefined;
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
 * file may import from `resolvers`.
 * @throws FunesError that says what is wrong and what to do. Everything that had started is being closed.
 */
export async function startFunes(config: Config, log: Logger): Promise<FunesServer> {
  const backend = await startBackend(config, log);
  try {
    const http = await startApi(config, backend.services, backend);
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
 * @param options what counts requests  and who sends a request; without them nothing counts, and the settings say who sends a request.
 */
export function startApi(
  config: HttpConfig & AuthConfig,
  services: Services,
  {
    authenticate = authenticator(config, services.database, services.log),
    metrics,
  }: Partial<Pick<Backend, 'metrics'> & { authenticate: Authenticate }> = {},
): Promise<HttpServer> {
  const contextFor = (viewer: Viewer, record: RequestRecord, signal: AbortSignal) => {
    const database = observeDatabase(services.database, {
      onStatement: ({ rows }) => {
        record.rows = (record.rows ?? 0) + rows;
      },
    });
    return createContext({ ...services, database }, viewer, authenticate.forget, signal);
  };
  return startHttpServer({
    config,
    metrics,
    checkReadiness: services.checkReadiness,
    schema: buildSchema(),
    createContext: ({ raw, record }, signal) => {
      const viewer = authenticate(raw.rawHeaders);
      return viewer instanceof Promise
        ? viewer.then((one) => contextFor(one, record, signal))
        : contextFor(viewer, record, signal);
    },
    logger: services.log,
    examples: exampleQueries,
    isStranger: ({ raw }) => authenticate.isStranger?.(raw.rawHeaders) ?? false,
    // Without authentication nobody is told apart from anybody, and only this machine can ask.
    ...(config.auth !== 'off' && { rateLimitKey: byUserOrAddress }),
  });
}

/**
 * Starts the services without the HTTP server: migrates the database and loads the model, both at the same time.
 * @throws FunesError if one of them fails. The other one is closed as soon as it has started.
 */
export async function startBackend(config: Config, log: Logger): Promise<Backend> {
  const commandServices = withResolvers<Services>();
  commandServices.promise.catch(() => {}); // a rejection is for the commands that wait for it
  const databaseStart = openServedDatabase(config, log, commandServices.promise);
  const poolSize = config.databaseUrl === undefined ? 1 : config.poolSize;
  const metrics = config.metrics === 'off' ? undefined : createMetrics({ poolSize });
  const failed = new AbortController();
  const embedderStart = startEmbedder(
    {
      model: config.embeddingModel,
      cacheDir: join(config.dataDir, 'models'),
      signal: failed.signal,
      observer: metrics?.embedding,
    },
    log,
  );
  const [database, embedder] = await Promise.all([databaseStart, embedderStart]).catch(
    async (error: unknown) => {
      failed.abort();
      commandServices.reject(error);
      // Not awaited: connecting to a database may take up to an hour.
      databaseStart.then((started) => started.close()).catch(() => {});
      // Awaited: ONNX Runtime aborts the process if it ends while a model is being loaded. A download may take longer, and may
      // be interrupted.
      const embedderEnd = embedderStart.then((started) => started.close()).catch(() => {});
      await Promise.race([embedderEnd, delay(longestLoadMs, undefined, { ref: false })]);
      throw error;
    },
  );
  const { describe, alone, close } = database;
  const pool = metrics ? observeDatabase(database.pool, metrics.database) : database.pool;
  const generations = openGenerations(pool, embedder, config, log);
  await generations.start().catch(async (error: unknown) => {
    await Promise.all([embedder.close(), generations.close()]);
    await close();
    throw error;
  });
  // At once, so that the first document does not wait for the threads.
  const extractor = new Extractor({}, true);
  const model = { model: config.embeddingModel, cacheDir: join(config.dataDir, 'models') };
  const chunker = new Chunker(model, true);
  const filler = startFiller({ database: pool, embedder, generations, log }, { alone });
  const services: Services = {
    database: pool,
    embedder,
    generations,
    extractor,
    chunker,
    log,
    filler,
    writeWaitMs: config.writeWait,
    quota: config.quota,
    checkReadiness: readinessChecker({ pool: database.pool, embedder }),
    embedded: alone,
  };
  commandServices.resolve({ ...services, embedsInBackground: true });
  return {
    services,
    database: describe,
    metrics,
    close: async () => {
      await filler.close();
      await Promise.all([extractor.close(), chunker.close(), embedder.close(), generations.close()]);
      await close();
    },
  };
}

/** Opens the migrated database. Beside an embedded one, runs the commands that other processes send. */
async function openServedDatabase(
  config: Config,
  log: Logger,
  commandServices: Promise<Services>,
): Promise<Pick<OpenDatabase, 'pool' | 'describe' | 'close'> & { alone: boolean }> {
  const database = await openMigratedDatabase(config, log);
  try {
    const { pool, describe, folder } = database;
    const control =
      folder &&
      (await listenForCommands(folder, { pool, config, log, startServices: () => commandServices }));
    const close = async () => {
      if (control) await control.close();
      await database.close();
    };
    return { pool, describe, alone: folder !== undefined, close };
  } catch (error) {
    await database.close();
    throw error;
  }
}
