import { createHash } from 'node:crypto';
import stringify from 'safe-stable-stringify';
import { FunesError, quote } from '../errors.ts';
import { checkBatch, checkJson, checkLimit, checkText } from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import { type OwnEmbedding, type ParsedEmbedding, parseOwnEmbedding } from '../input/vectors.ts';
import type { Services } from '../services.ts';
import type { ChunkValues } from '../store/written-chunks.ts';
import { ownEmbeddingColumns } from '../store/written-embeddings.ts';
import { words } from './cut.ts';

/** A chunk that the client has cut, with a vector of its own or without. */
export interface OwnChunk extends OwnEmbedding {
  content: string;
  metadata?: Record<string, unknown> | null | undefined;
}

/** A chunk of the client's own whose values are checked. */
export interface ParsedChunk {
  content: string;
  metadata: Record<string, unknown>;
  own: ParsedEmbedding | undefined;
}

/**
 * Checks the chunks of an input that has no text beside them.
 * @throws FunesError BAD_USER_INPUT, LIMIT_EXCEEDED.
 */
export function parseOwnChunks(
  input: Partial<Record<'content' | 'contentBase64' | 'chunkSize' | 'overlap', unknown>>,
  chunks: readonly OwnChunk[],
): ParsedChunk[] {
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
export function hashOfChunks(chunks: readonly ParsedChunk[]): string {
  const hash = createHash('sha256');
  for (const { content, metadata, own } of chunks) {
    hash.update(`${stringify([content, metadata, own?.embeddingModel ?? null])}\n`);
    if (own) hash.update(own.embedding);
  }
  return hash.digest('hex');
}

/** Puts the chunks of a client one behind the other: their texts together are the text of the document. */
export async function placeOwnChunks(
  { chunker }: Pick<Services, 'chunker'>,
  chunks: readonly ParsedChunk[],
): Promise<ChunkValues[]> {
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
