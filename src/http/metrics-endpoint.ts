import { BlockList, isIPv6 } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { MetricsMode } from '../config.ts';
import { FunesError } from '../errors.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type admission, refuseUnknown } from './admission.ts';
import type { RequestContext } from './graphql-endpoint.ts';
import { refuse } from './request-errors.ts';

/** The path that Prometheus reads. */
export const metricsPath = '/metrics';

export interface MetricsEndpointOptions<Context extends RequestContext> {
  mode: Exclude<MetricsMode, 'off'>;
  metrics: Metrics;
  admit: ReturnType<typeof admission<Context>>;
}

/** Answers at `/metrics`: to programs on this machine, or to the keys and tokens of administrators. */
export function addMetrics<Context extends RequestContext>(
  app: FastifyInstance,
  { mode, metrics, admit }: MetricsEndpointOptions<Context>,
): void {
  app.get(metricsPath, { config: { routine: true } }, async (request, reply) => {
    if (mode === 'loopback') {
      if (!isFromThisMachine(request))
        return refuse(reply, forbidden('Only programs on the machine of this server'));
    } else {
      const admitted = await admit(request, reply);
      if (admitted === undefined) return reply;
      if ('refusal' in admitted) return refuseUnknown(reply, admitted.refusal);
      if (admitted.context.viewer.role !== 'admin') return refuse(reply, forbidden('Only administrators'));
    }
    const { type, text } = await metrics.exposition();
    return reply.header('cache-control', 'no-store').type(type).send(text);
  });
}

const forbidden = (who: string) =>
  new FunesError('FORBIDDEN', `${who} may read the metrics. FUNES_METRICS says who may.`);

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** What a proxy adds, so that a request through a proxy on this machine is not one of this machine. */
const proxyHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

function isFromThisMachine({ raw, headers }: FastifyRequest): boolean {
  const address = raw.socket.remoteAddress ?? '';
  return (
    loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4') &&
    !proxyHeaders.some((name) => headers[name] !== undefined)
  );
}
