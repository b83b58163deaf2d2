import { EMBEDDING_DIMENSIONS } from '../../schema/columns/vector.ts';

/** Limits of a request. Each error names the limit, so that a client knows what to change. */
export const limits = {
  /** Numbers in a vector. */
  dimensions: EMBEDDING_DIMENSIONS,
  /** The largest k of a search. */
  k: 200,
  /** The largest page of a connection. */
  pageSize: 200,
  /** Ids in `like`, and in `unlike`, of a search. */
  examples: 100,
  /** Elements in one batch mutation. */
  batchSize: 1000,
  /** Characters (UTF-16 code units) in a memory's content, a tool's description or a summary. */
  contentLength: 100_000,
  /** Characters in the name of a user. */
  userNameLength: 100,
  /** Characters in a document's text. */
  documentLength: 5_000_000,
  /** Bytes of a file that `funes ingest` reads. */
  fileLength: 100_000_000,
  /** Characters in a part of a document's text that one field returns. */
  textPartLength: 100_000,
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
  /** What a document is cut by if its input does not say otherwise, in tokens. */
  usualChunkSize: 200,
  usualOverlap: 40,
  /** How long a part of a document's text is if its request does not say otherwise, in characters. */
  usualTextPartLength: 10_000,

  // The text of an operation. These limits are checked before graphql validates it: validation compares all fields of one
  // name with each other, and takes 100 ms for 1,000 aliases and seconds for some smaller texts.

  /** Characters. A memory's content may stand in it, though it belongs into a variable; more takes milliseconds to parse. */
  operationLength: 250_000,
  /** Tokens: names, punctuation and values. A batch of vectors belongs into variables; 10,000 are parsed in 2 ms. */
  tokens: 10_000,
  /** Levels of fields. Introspection has 14, three levels of `similar` in a list 10. */
  depth: 20,
  /** Aliases, for instance of searches for so many texts. */
  aliases: 200,
  /** Directives; GraphQL has no use for more than one or two a field. */
  directives: 200,
  /** Fields and fragments, where a fragment counts each time that it is used: fragments of fragments double quickly. */
  selections: 5_000,
  /** How often one field is selected in one place; fragments of several authors may each select it. */
  repeats: 50,
} as const;

/** What counts as how much towards the cost of an operation, whose limit is the setting FUNES_COST_LIMIT. */
export const costs = {
  /** A row that could be read: `first` of a list, `k` of a search, for each object that it is asked of. */
  row: 1,
  /** A search, or a count of rows: it reads rows that it does not return. */
  search: 10,
  /** An examination of the whole database. */
  integrity: 5000,
  /** Tables that have rows of a person: each is counted by itself. */
  tablesOfPerson: 6,
  /** A text to embed; of a search text, each `charactersOfText` characters or part of them. */
  text: 1,
  /** A long text is embedded in windows; a window is about as many characters. */
  charactersOfText: 1000,
  /** The schema: building and sending all of it takes as long as some hundred rows. */
  introspection: 500,
  /** The characters of a token, to tell from a document's length how many chunks it has. */
  charactersOfToken: 3,
} as const;
