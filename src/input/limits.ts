import { EMBEDDING_DIMENSIONS } from '../../schema/columns/vector.ts';

/** Sizes that a request may not pass. Each refusal names its limit, so that a client knows what to change. */
export const limits = {
  /** Numbers in a vector. */
  dimensions: EMBEDDING_DIMENSIONS,
  /** Largest k of a search, and largest page of a connection. */
  k: 200,
  pageSize: 200,
  /** Matches that the searches of one request ask for together: k, for each object that is asked for `similar`. */
  matches: 100_000,
  /** Ids in `like`, and in `unlike`, of a search. */
  examples: 100,
  /** Elements in one batch mutation. */
  batchSize: 1000,
  /** Characters (UTF-16 code units) in a memory's content, a tool's description or a summary. */
  contentLength: 100_000,
  /** Characters in a document's text. */
  documentLength: 5_000_000,
  /** Most tokens of a chunk; above the embedding model's window it gets the mean of its windows. */
  chunkSize: 1000,
  /** Characters in the text of a search. */
  queryLength: 20_000,
  /** Characters of `metadata` or `toolParameters` written as JSON. */
  jsonLength: 65_536,
  /** Levels of objects and lists in them; far below what JSON parsers, ours and PostgreSQL's, can follow. */
  jsonDepth: 200,
  /** Range of `hnsw.ef_search` that pgvector accepts. */
  efSearch: 1000,
} as const;
