import { EMBEDDING_DIMENSIONS } from '../../schema/columns/vector.ts';

/** Limits of a request. Each error names the limit, so that a client knows what to change. */
export const limits = {
  /** Numbers in a vector. */
  dimensions: EMBEDDING_DIMENSIONS,
  /** The largest k of a search. */
  k: 200,
  /** The largest page of a connection. */
  pageSize: 200,
  /** Matches that all searches of one request ask for together. `similar` asks for k matches for each object. */
  matches: 100_000,
  /** Ids in `like`, and in `unlike`, of a search. */
  examples: 100,
  /** Elements in one batch mutation. */
  batchSize: 1000,
  /** Characters (UTF-16 code units) in a memory's content, a tool's description or a summary. */
  contentLength: 100_000,
  /** Characters in a document's text. */
  documentLength: 5_000_000,
  /** Tokens in a chunk. The embedding of a chunk that is longer than the model's window is the mean of its windows. */
  chunkSize: 1000,
  /** Characters in the text of a search. */
  queryLength: 20_000,
  /** Characters of the JSON of `metadata` or `toolParameters`. */
  jsonLength: 65_536,
  /** Levels of objects and lists in `metadata` or `toolParameters`. JavaScript's and PostgreSQL's parsers allow far more. */
  jsonDepth: 200,
  /** The largest `hnsw.ef_search` that pgvector accepts. */
  efSearch: 1000,
} as const;
