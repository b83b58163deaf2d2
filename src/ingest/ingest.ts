import { createHash } from 'node:crypto';
import { FunesError, quote } from '../errors.ts';
import { checkJson, checkLimit, checkOptionalText, checkText } from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import type { Services } from '../services.ts';
import {
  type ChunkValues,
  createDocument,
  documentNotFound,
  readDocumentByHash,
  readDocuments,
  updateDocument,
} from '../store/documents.ts';
import { chunkText } from '../store/embedded-text.ts';
import { embedForWriting } from '../store/embeddings.ts';
import type { DocumentRow } from '../store/rows.ts';
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

/** A new document. */
export interface NewDocument extends Source, Sizes {
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
}

/**
 * Stores a document: bytes -> text -> chunks -> embeddings -> one transaction. If the user has a document with these bytes,
 * stores nothing and returns that document, even if the other fields differ.
 * @throws FunesError BAD_USER_INPUT or LIMIT_EXCEEDED that names the field. Nothing is stored then.
 */
export async function ingestDocument(
  services: Services,
  viewer: Viewer,
  input: NewDocument,
): Promise<{ document: DocumentRow; created: boolean }> {
  const userId = ownerOf(viewer, checkOptionalText(input.userId, 'input.userId', 100), 'input.userId');
  const filename = checkText(input.filename, 'input.filename', 255);
  const filePath = checkOptionalText(input.filePath, 'input.filePath', 4096) ?? null;
  const metadata = checkJson(input.metadata ?? {}, 'input.metadata');
  const sizes = parseSizes(input);
  const format = formatOf(filename, input.fileType);
  const bytes = parseBytes(input, format);
  const contentHash = sha256(bytes);
  const known = await readDocumentByHash(services.database, viewer, userId, contentHash);
  if (known) return { document: known, created: false };
  const chunks = await toChunks(services, { filename, format, bytes }, sizes);
  const values = {
    userId,
    filename,
    filePath,
    fileType: format.name,
    fileSize: bytes.length,
    contentHash,
    metadata,
  };
  return createDocument(services, viewer, values, chunks);
}

/**
 * Changes the fields of a document. New text replaces its chunks.
 * @throws FunesError NOT_FOUND; CONFLICT that names another document of the user with the new bytes; otherwise as
 *   `ingestDocument`.
 */
export async function replaceDocument(
  services: Services,
  viewer: Viewer,
  id: string,
  input: DocumentUpdate,
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
  if (input.content == null && input.contentBase64 == null) {
    if (input.fileType != null || input.chunkSize != null || input.overlap != null) {
      throw new FunesError(
        'BAD_USER_INPUT',
        'fileType, chunkSize and overlap are only for new text. Send content or contentBase64 with them, or leave them out.',
      );
    }
    return updateDocument(services, viewer, id, { values });
  }
  const sizes = parseSizes(input);
  checkSource(input);
  const [current] = await readDocuments(services.database, viewer, [id]);
  if (!current) throw documentNotFound(id);
  const filename = values.filename ?? current.filename;
  const format = formatOf(filename, input.fileType ?? (values.filename ? null : current.fileType));
  const bytes = parseBytes(input, format);
  const chunks = await toChunks(services, { filename, format, bytes }, sizes);
  return updateDocument(services, viewer, id, {
    values: { ...values, fileType: format.name, fileSize: bytes.length, contentHash: sha256(bytes) },
    chunks,
  });
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

async function toChunks(
  { extractor, chunker, embedder, generations, log }: Services,
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
  const chunks = pieces.map(({ content, tokens, overlapTokens, startOffset, endOffset, tableHeader }) => ({
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
  const embeddings = await embedForWriting(embedder, chunks.map(chunkText), log, generations);
  return chunks.map((chunk, i) => ({
    ...chunk,
    embedding: embeddings[i]?.embedding ?? null,
    embeddingModel: embeddings[i]?.embeddingModel ?? null,
    nextEmbedding: embeddings[i]?.nextEmbedding ?? null,
    nextEmbeddingModel: embeddings[i]?.nextEmbeddingModel ?? null,
  }));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
