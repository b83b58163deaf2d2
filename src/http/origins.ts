import { isIP } from 'node:net';
import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import { FunesError, quote } from '../errors.ts';
import { refuse } from './request-errors.ts';

/** Where Apollo's Sandbox lives when it is opened by itself; the one embedded at `/` calls from our own page. */
const apolloStudio = 'https://studio.apollographql.com';

/** Lets scripts of Apollo Studio and of the given origins call the API; others get no CORS header at all. */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  await app.register(cors, { origin: [apolloStudio, ...origins], methods: ['GET', 'POST'], maxAge: 3600 });
}

/**
 * Refuses requests to a name this server does not go by. A page on the web can point a name of its own at 127.0.0.1:
 * the browser then takes this server for the page's own and lets the page read every answer (DNS rebinding). Such a
 * request carries that name. An address, `localhost` and what is under it cannot be pointed elsewhere.
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
        `This server does not go by the name ${quote(name)}. Use its address or localhost, or put the name in ` +
          'FUNES_ALLOWED_HOSTS.',
      ),
    );
  });
}

/** The host without its port; undefined where HTTP/1.0 sends none. */
function nameOf(header: string | undefined): string | undefined {
  return header?.replace(/:\d*$/, '').toLowerCase();
}

function isSafe(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || isIP(name.replace(/^\[|\]$/g, '')) !== 0;
}
