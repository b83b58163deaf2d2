import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { landingPage } from './landing-page.ts';
import type { ExampleQuery, Policy } from './page.ts';
import { headersFor } from './security-headers.ts';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/**
 * Adds the pages for people. `/` opens Apollo Sandbox from its CDN, or `/graphiql` if the CDN cannot be reached. `/graphiql`
 * comes from the installed packages. Both show `examples`.
 */
export function addPages(app: FastifyInstance, examples: readonly ExampleQuery[]): void {
  const landing = landingPage(examples);
  app.get('/', async (_request, reply) => {
    await begin(reply, landing.policy);
    return reply.send(landing.html);
  });

  // 9 MB, which most runs of the server never need: made at the first request, and kept compressed.
  let prepared: Promise<{ policy: Policy; body: Buffer; etag: string }> | undefined;
  const prepare = async () => {
    const { graphiqlPage } = await import('./graphiql-page.ts');
    const { html, policy } = graphiqlPage(examples);
    const body = await compress(html);
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
    return { policy, body, etag };
  };
  app.get('/graphiql', async (request, reply) => {
    prepared ??= prepare().catch((error: unknown) => {
      prepared = undefined; // the next request tries again
      throw error;
    });
    const { policy, body, etag } = await prepared;
    await begin(reply, policy);
    reply.header('etag', etag).header('cache-control', 'no-cache').header('vary', 'accept-encoding');
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    if (!/\bgzip\b/.test(String(request.headers['accept-encoding'])))
      return reply.send(await decompress(body));
    return reply.header('content-encoding', 'gzip').send(body);
  });
}

/** Sets the headers of a page. */
async function begin(reply: FastifyReply, policy: Policy): Promise<void> {
  await reply.helmet(headersFor(policy));
  reply.type('text/html; charset=utf-8');
}
