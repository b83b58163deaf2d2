import helmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import { answerPolicy, type Policy } from './page.ts';

/**
 * Sets the headers that tell browsers what an answer may do. An answer of the API may do nothing in a browser; a page calls
 * `reply.helmet(headersFor(policy))` with a policy of its own. Strict-Transport-Security is left to the proxy that has the
 * certificate: it alone knows whether the whole domain has TLS.
 */
export async function addSecurityHeaders(app: FastifyInstance): Promise<void> {
  await app.register(helmet, headersFor(answerPolicy));
}

/** The headers of an answer with this policy. */
export function headersFor(policy: Policy): FastifyHelmetOptions {
  return {
    contentSecurityPolicy: { useDefaults: false, directives: policy },
    strictTransportSecurity: false,
    xFrameOptions: { action: 'deny' },
  };
}
