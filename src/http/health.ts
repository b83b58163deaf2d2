import type { FastifyInstance } from 'fastify';

/** The path that says whether the process answers. It must not change: images and orchestrators have it in their settings. */
export const livePath = '/health/live';

/**
 * Answers at `/health/live` that this process serves requests, to everybody. It asks neither the database nor the embedder:
 * an orchestrator restarts what is not live, and a restart does not bring a database back.
 */
export function addHealth(app: FastifyInstance): void {
  app.get(livePath, { config: { routine: true } }, (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'live' }),
  );
}
