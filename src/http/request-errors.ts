import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FunesError, quote } from '../errors.ts';
import { graphqlPath } from './graphql-endpoint.ts';
import { type ErrorDescriber, httpStatus } from './graphql-errors.ts';
import { refusalExtensions } from './request-log.ts';

/** Refuses a whole request. The answer has the form of GraphQL's errors, because every GraphQL client can show them. */
export function refuse(reply: FastifyReply, error: FunesError, status = httpStatus(error)): FastifyReply {
  const { code, message } = error;
  const extensions = refusalExtensions(reply.request.record, { code });
  return reply.code(status).send({ errors: [{ message, extensions }] });
}

/** Refuses requests that cannot be routed, such as one whose URL cannot be decoded. */
export interface UnreadableRequests {
  /** Fastify calls this instead of the hooks of a request, which log it, look at its host, and set the security headers. */
  take(app: FastifyInstance, error: FastifyError, request: FastifyRequest, reply: FastifyReply): void;
  /** Adds the route that such a request gets instead, with all hooks. */
  addRoute(app: FastifyInstance): void;
}

/** Makes what refuses requests that cannot be routed. */
export function unreadableRequests(): UnreadableRequests {
  const path = '/unreadable';
  const errors = new WeakMap<object, FastifyError>();
  return {
    take(app, error, { raw }, reply) {
      errors.set(raw, error);
      raw.url = path;
      app.routing(raw, reply.raw);
    },
    addRoute(app) {
      app.all(path, (request, reply) => {
        const error = errors.get(request.raw);
        if (error === undefined) return reply.callNotFound();
        const refusal = new FunesError('BAD_USER_INPUT', `The request cannot be read: ${error.message}.`);
        return refuse(reply, refusal, error.statusCode);
      });
    },
  };
}

/** Answers requests that reach no route or whose body cannot be read. The answers have the form of GraphQL's errors. */
export function answerRequestErrors(
  app: FastifyInstance,
  { errors, bodyLimit }: { errors: ErrorDescriber; bodyLimit: number },
): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    // If the server closed the connection now, the client would fail while it sends, and never read the answer. Node reads
    // the rest of the body and discards it, within the time limit of a request.
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') reply.header('connection', 'keep-alive');
    const refusal = requestError(error, request, bodyLimit);
    if (refusal !== undefined) return refuse(reply, refusal, error.statusCode);
    const answer = errors.describe(error);
    const extensions = refusalExtensions(request.record, answer);
    return reply.code(httpStatus(answer)).send({ errors: [{ message: answer.message, extensions }] });
  });

  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    if (path === graphqlPath) {
      reply.header('allow', 'GET, POST');
      return refuse(
        reply,
        new FunesError('BAD_USER_INPUT', `Send GraphQL with POST, not ${request.method}.`),
        405,
      );
    }
    return refuse(
      reply,
      new FunesError(
        'NOT_FOUND',
        `There is nothing at ${quote(path)}. GraphQL is at ${graphqlPath}, a page at /.`,
      ),
    );
  });
}

/** The error of a request that Fastify refuses; undefined if the server is at fault. */
function requestError(
  error: FastifyError,
  request: FastifyRequest,
  bodyLimit: number,
): FunesError | undefined {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new FunesError(
        'LIMIT_EXCEEDED',
        `The request ${sizeOf(request, bodyLimit)} (FUNES_BODY_LIMIT). Send less at once.`,
      );
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new FunesError(
        'BAD_USER_INPUT',
        `The content type of this request is ${quote(request.headers['content-type'] ?? 'missing')}. ` +
          'Send GraphQL as JSON, with the header "content-type: application/json".',
      );
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      if (!['identity', undefined].includes(request.headers['content-encoding']))
        return new FunesError(
          'BAD_USER_INPUT',
          `The body of the request is compressed (content-encoding: ${quote(request.headers['content-encoding'])}). ` +
            'Send it uncompressed, without this header.',
        );
      return new FunesError(
        'BAD_USER_INPUT',
        'The body of the request is not valid JSON, or has a key that is not accepted: __proto__, or prototype in ' +
          'constructor.',
      );
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new FunesError('BAD_USER_INPUT', 'The request has no body. Send {"query": "..."} as JSON.');
  }
  if (error.statusCode === undefined || error.statusCode < 400 || error.statusCode > 499) return undefined;
  return new FunesError('BAD_USER_INPUT', `The request cannot be read: ${error.message}.`);
}

/** How large a request is, if its headers say so; a body that comes in parts is not read to its end. */
function sizeOf({ headers }: FastifyRequest, bodyLimit: number): string {
  const bytes = Number(headers['content-length']);
  return bytes > bodyLimit
    ? `has ${bytes} bytes; at most ${inUnits(bodyLimit)} is allowed`
    : `has more than ${inUnits(bodyLimit)}, which is the most that is allowed`;
}

function inUnits(bytes: number): string {
  const mebibytes = bytes / 1024 ** 2;
  return Number.isInteger(mebibytes) ? `${mebibytes} MB` : `${bytes} bytes`;
}
