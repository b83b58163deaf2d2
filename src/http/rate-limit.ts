import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FunesError } from '../errors.ts';
import type { Viewer } from '../viewer.ts';
import { refuse } from './request-errors.ts';

/**
 * Names whom a request counts for; requests of one name count together. Undefined: it counts for nobody, and is not limited.
 * @param viewer undefined if the request could not be authenticated.
 */
export type RateLimitKey = (request: FastifyRequest, viewer: Viewer | undefined) => string | undefined;

/**
 * Counts for the user, and a request without one for the address that it came from. All addresses of IPv6 that begin with the
 * same 64 bits count as one, because whoever has one of them usually has them all.
 */
export const byUserOrAddress: RateLimitKey = ({ ip }, viewer) =>
  viewer === undefined ? `address ${normalizeIP(ip, 64)}` : `user ${viewer.userId}`;

/** Limits how many requests a minute count for one name. A refused request is answered with status 429. */
export interface RateLimit {
  /** Counts a request. True if it is one too many: then it is answered. */
  isOver(request: FastifyRequest, reply: FastifyReply, viewer: Viewer | undefined): Promise<boolean>;
  /** Whether one request more of an unknown sender would be too many: then it is answered. Counts nothing. */
  isReached(request: FastifyRequest, reply: FastifyReply): Promise<boolean>;
}

declare module 'fastify' {
  interface FastifyRequest {
    rateLimitKey: string;
  }
}

/** Names that are remembered at once. The least recent is forgotten first, and then begins anew. */
const rememberedNames = 20_000;

/** Adds a limit of how many requests a minute count for one name. Each server process counts for itself. */
export async function addRateLimit(
  app: FastifyInstance,
  most: number,
  keyOf: RateLimitKey,
): Promise<RateLimit> {
  app.decorateRequest('rateLimitKey', '');
  await app.register(rateLimit, { global: false, cache: rememberedNames });
  const count = app.createRateLimit({
    // The package tells only how many are left, so the largest maximum tells how many there were.
    max: Number.MAX_SAFE_INTEGER,
    timeWindow: 60_000,
    keyGenerator: (request) => request.rateLimitKey,
  });

  async function check(
    request: FastifyRequest,
    reply: FastifyReply,
    { viewer, increment }: { viewer: Viewer | undefined; increment: boolean },
  ): Promise<boolean> {
    const key = keyOf(request, viewer);
    if (key === undefined) return false;
    request.rateLimitKey = key;
    const counted = await count(request, { increment });
    if (counted.isAllowed) return false;
    const nth = counted.max - counted.remaining + (increment ? 0 : 1);
    if (nth <= most) return false;
    const seconds = Math.max(1, counted.ttlInSeconds);
    reply.header('retry-after', seconds);
    const error = new FunesError(
      'LIMIT_EXCEEDED',
      `This is request ${nth} within a minute; at most ${most} are allowed (FUNES_RATE_LIMIT). Try again in ${seconds} s.`,
    );
    refuse(reply, error, 429);
    return true;
  }
  return {
    isOver: (request, reply, viewer) => check(request, reply, { viewer, increment: true }),
    isReached: (request, reply) => check(request, reply, { viewer: undefined, increment: false }),
  };
}
