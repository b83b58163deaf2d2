import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCode } from '../errors.ts';
import type { Logger } from '../log.ts';

/** What is known of a request in addition to its path, status and duration, for its log line and for the metrics. */
export interface RequestRecord {
  /** The id of the request, which its sender may choose. */
  id: string;
  /** Name of the GraphQL operation; null if it has none. */
  operation?: string | null;
  /** The root fields of the operation, in the schema. Undefined if it was not carried out. */
  fields?: readonly string[];
  user?: string;
  /** The administrator who acts for the user. */
  actor?: string;
  /** Rows that its statements read or wrote. Undefined if it sent no statement. */
  rows?: number;
  /** Codes of the errors in the answer, each once. */
  codes?: string[];
  /** The ids by which the log has the errors that are the server's fault. */
  errorIds?: string[];
}

/** How a request ended. `status` is null if its client left before it had the whole answer. */
export interface RequestEnd {
  record: RequestRecord;
  path: string | undefined;
  status: number | null;
  ms: number;
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

/** The header with the id of a request, in the request and in its answer. */
export const requestIdHeader = 'x-request-id';

const longestName = 100;

/** The id that the sender of a request chose, or a new one. What cannot stand in a log line as it is counts as none. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const chosen = headers[requestIdHeader];
  return typeof chosen === 'string' && /^[\w.:+/=@-]{1,128}$/.test(chosen) ? chosen : randomUUID();
}

/** The extensions of an error that refuses a request, which also counts for its log line. */
export function refusalExtensions(
  record: RequestRecord,
  { code, id }: { code: ErrorCode; id?: string | undefined },
): Record<string, unknown> {
  record.codes = [code];
  if (id !== undefined) record.errorIds = [id];
  return extensionsFor(record, { code, ...(id !== undefined && { id }) });
}

/** The extensions of an error, with the id of the request if the error is the server's: whoever reports it should name the id. */
export function extensionsFor<Extensions extends { code?: unknown }>(
  record: RequestRecord,
  extensions: Extensions,
): Extensions {
  const isServers = extensions.code === 'INTERNAL_SERVER_ERROR' || extensions.code === 'UNAVAILABLE';
  return isServers ? { ...extensions, requestId: record.id } : extensions;
}

/**
 * Logs one line for each request after its answer was sent, or after its client left without it. The line never contains query text,
 * variables or the answer. It has the path of the route instead of the URL, because the URL of a GET request contains the query.
 * Each answer has the id of its request as a header.
 * @param onEnd hears of each request beside the log.
 */
export function logRequests(
  app: FastifyInstance,
  logger: Logger,
  onEnd: (end: RequestEnd) => void = () => {},
): void {
  app.decorateRequest('record');
  app.addHook('onRequest', (request, reply, done) => {
    request.record = { id: request.id };
    reply.header(requestIdHeader, request.id);
    // Fastify calls no hook when an answer cannot be sent any more.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) end(request, reply, null);
    });
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    if (reply.raw.writableFinished) end(request, reply, reply.statusCode);
    done();
  });

  function end(request: FastifyRequest, reply: FastifyReply, status: number | null): void {
    const { record } = request;
    const path = request.routeOptions.url;
    const ms = reply.elapsedTime;
    onEnd({ record, path, status, ms });
    const { id, operation, user, actor, rows, codes, errorIds } = record;
    logger[request.routeOptions.config?.routine ? 'debug' : 'info'](
      {
        method: request.method,
        path: path ?? null,
        status,
        ...(status === null && { clientLeft: true }),
        ms: Math.round(ms * 10) / 10,
        requestId: id,
        ...(operation !== undefined && { operation: operation?.slice(0, longestName) ?? null }),
        ...(user !== undefined && { user }),
        ...(actor !== undefined && { actor }),
        ...(rows !== undefined && { rows }),
        ...(codes !== undefined && { codes }),
        ...(errorIds !== undefined && { errorIds }),
      },
      'request',
    );
  }
}
