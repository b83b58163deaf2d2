import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FunesError } from '../errors.ts';
import type { Viewer } from '../viewer.ts';
import { refuse } from './request-errors.ts';

/**
 * Names whom a request counts for; requests of one name count together. Undefined: it counts for nobody, and is not limited.
 * @param viewer undefined if the request could not be authenticated.
 */
export type RateLimitKey = (request: FastifyRequest, viewer: Viewer | undefined) => string | undefined;

/** Counts for the user, and a request without one for the address that it came from. */
export const byUserOrAddress: RateLimitKey = ({ ip }, viewer) =>
  viewer === undefined ? `address ${ip}` : `user ${viewer.userId}`;

declare module 'fastify' {
  interface FastifyRequest {
    rateLimitKey: string;
  }
}

/** Names that are remembered at once. The least recent is forgotten first, and then begins anew. */
const rememberedNames = 20_000;

/**
 * Limits how many requests a minute count for one name. Each server process counts for itself.
 * @returns a function that counts a request, and answers it with status 429 if it is one too many: then it returns true.
 */
export async function addRateLimit(
  app: FastifyInstance,
  most: number,
  keyOf: RateLimitKey,
): Promise<(request: FastifyRequest, reply: FastifyReply, viewer: Viewer | undefined) => Promise<boolean>> {
  app.decorateRequest('rateLimitKey', '');
  await app.register(rateLimit, { global: false, cache: rememberedNames });
  const count = app.createRateLimit({
    max: most,
    timeWindow: 60_000,
    keyGenerator: (request) => request.rateLimitKey,
  });
  return async (request, reply, viewer) => {
    const key = keyOf(request, viewer);
    if (key === undefined) return false;
    request.rateLimitKey = key;
    const counted = await count(request);
    if (counted.isAllowed || !counted.isExceeded) return false;
    const seconds = Math.max(1, counted.ttlInSeconds);
    reply.header('retry-after', seconds);
    const error = new FunesError(
      'LIMIT_EXCEEDED',
      `More than ${most} requests were sent within a minute (FUNES_RATE_LIMIT). Try again in ${seconds} s.`,
    );
    refuse(reply, error, 429);
    return true;
  };
}
