import type { Logger } from 'pino';
import type { Database } from './database/transaction.ts';
import type { Embedder } from './embedding/embedder.ts';
import type { Generations } from './generations.ts';
import type { Chunker } from './ingest/chunker.ts';
import type { Extractor } from './ingest/extractor.ts';
import type { ReadinessCheck } from './readiness.ts';

/** How much one user may store; null means any amount. */
export interface Quota {
  readonly rows: number | null;
  readonly bytes: number | null;
}

/** The parts of the server that all requests share. The composition root makes them once. */
export interface Services {
  readonly database: Database;
  readonly embedder: Embedder;
  readonly extractor: Extractor;
  readonly chunker: Chunker;
  /** The models of the stored embeddings; without it, all are of the model of `embedder`. */
  readonly generations?: Generations | undefined;
  readonly log: Logger;
  /** Whether texts of writes are embedded only while no request needs the model. */
  readonly embedsInBackground?: boolean | undefined;
  /** How long a write waits for its embeddings, in milliseconds. Default 60 s. */
  readonly writeWaitMs?: number | undefined;
  /** What embeds the rows that wait for it. Without it, they wait for another server or for the next start. */
  readonly filler?: { wake(): void } | undefined;
  /** Looks whether requests can be served. Without it, nothing is looked at. */
  readonly checkReadiness?: (() => Promise<readonly ReadinessCheck[]>) | undefined;
  /** Whether the database is the embedded one. */
  readonly embedded?: boolean | undefined;
  /** How much one user may store; without it, any amount. */
  readonly quota?: Quota | undefined;
}
