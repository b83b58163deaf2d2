import type { Logger } from 'pino';
import type { Database } from './database/transaction.ts';
import type { Embedder } from './embedding/embedder.ts';
import type { Chunker } from './ingest/chunker.ts';

/** What the server was built from, made once by the composition root and shared by all requests. */
export interface Services {
  readonly database: Database;
  readonly embedder: Embedder;
  readonly chunker: Chunker;
  readonly log: Logger;
}
