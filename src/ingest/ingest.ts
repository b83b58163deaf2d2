import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { FunesError } from '../errors.ts';
import { searchedModel } from '../generations.ts';
import {
  checkCreatedAt,
  checkJson,
  checkLimit,
  checkOptionalText,
  checkText,
  checkUserName,
} from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import { parseMergeMetadata } from '../input/merge-patch.ts';
import type { Services } from '../services.ts';
import { embedChunks, leaseOf } from '../store/chunk-embeddings.ts';
import {
  createDocument,
  type DocumentValues,
  documentNotFound,
  type FileName,
  readDocumentByHash,
  readDocuments,
  readDocumentToReplace,
  sameBytesAs,
  updateDocument,
} from '../store/documents.ts';
import { checkQuota } from '../store/quota.ts';
import type { DocumentRow } from '../store/rows.ts';
import type { ChunkValues, NewChunks } from '../store/written-chunks.ts';
import { ownerOf, type Viewer } from '../viewer.ts';
import { checkChunkSizes } from './chunker.ts';
import type { ChunkSizes } from './chunker-packing.ts';
import { cut, type File } from './cut.ts';
import { type DocumentFormat, decodeBase64, formatOf } from './formats.ts';
import {
  hashOfChunks,
  type OwnChunk,
  type ParsedChunk,
  parseOwnChunks,
  placeOwnChunks,
} from './own-chunks.ts';

/** The text of a document: exactly one of the two. */
interface Source {
  content?: string | null | undefined;
  contentBase64?: string | null | undefined;
}

interface Sizes {
  chunkSize?: number | null | undefined;
  overlap?: number | null | undefined;
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

/** What made a document of the user be replaced, instead of storing a second one. */
export const replaceBy = ['NONE', 'BY_FILE_PATH', 'BY_FILENAME'] as const;
export type ReplaceBy = (typeof replaceBy)[number];

/** What ingestDocument did: UNCHANGED if nothing was written. */
export type IngestOutcome = 'CREATED' | 'REPLACED' | 'UNCHANGED';

/** What ingestDocument did, and the document. */
export interface Ingested {
  document: DocumentRow;
  outcome: IngestOutcome;
  /** If nothing was written: the fields whose values are others in that document than in the input. */
  differs: string[];
}

/** How ingestDocument stores. */
export interface IngestOptions {
  /** Whether to wait for the embeddings; without, the chunks are PENDING. Default: true. */
  wait?: boolean;
  /** Which document of the user to replace, if there is one. Default: NONE. */
  replace?: ReplaceBy;
}

/**
 * Stores a document: bytes -> text -> chunks -> one transaction -> embeddings, which follow in short transactions. If the user
 * has a document with these bytes, stores nothing and returns that document, with the names of the fields that differ.
 * @throws FunesError BAD_USER_INPUT or LIMIT_EXCEEDED that names the field; CONFLICT if it is not certain which document to replace, or
 *   if another document has the bytes. Nothing is stored then.
 */
export async function ingestDocument(
  services: Services,
  viewer: Viewer,
  input: NewDocument,
  options: IngestOptions = {},
): Promise<Ingested> {
  return storeDocument(services, viewer, parseNewDocument(viewer, input), options);
}

/** Stores a document whose values are checked, as `ingestDocument` does. */
export async function storeDocument(
  services: Services,
  viewer: Viewer,
  parsed: ParsedDocument,
  { wait = true, replace = 'NONE' }: IngestOptions = {},
): Promise<Ingested> {
  const { userId, sent, sizes, own, file, contentHash } = parsed;
  const name = nameToReplace(parsed, replace);
  let cutting: Promise<ChunkValues[]> | undefined;
  const readChunks = () => {
    cutting ??= own ? placeOwnChunks(services, own) : cut(services, file, sizes);
    return cutting;
  };
  // Another request can create or delete the document between two steps. The next round then finds what is there.
  for (let round = 0; round < mostRounds; round++) {
    const known = await readDocumentByHash(services.database, viewer, userId, contentHash);
    const named = name && (await readDocumentToReplace(services.database, viewer, userId, name));
    const ingested = named
      ? await replaceNamed(services, viewer, parsed, { named, known, readChunks, wait })
      : known
        ? { document: known, outcome: 'UNCHANGED' as const, differs: differing(sent, known) }
        : await create(services, viewer, parsed, { name, chunks: await readChunks(), wait });
    if (ingested) return ingested;
  }
  throw new FunesError(
    'CONFLICT',
    'Other requests create and delete this document again and again. Send the request again.',
  );
}

const mostRounds = 5;

/** A new document whose values are checked. */
export interface ParsedDocument {
  userId: string;
  file: File;
  /** The chunks of the client's own, in place of the file's. */
  own?: ParsedChunk[] | undefined;
  sizes: ChunkSizes;
  contentHash: string;
  /** What the client sent. What it did not send cannot differ, and is not replaced. */
  sent: Partial<DocumentValues> & { filename: string };
}

function parseNewDocument(viewer: Viewer, input: NewDocument): ParsedDocument {
  const userId = ownerOf(
    viewer,
    input.userId == null ? input.userId : checkUserName(input.userId, 'input.userId'),
    'input.userId',
  );
  const filename = checkText(input.filename, 'input.filename', 255);
  const filePath = checkOptionalText(input.filePath, 'input.filePath', 4096);
  const metadata = input.metadata == null ? undefined : checkJson(input.metadata, 'input.metadata');
  const createdAt = checkCreatedAt(input.createdAt, 'input.createdAt');
  const sizes = parseSizes(input);
  const format = formatOf(filename, input.fileType);
  const own = input.chunks == null ? undefined : parseOwnChunks(input, input.chunks);
  const bytes = own ? Buffer.from(own.map(({ content }) => content).join('')) : parseBytes(input, format);
  const sent = {
    filename,
    ...(filePath != null && { filePath }),
    ...(input.fileType != null && { fileType: format.name }),
    ...(metadata && { metadata }),
    ...(createdAt && { createdAt }),
  };
  const contentHash = own ? hashOfChunks(own) : hashOfBytes(bytes);
  return { userId, file: { filename, format, bytes }, own, sizes, contentHash, sent };
}

function nameToReplace({ sent }: ParsedDocument, replace: ReplaceBy): FileName | undefined {
  if (replace === 'NONE') return undefined;
  if (replace === 'BY_FILENAME') return { field: 'filename', value: sent.filename };
  if (sent.filePath != null) return { field: 'filePath', value: sent.filePath };
  throw new FunesError(
    'BAD_USER_INPUT',
    'replace is BY_FILE_PATH, and input has no filePath. Send the path of the document to replace, or leave replace out.',
  );
}

/** Creates the document. Returns undefined if another request has created one with this name meanwhile. */
async function create(
  services: Services,
  viewer: Viewer,
  { userId, sent, file, contentHash }: ParsedDocument,
  { name, chunks, wait }: { name: FileName | undefined; chunks: readonly ChunkValues[]; wait: boolean },
): Promise<Ingested | undefined> {
  const values = {
    filePath: null,
    metadata: {},
    ...sent,
    userId,
    fileType: file.format.name,
    fileSize: file.bytes.length,
    contentHash,
  };
  await checkQuota(services.database, viewer, services.quota, [additionOf(values, chunks)]);
  const lease = leaseOf(services, wait);
  const written = await createDocument(services, viewer, values, chunks, {
    leaseMs: lease,
    unlessNamed: name,
  });
  if (!written) return undefined;
  const { document, created, waiting } = written;
  await embedChunks(services, viewer, waiting, wait);
  if (created) return { document, outcome: 'CREATED', differs: [] };
  return { document, outcome: 'UNCHANGED', differs: differing(sent, document) };
}

interface NamedReplacement {
  named: DocumentRow;
  /** The document that has the bytes. */
  known: DocumentRow | undefined;
  readChunks(): Promise<ChunkValues[]>;
  wait: boolean;
}

/** Replaces what the client sent of the document. Returns undefined if another request has deleted it meanwhile. */
async function replaceNamed(
  services: Services,
  viewer: Viewer,
  { sent, file, contentHash }: ParsedDocument,
  { named, known, readChunks, wait }: NamedReplacement,
): Promise<Ingested | undefined> {
  if (known && known.id !== named.id) throw sameBytesAs(known);
  // By another format, the bytes have another text.
  const isSame = known !== undefined && named.fileType === file.format.name;
  if (isSame && differing(sent, named).length === 0)
    return { document: named, outcome: 'UNCHANGED', differs: [] };
  const change = isSame
    ? { values: sent }
    : {
        values: { ...sent, fileType: file.format.name, fileSize: file.bytes.length, contentHash },
        chunks: await newChunks(services, await readChunks(), wait),
      };
  try {
    const { document, waiting } = await updateDocument(services, viewer, named.id, change);
    await embedChunks(services, viewer, waiting, wait);
    return { document, outcome: 'REPLACED', differs: [] };
  } catch (error) {
    if (error instanceof FunesError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

async function newChunks(
  services: Services,
  chunks: readonly ChunkValues[],
  wait: boolean,
): Promise<NewChunks> {
  return { chunks, model: await searchedModel(services), leaseMs: leaseOf(services, wait) };
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
    values: { ...values, fileType: format.name, fileSize: bytes.length, contentHash: hashOfBytes(bytes) },
    mergeMetadata,
    chunks: await newChunks(services, chunks, wait),
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

/** Returns the hash by which a document is known again: the SHA-256 of its bytes. */
export function hashOfBytes(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
