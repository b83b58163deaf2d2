import type { FastifyInstance } from 'fastify';
import type { ReadinessCheck } from '../readiness.ts';
import type { admission } from './admission.ts';
import type { RequestContext } from './graphql-endpoint.ts';

/** The path that says whether the process answers. It must not change: images and orchestrators have it in their settings. */
export const livePath = '/health/live';
/** The path that says whether requests can be served now. It must not change either. */
export const readyPath = '/health/ready';

export interface HealthOptions<Context extends RequestContext> {
  /** Looks at what the server needs. Without it, the server needs nothing. */
  checkReadiness: (() => Promise<readonly ReadinessCheck[]>) | undefined;
  isDraining: () => boolean;
  /** Finds out whether an administrator asks, who is told more. */
  admit: ReturnType<typeof admission<Context>>;
}

/**
 * Answers at `/health/live` that this process serves requests, to everybody. It asks neither the database nor the embedder:
 * an orchestrator restarts what is not live, and a restart does not bring a database back.
 *
 * Answers at `/health/ready` whether requests can be served, with status 200 or 503, to everybody; to administrators also why not.
 */
export function addHealth<Context extends RequestContext>(
  app: FastifyInstance,
  { checkReadiness = async () => [], isDraining, admit }: HealthOptions<Context>,
): void {
  const config = { routine: true };
  app.get(livePath, { config }, (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'live' }),
  );
  app.get(readyPath, { config }, async (request, reply) => {
    reply.header('cache-control', 'no-store');
    if (isDraining()) return reply.code(503).send({ status: 'draining' });
    const checks = await checkReadiness();
    const ready = checks.every((check) => check.ready);
    const states = Object.fromEntries(
      checks.map((check) => [check.name, check.ready ? 'ready' : 'not ready']),
    );
    const wrong = checks.filter(({ detail }) => detail !== undefined);
    let details: Record<string, string | undefined> | undefined;
    if (wrong.length > 0) {
      // Whoever sends no key, or while keys cannot be looked up, is told the rest.
      const admitted = await admit(request, reply);
      if (admitted === undefined) return reply;
      if ('context' in admitted && admitted.context.viewer.role === 'admin')
        details = Object.fromEntries(wrong.map(({ name, detail }) => [name, detail]));
    }
    return reply
      .code(ready ? 200 : 503)
      .send({ status: ready ? 'ready' : 'not ready', ...states, ...(details && { details }) });
  });
}
