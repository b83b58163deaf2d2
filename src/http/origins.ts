import { isIP } from 'node:net';
import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import { FunesError, quote } from '../errors.ts';
import { refuse } from './request-errors.ts';
import { requestIdHeader } from './request-log.ts';

/** Lets scripts of `origins` call the API. Other origins receive no CORS header. */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'POST'],
    exposedHeaders: [requestIdHeader],
    maxAge: 3600,
  });
}

/**
 * Refuses requests to a host name that is not one of this server's `names`. This prevents DNS rebinding: a web page lets its
 * own host name point to 127.0.0.1, and the browser then lets the page read every answer of this server. The `Host` header of
 * such a request has the page's host name. IP addresses, `localhost` and names below it are safe: nobody can redirect them.
 */
export function checkHostNames(app: FastifyInstance, names: readonly string[]): void {
  const allowed = new Set(names);
  app.addHook('onRequest', (request, reply, done) => {
    const name = nameOf(request.headers.host);
    if (name === undefined || isSafe(name) || allowed.has(name)) return done();
    refuse(
      reply,
      new FunesError(
        'FORBIDDEN',
        `This server does not serve the host name ${quote(name)}. Use its IP address or localhost, or add the name to ` +
          'FUNES_ALLOWED_HOSTS.',
      ),
    );
  });
}

/** The host name without the port; undefined if the header is missing, as HTTP/1.0 allows. */
function nameOf(header: string | undefined): string | undefined {
  return header?.replace(/:\d*$/, '').toLowerCase();
}

function isSafe(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || isIP(name.replace(/^\[|\]$/g, '')) !== 0;
}
