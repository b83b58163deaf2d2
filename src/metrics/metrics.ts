import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { EmbeddingObserver } from '../embedding/embedder.ts';
import { type ErrorCode, errorCodes } from '../errors.ts';
import type { DatabaseObserver } from './observed-database.ts';

/** How a request ended: without an error, with the code of its first error, or without an answer because its client left. */
export type Outcome = 'OK' | ErrorCode | 'CLIENT_LEFT';

/** A request to the API that has ended. */
export interface EndedRequest {
  /** Names of root fields in the schema, each once. Undefined if no operation was carried out. */
  fields: readonly string[] | undefined;
  codes: readonly string[] | undefined;
  clientLeft: boolean;
  ms: number;
}

/**
 * What the server counts of itself, in the form of Prometheus. A label never has text that somebody sent: `operation` is a field of
 * the schema, `outcome` one of `Outcome`, `lane` one of the embedder's. So the number of series has a bound.
 */
export interface Metrics {
  readonly database: DatabaseObserver;
  readonly embedding: EmbeddingObserver;
  onRequest(request: EndedRequest): void;
  /** The text for Prometheus, with its content type. */
  exposition(): Promise<{ type: string; text: string }>;
}

const requestSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const statementSeconds = [0.0005, ...requestSeconds];
const batchTexts = [1, 2, 4, 8, 16, 32, 64, 128];

/** Makes the metrics of one server, which count from zero. */
export function createMetrics({ poolSize }: { poolSize: number }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const requests = new Counter({
    registers,
    name: 'funes_requests_total',
    help: 'Requests to the API by root field and outcome: OK, the code of the first error, or CLIENT_LEFT.',
    labelNames: ['operation', 'outcome'] as const,
  });
  const requestDuration = new Histogram({
    registers,
    name: 'funes_request_duration_seconds',
    help: 'Time from the first byte of a request to the last byte of its answer, by root field.',
    labelNames: ['operation'] as const,
    buckets: requestSeconds,
  });
  const statements = new Counter({
    registers,
    name: 'funes_statements_total',
    help: 'Statements to the database, without BEGIN, COMMIT and ROLLBACK.',
    labelNames: ['outcome'] as const,
  });
  const statementDuration = new Histogram({
    registers,
    name: 'funes_statement_duration_seconds',
    help: 'Time from sending a statement to its answer.',
    buckets: statementSeconds,
  });
  new Gauge({
    registers,
    name: 'funes_pool_connections_limit',
    help: 'The most database connections (FUNES_POOL_SIZE; 1 with the embedded database).',
  }).set(poolSize);
  const inUse = new Gauge({
    registers,
    name: 'funes_pool_connections_in_use',
    help: 'Database connections that work for somebody.',
  });
  const waiting = new Gauge({
    registers,
    name: 'funes_pool_waiting',
    help: 'Requests and other work that wait for a database connection.',
  });
  const waitDuration = new Histogram({
    registers,
    name: 'funes_pool_wait_seconds',
    help: 'Time to get a database connection.',
    buckets: statementSeconds,
  });
  const waitingTexts = new Gauge({
    registers,
    name: 'funes_embedding_waiting_texts',
    help: 'Texts that wait for their embedding: of searches, of writes, and of nobody who waits.',
    labelNames: ['lane'] as const,
  });
  const batchSize = new Histogram({
    registers,
    name: 'funes_embedding_batch_texts',
    help: 'Texts, or windows of long texts, that the model computed together.',
    labelNames: ['lane'] as const,
    buckets: batchTexts,
  });
  const roundDuration = new Histogram({
    registers,
    name: 'funes_embedding_round_seconds',
    help: 'Time that the model computed at a stretch, one or more batches.',
    labelNames: ['lane'] as const,
    buckets: requestSeconds,
  });
  const queryVectors = new Counter({
    registers,
    name: 'funes_query_vectors_total',
    help: 'Vectors of search texts: a hit came from the cache, a miss was computed.',
    labelNames: ['cache'] as const,
  });

  return {
    onRequest({ fields, codes, clientLeft, ms }) {
      const operation = operationOf(fields);
      requests.inc({ operation, outcome: outcomeOf(codes, clientLeft) });
      requestDuration.observe({ operation }, ms / 1000);
    },
    database: {
      onWait() {
        const began = performance.now();
        waiting.inc();
        return (reserved) => {
          waiting.dec();
          waitDuration.observe((performance.now() - began) / 1000);
          if (reserved) inUse.inc();
        };
      },
      onRelease: () => inUse.dec(),
      onStatement({ ms, failed }) {
        statements.inc({ outcome: failed ? 'error' : 'ok' });
        statementDuration.observe(ms / 1000);
      },
    },
    embedding: {
      onWaiting: (lane, change) => waitingTexts.inc({ lane }, change),
      onBatch: ({ lane, texts }) => batchSize.observe({ lane }, texts),
      onRound: ({ lane, ms }) => roundDuration.observe({ lane }, ms / 1000),
      onQuery: (cached) => queryVectors.inc({ cache: cached ? 'hit' : 'miss' }),
    },
    exposition: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
}

/** What a request counts as, if it was carried out: its root field, `several`, or `schema` for one about the schema alone. */
function operationOf(fields: readonly string[] | undefined): string {
  if (fields === undefined) return 'refused';
  const [field = 'schema', ...more] = fields;
  return more.length > 0 ? 'several' : field;
}

function outcomeOf(codes: readonly string[] | undefined, clientLeft: boolean): Outcome {
  if (clientLeft) return 'CLIENT_LEFT';
  const [first] = codes ?? [];
  if (first === undefined) return 'OK';
  return errorCodes.find((code) => code === first) ?? 'INTERNAL_SERVER_ERROR';
}
