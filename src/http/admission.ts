import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestContext } from './graphql-endpoint.ts';
import { type ErrorAnswer, type ErrorDescriber, httpStatus } from './graphql-errors.ts';
import type { RateLimit } from './rate-limit.ts';
import { refusalExtensions } from './request-log.ts';

export interface AdmissionOptions<Context extends RequestContext> {
  /** Makes the context of a request, whose body is not read yet. The signal says that the client left. */
  createContext: (request: FastifyRequest, signal: AbortSignal) => Context | Promise<Context>;
  /** Whether finding out who sends a request costs the database work for somebody whom nothing is known of. */
  isStranger?: ((request: FastifyRequest) => boolean) | undefined;
  /** Limits how many requests somebody sends. */
  rate?: RateLimit | undefined;
  errors: ErrorDescriber;
}

/** What came of asking who sends a request: the context, or the error that says why it is not known; undefined if it is answered. */
export type Admitted<Context> = { context: Context } | { refusal: ErrorAnswer } | undefined;

/**
 * Returns what finds out who sends a request, before its body is read, so that a request of nobody costs no parsing. Counts the
 * request in the rate limit.
 */
export function admission<Context extends RequestContext>({
  createContext,
  isStranger,
  rate,
  errors,
}: AdmissionOptions<Context>): (request: FastifyRequest, reply: FastifyReply) => Promise<Admitted<Context>> {
  return async (request, reply) => {
    const { record } = request;
    // An address that has sent too many bad keys costs the database nothing more. Whose key was good before passes, because
    // the address may be that of many.
    if (rate && isStranger?.(request) && (await rate.isReached(request, reply))) return undefined;
    let context: Context;
    try {
      context = await createContext(request, leaveSignal(reply));
    } catch (error) {
      const refusal = errors.describe(error);
      // What the server or the database fails in is not the client's doing.
      if (rate && httpStatus(refusal) < 500 && (await rate.isOver(request, reply, undefined)))
        return undefined;
      return { refusal };
    }
    const { userId, actor } = context.viewer;
    record.user = userId;
    if (actor !== undefined) record.actor = actor;
    if (await rate?.isOver(request, reply, context.viewer)) return undefined;
    return { context };
  };
}

/** Answers a request of which it is not known who sends it. */
export function refuseUnknown(reply: FastifyReply, refusal: ErrorAnswer): FastifyReply {
  const { code, message } = refusal;
  const extensions = refusalExtensions(reply.request.record, refusal);
  // RFC 6750 asks for this header.
  if (code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer');
  return reply.code(httpStatus({ code })).send({ errors: [{ message, extensions }] });
}

/** A signal that is aborted when the client leaves before it has its answer. */
function leaveSignal({ raw }: FastifyReply): AbortSignal {
  const left = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) left.abort();
  });
  return left.signal;
}
