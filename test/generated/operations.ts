/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Which memories to archive. Give at least one of `olderThan`, `importanceBelow` and `filters`; a memory must meet all that you give. */
export type ArchiveMemoriesInput = {
  /** With true, nothing changes: the mutation returns how many memories would be archived, and up to 10 of them. With false, they are archived. */
  dryRun?: boolean;
  /** Memories that pass these filters. Empty filters do not count as given. */
  filters?: MemoryFilters | null | undefined;
  /** Memories with an `importanceScore` below this, 0 to 1. */
  importanceBelow?: number | null | undefined;
  /** Memories that were stored (`createdAt`) before this time. */
  olderThan?: string | null | undefined;
};

/** The order of a list. */
export type ArchivedMemoryOrder = {
  /** Which end comes first. */
  direction?: OrderDirection;
  /** What the list is ordered by. */
  field?: ArchivedMemoryOrderField;
};

/** What a list is ordered by. The tie-break is the id. */
export type ArchivedMemoryOrderField =
  /** When it was archived. */
  | 'ARCHIVED_AT'
  /** When it was made. */
  | 'CREATED_AT'
  /** The id. */
  | 'ID'
  /** How much it matters. */
  | 'IMPORTANCE_SCORE'
  /** When it last changed. */
  | 'UPDATED_AT';

/** What was done. */
export type AuditAction =
  /** A key was made. */
  | 'KEY_CREATED'
  /** A key was revoked. */
  | 'KEY_REVOKED'
  /** The first page of an export of a user was read. */
  | 'USER_EXPORTED'
  /** All rows of a user were deleted. */
  | 'USER_FORGOTTEN';

/** Conditions on true or false; a row must meet all that are given. */
export type BooleanFilter = {
  /** Equal to this. */
  eq?: boolean | null | undefined;
  /** The exact opposite of `eq`: also finds rows where there is no such value. */
  ne?: boolean | null | undefined;
};

/** Which chunks. A row must meet every condition that is given. The whole filter may be empty ({}), which is no filter. Whatever you name in it must say something: a field without an operator, an empty filter in `and`, `or` or `not`, and a variable without a value are refused. At most 100 conditions and 8 levels of nesting. */
export type ChunkFilters = {
  /** A row must pass all of these filters; an empty list is no filter. */
  and?: Array<ChunkFilters> | null | undefined;
  /** The number of the chunk in its document, from 0. */
  chunkIndex?: IntFilter | null | undefined;
  /** Length in tokens of the embedding model. */
  chunkSize?: IntFilter | null | undefined;
  /** The text itself. */
  content?: StringFilter | null | undefined;
  /** The summary; null where there is none. */
  contentSummary?: StringFilter | null | undefined;
  /** When the chunk was stored. */
  createdAt?: DateTimeFilter | null | undefined;
  /** Chunks of documents that pass this filter, which counts as one more level of nesting. */
  document?: DocumentFilters | null | undefined;
  /** The document that the chunk is of. */
  documentId?: IdFilter | null | undefined;
  /** The model that made the embedding; null while the row waits for it. */
  embeddingModel?: StringFilter | null | undefined;
  /** Whether the row has its embedding. */
  embeddingStatus?: EmbeddingStatusFilter | null | undefined;
  /** Where the chunk ends in the text of the document, in UTF-16 code units. */
  endOffset?: IntFilter | null | undefined;
  /** The id. */
  id?: IdFilter | null | undefined;
  /** The metadata, an object in every row. */
  metadata?: JsonFilter | null | undefined;
  /** Finds exactly the rows that this filter leaves out, also rows that have no value. */
  not?: ChunkFilters | null | undefined;
  /** A row must pass at least one of these filters; an empty list is no filter. */
  or?: Array<ChunkFilters> | null | undefined;
  /** How many tokens at the start also end the chunk before. */
  overlapSize?: IntFilter | null | undefined;
  /** Where the chunk starts in the text of the document, in UTF-16 code units. */
  startOffset?: IntFilter | null | undefined;
  /** How many chunks the document has. */
  totalChunks?: IntFilter | null | undefined;
  /** The owner, who also owns the document. Without this filter, an administrator finds the rows of all users. */
  userId?: StringFilter | null | undefined;
};

/** The order of a list. */
export type ChunkOrder = {
  /** Which end comes first. */
  direction?: OrderDirection;
  /** What the list is ordered by. */
  field?: ChunkOrderField;
};

/** What a list is ordered by. The tie-break is the id. */
export type ChunkOrderField =
  /** When it was stored. */
  | 'CREATED_AT'
  /** The id: documents in the order of their storing, the chunks of each in their order. */
  | 'ID';

/** A key to make. */
export type CreateKeyInput = {
  /** From when on it is refused; a time in the future. Without it the key does not expire. */
  expiresAt?: string | null | undefined;
  /** What it allows. */
  role?: UserRole;
  /** The user whose requests will have this key, up to 100 characters. */
  userId: string;
};

/** A memory to store. */
export type CreateMemoryInput = {
  /** The text, not blank, up to 100000 characters. */
  content: string;
  /** A shorter form of the text. */
  contentSummary?: string | null | undefined;
  /** When it was made, if that was earlier; not in the future. Default: when it is stored. */
  createdAt?: string | null | undefined;
  /** An embedding of your own, 384 numbers, which is stored as it is. Default: the server embeds the text. */
  embedding?: Array<number> | null | undefined;
  /** With `embedding`: the model that made it, up to 200 characters. Vectors of different models are not compared. */
  embeddingModel?: string | null | undefined;
  /** A name for this write, unique per user, up to 200 characters. If you send the same write again, nothing is stored and the first memory is returned, even if it is archived or has changed since. With other fields it is a CONFLICT. */
  idempotencyKey?: string | null | undefined;
  /** How much it matters, 0 to 1. Default 0.5. */
  importanceScore?: number | null | undefined;
  /** What else to keep with it, up to 65536 characters of JSON. */
  metadata?: Record<string, unknown> | null | undefined;
  /** The conversation it belongs to, up to 100 characters. */
  sessionId?: string | null | undefined;
  /** Where it comes from, up to 50 characters. Default "chat". */
  source?: string | null | undefined;
  /** The user it belongs to, up to 100 characters. Default: the user who sends the request. */
  userId?: string | null | undefined;
};

/** Conditions on a point in time; a row must meet all that are given. Times are compared to the millisecond, as the API shows them, though the database keeps microseconds. Years 1 to 9999. */
export type DateTimeFilter = {
  /** Equal to this; null finds rows without a value, where the column may lack one. */
  eq?: string | null | undefined;
  /** Later than this. */
  gt?: string | null | undefined;
  /** Later than this, or equal. */
  gte?: string | null | undefined;
  /** Equal to one of these (at most 1000); an empty list finds no row. */
  in?: Array<string> | null | undefined;
  /** Earlier than this. */
  lt?: string | null | undefined;
  /** Earlier than this, or equal. */
  lte?: string | null | undefined;
  /** The exact opposite of `eq`: also finds rows without a value; null leaves those out. */
  ne?: string | null | undefined;
  /** The exact opposite of `in`: also finds rows without a value. At most 1000 values. */
  notIn?: Array<string> | null | undefined;
};

/** A chunk that you have cut yourself. */
export type DocumentChunkInput = {
  /** Its text, up to 100000 characters. The texts of all chunks, one behind the other, are the document. */
  content: string;
  /** An embedding of your own, 384 numbers, which is stored as it is. Default: the server embeds the text. */
  embedding?: Array<number> | null | undefined;
  /** With `embedding`: the model that made it, up to 200 characters. Vectors of different models are not compared. */
  embeddingModel?: string | null | undefined;
  /** What else to keep with it, such as its page, up to 65536 characters of JSON. */
  metadata?: Record<string, unknown> | null | undefined;
};

/** Which documents. A row must meet every condition that is given. The whole filter may be empty ({}), which is no filter. Whatever you name in it must say something: a field without an operator, an empty filter in `and`, `or` or `not`, and a variable without a value are refused. At most 100 conditions and 8 levels of nesting. */
export type DocumentFilters = {
  /** A row must pass all of these filters; an empty list is no filter. */
  and?: Array<DocumentFilters> | null | undefined;
  /** SHA-256 of the content, 64 hexadecimal digits in lower case. */
  contentHash?: StringFilter | null | undefined;
  /** When it was stored first. */
  createdAt?: DateTimeFilter | null | undefined;
  /** Whether its chunks have their embeddings. */
  embeddingStatus?: EmbeddingStatusFilter | null | undefined;
  /** Where the file was found; null where that is unknown. */
  filePath?: StringFilter | null | undefined;
  /** Size of the file in bytes, a whole number (Float, since it may pass 32 bits); null where that is unknown. */
  fileSize?: FloatFilter | null | undefined;
  /** How the bytes were read, such as "md"; null where that is unknown. */
  fileType?: StringFilter | null | undefined;
  /** The name of the file. */
  filename?: StringFilter | null | undefined;
  /** The id. */
  id?: IdFilter | null | undefined;
  /** The metadata, an object in every row. */
  metadata?: JsonFilter | null | undefined;
  /** Finds exactly the rows that this filter leaves out, also rows that have no value. */
  not?: DocumentFilters | null | undefined;
  /** A row must pass at least one of these filters; an empty list is no filter. */
  or?: Array<DocumentFilters> | null | undefined;
  /** When the document was ingested. */
  processedAt?: DateTimeFilter | null | undefined;
  /** How many chunks the document has. */
  totalChunks?: IntFilter | null | undefined;
  /** When the document last changed. */
  updatedAt?: DateTimeFilter | null | undefined;
  /** The owner. Without this filter, an administrator finds the rows of all users. */
  userId?: StringFilter | null | undefined;
};

/** The order of a list. */
export type DocumentOrder = {
  /** Which end comes first. */
  direction?: OrderDirection;
  /** What the list is ordered by. */
  field?: DocumentOrderField;
};

/** What a list is ordered by. The tie-break is the id. */
export type DocumentOrderField =
  /** When it was made. */
  | 'CREATED_AT'
  /** The name of its file. */
  | 'FILENAME'
  /** The id. */
  | 'ID'
  /** When it was cut into its chunks. */
  | 'PROCESSED_AT'
  /** When it last changed. */
  | 'UPDATED_AT';

/** A kind of rows that have embeddings. */
export type EmbeddingKind =
  /** Memories in the archive. */
  | 'ARCHIVED_MEMORY'
  /** Chunks of documents. */
  | 'CHUNK'
  /** Memories. */
  | 'MEMORY'
  /** Tools. */
  | 'TOOL';

/** Who makes an embedding. */
export type EmbeddingSource =
  /** The client, which sent it with the text. */
  | 'CLIENT'
  /** The server, from the text. */
  | 'FUNES';

/** Whether a row can be found by meaning. */
export type EmbeddingStatus =
  /** The row can have no embedding; `embeddingError` says why. Searches by words find it. New text makes it PENDING again. */
  | 'FAILED'
  /** The row is stored and waits for its embedding, which a server makes in the background; vector search does not find it yet. */
  | 'PENDING'
  /** The row has its embedding. */
  | 'READY'
  /** The row has an embedding that the server made with another model than today's. */
  | 'STALE';

/** Conditions on whether a row has its embedding; a row must meet all that are given. */
export type EmbeddingStatusFilter = {
  /** Equal to this. */
  eq?: EmbeddingStatus | null | undefined;
  /** Equal to one of these (at most 1000); an empty list finds no row. */
  in?: Array<EmbeddingStatus> | null | undefined;
  /** Different from this. */
  ne?: EmbeddingStatus | null | undefined;
  /** Equal to none of these. */
  notIn?: Array<EmbeddingStatus> | null | undefined;
};

/** Conditions on a number; a row must meet all that are given. */
export type FloatFilter = {
  /** Equal to this; null finds rows without a value, where the column may lack one. */
  eq?: number | null | undefined;
  /** Greater than this. */
  gt?: number | null | undefined;
  /** Greater than this, or equal. */
  gte?: number | null | undefined;
  /** Equal to one of these (at most 1000); an empty list finds no row. */
  in?: Array<number> | null | undefined;
  /** Less than this. */
  lt?: number | null | undefined;
  /** Less than this, or equal. */
  lte?: number | null | undefined;
  /** The exact opposite of `eq`: also finds rows without a value; null leaves those out. */
  ne?: number | null | undefined;
  /** The exact opposite of `in`: also finds rows without a value. At most 1000 values. */
  notIn?: Array<number> | null | undefined;
};

/** How HYBRID joins the score of the meaning and the score of the words. */
export type Fusion =
  /** Reciprocal rank fusion: only the ranks in the two lists count. */
  | 'RANK'
  /** The sum of the two scores, each as standard deviations from the mean of the candidates. */
  | 'SCORE';

/** What the server needs. */
export type HealthCheckName =
  /** The database answers. */
  | 'database'
  /** The tables are those of this version. */
  | 'migrations'
  /** The model computes embeddings. */
  | 'model';

/** Conditions on an id; a row must meet all that are given. Ids are ordered as numbers, and later rows have greater ids. */
export type IdFilter = {
  /** Equal to this; null finds rows without a value, where the column may lack one. */
  eq?: string | null | undefined;
  /** Greater than this. */
  gt?: string | null | undefined;
  /** Greater than this, or equal. */
  gte?: string | null | undefined;
  /** Equal to one of these (at most 1000); an empty list finds no row. */
  in?: Array<string> | null | undefined;
  /** Less than this. */
  lt?: string | null | undefined;
  /** Less than this, or equal. */
  lte?: string | null | undefined;
  /** The exact opposite of `eq`: also finds rows without a value; null leaves those out. */
  ne?: string | null | undefined;
  /** The exact opposite of `in`: also finds rows without a value. At most 1000 values. */
  notIn?: Array<string> | null | undefined;
};

/** A document to store. Give its text, its bytes, or its chunks. */
export type IngestDocumentInput = {
  /** Longest chunk, in the embedding model's tokens, 8 to 1000. Default 200. */
  chunkSize?: number | null | undefined;
  /** The chunks, if you have cut the text yourself, up to 1000. They are stored as they are. */
  chunks?: Array<DocumentChunkInput> | null | undefined;
  /** The text of the file, up to 5000000 characters: txt, md, html, csv. Other formats come as contentBase64. */
  content?: string | null | undefined;
  /** The bytes of the file in base64. The text in it may have up to 5000000 characters. Text that is not UTF-8 is read if its encoding is certain. */
  contentBase64?: string | null | undefined;
  /** When it was made, if that was earlier; not in the future. Default: when it is stored. */
  createdAt?: string | null | undefined;
  /** The path of the file, so that the application finds it again. */
  filePath?: string | null | undefined;
  /** The format, if the name does not tell it: txt, md, html, pdf, docx, pptx, xlsx, csv, or a media type. */
  fileType?: string | null | undefined;
  /** The name of its file, up to 255 characters. The ending tells the format: .txt, .md, .html, .pdf, .docx, .pptx, .xlsx, .csv; without one, it is txt. */
  filename: string;
  /** What else to keep with it, up to 65536 characters of JSON. */
  metadata?: Record<string, unknown> | null | undefined;
  /** How much of a chunk may repeat the end of the one before, in tokens, up to half of chunkSize. Default 40. */
  overlap?: number | null | undefined;
  /** The user it belongs to, up to 100 characters. Default: the user who sends the request. */
  userId?: string | null | undefined;
};

/** What became of a document that was sent. */
export type IngestOutcome =
  /** It was stored as a new document. */
  | 'CREATED'
  /** What was sent of it replaced what the stored document had. */
  | 'REPLACED'
  /** Nothing was written, because the user has a document of the same bytes. */
  | 'UNCHANGED';

/** Conditions on a whole number; a row must meet all that are given. */
export type IntFilter = {
  /** Equal to this; null finds rows without a value, where the column may lack one. */
  eq?: number | null | undefined;
  /** Greater than this. */
  gt?: number | null | undefined;
  /** Greater than this, or equal. */
  gte?: number | null | undefined;
  /** Equal to one of these (at most 1000); an empty list finds no row. */
  in?: Array<number> | null | undefined;
  /** Less than this. */
  lt?: number | null | undefined;
  /** Less than this, or equal. */
  lte?: number | null | undefined;
  /** The exact opposite of `eq`: also finds rows without a value; null leaves those out. */
  ne?: number | null | undefined;
  /** The exact opposite of `in`: also finds rows without a value. At most 1000 values. */
  notIn?: Array<number> | null | undefined;
};

/** Conditions on a JSON object; the object must meet all that are given. */
export type JsonFilter = {
  /** Typed conditions on paths inside the object, which must meet all of them: {at: {path: ["user", "age"], number: {gte: 18}}}. */
  at?: Array<JsonPathFilter> | null | undefined;
  /** The object includes all of this: each key with its value, objects inside objects likewise, and each element of an array anywhere in the array: {tags: ["b", "a"], x: 1} includes {tags: ["a"]}. At most 65536 characters of JSON, 32 levels. Empty ({}) only where the object may be missing: it finds the rows that have one. */
  contains?: Record<string, unknown> | null | undefined;
};

/** Conditions on the value at one path inside a JSON object; the value must meet all that are given. Values are compared in their own type (10 is greater than 9, and "10" is no number). A value of another type counts as none: it meets only `ne` and `notIn`. Use `string` to compare times that are kept as text in ISO 8601, all in UTC. */
export type JsonPathFilter = {
  /** The value as true or false. */
  boolean?: BooleanFilter | null | undefined;
  /** Whether there is a value at the path; a null in the JSON is a value. */
  exists?: boolean | null | undefined;
  /** The value as a number. */
  number?: FloatFilter | null | undefined;
  /** The keys that lead to the value, the outermost first: ["user", "age"]. In an array a step is an index: "0" is the first element and "-1" the last. At most 32 steps. */
  path: Array<string>;
  /** The value as a string. */
  string?: StringFilter | null | undefined;
  /** The value has this type. */
  type?: JsonType | null | undefined;
};

/** The type of a value in JSON. */
export type JsonType =
  /** Values in order, in brackets; also without any: []. */
  | 'ARRAY'
  /** true or false. */
  | 'BOOLEAN'
  /** A null in the JSON; where there is no value, there is no type. */
  | 'NULL'
  /** A number, whole or not: 10, -2.5, 1e3. */
  | 'NUMBER'
  /** Keys with values, in braces; also without any: {}. */
  | 'OBJECT'
  /** A text in quotes, also one of digits: "10". */
  | 'STRING';

/** Which memories. A row must meet every condition that is given. The whole filter may be empty ({}), which is no filter. Whatever you name in it must say something: a field without an operator, an empty filter in `and`, `or` or `not`, and a variable without a value are refused. At most 100 conditions and 8 levels of nesting. */
export type MemoryFilters = {
  /** A row must pass all of these filters; an empty list is no filter. */
  and?: Array<MemoryFilters> | null | undefined;
  /** The text itself. */
  content?: StringFilter | null | undefined;
  /** The summary; null where there is none. */
  contentSummary?: StringFilter | null | undefined;
  /** When the memory was stored. */
  createdAt?: DateTimeFilter | null | undefined;
  /** The model that made the embedding; null while the row waits for it. */
  embeddingModel?: StringFilter | null | undefined;
  /** Whether the row has its embedding. */
  embeddingStatus?: EmbeddingStatusFilter | null | undefined;
  /** The id. */
  id?: IdFilter | null | undefined;
  /** The key that a retried write repeats; null where there is none. */
  idempotencyKey?: StringFilter | null | undefined;
  /** Importance, from 0 to 1. */
  importanceScore?: FloatFilter | null | undefined;
  /** The metadata, an object in every row. */
  metadata?: JsonFilter | null | undefined;
  /** Finds exactly the rows that this filter leaves out, also rows that have no value. */
  not?: MemoryFilters | null | undefined;
  /** A row must pass at least one of these filters; an empty list is no filter. */
  or?: Array<MemoryFilters> | null | undefined;
  /** The conversation; null where there is none. */
  sessionId?: StringFilter | null | undefined;
  /** Where the memory came from, such as "chat". */
  source?: StringFilter | null | undefined;
  /** When the memory last changed. */
  updatedAt?: DateTimeFilter | null | undefined;
  /** The owner. Without this filter, an administrator finds the rows of all users. */
  userId?: StringFilter | null | undefined;
};

/** The order of a list. */
export type MemoryOrder = {
  /** Which end comes first. */
  direction?: OrderDirection;
  /** What the list is ordered by. */
  field?: MemoryOrderField;
};

/** What a list is ordered by. The tie-break is the id. */
export type MemoryOrderField =
  /** When it was made. */
  | 'CREATED_AT'
  /** The id. */
  | 'ID'
  /** How much it matters. */
  | 'IMPORTANCE_SCORE'
  /** When it last changed. */
  | 'UPDATED_AT';

/** How the distance between two embeddings is measured. */
export type Metric =
  /** Cosine distance, 0 (same direction) to 2 (opposite). Answered by the vector index. */
  | 'COSINE'
  /** Straight-line distance, 0 and up. Exact: reads every row that passes the filters. */
  | 'EUCLIDEAN'
  /** The negative inner product, so that smaller is nearer. Exact: reads every row that passes the filters. */
  | 'INNER_PRODUCT';

/** Which end of an order comes first. */
export type OrderDirection =
  /** Smallest, oldest or alphabetically first. */
  | 'ASC'
  /** Largest, newest or alphabetically last. */
  | 'DESC';

/** What a row of a user is. */
export type PersonalKind =
  /** A memory in the archive. */
  | 'ARCHIVED_MEMORY'
  /** A line of the audit about the user. */
  | 'AUDIT'
  /** A chunk of a document. */
  | 'CHUNK'
  /** A document, without its text. */
  | 'DOCUMENT'
  /** A key, without its hash. */
  | 'KEY'
  /** A memory. */
  | 'MEMORY';

/** Which rows of each kind. Filters of a kind that is not in `kinds` are refused. */
export type RecallFilters = {
  /** Which chunks. */
  chunks?: ChunkFilters | null | undefined;
  /** Which documents. */
  documents?: DocumentFilters | null | undefined;
  /** Which memories. */
  memories?: MemoryFilters | null | undefined;
  /** Which tools. */
  tools?: ToolFilters | null | undefined;
};

/** What can be recalled. */
export type RecallKind =
  /** Chunks of documents. */
  | 'CHUNK'
  /** Documents, each by its best chunk. */
  | 'DOCUMENT'
  /** Memories. */
  | 'MEMORY'
  /** Tools. */
  | 'TOOL';

/** A tool to register. */
export type RegisterToolInput = {
  /** An embedding of your own, 384 numbers, which is stored as it is. Default: the server embeds the text. */
  embedding?: Array<number> | null | undefined;
  /** With `embedding`: the model that made it, up to 200 characters. Vectors of different models are not compared. */
  embeddingModel?: string | null | undefined;
  /** What it does, up to 100000 characters. */
  toolDescription: string;
  /** Its name, up to 100 characters. If the name is taken, that tool is updated. */
  toolName: string;
  /** Its parameters, usually a JSON Schema, up to 65536 characters of JSON. */
  toolParameters?: Record<string, unknown> | null | undefined;
};

/** Which document of the user a new one replaces. */
export type ReplaceBy =
  /** The one with the same `filename`. If there are several, nothing is stored. */
  | 'BY_FILENAME'
  /** The one with the same `filePath`. */
  | 'BY_FILE_PATH'
  /** None: it is stored beside the others. */
  | 'NONE';

/** What makes a row a good match. */
export type SearchMode =
  /** Both: the two scores are fused. */
  | 'HYBRID'
  /** The words of the text, ranked by BM25. A row must share a word with the text; common words such as "the" do not count. Also finds rows that have no embedding yet. */
  | 'KEYWORD'
  /** The meaning: the distance of the embeddings. */
  | 'SEMANTIC';

/** How a search measures distances, ranks matches, and uses the vector index. */
export type SearchOptions = {
  /** Memories only: the share of its score that each memory lends to the memories right before and after it in its session, 0 to 1, and half of the share to those two turns away. An answer often stands a turn beside the words that match. On by default, with 0.4, in HYBRID with fusion SCORE. Elsewhere the default is 0, which is off. */
  context?: number | null | undefined;
  /** Prefer matches that are unlike the matches before them (maximal marginal relevance): 0 (not at all) to 1 (nothing else counts). Without it likeness does not count. A list with `diversity` has one page. */
  diversity?: number | null | undefined;
  /** How many candidates the vector index considers, 1 to 1000. A larger value misses fewer of the nearest rows and takes longer. Default 100. */
  efSearch?: number | null | undefined;
  /** Compare every row that passes the filters instead of using the vector index: slower, and never misses a row. */
  exact?: boolean;
  /** HYBRID only: how the two scores are joined. Default SCORE. */
  fusion?: Fusion | null | undefined;
  /** HYBRID only: the weight of the words, 0 to 10. The meaning weighs 1. Default 0.7. */
  keywordWeight?: number | null | undefined;
  /** Leave out matches with a larger distance than this, in the distance of the metric. 0 or more; for INNER_PRODUCT any number. */
  maxDistance?: number | null | undefined;
  /** The distance to measure by. */
  metric?: Metric;
  /** Search by meaning, by words, or by both. */
  mode?: SearchMode;
  /** A threshold that adapts, 0 to 1: with 0.1, only the nearest tenth of the candidates can match. The candidates are the rows that the search ranks, some hundreds, and more of them for a larger k. So the threshold depends on k, as do scores that are computed over the candidates. Without it there is no such threshold. */
  percentile?: number | null | undefined;
  /** Memories only: rank by recency and importance too. Without it they do not count. */
  weights?: SearchWeights | null | undefined;
};

/** The weights of similarity, recency and importance in the score of a memory, which is their weighted mean. Only the proportions count. The best few hundred memories are ranked, so that a fresh or important one that is not among the nearest k can still match. */
export type SearchWeights = {
  /** The half-life of recency in days, above 0 and up to 1000000. Default 30. */
  halfLifeDays?: number | null | undefined;
  /** Weight of `importanceScore`, 0 to 1000000. Default 0. */
  importance?: number | null | undefined;
  /** Weight of the freshness, 0 to 1000000: it is 1 for a new memory, and halves with each half-life. Default 0. */
  recency?: number | null | undefined;
  /** Weight of the nearness to what you search for, 0 to 1000000. Default 1. */
  similarity?: number | null | undefined;
};

/** A kind of rows. */
export type StatsKind =
  /** Memories in the archive. */
  | 'ARCHIVED_MEMORY'
  /** Chunks of documents. */
  | 'CHUNK'
  /** Documents. */
  | 'DOCUMENT'
  /** Memories. */
  | 'MEMORY'
  /** Tools. */
  | 'TOOL';

/** Conditions on a text; a row must meet all that are given. Case, accents and blanks count. Texts are ordered by Unicode code point, on every database alike. A string has up to 10000 characters. */
export type StringFilter = {
  /** The value has exactly this text somewhere in it; no character is a wildcard. */
  contains?: string | null | undefined;
  /** Equal to this; null finds rows without a value, where the column may lack one. */
  eq?: string | null | undefined;
  /** Later in order than this. */
  gt?: string | null | undefined;
  /** Later in order than this, or equal. */
  gte?: string | null | undefined;
  /** Equal to one of these (at most 1000); an empty list finds no row. */
  in?: Array<string> | null | undefined;
  /** Earlier in order than this. */
  lt?: string | null | undefined;
  /** Earlier in order than this, or equal. */
  lte?: string | null | undefined;
  /** The exact opposite of `eq`: also finds rows without a value; null leaves those out. */
  ne?: string | null | undefined;
  /** The exact opposite of `in`: also finds rows without a value. At most 1000 values. */
  notIn?: Array<string> | null | undefined;
  /** The value begins with exactly this text; no character is a wildcard. */
  startsWith?: string | null | undefined;
};

/** Which tools. A row must meet every condition that is given. The whole filter may be empty ({}), which is no filter. Whatever you name in it must say something: a field without an operator, an empty filter in `and`, `or` or `not`, and a variable without a value are refused. At most 100 conditions and 8 levels of nesting. */
export type ToolFilters = {
  /** A row must pass all of these filters; an empty list is no filter. */
  and?: Array<ToolFilters> | null | undefined;
  /** When the tool was registered. */
  createdAt?: DateTimeFilter | null | undefined;
  /** The model that made the embedding; null while the row waits for it. */
  embeddingModel?: StringFilter | null | undefined;
  /** Whether the row has its embedding. */
  embeddingStatus?: EmbeddingStatusFilter | null | undefined;
  /** The id. */
  id?: IdFilter | null | undefined;
  /** When the tool was last used; null where it never was. */
  lastUsed?: DateTimeFilter | null | undefined;
  /** Finds exactly the rows that this filter leaves out, also rows that have no value. */
  not?: ToolFilters | null | undefined;
  /** A row must pass at least one of these filters; an empty list is no filter. */
  or?: Array<ToolFilters> | null | undefined;
  /** What the tool does. */
  toolDescription?: StringFilter | null | undefined;
  /** The name, which no two tools share. */
  toolName?: StringFilter | null | undefined;
  /** The parameters, a JSON object; a tool without parameters has no values inside. */
  toolParameters?: JsonFilter | null | undefined;
  /** When the tool last changed. */
  updatedAt?: DateTimeFilter | null | undefined;
  /** How often the tool was used. */
  usageCount?: IntFilter | null | undefined;
};

/** The order of a list. */
export type ToolOrder = {
  /** Which end comes first. */
  direction?: OrderDirection;
  /** What the list is ordered by. */
  field?: ToolOrderField;
};

/** What a list is ordered by. The tie-break is the id. */
export type ToolOrderField =
  /** When it was first registered. */
  | 'CREATED_AT'
  /** The id. */
  | 'ID'
  /** Its name. */
  | 'TOOL_NAME'
  /** When it last changed. */
  | 'UPDATED_AT'
  /** How often it was used. */
  | 'USAGE_COUNT';

/** What to change of a document. A field that you leave out stays as it is. */
export type UpdateDocumentInput = {
  /** With new text: Longest chunk, in the embedding model's tokens, 8 to 1000. Default 200. */
  chunkSize?: number | null | undefined;
  /** The new text. It is cut anew, and its chunks replace the old ones. */
  content?: string | null | undefined;
  /** The new bytes in base64, instead of `content`. */
  contentBase64?: string | null | undefined;
  /** The path of the file; null removes it. */
  filePath?: string | null | undefined;
  /** The format of the new text, if the name does not tell it. */
  fileType?: string | null | undefined;
  /** The new name of its file. */
  filename?: string | null | undefined;
  /** Instead of `metadata`: a JSON Merge Patch (RFC 7396). Null removes a key, and keys that you leave out stay. */
  mergeMetadata?: Record<string, unknown> | null | undefined;
  /** Replaces all the metadata. */
  metadata?: Record<string, unknown> | null | undefined;
  /** With new text: How much of a chunk may repeat the end of the one before, in tokens, up to half of chunkSize. Default 40. */
  overlap?: number | null | undefined;
};

/** What to change of a memory. A field that you leave out stays as it is. */
export type UpdateMemoryInput = {
  /** The new text. The server embeds it, unless you send its `embedding` too. */
  content?: string | null | undefined;
  /** A shorter form of the text; null removes it. */
  contentSummary?: string | null | undefined;
  /** An embedding of your own, 384 numbers, which is stored as it is. Default: the server embeds the text. */
  embedding?: Array<number> | null | undefined;
  /** With `embedding`: the model that made it, up to 200 characters. Vectors of different models are not compared. */
  embeddingModel?: string | null | undefined;
  /** How much it matters, 0 to 1. */
  importanceScore?: number | null | undefined;
  /** Instead of `metadata`: a JSON Merge Patch (RFC 7396). Null removes a key, and keys that you leave out stay. */
  mergeMetadata?: Record<string, unknown> | null | undefined;
  /** Replaces all the metadata. */
  metadata?: Record<string, unknown> | null | undefined;
  /** The conversation it belongs to; null removes it. */
  sessionId?: string | null | undefined;
  /** Where it comes from. */
  source?: string | null | undefined;
};

/** What a key allows. */
export type UserRole =
  /** Everything, with the rows of all users, and acting for a user. */
  | 'ADMIN'
  /** Reads the rows of its user. */
  | 'READER'
  /** Reads and writes the rows of its user, and counts the use of tools. */
  | 'USER';

export type ChunkFieldsFragment = { id: string, userId: string, documentId: string, chunkIndex: number, totalChunks: number, content: string, contentSummary: string | null, chunkSize: number, overlapSize: number, startOffset: number, endOffset: number, metadata: Record<string, unknown>, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string };

export type ChunkMatchFieldsFragment = { distance: number, similarity: number, score: number, chunk: { id: string, userId: string, documentId: string, chunkIndex: number, totalChunks: number, content: string, contentSummary: string | null, chunkSize: number, overlapSize: number, startOffset: number, endOffset: number, metadata: Record<string, unknown>, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null };

export type ChunkQueryVariables = Exact<{
  id: string;
}>;


export type ChunkQuery = { chunk: { id: string, userId: string, documentId: string, chunkIndex: number, totalChunks: number, content: string, contentSummary: string | null, chunkSize: number, overlapSize: number, startOffset: number, endOffset: number, metadata: Record<string, unknown>, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string } | null };

export type ChunkEmbeddingQueryVariables = Exact<{
  id: string;
}>;


export type ChunkEmbeddingQuery = { chunk: { embedding: Array<number> | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus } | null };

export type ChunkSurroundingsQueryVariables = Exact<{
  first?: number;
  filters?: ChunkFilters | null | undefined;
}>;


export type ChunkSurroundingsQuery = { chunks: { edges: Array<{ node: { id: string, chunkIndex: number, document: { id: string, userId: string, filename: string, filePath: string | null, fileType: string | null, fileSize: number | null, contentHash: string, totalChunks: number, createdAt: string, processedAt: string, updatedAt: string, metadata: Record<string, unknown> }, previous: { id: string } | null, next: { id: string } | null } }> } };

export type ChunksQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
  filters?: ChunkFilters | null | undefined;
  orderBy?: ChunkOrder | null | undefined;
}>;


export type ChunksQuery = { chunks: { edges: Array<{ cursor: string, node: { id: string, userId: string, documentId: string, chunkIndex: number, totalChunks: number, content: string, contentSummary: string | null, chunkSize: number, overlapSize: number, startOffset: number, endOffset: number, metadata: Record<string, unknown>, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type CountChunksQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
  filters?: ChunkFilters | null | undefined;
}>;


export type CountChunksQuery = { chunks: { totalCount: number } };

export type SimilarChunksQueryVariables = Exact<{
  text?: string | null | undefined;
  vector?: Array<number> | number | null | undefined;
  vectorModel?: string | null | undefined;
  like?: Array<string> | string | null | undefined;
  unlike?: Array<string> | string | null | undefined;
  k?: number;
  filters?: ChunkFilters | null | undefined;
  options?: SearchOptions | null | undefined;
}>;


export type SimilarChunksQuery = { similarChunks: Array<{ distance: number, similarity: number, score: number, chunk: { id: string, userId: string, documentId: string, chunkIndex: number, totalChunks: number, content: string, contentSummary: string | null, chunkSize: number, overlapSize: number, startOffset: number, endOffset: number, metadata: Record<string, unknown>, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null }> };

export type ChunkNeighboursQueryVariables = Exact<{
  id: string;
  text?: string | null | undefined;
  k?: number;
  filters?: ChunkFilters | null | undefined;
  options?: SearchOptions | null | undefined;
}>;


export type ChunkNeighboursQuery = { chunk: { similar: Array<{ distance: number, similarity: number, score: number, chunk: { id: string, userId: string, documentId: string, chunkIndex: number, totalChunks: number, content: string, contentSummary: string | null, chunkSize: number, overlapSize: number, startOffset: number, endOffset: number, metadata: Record<string, unknown>, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null }> } | null };

export type PageInfoFieldsFragment = { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null };

export type ScorePartFieldsFragment = { keyword: number | null, context: number | null, recency: number | null, importance: number | null };

export type DocumentFieldsFragment = { id: string, userId: string, filename: string, filePath: string | null, fileType: string | null, fileSize: number | null, contentHash: string, totalChunks: number, createdAt: string, processedAt: string, updatedAt: string, metadata: Record<string, unknown> };

export type DocumentMatchFieldsFragment = { distance: number, similarity: number, score: number, document: { id: string, userId: string, filename: string, filePath: string | null, fileType: string | null, fileSize: number | null, contentHash: string, totalChunks: number, createdAt: string, processedAt: string, updatedAt: string, metadata: Record<string, unknown> }, chunk: { id: string, userId: string, documentId: string, chunkIndex: number, totalChunks: number, content: string, contentSummary: string | null, chunkSize: number, overlapSize: number, startOffset: number, endOffset: number, metadata: Record<string, unknown>, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null };

export type DocumentQueryVariables = Exact<{
  id: string;
}>;


export type DocumentQuery = { document: { id: string, userId: string, filename: string, filePath: string | null, fileType: string | null, fileSize: number | null, contentHash: string, totalChunks: number, createdAt: string, processedAt: string, updatedAt: string, metadata: Record<string, unknown> } | null };

export type DocumentTextQueryVariables = Exact<{
  id: string;
  offset?: number;
  limit?: number;
}>;


export type DocumentTextQuery = { document: { text: string } | null };

export type TextsOfDocumentsQueryVariables = Exact<{
  ids: Array<string> | string;
  offset?: number;
  limit?: number;
}>;


export type TextsOfDocumentsQuery = { documents: { edges: Array<{ node: { id: string, text: string, beginning: string } }> } };

export type DocumentChunksQueryVariables = Exact<{
  id: string;
  first?: number;
  after?: string | null | undefined;
}>;


export type DocumentChunksQuery = { document: { id: string, userId: string, filename: string, filePath: string | null, fileType: string | null, fileSize: number | null, contentHash: string, totalChunks: number, createdAt: string, processedAt: string, updatedAt: string, metadata: Record<string, unknown>, chunks: { totalCount: number, edges: Array<{ cursor: string, node: { embedding: Array<number> | null, id: string, userId: string, documentId: string, chunkIndex: number, totalChunks: number, content: string, contentSummary: string | null, chunkSize: number, overlapSize: number, startOffset: number, endOffset: number, metadata: Record<string, unknown>, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } } | null };

export type ChunksOfDocumentsQueryVariables = Exact<{
  first: number;
}>;


export type ChunksOfDocumentsQuery = { documents: { edges: Array<{ node: { id: string, chunks: { totalCount: number, edges: Array<{ node: { documentId: string, chunkIndex: number } }>, pageInfo: { hasNextPage: boolean } } } }> } };

export type DocumentsQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
  filters?: DocumentFilters | null | undefined;
  orderBy?: DocumentOrder | null | undefined;
}>;


export type DocumentsQuery = { documents: { edges: Array<{ cursor: string, node: { id: string, userId: string, filename: string, filePath: string | null, fileType: string | null, fileSize: number | null, contentHash: string, totalChunks: number, createdAt: string, processedAt: string, updatedAt: string, metadata: Record<string, unknown> } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type CountDocumentsQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
  filters?: DocumentFilters | null | undefined;
}>;


export type CountDocumentsQuery = { documents: { totalCount: number } };

export type SimilarDocumentsQueryVariables = Exact<{
  text?: string | null | undefined;
  vector?: Array<number> | number | null | undefined;
  vectorModel?: string | null | undefined;
  like?: Array<string> | string | null | undefined;
  unlike?: Array<string> | string | null | undefined;
  k?: number;
  filters?: DocumentFilters | null | undefined;
  options?: SearchOptions | null | undefined;
}>;


export type SimilarDocumentsQuery = { similarDocuments: Array<{ distance: number, similarity: number, score: number, document: { id: string, userId: string, filename: string, filePath: string | null, fileType: string | null, fileSize: number | null, contentHash: string, totalChunks: number, createdAt: string, processedAt: string, updatedAt: string, metadata: Record<string, unknown> }, chunk: { id: string, userId: string, documentId: string, chunkIndex: number, totalChunks: number, content: string, contentSummary: string | null, chunkSize: number, overlapSize: number, startOffset: number, endOffset: number, metadata: Record<string, unknown>, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null }> };

export type DocumentNeighboursQueryVariables = Exact<{
  id: string;
  text?: string | null | undefined;
  k?: number;
  filters?: DocumentFilters | null | undefined;
  options?: SearchOptions | null | undefined;
}>;


export type DocumentNeighboursQuery = { document: { similar: Array<{ distance: number, similarity: number, score: number, document: { id: string, userId: string, filename: string, filePath: string | null, fileType: string | null, fileSize: number | null, contentHash: string, totalChunks: number, createdAt: string, processedAt: string, updatedAt: string, metadata: Record<string, unknown> }, chunk: { id: string, userId: string, documentId: string, chunkIndex: number, totalChunks: number, content: string, contentSummary: string | null, chunkSize: number, overlapSize: number, startOffset: number, endOffset: number, metadata: Record<string, unknown>, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null }> } | null };

export type IngestDocumentMutationVariables = Exact<{
  input: IngestDocumentInput;
  replace?: ReplaceBy;
}>;


export type IngestDocumentMutation = { ingestDocument: { created: boolean, outcome: IngestOutcome, chunkCount: number, differs: Array<string>, document: { id: string, userId: string, filename: string, filePath: string | null, fileType: string | null, fileSize: number | null, contentHash: string, totalChunks: number, createdAt: string, processedAt: string, updatedAt: string, metadata: Record<string, unknown> } } };

export type UpdateDocumentMutationVariables = Exact<{
  id: string;
  input: UpdateDocumentInput;
}>;


export type UpdateDocumentMutation = { updateDocument: { id: string, userId: string, filename: string, filePath: string | null, fileType: string | null, fileSize: number | null, contentHash: string, totalChunks: number, createdAt: string, processedAt: string, updatedAt: string, metadata: Record<string, unknown> } };

export type DeleteDocumentMutationVariables = Exact<{
  id: string;
}>;


export type DeleteDocumentMutation = { deleteDocument: boolean };

export type DeleteDocumentsWhereMutationVariables = Exact<{
  filters: DocumentFilters;
  all?: boolean;
  dryRun?: boolean;
}>;


export type DeleteDocumentsWhereMutation = { deleteDocumentsWhere: { count: number, sample: Array<{ id: string, filename: string, chunks: { totalCount: number } }> } };

export type EmbeddingsQueryVariables = Exact<{ [key: string]: never; }>;


export type EmbeddingsQuery = { embeddings: Array<{ kind: EmbeddingKind, status: EmbeddingStatus, model: string | null, count: number }> };

export type DocumentStatusesQueryVariables = Exact<{
  filters?: DocumentFilters | null | undefined;
}>;


export type DocumentStatusesQuery = { documents: { edges: Array<{ node: { id: string, filename: string, embeddingStatus: EmbeddingStatus, chunks: { edges: Array<{ node: { embeddingStatus: EmbeddingStatus, embeddingError: string | null } }> } } }> } };

export type MemoryStatusesQueryVariables = Exact<{
  filters?: MemoryFilters | null | undefined;
}>;


export type MemoryStatusesQuery = { memories: { edges: Array<{ node: { id: string, content: string, embeddingStatus: EmbeddingStatus, embeddingError: string | null, embeddingModel: string | null } }> } };

export type CreateMemoriesAndWaitMutationVariables = Exact<{
  inputs: Array<CreateMemoryInput> | CreateMemoryInput;
  wait: boolean;
}>;


export type CreateMemoriesAndWaitMutation = { createMemories: Array<{ id: string, content: string, embeddingStatus: EmbeddingStatus }> };

export type CreateMemoryAndWaitMutationVariables = Exact<{
  input: CreateMemoryInput;
  wait: boolean;
}>;


export type CreateMemoryAndWaitMutation = { createMemory: { id: string, embeddingStatus: EmbeddingStatus } };

export type UpdateMemoryAndWaitMutationVariables = Exact<{
  id: string;
  input: UpdateMemoryInput;
  wait: boolean;
}>;


export type UpdateMemoryAndWaitMutation = { updateMemory: { content: string, embeddingStatus: EmbeddingStatus, embeddingModel: string | null, embeddingError: string | null } };

export type RegisterToolsAndWaitMutationVariables = Exact<{
  inputs: Array<RegisterToolInput> | RegisterToolInput;
  wait: boolean;
}>;


export type RegisterToolsAndWaitMutation = { registerTools: Array<{ toolName: string, embeddingStatus: EmbeddingStatus, embeddingError: string | null }> };

export type IngestDocumentAndWaitMutationVariables = Exact<{
  input: IngestDocumentInput;
  wait: boolean;
}>;


export type IngestDocumentAndWaitMutation = { ingestDocument: { chunkCount: number, document: { id: string, embeddingStatus: EmbeddingStatus } } };

export type UpdateDocumentAndWaitMutationVariables = Exact<{
  id: string;
  input: UpdateDocumentInput;
  wait: boolean;
}>;


export type UpdateDocumentAndWaitMutation = { updateDocument: { totalChunks: number, embeddingStatus: EmbeddingStatus } };

export type ApiKeyFieldsFragment = { id: string, userId: string, role: UserRole, prefix: string, createdAt: string, lastUsedAt: string | null, expiresAt: string | null, revokedAt: string | null };

export type KeysQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
}>;


export type KeysQuery = { keys: { totalCount: number, edges: Array<{ cursor: string, node: { id: string, userId: string, role: UserRole, prefix: string, createdAt: string, lastUsedAt: string | null, expiresAt: string | null, revokedAt: string | null } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type CreateKeyMutationVariables = Exact<{
  input: CreateKeyInput;
}>;


export type CreateKeyMutation = { createKey: { key: string, apiKey: { id: string, userId: string, role: UserRole, prefix: string, createdAt: string, lastUsedAt: string | null, expiresAt: string | null, revokedAt: string | null } } };

export type RevokeKeyMutationVariables = Exact<{
  id: string;
}>;


export type RevokeKeyMutation = { revokeKey: { id: string, userId: string, role: UserRole, prefix: string, createdAt: string, lastUsedAt: string | null, expiresAt: string | null, revokedAt: string | null } };

export type MemoryFieldsFragment = { id: string, userId: string, content: string, contentSummary: string | null, source: string, sessionId: string | null, importanceScore: number, metadata: Record<string, unknown>, idempotencyKey: string | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string, updatedAt: string };

export type MemoryMatchFieldsFragment = { distance: number, similarity: number, score: number, memory: { id: string, userId: string, content: string, contentSummary: string | null, source: string, sessionId: string | null, importanceScore: number, metadata: Record<string, unknown>, idempotencyKey: string | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string, updatedAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null };

export type MemoryQueryVariables = Exact<{
  id: string;
}>;


export type MemoryQuery = { memory: { id: string, userId: string, content: string, contentSummary: string | null, source: string, sessionId: string | null, importanceScore: number, metadata: Record<string, unknown>, idempotencyKey: string | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string, updatedAt: string } | null };

export type MemoryEmbeddingQueryVariables = Exact<{
  id: string;
}>;


export type MemoryEmbeddingQuery = { memory: { embedding: Array<number> | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, archivedAt: string | null } | null };

export type MemoriesQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
  filters?: MemoryFilters | null | undefined;
  orderBy?: MemoryOrder | null | undefined;
}>;


export type MemoriesQuery = { memories: { edges: Array<{ cursor: string, node: { id: string, userId: string, content: string, contentSummary: string | null, source: string, sessionId: string | null, importanceScore: number, metadata: Record<string, unknown>, idempotencyKey: string | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string, updatedAt: string } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type CountMemoriesQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
  filters?: MemoryFilters | null | undefined;
}>;


export type CountMemoriesQuery = { memories: { totalCount: number } };

export type SimilarMemoriesQueryVariables = Exact<{
  text?: string | null | undefined;
  vector?: Array<number> | number | null | undefined;
  vectorModel?: string | null | undefined;
  like?: Array<string> | string | null | undefined;
  unlike?: Array<string> | string | null | undefined;
  k?: number;
  filters?: MemoryFilters | null | undefined;
  options?: SearchOptions | null | undefined;
}>;


export type SimilarMemoriesQuery = { similarMemories: Array<{ distance: number, similarity: number, score: number, memory: { id: string, userId: string, content: string, contentSummary: string | null, source: string, sessionId: string | null, importanceScore: number, metadata: Record<string, unknown>, idempotencyKey: string | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string, updatedAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null }> };

export type MemoryNeighboursQueryVariables = Exact<{
  id: string;
  text?: string | null | undefined;
  k?: number;
  filters?: MemoryFilters | null | undefined;
  options?: SearchOptions | null | undefined;
}>;


export type MemoryNeighboursQuery = { memory: { similar: Array<{ distance: number, similarity: number, score: number, memory: { id: string, userId: string, content: string, contentSummary: string | null, source: string, sessionId: string | null, importanceScore: number, metadata: Record<string, unknown>, idempotencyKey: string | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string, updatedAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null }> } | null };

export type NeighboursOfMemoriesQueryVariables = Exact<{
  filters?: MemoryFilters | null | undefined;
  k: number;
  text?: string | null | undefined;
}>;


export type NeighboursOfMemoriesQuery = { memories: { edges: Array<{ node: { id: string, similar: Array<{ distance: number, similarity: number, score: number, memory: { id: string, userId: string, content: string, contentSummary: string | null, source: string, sessionId: string | null, importanceScore: number, metadata: Record<string, unknown>, idempotencyKey: string | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string, updatedAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null }> } }> } };

export type CreateMemoryMutationVariables = Exact<{
  input: CreateMemoryInput;
}>;


export type CreateMemoryMutation = { createMemory: { id: string, userId: string, content: string, contentSummary: string | null, source: string, sessionId: string | null, importanceScore: number, metadata: Record<string, unknown>, idempotencyKey: string | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string, updatedAt: string } };

export type CreateMemoriesMutationVariables = Exact<{
  inputs: Array<CreateMemoryInput> | CreateMemoryInput;
}>;


export type CreateMemoriesMutation = { createMemories: Array<{ id: string, userId: string, content: string, contentSummary: string | null, source: string, sessionId: string | null, importanceScore: number, metadata: Record<string, unknown>, idempotencyKey: string | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string, updatedAt: string }> };

export type UpdateMemoryMutationVariables = Exact<{
  id: string;
  input: UpdateMemoryInput;
}>;


export type UpdateMemoryMutation = { updateMemory: { id: string, userId: string, content: string, contentSummary: string | null, source: string, sessionId: string | null, importanceScore: number, metadata: Record<string, unknown>, idempotencyKey: string | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string, updatedAt: string } };

export type UpdateMemoryTwiceMutationVariables = Exact<{
  id: string;
  first: string;
  second: string;
}>;


export type UpdateMemoryTwiceMutation = { first: { content: string, embedding: Array<number> | null }, second: { content: string, embedding: Array<number> | null } };

export type DeleteMemoryMutationVariables = Exact<{
  id: string;
}>;


export type DeleteMemoryMutation = { deleteMemory: boolean };

export type DeleteMemoriesMutationVariables = Exact<{
  ids: Array<string> | string;
}>;


export type DeleteMemoriesMutation = { deleteMemories: number };

export type ArchiveMemoriesMutationVariables = Exact<{
  input: ArchiveMemoriesInput;
}>;


export type ArchiveMemoriesMutation = { archiveMemories: { count: number, sample: Array<{ id: string, userId: string, content: string, contentSummary: string | null, source: string, sessionId: string | null, importanceScore: number, metadata: Record<string, unknown>, idempotencyKey: string | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string, updatedAt: string }> } };

export type ArchiveMemoriesWithNeighboursMutationVariables = Exact<{
  input: ArchiveMemoriesInput;
}>;


export type ArchiveMemoriesWithNeighboursMutation = { archiveMemories: { sample: Array<{ id: string, embedding: Array<number> | null, embeddingStatus: EmbeddingStatus, similar: Array<{ distance: number }> }> } };

export type ArchivedMemoriesQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
  filters?: MemoryFilters | null | undefined;
  orderBy?: ArchivedMemoryOrder | null | undefined;
}>;


export type ArchivedMemoriesQuery = { archivedMemories: { totalCount: number, edges: Array<{ node: { archivedAt: string | null, embeddingStatus: EmbeddingStatus, id: string, userId: string, content: string, contentSummary: string | null, source: string, sessionId: string | null, importanceScore: number, metadata: Record<string, unknown>, idempotencyKey: string | null, embeddingModel: string | null, embeddingSource: EmbeddingSource, createdAt: string, updatedAt: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type DeleteMemoriesWhereMutationVariables = Exact<{
  filters: MemoryFilters;
  archived?: boolean;
  all?: boolean;
  dryRun?: boolean;
}>;


export type DeleteMemoriesWhereMutation = { deleteMemoriesWhere: { count: number, sample: Array<{ id: string, content: string, archivedAt: string | null }> } };

export type RestoreMemoriesWhereMutationVariables = Exact<{
  filters: MemoryFilters;
  all?: boolean;
  dryRun?: boolean;
}>;


export type RestoreMemoriesWhereMutation = { restoreMemoriesWhere: { count: number, sample: Array<{ id: string, content: string, archivedAt: string | null }> } };

export type RestoreMemoriesMutationVariables = Exact<{
  ids: Array<string> | string;
}>;


export type RestoreMemoriesMutation = { restoreMemories: number };

export type HealthQueryVariables = Exact<{ [key: string]: never; }>;


export type HealthQuery = { health: { ready: boolean, version: string, checks: Array<{ name: HealthCheckName, ready: boolean, detail: string | null }> } };

export type IntegrityQueryVariables = Exact<{ [key: string]: never; }>;


export type IntegrityQuery = { integrity: { ok: boolean, postgres: string, vector: string | null, findings: Array<{ code: string, subject: string, problem: string, meaning: string, command: string, statements: Array<string> }> } };

export type IndexesQueryVariables = Exact<{ [key: string]: never; }>;


export type IndexesQuery = { indexes: Array<{ name: string, table: string, method: string, definition: string, operatorClasses: Array<string>, parameters: Array<string>, unique: boolean, valid: boolean, bytes: number, rows: number, scans: number }> };

export type StatsQueryVariables = Exact<{
  first?: number;
}>;


export type StatsQuery = { stats: { userCount: number | null, kinds: Array<{ kind: StatsKind, rows: number, bytes: number, oldest: string | null, newest: string | null, embeddings: Array<{ status: EmbeddingStatus, model: string | null, count: number }> }>, users: Array<{ userId: string, rows: number, bytes: number, memories: number, archivedMemories: number, documents: number, chunks: number }> | null } };

export type MemoryPageQueryVariables = Exact<{
  text?: string | null | undefined;
  vector?: Array<number> | number | null | undefined;
  like?: Array<string> | string | null | undefined;
  k?: number;
  filters?: MemoryFilters | null | undefined;
  options?: SearchOptions | null | undefined;
  after?: string | null | undefined;
}>;


export type MemoryPageQuery = { page: Array<{ cursor: string | null, score: number, row: { id: string } }> };

export type ChunkPageQueryVariables = Exact<{
  text?: string | null | undefined;
  like?: Array<string> | string | null | undefined;
  k?: number;
  options?: SearchOptions | null | undefined;
  after?: string | null | undefined;
}>;


export type ChunkPageQuery = { page: Array<{ cursor: string | null, score: number, row: { id: string } }> };

export type DocumentPageQueryVariables = Exact<{
  text?: string | null | undefined;
  like?: Array<string> | string | null | undefined;
  k?: number;
  options?: SearchOptions | null | undefined;
  after?: string | null | undefined;
}>;


export type DocumentPageQuery = { page: Array<{ cursor: string | null, score: number, row: { id: string } }> };

export type ToolPageQueryVariables = Exact<{
  text?: string | null | undefined;
  like?: Array<string> | string | null | undefined;
  k?: number;
  options?: SearchOptions | null | undefined;
  after?: string | null | undefined;
}>;


export type ToolPageQuery = { page: Array<{ cursor: string | null, score: number, row: { id: string } }> };

export type RecallPageQueryVariables = Exact<{
  text: string;
  k?: number;
  kinds: Array<RecallKind> | RecallKind;
  filters?: RecallFilters | null | undefined;
  options?: SearchOptions | null | undefined;
  after?: string | null | undefined;
}>;


export type RecallPageQuery = { page: Array<
    | { __typename: 'ChunkMatch', cursor: string | null, score: number, chunk: { id: string } }
    | { __typename: 'DocumentMatch', cursor: string | null, score: number, document: { id: string } }
    | { __typename: 'MemoryMatch', cursor: string | null, score: number, memory: { id: string } }
    | { __typename: 'ToolMatch', cursor: string | null, score: number, tool: { id: string } }
  > };

export type ExportUserQueryVariables = Exact<{
  userId?: string | null | undefined;
  first?: number;
  after?: string | null | undefined;
  vectors?: boolean;
}>;


export type ExportUserQuery = { exportUser: { totalCount: number, edges: Array<{ cursor: string, node: { kind: PersonalKind, id: string, row: Record<string, unknown> } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type ForgetUserMutationVariables = Exact<{
  userId: string;
  dryRun?: boolean;
}>;


export type ForgetUserMutation = { forgetUser: { userId: string, memories: number, archivedMemories: number, documents: number, chunks: number, keys: number } };

export type AuditQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
  action?: AuditAction | null | undefined;
  about?: string | null | undefined;
}>;


export type AuditQuery = { audit: { totalCount: number, edges: Array<{ cursor: string, node: { id: string, action: AuditAction, about: string, by: string, actor: string | null, keyPrefix: string | null, details: Record<string, unknown>, createdAt: string } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type RecallQueryVariables = Exact<{
  text: string;
  k?: number;
  kinds?: Array<RecallKind> | RecallKind;
  filters?: RecallFilters | null | undefined;
  options?: SearchOptions | null | undefined;
}>;


export type RecallQuery = { recall: Array<
    | { __typename: 'ChunkMatch', distance: number, similarity: number, score: number, chunk: { id: string, userId: string, documentId: string, chunkIndex: number, totalChunks: number, content: string, contentSummary: string | null, chunkSize: number, overlapSize: number, startOffset: number, endOffset: number, metadata: Record<string, unknown>, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null }
    | { __typename: 'DocumentMatch', distance: number, similarity: number, score: number, document: { id: string, userId: string, filename: string, filePath: string | null, fileType: string | null, fileSize: number | null, contentHash: string, totalChunks: number, createdAt: string, processedAt: string, updatedAt: string, metadata: Record<string, unknown> }, chunk: { id: string, userId: string, documentId: string, chunkIndex: number, totalChunks: number, content: string, contentSummary: string | null, chunkSize: number, overlapSize: number, startOffset: number, endOffset: number, metadata: Record<string, unknown>, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null }
    | { __typename: 'MemoryMatch', distance: number, similarity: number, score: number, memory: { id: string, userId: string, content: string, contentSummary: string | null, source: string, sessionId: string | null, importanceScore: number, metadata: Record<string, unknown>, idempotencyKey: string | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, createdAt: string, updatedAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null }
    | { __typename: 'ToolMatch', distance: number, similarity: number, score: number, tool: { id: string, toolName: string, toolDescription: string, toolParameters: Record<string, unknown> | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, usageCount: number, lastUsed: string | null, createdAt: string, updatedAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null }
  > };

export type ToolFieldsFragment = { id: string, toolName: string, toolDescription: string, toolParameters: Record<string, unknown> | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, usageCount: number, lastUsed: string | null, createdAt: string, updatedAt: string };

export type ToolMatchFieldsFragment = { distance: number, similarity: number, score: number, tool: { id: string, toolName: string, toolDescription: string, toolParameters: Record<string, unknown> | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, usageCount: number, lastUsed: string | null, createdAt: string, updatedAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null };

export type ToolQueryVariables = Exact<{
  name: string;
}>;


export type ToolQuery = { tool: { id: string, toolName: string, toolDescription: string, toolParameters: Record<string, unknown> | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, usageCount: number, lastUsed: string | null, createdAt: string, updatedAt: string } | null };

export type ToolEmbeddingQueryVariables = Exact<{
  name: string;
}>;


export type ToolEmbeddingQuery = { tool: { embedding: Array<number> | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus } | null };

export type ToolsQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
  filters?: ToolFilters | null | undefined;
  orderBy?: ToolOrder | null | undefined;
}>;


export type ToolsQuery = { tools: { edges: Array<{ cursor: string, node: { id: string, toolName: string, toolDescription: string, toolParameters: Record<string, unknown> | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, usageCount: number, lastUsed: string | null, createdAt: string, updatedAt: string } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type CountToolsQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
  filters?: ToolFilters | null | undefined;
}>;


export type CountToolsQuery = { tools: { totalCount: number } };

export type SimilarToolsQueryVariables = Exact<{
  text?: string | null | undefined;
  vector?: Array<number> | number | null | undefined;
  vectorModel?: string | null | undefined;
  like?: Array<string> | string | null | undefined;
  unlike?: Array<string> | string | null | undefined;
  k?: number;
  filters?: ToolFilters | null | undefined;
  options?: SearchOptions | null | undefined;
}>;


export type SimilarToolsQuery = { similarTools: Array<{ distance: number, similarity: number, score: number, tool: { id: string, toolName: string, toolDescription: string, toolParameters: Record<string, unknown> | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, usageCount: number, lastUsed: string | null, createdAt: string, updatedAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null }> };

export type ToolNeighboursQueryVariables = Exact<{
  name: string;
  text?: string | null | undefined;
  k?: number;
  filters?: ToolFilters | null | undefined;
  options?: SearchOptions | null | undefined;
}>;


export type ToolNeighboursQuery = { tool: { similar: Array<{ distance: number, similarity: number, score: number, tool: { id: string, toolName: string, toolDescription: string, toolParameters: Record<string, unknown> | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, usageCount: number, lastUsed: string | null, createdAt: string, updatedAt: string }, scoreParts: { keyword: number | null, context: number | null, recency: number | null, importance: number | null } | null }> } | null };

export type RegisterToolsMutationVariables = Exact<{
  inputs: Array<RegisterToolInput> | RegisterToolInput;
}>;


export type RegisterToolsMutation = { registerTools: Array<{ id: string, toolName: string, toolDescription: string, toolParameters: Record<string, unknown> | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, usageCount: number, lastUsed: string | null, createdAt: string, updatedAt: string }> };

export type RecordToolUseMutationVariables = Exact<{
  name: string;
}>;


export type RecordToolUseMutation = { recordToolUse: { id: string, toolName: string, toolDescription: string, toolParameters: Record<string, unknown> | null, embeddingModel: string | null, embeddingStatus: EmbeddingStatus, embeddingSource: EmbeddingSource, usageCount: number, lastUsed: string | null, createdAt: string, updatedAt: string } };

export type DeleteToolMutationVariables = Exact<{
  name: string;
}>;


export type DeleteToolMutation = { deleteTool: boolean };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const ChunkFieldsFragmentDoc = new TypedDocumentString(`
    fragment ChunkFields on Chunk {
  id
  userId
  documentId
  chunkIndex
  totalChunks
  content
  contentSummary
  chunkSize
  overlapSize
  startOffset
  endOffset
  metadata
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
}
    `, {"fragmentName":"ChunkFields"}) as unknown as TypedDocumentString<ChunkFieldsFragment, unknown>;
export const ScorePartFieldsFragmentDoc = new TypedDocumentString(`
    fragment ScorePartFields on ScoreParts {
  keyword
  context
  recency
  importance
}
    `, {"fragmentName":"ScorePartFields"}) as unknown as TypedDocumentString<ScorePartFieldsFragment, unknown>;
export const ChunkMatchFieldsFragmentDoc = new TypedDocumentString(`
    fragment ChunkMatchFields on ChunkMatch {
  chunk {
    ...ChunkFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}
    fragment ChunkFields on Chunk {
  id
  userId
  documentId
  chunkIndex
  totalChunks
  content
  contentSummary
  chunkSize
  overlapSize
  startOffset
  endOffset
  metadata
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
}
fragment ScorePartFields on ScoreParts {
  keyword
  context
  recency
  importance
}`, {"fragmentName":"ChunkMatchFields"}) as unknown as TypedDocumentString<ChunkMatchFieldsFragment, unknown>;
export const PageInfoFieldsFragmentDoc = new TypedDocumentString(`
    fragment PageInfoFields on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
    `, {"fragmentName":"PageInfoFields"}) as unknown as TypedDocumentString<PageInfoFieldsFragment, unknown>;
export const DocumentFieldsFragmentDoc = new TypedDocumentString(`
    fragment DocumentFields on Document {
  id
  userId
  filename
  filePath
  fileType
  fileSize
  contentHash
  totalChunks
  createdAt
  processedAt
  updatedAt
  metadata
}
    `, {"fragmentName":"DocumentFields"}) as unknown as TypedDocumentString<DocumentFieldsFragment, unknown>;
export const DocumentMatchFieldsFragmentDoc = new TypedDocumentString(`
    fragment DocumentMatchFields on DocumentMatch {
  document {
    ...DocumentFields
  }
  chunk {
    ...ChunkFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}
    fragment ChunkFields on Chunk {
  id
  userId
  documentId
  chunkIndex
  totalChunks
  content
  contentSummary
  chunkSize
  overlapSize
  startOffset
  endOffset
  metadata
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
}
fragment ScorePartFields on ScoreParts {
  keyword
  context
  recency
  importance
}
fragment DocumentFields on Document {
  id
  userId
  filename
  filePath
  fileType
  fileSize
  contentHash
  totalChunks
  createdAt
  processedAt
  updatedAt
  metadata
}`, {"fragmentName":"DocumentMatchFields"}) as unknown as TypedDocumentString<DocumentMatchFieldsFragment, unknown>;
export const ApiKeyFieldsFragmentDoc = new TypedDocumentString(`
    fragment ApiKeyFields on ApiKey {
  id
  userId
  role
  prefix
  createdAt
  lastUsedAt
  expiresAt
  revokedAt
}
    `, {"fragmentName":"ApiKeyFields"}) as unknown as TypedDocumentString<ApiKeyFieldsFragment, unknown>;
export const MemoryFieldsFragmentDoc = new TypedDocumentString(`
    fragment MemoryFields on Memory {
  id
  userId
  content
  contentSummary
  source
  sessionId
  importanceScore
  metadata
  idempotencyKey
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
  updatedAt
}
    `, {"fragmentName":"MemoryFields"}) as unknown as TypedDocumentString<MemoryFieldsFragment, unknown>;
export const MemoryMatchFieldsFragmentDoc = new TypedDocumentString(`
    fragment MemoryMatchFields on MemoryMatch {
  memory {
    ...MemoryFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}
    fragment ScorePartFields on ScoreParts {
  keyword
  context
  recency
  importance
}
fragment MemoryFields on Memory {
  id
  userId
  content
  contentSummary
  source
  sessionId
  importanceScore
  metadata
  idempotencyKey
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
  updatedAt
}`, {"fragmentName":"MemoryMatchFields"}) as unknown as TypedDocumentString<MemoryMatchFieldsFragment, unknown>;
export const ToolFieldsFragmentDoc = new TypedDocumentString(`
    fragment ToolFields on Tool {
  id
  toolName
  toolDescription
  toolParameters
  embeddingModel
  embeddingStatus
  embeddingSource
  usageCount
  lastUsed
  createdAt
  updatedAt
}
    `, {"fragmentName":"ToolFields"}) as unknown as TypedDocumentString<ToolFieldsFragment, unknown>;
export const ToolMatchFieldsFragmentDoc = new TypedDocumentString(`
    fragment ToolMatchFields on ToolMatch {
  tool {
    ...ToolFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}
    fragment ScorePartFields on ScoreParts {
  keyword
  context
  recency
  importance
}
fragment ToolFields on Tool {
  id
  toolName
  toolDescription
  toolParameters
  embeddingModel
  embeddingStatus
  embeddingSource
  usageCount
  lastUsed
  createdAt
  updatedAt
}`, {"fragmentName":"ToolMatchFields"}) as unknown as TypedDocumentString<ToolMatchFieldsFragment, unknown>;
export const ChunkDocument = new TypedDocumentString(`
    query Chunk($id: ID!) {
  chunk(id: $id) {
    ...ChunkFields
  }
}
    fragment ChunkFields on Chunk {
  id
  userId
  documentId
  chunkIndex
  totalChunks
  content
  contentSummary
  chunkSize
  overlapSize
  startOffset
  endOffset
  metadata
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
}`) as unknown as TypedDocumentString<ChunkQuery, ChunkQueryVariables>;
export const ChunkEmbeddingDocument = new TypedDocumentString(`
    query ChunkEmbedding($id: ID!) {
  chunk(id: $id) {
    embedding
    embeddingModel
    embeddingStatus
  }
}
    `) as unknown as TypedDocumentString<ChunkEmbeddingQuery, ChunkEmbeddingQueryVariables>;
export const ChunkSurroundingsDocument = new TypedDocumentString(`
    query ChunkSurroundings($first: Int! = 200, $filters: ChunkFilters) {
  chunks(first: $first, filters: $filters) {
    edges {
      node {
        id
        chunkIndex
        document {
          ...DocumentFields
        }
        previous {
          id
        }
        next {
          id
        }
      }
    }
  }
}
    fragment DocumentFields on Document {
  id
  userId
  filename
  filePath
  fileType
  fileSize
  contentHash
  totalChunks
  createdAt
  processedAt
  updatedAt
  metadata
}`) as unknown as TypedDocumentString<ChunkSurroundingsQuery, ChunkSurroundingsQueryVariables>;
export const ChunksDocument = new TypedDocumentString(`
    query Chunks($first: Int! = 20, $after: String, $filters: ChunkFilters, $orderBy: ChunkOrder) {
  chunks(first: $first, after: $after, filters: $filters, orderBy: $orderBy) {
    edges {
      cursor
      node {
        ...ChunkFields
      }
    }
    pageInfo {
      ...PageInfoFields
    }
  }
}
    fragment ChunkFields on Chunk {
  id
  userId
  documentId
  chunkIndex
  totalChunks
  content
  contentSummary
  chunkSize
  overlapSize
  startOffset
  endOffset
  metadata
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
}
fragment PageInfoFields on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}`) as unknown as TypedDocumentString<ChunksQuery, ChunksQueryVariables>;
export const CountChunksDocument = new TypedDocumentString(`
    query CountChunks($first: Int! = 0, $after: String, $filters: ChunkFilters) {
  chunks(first: $first, after: $after, filters: $filters) {
    totalCount
  }
}
    `) as unknown as TypedDocumentString<CountChunksQuery, CountChunksQueryVariables>;
export const SimilarChunksDocument = new TypedDocumentString(`
    query SimilarChunks($text: String, $vector: [Float!], $vectorModel: String, $like: [ID!], $unlike: [ID!], $k: Int! = 5, $filters: ChunkFilters, $options: SearchOptions) {
  similarChunks(
    text: $text
    vector: $vector
    vectorModel: $vectorModel
    like: $like
    unlike: $unlike
    k: $k
    filters: $filters
    options: $options
  ) {
    ...ChunkMatchFields
  }
}
    fragment ChunkFields on Chunk {
  id
  userId
  documentId
  chunkIndex
  totalChunks
  content
  contentSummary
  chunkSize
  overlapSize
  startOffset
  endOffset
  metadata
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
}
fragment ChunkMatchFields on ChunkMatch {
  chunk {
    ...ChunkFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}
fragment ScorePartFields on ScoreParts {
  keyword
  context
  recency
  importance
}`) as unknown as TypedDocumentString<SimilarChunksQuery, SimilarChunksQueryVariables>;
export const ChunkNeighboursDocument = new TypedDocumentString(`
    query ChunkNeighbours($id: ID!, $text: String, $k: Int! = 5, $filters: ChunkFilters, $options: SearchOptions) {
  chunk(id: $id) {
    similar(text: $text, k: $k, filters: $filters, options: $options) {
      ...ChunkMatchFields
    }
  }
}
    fragment ChunkFields on Chunk {
  id
  userId
  documentId
  chunkIndex
  totalChunks
  content
  contentSummary
  chunkSize
  overlapSize
  startOffset
  endOffset
  metadata
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
}
fragment ChunkMatchFields on ChunkMatch {
  chunk {
    ...ChunkFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}
fragment ScorePartFields on ScoreParts {
  keyword
  context
  recency
  importance
}`) as unknown as TypedDocumentString<ChunkNeighboursQuery, ChunkNeighboursQueryVariables>;
export const DocumentDocument = new TypedDocumentString(`
    query Document($id: ID!) {
  document(id: $id) {
    ...DocumentFields
  }
}
    fragment DocumentFields on Document {
  id
  userId
  filename
  filePath
  fileType
  fileSize
  contentHash
  totalChunks
  createdAt
  processedAt
  updatedAt
  metadata
}`) as unknown as TypedDocumentString<DocumentQuery, DocumentQueryVariables>;
export const DocumentTextDocument = new TypedDocumentString(`
    query DocumentText($id: ID!, $offset: Int! = 0, $limit: Int! = 10000) {
  document(id: $id) {
    text(offset: $offset, limit: $limit)
  }
}
    `) as unknown as TypedDocumentString<DocumentTextQuery, DocumentTextQueryVariables>;
export const TextsOfDocumentsDocument = new TypedDocumentString(`
    query TextsOfDocuments($ids: [ID!]!, $offset: Int! = 0, $limit: Int! = 10000) {
  documents(
    first: 200
    filters: {id: {in: $ids}}
    orderBy: {field: ID, direction: ASC}
  ) {
    edges {
      node {
        id
        text(offset: $offset, limit: $limit)
        beginning: text(limit: 5)
      }
    }
  }
}
    `) as unknown as TypedDocumentString<TextsOfDocumentsQuery, TextsOfDocumentsQueryVariables>;
export const DocumentChunksDocument = new TypedDocumentString(`
    query DocumentChunks($id: ID!, $first: Int! = 20, $after: String) {
  document(id: $id) {
    ...DocumentFields
    chunks(first: $first, after: $after) {
      totalCount
      edges {
        cursor
        node {
          ...ChunkFields
          embedding
        }
      }
      pageInfo {
        ...PageInfoFields
      }
    }
  }
}
    fragment ChunkFields on Chunk {
  id
  userId
  documentId
  chunkIndex
  totalChunks
  content
  contentSummary
  chunkSize
  overlapSize
  startOffset
  endOffset
  metadata
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
}
fragment PageInfoFields on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
fragment DocumentFields on Document {
  id
  userId
  filename
  filePath
  fileType
  fileSize
  contentHash
  totalChunks
  createdAt
  processedAt
  updatedAt
  metadata
}`) as unknown as TypedDocumentString<DocumentChunksQuery, DocumentChunksQueryVariables>;
export const ChunksOfDocumentsDocument = new TypedDocumentString(`
    query ChunksOfDocuments($first: Int!) {
  documents(first: 200, orderBy: {field: ID, direction: ASC}) {
    edges {
      node {
        id
        chunks(first: $first) {
          totalCount
          edges {
            node {
              documentId
              chunkIndex
            }
          }
          pageInfo {
            hasNextPage
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ChunksOfDocumentsQuery, ChunksOfDocumentsQueryVariables>;
export const DocumentsDocument = new TypedDocumentString(`
    query Documents($first: Int! = 20, $after: String, $filters: DocumentFilters, $orderBy: DocumentOrder) {
  documents(first: $first, after: $after, filters: $filters, orderBy: $orderBy) {
    edges {
      cursor
      node {
        ...DocumentFields
      }
    }
    pageInfo {
      ...PageInfoFields
    }
  }
}
    fragment PageInfoFields on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
fragment DocumentFields on Document {
  id
  userId
  filename
  filePath
  fileType
  fileSize
  contentHash
  totalChunks
  createdAt
  processedAt
  updatedAt
  metadata
}`) as unknown as TypedDocumentString<DocumentsQuery, DocumentsQueryVariables>;
export const CountDocumentsDocument = new TypedDocumentString(`
    query CountDocuments($first: Int! = 0, $after: String, $filters: DocumentFilters) {
  documents(first: $first, after: $after, filters: $filters) {
    totalCount
  }
}
    `) as unknown as TypedDocumentString<CountDocumentsQuery, CountDocumentsQueryVariables>;
export const SimilarDocumentsDocument = new TypedDocumentString(`
    query SimilarDocuments($text: String, $vector: [Float!], $vectorModel: String, $like: [ID!], $unlike: [ID!], $k: Int! = 5, $filters: DocumentFilters, $options: SearchOptions) {
  similarDocuments(
    text: $text
    vector: $vector
    vectorModel: $vectorModel
    like: $like
    unlike: $unlike
    k: $k
    filters: $filters
    options: $options
  ) {
    ...DocumentMatchFields
  }
}
    fragment ChunkFields on Chunk {
  id
  userId
  documentId
  chunkIndex
  totalChunks
  content
  contentSummary
  chunkSize
  overlapSize
  startOffset
  endOffset
  metadata
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
}
fragment ScorePartFields on ScoreParts {
  keyword
  context
  recency
  importance
}
fragment DocumentFields on Document {
  id
  userId
  filename
  filePath
  fileType
  fileSize
  contentHash
  totalChunks
  createdAt
  processedAt
  updatedAt
  metadata
}
fragment DocumentMatchFields on DocumentMatch {
  document {
    ...DocumentFields
  }
  chunk {
    ...ChunkFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}`) as unknown as TypedDocumentString<SimilarDocumentsQuery, SimilarDocumentsQueryVariables>;
export const DocumentNeighboursDocument = new TypedDocumentString(`
    query DocumentNeighbours($id: ID!, $text: String, $k: Int! = 5, $filters: DocumentFilters, $options: SearchOptions) {
  document(id: $id) {
    similar(text: $text, k: $k, filters: $filters, options: $options) {
      ...DocumentMatchFields
    }
  }
}
    fragment ChunkFields on Chunk {
  id
  userId
  documentId
  chunkIndex
  totalChunks
  content
  contentSummary
  chunkSize
  overlapSize
  startOffset
  endOffset
  metadata
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
}
fragment ScorePartFields on ScoreParts {
  keyword
  context
  recency
  importance
}
fragment DocumentFields on Document {
  id
  userId
  filename
  filePath
  fileType
  fileSize
  contentHash
  totalChunks
  createdAt
  processedAt
  updatedAt
  metadata
}
fragment DocumentMatchFields on DocumentMatch {
  document {
    ...DocumentFields
  }
  chunk {
    ...ChunkFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}`) as unknown as TypedDocumentString<DocumentNeighboursQuery, DocumentNeighboursQueryVariables>;
export const IngestDocumentDocument = new TypedDocumentString(`
    mutation IngestDocument($input: IngestDocumentInput!, $replace: ReplaceBy! = NONE) {
  ingestDocument(input: $input, replace: $replace) {
    document {
      ...DocumentFields
    }
    created
    outcome
    chunkCount
    differs
  }
}
    fragment DocumentFields on Document {
  id
  userId
  filename
  filePath
  fileType
  fileSize
  contentHash
  totalChunks
  createdAt
  processedAt
  updatedAt
  metadata
}`) as unknown as TypedDocumentString<IngestDocumentMutation, IngestDocumentMutationVariables>;
export const UpdateDocumentDocument = new TypedDocumentString(`
    mutation UpdateDocument($id: ID!, $input: UpdateDocumentInput!) {
  updateDocument(id: $id, input: $input) {
    ...DocumentFields
  }
}
    fragment DocumentFields on Document {
  id
  userId
  filename
  filePath
  fileType
  fileSize
  contentHash
  totalChunks
  createdAt
  processedAt
  updatedAt
  metadata
}`) as unknown as TypedDocumentString<UpdateDocumentMutation, UpdateDocumentMutationVariables>;
export const DeleteDocumentDocument = new TypedDocumentString(`
    mutation DeleteDocument($id: ID!) {
  deleteDocument(id: $id)
}
    `) as unknown as TypedDocumentString<DeleteDocumentMutation, DeleteDocumentMutationVariables>;
export const DeleteDocumentsWhereDocument = new TypedDocumentString(`
    mutation DeleteDocumentsWhere($filters: DocumentFilters!, $all: Boolean! = false, $dryRun: Boolean! = true) {
  deleteDocumentsWhere(filters: $filters, all: $all, dryRun: $dryRun) {
    count
    sample {
      id
      filename
      chunks {
        totalCount
      }
    }
  }
}
    `) as unknown as TypedDocumentString<DeleteDocumentsWhereMutation, DeleteDocumentsWhereMutationVariables>;
export const EmbeddingsDocument = new TypedDocumentString(`
    query Embeddings {
  embeddings {
    kind
    status
    model
    count
  }
}
    `) as unknown as TypedDocumentString<EmbeddingsQuery, EmbeddingsQueryVariables>;
export const DocumentStatusesDocument = new TypedDocumentString(`
    query DocumentStatuses($filters: DocumentFilters) {
  documents(first: 50, filters: $filters) {
    edges {
      node {
        id
        filename
        embeddingStatus
        chunks(first: 50) {
          edges {
            node {
              embeddingStatus
              embeddingError
            }
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<DocumentStatusesQuery, DocumentStatusesQueryVariables>;
export const MemoryStatusesDocument = new TypedDocumentString(`
    query MemoryStatuses($filters: MemoryFilters) {
  memories(first: 50, filters: $filters) {
    edges {
      node {
        id
        content
        embeddingStatus
        embeddingError
        embeddingModel
      }
    }
  }
}
    `) as unknown as TypedDocumentString<MemoryStatusesQuery, MemoryStatusesQueryVariables>;
export const CreateMemoriesAndWaitDocument = new TypedDocumentString(`
    mutation CreateMemoriesAndWait($inputs: [CreateMemoryInput!]!, $wait: Boolean!) {
  createMemories(inputs: $inputs, wait: $wait) {
    id
    content
    embeddingStatus
  }
}
    `) as unknown as TypedDocumentString<CreateMemoriesAndWaitMutation, CreateMemoriesAndWaitMutationVariables>;
export const CreateMemoryAndWaitDocument = new TypedDocumentString(`
    mutation CreateMemoryAndWait($input: CreateMemoryInput!, $wait: Boolean!) {
  createMemory(input: $input, wait: $wait) {
    id
    embeddingStatus
  }
}
    `) as unknown as TypedDocumentString<CreateMemoryAndWaitMutation, CreateMemoryAndWaitMutationVariables>;
export const UpdateMemoryAndWaitDocument = new TypedDocumentString(`
    mutation UpdateMemoryAndWait($id: ID!, $input: UpdateMemoryInput!, $wait: Boolean!) {
  updateMemory(id: $id, input: $input, wait: $wait) {
    content
    embeddingStatus
    embeddingModel
    embeddingError
  }
}
    `) as unknown as TypedDocumentString<UpdateMemoryAndWaitMutation, UpdateMemoryAndWaitMutationVariables>;
export const RegisterToolsAndWaitDocument = new TypedDocumentString(`
    mutation RegisterToolsAndWait($inputs: [RegisterToolInput!]!, $wait: Boolean!) {
  registerTools(inputs: $inputs, wait: $wait) {
    toolName
    embeddingStatus
    embeddingError
  }
}
    `) as unknown as TypedDocumentString<RegisterToolsAndWaitMutation, RegisterToolsAndWaitMutationVariables>;
export const IngestDocumentAndWaitDocument = new TypedDocumentString(`
    mutation IngestDocumentAndWait($input: IngestDocumentInput!, $wait: Boolean!) {
  ingestDocument(input: $input, wait: $wait) {
    chunkCount
    document {
      id
      embeddingStatus
    }
  }
}
    `) as unknown as TypedDocumentString<IngestDocumentAndWaitMutation, IngestDocumentAndWaitMutationVariables>;
export const UpdateDocumentAndWaitDocument = new TypedDocumentString(`
    mutation UpdateDocumentAndWait($id: ID!, $input: UpdateDocumentInput!, $wait: Boolean!) {
  updateDocument(id: $id, input: $input, wait: $wait) {
    totalChunks
    embeddingStatus
  }
}
    `) as unknown as TypedDocumentString<UpdateDocumentAndWaitMutation, UpdateDocumentAndWaitMutationVariables>;
export const KeysDocument = new TypedDocumentString(`
    query Keys($first: Int! = 20, $after: String) {
  keys(first: $first, after: $after) {
    edges {
      cursor
      node {
        ...ApiKeyFields
      }
    }
    pageInfo {
      ...PageInfoFields
    }
    totalCount
  }
}
    fragment PageInfoFields on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
fragment ApiKeyFields on ApiKey {
  id
  userId
  role
  prefix
  createdAt
  lastUsedAt
  expiresAt
  revokedAt
}`) as unknown as TypedDocumentString<KeysQuery, KeysQueryVariables>;
export const CreateKeyDocument = new TypedDocumentString(`
    mutation CreateKey($input: CreateKeyInput!) {
  createKey(input: $input) {
    key
    apiKey {
      ...ApiKeyFields
    }
  }
}
    fragment ApiKeyFields on ApiKey {
  id
  userId
  role
  prefix
  createdAt
  lastUsedAt
  expiresAt
  revokedAt
}`) as unknown as TypedDocumentString<CreateKeyMutation, CreateKeyMutationVariables>;
export const RevokeKeyDocument = new TypedDocumentString(`
    mutation RevokeKey($id: ID!) {
  revokeKey(id: $id) {
    ...ApiKeyFields
  }
}
    fragment ApiKeyFields on ApiKey {
  id
  userId
  role
  prefix
  createdAt
  lastUsedAt
  expiresAt
  revokedAt
}`) as unknown as TypedDocumentString<RevokeKeyMutation, RevokeKeyMutationVariables>;
export const MemoryDocument = new TypedDocumentString(`
    query Memory($id: ID!) {
  memory(id: $id) {
    ...MemoryFields
  }
}
    fragment MemoryFields on Memory {
  id
  userId
  content
  contentSummary
  source
  sessionId
  importanceScore
  metadata
  idempotencyKey
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<MemoryQuery, MemoryQueryVariables>;
export const MemoryEmbeddingDocument = new TypedDocumentString(`
    query MemoryEmbedding($id: ID!) {
  memory(id: $id) {
    embedding
    embeddingModel
    embeddingStatus
    archivedAt
  }
}
    `) as unknown as TypedDocumentString<MemoryEmbeddingQuery, MemoryEmbeddingQueryVariables>;
export const MemoriesDocument = new TypedDocumentString(`
    query Memories($first: Int! = 20, $after: String, $filters: MemoryFilters, $orderBy: MemoryOrder) {
  memories(first: $first, after: $after, filters: $filters, orderBy: $orderBy) {
    edges {
      cursor
      node {
        ...MemoryFields
      }
    }
    pageInfo {
      ...PageInfoFields
    }
  }
}
    fragment PageInfoFields on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
fragment MemoryFields on Memory {
  id
  userId
  content
  contentSummary
  source
  sessionId
  importanceScore
  metadata
  idempotencyKey
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<MemoriesQuery, MemoriesQueryVariables>;
export const CountMemoriesDocument = new TypedDocumentString(`
    query CountMemories($first: Int! = 0, $after: String, $filters: MemoryFilters) {
  memories(first: $first, after: $after, filters: $filters) {
    totalCount
  }
}
    `) as unknown as TypedDocumentString<CountMemoriesQuery, CountMemoriesQueryVariables>;
export const SimilarMemoriesDocument = new TypedDocumentString(`
    query SimilarMemories($text: String, $vector: [Float!], $vectorModel: String, $like: [ID!], $unlike: [ID!], $k: Int! = 5, $filters: MemoryFilters, $options: SearchOptions) {
  similarMemories(
    text: $text
    vector: $vector
    vectorModel: $vectorModel
    like: $like
    unlike: $unlike
    k: $k
    filters: $filters
    options: $options
  ) {
    ...MemoryMatchFields
  }
}
    fragment ScorePartFields on ScoreParts {
  keyword
  context
  recency
  importance
}
fragment MemoryFields on Memory {
  id
  userId
  content
  contentSummary
  source
  sessionId
  importanceScore
  metadata
  idempotencyKey
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
  updatedAt
}
fragment MemoryMatchFields on MemoryMatch {
  memory {
    ...MemoryFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}`) as unknown as TypedDocumentString<SimilarMemoriesQuery, SimilarMemoriesQueryVariables>;
export const MemoryNeighboursDocument = new TypedDocumentString(`
    query MemoryNeighbours($id: ID!, $text: String, $k: Int! = 5, $filters: MemoryFilters, $options: SearchOptions) {
  memory(id: $id) {
    similar(text: $text, k: $k, filters: $filters, options: $options) {
      ...MemoryMatchFields
    }
  }
}
    fragment ScorePartFields on ScoreParts {
  keyword
  context
  recency
  importance
}
fragment MemoryFields on Memory {
  id
  userId
  content
  contentSummary
  source
  sessionId
  importanceScore
  metadata
  idempotencyKey
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
  updatedAt
}
fragment MemoryMatchFields on MemoryMatch {
  memory {
    ...MemoryFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}`) as unknown as TypedDocumentString<MemoryNeighboursQuery, MemoryNeighboursQueryVariables>;
export const NeighboursOfMemoriesDocument = new TypedDocumentString(`
    query NeighboursOfMemories($filters: MemoryFilters, $k: Int!, $text: String) {
  memories(first: 200, filters: $filters) {
    edges {
      node {
        id
        similar(k: $k, text: $text) {
          ...MemoryMatchFields
        }
      }
    }
  }
}
    fragment ScorePartFields on ScoreParts {
  keyword
  context
  recency
  importance
}
fragment MemoryFields on Memory {
  id
  userId
  content
  contentSummary
  source
  sessionId
  importanceScore
  metadata
  idempotencyKey
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
  updatedAt
}
fragment MemoryMatchFields on MemoryMatch {
  memory {
    ...MemoryFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}`) as unknown as TypedDocumentString<NeighboursOfMemoriesQuery, NeighboursOfMemoriesQueryVariables>;
export const CreateMemoryDocument = new TypedDocumentString(`
    mutation CreateMemory($input: CreateMemoryInput!) {
  createMemory(input: $input) {
    ...MemoryFields
  }
}
    fragment MemoryFields on Memory {
  id
  userId
  content
  contentSummary
  source
  sessionId
  importanceScore
  metadata
  idempotencyKey
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<CreateMemoryMutation, CreateMemoryMutationVariables>;
export const CreateMemoriesDocument = new TypedDocumentString(`
    mutation CreateMemories($inputs: [CreateMemoryInput!]!) {
  createMemories(inputs: $inputs) {
    ...MemoryFields
  }
}
    fragment MemoryFields on Memory {
  id
  userId
  content
  contentSummary
  source
  sessionId
  importanceScore
  metadata
  idempotencyKey
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<CreateMemoriesMutation, CreateMemoriesMutationVariables>;
export const UpdateMemoryDocument = new TypedDocumentString(`
    mutation UpdateMemory($id: ID!, $input: UpdateMemoryInput!) {
  updateMemory(id: $id, input: $input) {
    ...MemoryFields
  }
}
    fragment MemoryFields on Memory {
  id
  userId
  content
  contentSummary
  source
  sessionId
  importanceScore
  metadata
  idempotencyKey
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<UpdateMemoryMutation, UpdateMemoryMutationVariables>;
export const UpdateMemoryTwiceDocument = new TypedDocumentString(`
    mutation UpdateMemoryTwice($id: ID!, $first: String!, $second: String!) {
  first: updateMemory(id: $id, input: {content: $first}) {
    content
    embedding
  }
  second: updateMemory(id: $id, input: {content: $second}) {
    content
    embedding
  }
}
    `) as unknown as TypedDocumentString<UpdateMemoryTwiceMutation, UpdateMemoryTwiceMutationVariables>;
export const DeleteMemoryDocument = new TypedDocumentString(`
    mutation DeleteMemory($id: ID!) {
  deleteMemory(id: $id)
}
    `) as unknown as TypedDocumentString<DeleteMemoryMutation, DeleteMemoryMutationVariables>;
export const DeleteMemoriesDocument = new TypedDocumentString(`
    mutation DeleteMemories($ids: [ID!]!) {
  deleteMemories(ids: $ids)
}
    `) as unknown as TypedDocumentString<DeleteMemoriesMutation, DeleteMemoriesMutationVariables>;
export const ArchiveMemoriesDocument = new TypedDocumentString(`
    mutation ArchiveMemories($input: ArchiveMemoriesInput!) {
  archiveMemories(input: $input) {
    count
    sample {
      ...MemoryFields
    }
  }
}
    fragment MemoryFields on Memory {
  id
  userId
  content
  contentSummary
  source
  sessionId
  importanceScore
  metadata
  idempotencyKey
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<ArchiveMemoriesMutation, ArchiveMemoriesMutationVariables>;
export const ArchiveMemoriesWithNeighboursDocument = new TypedDocumentString(`
    mutation ArchiveMemoriesWithNeighbours($input: ArchiveMemoriesInput!) {
  archiveMemories(input: $input) {
    sample {
      id
      embedding
      embeddingStatus
      similar {
        distance
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ArchiveMemoriesWithNeighboursMutation, ArchiveMemoriesWithNeighboursMutationVariables>;
export const ArchivedMemoriesDocument = new TypedDocumentString(`
    query ArchivedMemories($first: Int! = 20, $after: String, $filters: MemoryFilters, $orderBy: ArchivedMemoryOrder) {
  archivedMemories(
    first: $first
    after: $after
    filters: $filters
    orderBy: $orderBy
  ) {
    totalCount
    edges {
      node {
        ...MemoryFields
        archivedAt
        embeddingStatus
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    fragment MemoryFields on Memory {
  id
  userId
  content
  contentSummary
  source
  sessionId
  importanceScore
  metadata
  idempotencyKey
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<ArchivedMemoriesQuery, ArchivedMemoriesQueryVariables>;
export const DeleteMemoriesWhereDocument = new TypedDocumentString(`
    mutation DeleteMemoriesWhere($filters: MemoryFilters!, $archived: Boolean! = false, $all: Boolean! = false, $dryRun: Boolean! = true) {
  deleteMemoriesWhere(
    filters: $filters
    archived: $archived
    all: $all
    dryRun: $dryRun
  ) {
    count
    sample {
      id
      content
      archivedAt
    }
  }
}
    `) as unknown as TypedDocumentString<DeleteMemoriesWhereMutation, DeleteMemoriesWhereMutationVariables>;
export const RestoreMemoriesWhereDocument = new TypedDocumentString(`
    mutation RestoreMemoriesWhere($filters: MemoryFilters!, $all: Boolean! = false, $dryRun: Boolean! = true) {
  restoreMemoriesWhere(filters: $filters, all: $all, dryRun: $dryRun) {
    count
    sample {
      id
      content
      archivedAt
    }
  }
}
    `) as unknown as TypedDocumentString<RestoreMemoriesWhereMutation, RestoreMemoriesWhereMutationVariables>;
export const RestoreMemoriesDocument = new TypedDocumentString(`
    mutation RestoreMemories($ids: [ID!]!) {
  restoreMemories(ids: $ids)
}
    `) as unknown as TypedDocumentString<RestoreMemoriesMutation, RestoreMemoriesMutationVariables>;
export const HealthDocument = new TypedDocumentString(`
    query Health {
  health {
    ready
    version
    checks {
      name
      ready
      detail
    }
  }
}
    `) as unknown as TypedDocumentString<HealthQuery, HealthQueryVariables>;
export const IntegrityDocument = new TypedDocumentString(`
    query Integrity {
  integrity {
    ok
    postgres
    vector
    findings {
      code
      subject
      problem
      meaning
      command
      statements
    }
  }
}
    `) as unknown as TypedDocumentString<IntegrityQuery, IntegrityQueryVariables>;
export const IndexesDocument = new TypedDocumentString(`
    query Indexes {
  indexes {
    name
    table
    method
    definition
    operatorClasses
    parameters
    unique
    valid
    bytes
    rows
    scans
  }
}
    `) as unknown as TypedDocumentString<IndexesQuery, IndexesQueryVariables>;
export const StatsDocument = new TypedDocumentString(`
    query Stats($first: Int! = 20) {
  stats {
    kinds {
      kind
      rows
      bytes
      oldest
      newest
      embeddings {
        status
        model
        count
      }
    }
    userCount
    users(first: $first) {
      userId
      rows
      bytes
      memories
      archivedMemories
      documents
      chunks
    }
  }
}
    `) as unknown as TypedDocumentString<StatsQuery, StatsQueryVariables>;
export const MemoryPageDocument = new TypedDocumentString(`
    query MemoryPage($text: String, $vector: [Float!], $like: [ID!], $k: Int! = 5, $filters: MemoryFilters, $options: SearchOptions, $after: String) {
  page: similarMemories(
    text: $text
    vector: $vector
    like: $like
    k: $k
    filters: $filters
    options: $options
    after: $after
  ) {
    cursor
    score
    row: memory {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<MemoryPageQuery, MemoryPageQueryVariables>;
export const ChunkPageDocument = new TypedDocumentString(`
    query ChunkPage($text: String, $like: [ID!], $k: Int! = 5, $options: SearchOptions, $after: String) {
  page: similarChunks(
    text: $text
    like: $like
    k: $k
    options: $options
    after: $after
  ) {
    cursor
    score
    row: chunk {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<ChunkPageQuery, ChunkPageQueryVariables>;
export const DocumentPageDocument = new TypedDocumentString(`
    query DocumentPage($text: String, $like: [ID!], $k: Int! = 5, $options: SearchOptions, $after: String) {
  page: similarDocuments(
    text: $text
    like: $like
    k: $k
    options: $options
    after: $after
  ) {
    cursor
    score
    row: document {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<DocumentPageQuery, DocumentPageQueryVariables>;
export const ToolPageDocument = new TypedDocumentString(`
    query ToolPage($text: String, $like: [ID!], $k: Int! = 5, $options: SearchOptions, $after: String) {
  page: similarTools(
    text: $text
    like: $like
    k: $k
    options: $options
    after: $after
  ) {
    cursor
    score
    row: tool {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<ToolPageQuery, ToolPageQueryVariables>;
export const RecallPageDocument = new TypedDocumentString(`
    query RecallPage($text: String!, $k: Int! = 8, $kinds: [RecallKind!]!, $filters: RecallFilters, $options: SearchOptions, $after: String) {
  page: recall(
    text: $text
    k: $k
    kinds: $kinds
    filters: $filters
    options: $options
    after: $after
  ) {
    __typename
    ... on MemoryMatch {
      cursor
      score
      memory {
        id
      }
    }
    ... on ChunkMatch {
      cursor
      score
      chunk {
        id
      }
    }
    ... on DocumentMatch {
      cursor
      score
      document {
        id
      }
    }
    ... on ToolMatch {
      cursor
      score
      tool {
        id
      }
    }
  }
}
    `) as unknown as TypedDocumentString<RecallPageQuery, RecallPageQueryVariables>;
export const ExportUserDocument = new TypedDocumentString(`
    query ExportUser($userId: String, $first: Int! = 20, $after: String, $vectors: Boolean! = false) {
  exportUser(userId: $userId, first: $first, after: $after, vectors: $vectors) {
    edges {
      cursor
      node {
        kind
        id
        row
      }
    }
    pageInfo {
      ...PageInfoFields
    }
    totalCount
  }
}
    fragment PageInfoFields on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}`) as unknown as TypedDocumentString<ExportUserQuery, ExportUserQueryVariables>;
export const ForgetUserDocument = new TypedDocumentString(`
    mutation ForgetUser($userId: String!, $dryRun: Boolean! = true) {
  forgetUser(userId: $userId, dryRun: $dryRun) {
    userId
    memories
    archivedMemories
    documents
    chunks
    keys
  }
}
    `) as unknown as TypedDocumentString<ForgetUserMutation, ForgetUserMutationVariables>;
export const AuditDocument = new TypedDocumentString(`
    query Audit($first: Int! = 20, $after: String, $action: AuditAction, $about: String) {
  audit(first: $first, after: $after, action: $action, about: $about) {
    edges {
      cursor
      node {
        id
        action
        about
        by
        actor
        keyPrefix
        details
        createdAt
      }
    }
    pageInfo {
      ...PageInfoFields
    }
    totalCount
  }
}
    fragment PageInfoFields on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}`) as unknown as TypedDocumentString<AuditQuery, AuditQueryVariables>;
export const RecallDocument = new TypedDocumentString(`
    query Recall($text: String!, $k: Int! = 8, $kinds: [RecallKind!]! = [MEMORY, CHUNK], $filters: RecallFilters, $options: SearchOptions) {
  recall(text: $text, k: $k, kinds: $kinds, filters: $filters, options: $options) {
    __typename
    ... on MemoryMatch {
      ...MemoryMatchFields
    }
    ... on ChunkMatch {
      ...ChunkMatchFields
    }
    ... on DocumentMatch {
      ...DocumentMatchFields
    }
    ... on ToolMatch {
      ...ToolMatchFields
    }
  }
}
    fragment ChunkFields on Chunk {
  id
  userId
  documentId
  chunkIndex
  totalChunks
  content
  contentSummary
  chunkSize
  overlapSize
  startOffset
  endOffset
  metadata
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
}
fragment ChunkMatchFields on ChunkMatch {
  chunk {
    ...ChunkFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}
fragment ScorePartFields on ScoreParts {
  keyword
  context
  recency
  importance
}
fragment DocumentFields on Document {
  id
  userId
  filename
  filePath
  fileType
  fileSize
  contentHash
  totalChunks
  createdAt
  processedAt
  updatedAt
  metadata
}
fragment DocumentMatchFields on DocumentMatch {
  document {
    ...DocumentFields
  }
  chunk {
    ...ChunkFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}
fragment MemoryFields on Memory {
  id
  userId
  content
  contentSummary
  source
  sessionId
  importanceScore
  metadata
  idempotencyKey
  embeddingModel
  embeddingStatus
  embeddingSource
  createdAt
  updatedAt
}
fragment MemoryMatchFields on MemoryMatch {
  memory {
    ...MemoryFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}
fragment ToolFields on Tool {
  id
  toolName
  toolDescription
  toolParameters
  embeddingModel
  embeddingStatus
  embeddingSource
  usageCount
  lastUsed
  createdAt
  updatedAt
}
fragment ToolMatchFields on ToolMatch {
  tool {
    ...ToolFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}`) as unknown as TypedDocumentString<RecallQuery, RecallQueryVariables>;
export const ToolDocument = new TypedDocumentString(`
    query Tool($name: String!) {
  tool(name: $name) {
    ...ToolFields
  }
}
    fragment ToolFields on Tool {
  id
  toolName
  toolDescription
  toolParameters
  embeddingModel
  embeddingStatus
  embeddingSource
  usageCount
  lastUsed
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<ToolQuery, ToolQueryVariables>;
export const ToolEmbeddingDocument = new TypedDocumentString(`
    query ToolEmbedding($name: String!) {
  tool(name: $name) {
    embedding
    embeddingModel
    embeddingStatus
  }
}
    `) as unknown as TypedDocumentString<ToolEmbeddingQuery, ToolEmbeddingQueryVariables>;
export const ToolsDocument = new TypedDocumentString(`
    query Tools($first: Int! = 20, $after: String, $filters: ToolFilters, $orderBy: ToolOrder) {
  tools(first: $first, after: $after, filters: $filters, orderBy: $orderBy) {
    edges {
      cursor
      node {
        ...ToolFields
      }
    }
    pageInfo {
      ...PageInfoFields
    }
  }
}
    fragment PageInfoFields on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
fragment ToolFields on Tool {
  id
  toolName
  toolDescription
  toolParameters
  embeddingModel
  embeddingStatus
  embeddingSource
  usageCount
  lastUsed
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<ToolsQuery, ToolsQueryVariables>;
export const CountToolsDocument = new TypedDocumentString(`
    query CountTools($first: Int! = 0, $after: String, $filters: ToolFilters) {
  tools(first: $first, after: $after, filters: $filters) {
    totalCount
  }
}
    `) as unknown as TypedDocumentString<CountToolsQuery, CountToolsQueryVariables>;
export const SimilarToolsDocument = new TypedDocumentString(`
    query SimilarTools($text: String, $vector: [Float!], $vectorModel: String, $like: [ID!], $unlike: [ID!], $k: Int! = 5, $filters: ToolFilters, $options: SearchOptions) {
  similarTools(
    text: $text
    vector: $vector
    vectorModel: $vectorModel
    like: $like
    unlike: $unlike
    k: $k
    filters: $filters
    options: $options
  ) {
    ...ToolMatchFields
  }
}
    fragment ScorePartFields on ScoreParts {
  keyword
  context
  recency
  importance
}
fragment ToolFields on Tool {
  id
  toolName
  toolDescription
  toolParameters
  embeddingModel
  embeddingStatus
  embeddingSource
  usageCount
  lastUsed
  createdAt
  updatedAt
}
fragment ToolMatchFields on ToolMatch {
  tool {
    ...ToolFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}`) as unknown as TypedDocumentString<SimilarToolsQuery, SimilarToolsQueryVariables>;
export const ToolNeighboursDocument = new TypedDocumentString(`
    query ToolNeighbours($name: String!, $text: String, $k: Int! = 5, $filters: ToolFilters, $options: SearchOptions) {
  tool(name: $name) {
    similar(text: $text, k: $k, filters: $filters, options: $options) {
      ...ToolMatchFields
    }
  }
}
    fragment ScorePartFields on ScoreParts {
  keyword
  context
  recency
  importance
}
fragment ToolFields on Tool {
  id
  toolName
  toolDescription
  toolParameters
  embeddingModel
  embeddingStatus
  embeddingSource
  usageCount
  lastUsed
  createdAt
  updatedAt
}
fragment ToolMatchFields on ToolMatch {
  tool {
    ...ToolFields
  }
  distance
  similarity
  score
  scoreParts {
    ...ScorePartFields
  }
}`) as unknown as TypedDocumentString<ToolNeighboursQuery, ToolNeighboursQueryVariables>;
export const RegisterToolsDocument = new TypedDocumentString(`
    mutation RegisterTools($inputs: [RegisterToolInput!]!) {
  registerTools(inputs: $inputs) {
    ...ToolFields
  }
}
    fragment ToolFields on Tool {
  id
  toolName
  toolDescription
  toolParameters
  embeddingModel
  embeddingStatus
  embeddingSource
  usageCount
  lastUsed
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<RegisterToolsMutation, RegisterToolsMutationVariables>;
export const RecordToolUseDocument = new TypedDocumentString(`
    mutation RecordToolUse($name: String!) {
  recordToolUse(name: $name) {
    ...ToolFields
  }
}
    fragment ToolFields on Tool {
  id
  toolName
  toolDescription
  toolParameters
  embeddingModel
  embeddingStatus
  embeddingSource
  usageCount
  lastUsed
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<RecordToolUseMutation, RecordToolUseMutationVariables>;
export const DeleteToolDocument = new TypedDocumentString(`
    mutation DeleteTool($name: String!) {
  deleteTool(name: $name)
}
    `) as unknown as TypedDocumentString<DeleteToolMutation, DeleteToolMutationVariables>;