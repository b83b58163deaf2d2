import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../log.ts';

/** What the log line of a request says in addition to path, status and duration. */
export interface RequestRecord {
  /** Name of the GraphQL operation; null if it has none. */
  operation?: string | null;
  user?: string;
  /** The administrator who acts for the user. */
  actor?: string;
  /** Codes of the errors in the answer, each once. */
  codes?: string[];
}

declare module 'fastify' {
  interface FastifyRequest {
    record: RequestRecord;
  }
  interface FastifyContextConfig {
    /** Machines send such requests all the time: their lines are written at `debug`. */
    routine?: boolean;
  }
}

const longestName = 100;

/**
 * Logs one line for each request after its answer was sent, or after its client left without it. The line never contains query text,
 * variables or the answer. It has the path of the route instead of the URL, because the URL of a GET request contains the query.
 */
export function logRequests(app: FastifyInstance, logger: Logger): void {
  app.decorateRequest('record');
  app.addHook('onRequest', (request, reply, done) => {
    request.record = {};
    // Fastify calls no hook when an answer cannot be sent any more.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) log(request, reply, { status: null, clientLeft: true });
    });
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    if (reply.raw.writableFinished) log(request, reply, { status: reply.statusCode });
    done();
  });

  function log(
    request: FastifyRequest,
    reply: FastifyReply,
    outcome: { status: number | null; clientLeft?: true },
  ): void {
    const { operation, user, actor, codes } = request.record;
    logger[request.routeOptions.config?.routine ? 'debug' : 'info'](
      {
        method: request.method,
        path: request.routeOptions.url ?? null,
        ...outcome,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        ...(operation !== undefined && { operation: operation?.slice(0, longestName) ?? null }),
        ...(user !== undefined && { user }),
        ...(actor !== undefined && { actor }),
        ...(codes !== undefined && { codes }),
      },
      'request',
    );
  }
}
