import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import stringify from 'safe-stable-stringify';
import { FunesError, quote } from '../errors.ts';
import {
  checkBatch,
  checkCreatedAt,
  checkJson,
  checkLimit,
  checkOptionalText,
  checkText,
  checkUserName,
} from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import { parseMergeMetadata } from '../input/merge-patch.ts';
import { type OwnEmbedding, type ParsedEmbedding, parseOwnEmbedding } from '../input/vectors.ts';
import type { Services } from '../services.ts';
import { embedChunks, leaseOf } from '../store/chunk-embeddings.ts';
import {
  createDocument,
  documentNotFound,
  readDocumentByHash,
  readDocuments,
  updateDocument,
} from '../store/documents.ts';
import { checkQuota } from '../store/quota.ts';
import type { DocumentRow } from '../store/rows.ts';
import type { ChunkValues } from '../store/written-chunks.ts';
import { ownEmbeddingColumns } from '../store/written-embeddings.ts';
import { ownerOf, type Viewer } from '../viewer.ts';
import { chunkMetadata } from './chunk-metadata.ts';
import { checkChunkSizes } from './chunker.ts';
import { type DocumentFormat, decodeBase64, formatOf } from './formats.ts';

/** The text of a document: exactly one of the two. */
interface Source {
  content?: string | null | undefined;
  contentBase64?: string | null | undefined;
}

interface Sizes {
  chunkSize?: number | null | undefined;
  overlap?: number | null | undefined;
}

/** A chunk that the client has cut, with a vector of its own or without. */
export interface OwnChunk extends OwnEmbedding {
  content: string;
  metadata?: Record<string, unknown> | null | undefined;
}

/** A new document: its text, its bytes, or its chunks. */
export interface NewDocument extends Source, Sizes {
  chunks?: readonly OwnChunk[] | null | undefined;
  createdAt?: Date | null | undefined;
  filename: string;
  filePath?: string | null | undefined;
  fileType?: string | null | undefined;
  userId?: string | null | undefined;
  metadata?: Record<string, unknown> | null | undefined;
}

/** Changes of a document. A field that is left out stays as it is. */
export interface DocumentUpdate extends Source, Sizes {
  filename?: string | null | undefined;
  filePath?: string | null | undefined;
  fileType?: string | null | undefined;
  metadata?: Record<string, unknown> | null | undefined;
  /** A JSON Merge Patch (RFC 7396) of the metadata. */
  mergeMetadata?: Record<string, unknown> | null | undefined;
}

/** What ingestDocument did. */
export interface Ingested {
  document: DocumentRow;
  /** False if the user had a document with these bytes. */
  created: boolean;
  /** The fields whose values are others in that document than in the input. */
  differs: string[];
}

/**
 * Stores a document: bytes -> text -> chunks -> one transaction -> embeddings, which follow in short transactions. If the user
 * has a document with these bytes, stores nothing and returns that document, with the names of the fields that differ.
 * @param wait whether to wait for the embeddings; without, the chunks are PENDING.
 * @throws FunesError BAD_USER_INPUT or LIMIT_EXCEEDED that names the field. Nothing is stored then.
 */
export async function ingestDocument(
  services: Services,
  viewer: Viewer,
  input: NewDocument,
  wait = true,
): Promise<Ingested> {
  const userId = ownerOf(
    viewer,
    input.userId == null ? input.userId : checkUserName(input.userId, 'input.userId'),
    'input.userId',
  );
  const filename = checkText(input.filename, 'input.filename', 255);
  const filePath = checkOptionalText(input.filePath, 'input.filePath', 4096) ?? null;
  const metadata = checkJson(input.metadata ?? {}, 'input.metadata');
  const createdAt = checkCreatedAt(input.createdAt, 'input.createdAt');
  const sizes = parseSizes(input);
  const format = formatOf(filename, input.fileType);
  const own = input.chunks == null ? undefined : parseOwnChunks(input, input.chunks);
  const bytes = own ? Buffer.from(own.map(({ content }) => content).join('')) : parseBytes(input, format);
  const contentHash = own ? hashOfChunks(own) : sha256(bytes);
  const fields = { filename, filePath, fileType: format.name, metadata };
  // What the client did not send cannot differ.
  const sent = {
    filename,
    ...(input.filePath != null && { filePath }),
    ...(input.fileType != null && { fileType: format.name }),
    ...(input.metadata != null && { metadata }),
    ...(createdAt && { createdAt }),
  };
  const known = await readDocumentByHash(services.database, viewer, userId, contentHash);
  if (known) return { document: known, created: false, differs: differing(sent, known) };
  const chunks = own
    ? await placeOwnChunks(services, own)
    : await cut(services, { filename, format, bytes }, sizes);
  await checkQuota(services.database, viewer, services.quota, [additionOf({ userId, ...fields }, chunks)]);
  const values = { userId, ...fields, fileSize: bytes.length, contentHash, ...(createdAt && { createdAt }) };
  const lease = leaseOf(services, wait);
  const { document, created, waiting } = await createDocument(services, viewer, values, chunks, lease);
  await embedChunks(services, viewer, waiting, wait);
  return { document, created, differs: created ? [] : differing(sent, document) };
}

function differing(sent: Partial<DocumentRow>, stored: DocumentRow): string[] {
  const names = Object.keys(sent) as (keyof DocumentRow)[];
  return names.filter((name) => !isDeepStrictEqual(sent[name], stored[name]));
}

function additionOf(
  {
    userId,
    filename,
    filePath,
    metadata,
  }: Pick<DocumentRow, 'userId' | 'filename' | 'filePath' | 'metadata'>,
  chunks: readonly ChunkValues[],
) {
  const texts = [filename, filePath ?? '', JSON.stringify(metadata)];
  for (const chunk of chunks) texts.push(chunk.content, JSON.stringify(chunk.metadata));
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return { userId, rows: 1 + chunks.length, bytes };
}

interface ParsedChunk {
  content: string;
  metadata: Record<string, unknown>;
  own: ParsedEmbedding | undefined;
}

function parseOwnChunks(input: NewDocument, chunks: readonly OwnChunk[]): ParsedChunk[] {
  for (const field of ['content', 'contentBase64', 'chunkSize', 'overlap'] as const) {
    if (input[field] != null) {
      throw new FunesError(
        'BAD_USER_INPUT',
        `input.chunks and input.${field} are both sent. Chunks are stored as they are: leave ${field} out.`,
      );
    }
  }
  if (chunks.length === 0)
    throw new FunesError('BAD_USER_INPUT', 'input.chunks is empty: send at least one chunk.');
  checkBatch(chunks, 'input.chunks');
  const parsed = chunks.map((chunk, i) => {
    const inputPath = `input.chunks[${i}]`;
    return {
      content: checkText(chunk.content, `${inputPath}.content`, limits.contentLength),
      metadata: checkJson(chunk.metadata ?? {}, `${inputPath}.metadata`),
      own: parseOwnEmbedding(chunk, inputPath),
    };
  });
  const length = parsed.reduce((sum, { content }) => sum + content.length, 0);
  checkLimit(length, 'The number of characters in input.chunks', 1, limits.documentLength);
  return parsed;
}

/** Returns a hash of all that the client sent of the chunks: other vectors make another document. */
function hashOfChunks(chunks: readonly ParsedChunk[]): string {
  const hash = createHash('sha256');
  for (const { content, metadata, own } of chunks) {
    hash.update(`${stringify([content, metadata, own?.embeddingModel ?? null])}\n`);
    if (own) hash.update(own.embedding);
  }
  return hash.digest('hex');
}

/**
 * Changes the fields of a document. New text replaces its chunks.
 * @param wait whether to wait for the embeddings of new chunks; without, they are PENDING.
 * @throws FunesError NOT_FOUND; CONFLICT that names another document of the user with the new bytes; otherwise as
 *   `ingestDocument`.
 */
export async function replaceDocument(
  services: Services,
  viewer: Viewer,
  id: string,
  input: DocumentUpdate,
  wait = true,
): Promise<DocumentRow> {
  for (const [field, value] of Object.entries({ filename: input.filename, metadata: input.metadata })) {
    if (value === null) {
      throw new FunesError(
        'BAD_USER_INPUT',
        `input.${field} must not be null, because every document has a value for it. Leave it out to keep the value.`,
      );
    }
  }
  const values = {
    ...(input.filename != null && { filename: checkText(input.filename, 'input.filename', 255) }),
    ...(input.filePath !== undefined && {
      filePath: checkOptionalText(input.filePath, 'input.filePath', 4096),
    }),
    ...(input.metadata != null && { metadata: checkJson(input.metadata, 'input.metadata') }),
  };
  const mergeMetadata = parseMergeMetadata(input);
  if (input.content == null && input.contentBase64 == null) {
    if (input.fileType != null || input.chunkSize != null || input.overlap != null) {
      throw new FunesError(
        'BAD_USER_INPUT',
        'fileType, chunkSize and overlap are only for new text. Send content or contentBase64 with them, or leave them out.',
      );
    }
    return (await updateDocument(services, viewer, id, { values, mergeMetadata })).document;
  }
  const sizes = parseSizes(input);
  checkSource(input);
  const [current] = await readDocuments(services.database, viewer, [id]);
  if (!current) throw documentNotFound(id);
  const filename = values.filename ?? current.filename;
  const format = formatOf(filename, input.fileType ?? (values.filename ? null : current.fileType));
  const bytes = parseBytes(input, format);
  const chunks = await cut(services, { filename, format, bytes }, sizes);
  const change = {
    values: { ...values, fileType: format.name, fileSize: bytes.length, contentHash: sha256(bytes) },
    mergeMetadata,
    chunks: { chunks, model: services.embedder.model, leaseMs: leaseOf(services, wait) },
  };
  const { document, waiting } = await updateDocument(services, viewer, id, change);
  await embedChunks(services, viewer, waiting, wait);
  return document;
}

function parseSizes({ chunkSize, overlap }: Sizes) {
  const sizes = checkChunkSizes({
    ...(chunkSize != null && { chunkSize }),
    ...(overlap != null && { overlap }),
  });
  checkLimit(sizes.chunkSize, 'input.chunkSize', 1, limits.chunkSize);
  return sizes;
}

function checkSource({ content, contentBase64 }: Source): void {
  if ((content == null) === (contentBase64 == null)) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'A document comes as content (text) or as contentBase64 (bytes). Send exactly one of them.',
    );
  }
}

function parseBytes(source: Source, { name, isText }: DocumentFormat): Uint8Array {
  checkSource(source);
  const { content, contentBase64 } = source;
  if (content != null) {
    if (!isText) {
      throw new FunesError(
        'BAD_USER_INPUT',
        `A ${name} file is not text. Send its bytes as contentBase64, or set fileType to the format of the content.`,
      );
    }
    return Buffer.from(checkText(content, 'input.content', limits.documentLength));
  }
  return decodeBase64(contentBase64 ?? '', 'input.contentBase64');
}

/** The characters of words that a search can find. Pictographs are words in chats. */
const words = /[\p{L}\p{N}\p{Extended_Pictographic}]/u;

async function cut(
  { extractor, chunker }: Services,
  { filename, format, bytes }: { filename: string; format: DocumentFormat; bytes: Uint8Array },
  sizes: ReturnType<typeof checkChunkSizes>,
): Promise<ChunkValues[]> {
  const extraction = await extractor.extract(filename, format, bytes);
  const text = checkText(extraction.text, `The text of the file ${quote(filename)}`, limits.documentLength);
  if (!words.test(text)) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `No search could find this document, because its text has no letter, number or pictograph: ${quote(text)}. ` +
        'Send a document that has words.',
    );
  }
  const pieces = await chunker.chunk(text, { format: extraction.structure, ...sizes });
  if (pieces.length === 0) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `No search could find this document, because its text has no token of the embedding model: ${quote(text)}.`,
    );
  }
  return pieces.map(({ content, tokens, overlapTokens, startOffset, endOffset, tableHeader }) => ({
    content,
    chunkSize: tokens,
    overlapSize: overlapTokens,
    startOffset,
    endOffset,
    metadata: {
      ...chunkMetadata(text, { startOffset, endOffset }, extraction.parts),
      ...(tableHeader !== undefined && { tableHeader }),
    },
  }));
}

/** Puts the chunks of a client one behind the other: their texts together are the text of the document. */
async function placeOwnChunks({ chunker }: Services, chunks: readonly ParsedChunk[]): Promise<ChunkValues[]> {
  const placed: ChunkValues[] = [];
  let startOffset = 0;
  for (const [i, { content, metadata, own }] of chunks.entries()) {
    // The tokens of neighbouring words add up to those of their text, so it does not matter where the text is cut.
    const parts = await chunker.chunk(content, { format: 'text', chunkSize: limits.chunkSize, overlap: 0 });
    const chunkSize = parts.reduce((sum, { tokens }) => sum + tokens, 0);
    if (chunkSize === 0 || !words.test(content)) {
      throw new FunesError(
        'BAD_USER_INPUT',
        `No search could find input.chunks[${i}], because its content has no letter, number or pictograph that the embedding ` +
          `model knows: ${quote(content)}. Leave the chunk out.`,
      );
    }
    const endOffset = startOffset + content.length;
    placed.push({
      content,
      chunkSize,
      overlapSize: 0,
      startOffset,
      endOffset,
      metadata,
      ...(own && ownEmbeddingColumns(own)),
    });
    startOffset = endOffset;
  }
  return placed;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
