import { FunesError } from '../errors.ts';
import { hashOfChunks, placeOwnChunks } from '../ingest/own-chunks.ts';
import { checkCreatedAt, checkJson, checkOptionalText, checkText, checkUserName } from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import type { Services } from '../services.ts';
import { chunkText } from '../store/embedded-text.ts';
import type { ChunkValues } from '../store/written-chunks.ts';
import { commandLineViewer } from '../viewer.ts';
import type { FormatReader } from './formats/formats.ts';
import { type DocumentRecord, type Failed, type MemoryRecord, recordOr } from './formats/records.ts';
import { type Incoming, OriginsOfContent, type Read } from './incoming.ts';

interface ForeignOptions {
  /** The user who gets all rows; otherwise each row keeps its user. */
  user: string | undefined;
  reader: FormatReader;
  chunker(): Promise<Services['chunker']>;
}

const none = { idempotencyKey: null, ownId: null, archivedAt: null };

/**
 * Reads a file of another program as rows to import. They pass the checks that a mutation makes of them.
 * @throws FunesError if the file cannot be read any further.
 */
export async function* readForeign(
  parts: AsyncIterable<Uint8Array>,
  { user, reader, chunker }: ForeignOptions,
): AsyncGenerator<Read> {
  const origins = new OriginsOfContent();
  let bytes = 0;
  let number = 0;
  async function* counted() {
    for await (const part of parts) {
      bytes += part.length;
      yield part;
    }
  }
  for await (const record of reader(counted())) {
    const line = ++number;
    if (record.kind === 'leftOut') {
      yield { kind: 'leftOut', reason: record.reason, bytes };
      continue;
    }
    const { inputPath } = record;
    const row =
      record.kind === 'memory'
        ? recordOr(inputPath, () => memoryOf(record, user, origins))
        : record.kind === 'document'
          ? await documentOf(record, user, origins, await chunker())
          : record;
    if (row.kind === 'failed')
      yield { kind: 'fault', line, inputPath, reason: row.message.replace(/\.$/, ''), bytes };
    else yield { ...row, line, inputPath, bytes };
  }
}

function memoryOf(
  record: MemoryRecord,
  user: string | undefined,
  origins: OriginsOfContent,
): Omit<Incoming, 'line'> {
  const { inputPath, content, createdAt, sessionId, source, importanceScore } = record;
  const userId = userOf(record.userId, user, inputPath);
  checkText(content, inputPath, limits.contentLength);
  checkOptionalText(source, `The source of ${inputPath}`, 50);
  checkOptionalText(sessionId, `The session of ${inputPath}`, 100);
  checkCreatedAt(createdAt === undefined ? undefined : new Date(createdAt), `The time of ${inputPath}`);
  const metadata = checkJson(record.metadata, `The metadata of ${inputPath}`);
  return {
    ...none,
    kind: 'memory',
    json: JSON.stringify({ row: { content, createdAt, sessionId, source, importanceScore, metadata } }),
    userId,
    origin: origins.next(userId, content, createdAt ?? null),
    contentHash: null,
    text: content,
    chunks: [],
  };
}

async function documentOf(
  record: DocumentRecord,
  user: string | undefined,
  origins: OriginsOfContent,
  chunker: Services['chunker'],
): Promise<Omit<Incoming, 'line'> | Failed> {
  const { inputPath, filename } = record;
  const parsed = record.chunks.map(({ content, metadata }) => ({ content, metadata, own: undefined }));
  let placed: ChunkValues[];
  try {
    placed = await placeOwnChunks({ chunker }, parsed);
  } catch (error) {
    if (!(error instanceof FunesError)) throw error;
    // The message names a field of a mutation.
    return {
      kind: 'failed',
      inputPath,
      message: `${inputPath}: ${error.message.replace('input.chunks', 'chunks')}`,
    };
  }
  return recordOr(inputPath, () => {
    const userId = userOf(undefined, user, inputPath);
    checkText(filename, `The filename of ${inputPath}`, 255);
    const metadata = checkJson(record.metadata, `The metadata of ${inputPath}`);
    const contentHash = hashOfChunks(parsed);
    const fileSize = placed.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
    const row = { filename, fileSize, contentHash, totalChunks: placed.length, metadata };
    return {
      ...none,
      kind: 'document' as const,
      json: JSON.stringify({ row }),
      userId,
      origin: origins.next(userId, `document ${contentHash}`, null),
      contentHash,
      text: undefined,
      chunks: placed.map((chunk) => ({
        line: 0,
        json: JSON.stringify({ row: chunk }),
        text: chunkText(chunk),
      })),
    };
  });
}

function userOf(named: string | undefined, user: string | undefined, inputPath: string): string {
  return (
    user ??
    (named === undefined ? commandLineViewer.userId : checkUserName(named, `The user of ${inputPath}`))
  );
}
