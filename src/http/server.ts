import { isIPv6 } from 'node:net';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import type { Config } from '../config.ts';
import { FunesError } from '../errors.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type AdmissionOptions, admission } from './admission.ts';
import {
  addGraphQLEndpoint,
  type GraphQLEndpointOptions,
  graphqlPath,
  type RequestContext,
} from './graphql-endpoint.ts';
import { createErrorDescriber } from './graphql-errors.ts';
import { addHealth, type HealthOptions } from './health.ts';
import { addMetrics } from './metrics-endpoint.ts';
import { allowOrigins, checkHostNames } from './origins.ts';
import type { ExampleQuery } from './page.ts';
import { addPages } from './pages.ts';
import { addRateLimit, type RateLimitKey } from './rate-limit.ts';
import { answerRequestErrors, unreadableRequests } from './request-errors.ts';
import { logRequests, requestIdOf } from './request-log.ts';
import { addSecurityHeaders } from './security-headers.ts';

/** The settings that the HTTP server uses. */
export type HttpConfig = Pick<
  Config,
  | 'host'
  | 'port'
  | 'corsOrigins'
  | 'allowedHosts'
  | 'bodyLimit'
  | 'costLimit'
  | 'rateLimit'
  | 'trustProxy'
  | 'introspection'
  | 'metrics'
  | 'statementTimeout'
>;

export interface HttpServerOptions<Context extends RequestContext>
  extends Pick<GraphQLEndpointOptions<Context>, 'schema' | 'logger'>,
    Pick<AdmissionOptions<Context>, 'createContext' | 'isStranger'>,
    Partial<Pick<HealthOptions<Context>, 'checkReadiness'>> {
  config: HttpConfig;
  /** Queries that the pages show; the pages open with the first one. */
  examples: readonly ExampleQuery[];
  /** Whom a request counts for in the rate limit. Without it no request is limited. */
  rateLimitKey?: RateLimitKey;
  /** What counts the requests. Without it, or if the settings say so, there is nothing at `/metrics`. */
  metrics?: Metrics | undefined;
}

export interface HttpServer {
  /** The URL for clients on this machine, without a path: `http://127.0.0.1:4000`. */
  url: string;
  /**
   * Accepts no more connections, and resolves when the requests in flight are answered. Cuts off those that are not answered
   * after `graceMs` (default 30 s).
   */
  close(options?: { graceMs?: number }): Promise<void>;
}

/** Longest time a client may take to send one request. Without a limit, slow clients could hold all sockets. */
const longestUploadMs = 120_000;

/**
 * Serves `schema` at `/graphql`, the pages for people at `/` and `/graphiql`, `/health/live`, `/health/ready` and `/metrics`.
 * @throws FunesError UNAVAILABLE if it cannot listen on the configured host and port.
 */
export async function startHttpServer<Context extends RequestContext>(
  options: HttpServerOptions<Context>,
): Promise<HttpServer> {
  const { config, logger, examples, rateLimitKey, metrics, createContext, isStranger } = options;
  const unreadable = unreadableRequests();
  const app: FastifyInstance = fastify({
    logger: false, // logRequests writes one line a request, without a child logger for each request
    bodyLimit: config.bodyLimit,
    requestTimeout: longestUploadMs,
    genReqId: requestIdOf,
    trustProxy: config.trustProxy.length > 0 ? config.trustProxy : false,
    return503OnClosing: false, // a new request on an open connection is in flight, too
    frameworkErrors: (error, request, reply: FastifyReply) => unreadable.take(app, error, request, reply),
  });
  app.removeContentTypeParser('text/plain');

  let draining = false;
  const errors = createErrorDescriber(logger, config);
  logRequests(app, logger, ({ record, path, status, ms }) => {
    if (path !== graphqlPath) return;
    metrics?.onRequest({ fields: record.fields, codes: record.codes, clientLeft: status === null, ms });
  });
  answerRequestErrors(app, { errors, bodyLimit: config.bodyLimit });
  // Before all that may refuse a request.
  await addSecurityHeaders(app);
  checkHostNames(app, [...config.allowedHosts, config.host]);
  await allowOrigins(app, config.corsOrigins);
  const rate =
    rateLimitKey && config.rateLimit !== null
      ? await addRateLimit(app, config.rateLimit, rateLimitKey)
      : undefined;
  const admit = admission({ createContext, isStranger, rate, errors });
  unreadable.addRoute(app);
  addHealth(app, { checkReadiness: options.checkReadiness, isDraining: () => draining, admit });
  if (metrics && config.metrics !== 'off') addMetrics(app, { mode: config.metrics, metrics, admit });
  addPages(app, examples);
  const stopApollo = await addGraphQLEndpoint(app, {
    schema: options.schema,
    logger,
    admit,
    errors,
    introspection: config.introspection,
    costLimit: config.costLimit,
  });

  // Node closes idle connections when closing begins. A connection that becomes idle later would delay closing by 72 s.
  app.addHook('onSend', (_request, reply, payload, next) => {
    if (draining) reply.header('connection', 'close');
    next(null, payload);
  });
  await listen(app, config);

  async function drain(graceMs: number): Promise<void> {
    draining = true;
    const grace = setTimeout(() => app.server.closeAllConnections(), graceMs);
    try {
      await app.close();
    } finally {
      clearTimeout(grace);
    }
    await stopApollo();
  }

  let closed: Promise<void> | undefined;
  return {
    url: urlOf(app.server.address(), config.host),
    close({ graceMs = 30_000 } = {}) {
      closed ??= drain(graceMs);
      return closed;
    },
  };
}

async function listen(app: FastifyInstance, { host, port }: HttpConfig): Promise<void> {
  try {
    // For localhost, Fastify would open a second server on ::1, which `drain` does not reach.
    await app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
  } catch (error) {
    await app.close();
    const { code } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      EADDRINUSE: `another program listens there. Stop it, or set PORT to another number (0 takes any free one)`,
      EACCES: `the system does not allow it: ports below 1024 are for the administrator. Set PORT to another number`,
      EADDRNOTAVAIL: `this machine has no such address. Set HOST to one it has`,
      ENOTFOUND: `there is no such host. Set HOST to an address of this machine`,
    };
    const reason = reasons[code ?? ''] ?? `the system answers ${code}`;
    throw new FunesError('UNAVAILABLE', `Cannot listen on ${host}:${port}: ${reason}.`, { cause: error });
  }
}

function urlOf(address: ReturnType<FastifyInstance['server']['address']>, host: string): string {
  if (address === null || typeof address === 'string') return `http://${host}`;
  const everywhere: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const reachable = everywhere[host] ?? host;
  return `http://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${address.port}`;
}
