import type { Piscina } from 'piscina';
import { resolveModel } from '../embedding/model.ts';
import type { TokenizerOptions } from '../embedding/tokenizer.ts';
import { FunesError, quote } from '../errors.ts';
import type { TextStructure } from './chunker-outline.ts';
import type { ChunkSizes } from './chunker-packing.ts';
import type { ChunkTask, CutChunk } from './chunker-worker.ts';
import { singleThread } from './single-thread.ts';

export type { TextStructure } from './chunker-outline.ts';
export type { ChunkSpan } from './chunker-packing.ts';

/**
 * A chunk. `content` is `text.slice(startOffset, endOffset)`; offsets are in UTF-16 code units. `tableHeader` is the first row of the
 * first table that the chunk has rows of.
 */
export interface ChunkPiece extends CutChunk {
  content: string;
}

/** How a text is cut. */
export interface ChunkOptions {
  format: TextStructure;
  /** Most tokens of one chunk. Default 200. */
  chunkSize?: number | undefined;
  /** Most tokens that neighbouring chunks share. Default 40. */
  overlap?: number | undefined;
}

/** The default sizes, in tokens of the embedding model. */
export const defaultChunkSizes: ChunkSizes = { chunkSize: 200, overlap: 40 };

/** The smallest size of a chunk, because a single character of some scripts has several tokens. */
export const leastChunkSize = 8;

/**
 * Cuts texts into chunks that fit in the window of the embedding model. Works in a thread of its own, which takes one text at a time.
 */
export class Chunker {
  private readonly pool: Piscina;
  private readonly running = new Set<Promise<CutChunk[]>>();
  private closed = false;

  /**
   * @param options the two settings of the embedding model. The model's tokenizer counts the tokens.
   * @param startsAtOnce whether the thread starts now, or with the first text.
   * @throws FunesError BAD_USER_INPUT for a model setting that is neither a folder nor a hub id.
   */
  constructor(options: TokenizerOptions = {}, startsAtOnce = false) {
    resolveModel(options.model);
    this.pool = singleThread('ingest/chunker-worker', startsAtOnce, { workerData: options });
  }

  /**
   * Cuts `text` into chunks, in order. A chunk has 1 to `chunkSize` tokens, and begins at most `overlap` tokens before the
   * end of the previous one. Without the overlaps, the chunks together are exactly the text, including white space.
   *
   * A chunk ends before a heading, block, list item, sentence, line or word: the first of these that does not make the chunk
   * very short. Code blocks, tables, their lines, and words are cut only if they are longer than a chunk. A heading stays
   * with the text after it, and a chunk that begins with a heading has no overlap.
   *
   * A chunk that begins within a table is so short that it fits in the model's window behind the table's header; see `chunkText`.
   *
   * A text without tokens, such as white space, has no chunks. A character with more than `chunkSize` tokens is a chunk; only
   * tokenizers that expand ligatures have such characters.
   *
   * @throws FunesError BAD_USER_INPUT for a chunkSize below 8, or an overlap of more than half the chunkSize; UNAVAILABLE after
   *   `close`.
   */
  async chunk(text: string, options: ChunkOptions): Promise<ChunkPiece[]> {
    const sizes = checkChunkSizes(options);
    if (!/\S/.test(text)) return [];
    const spans = await this.cut({ text, format: options.format, ...sizes });
    return spans.map((span) => ({ content: text.slice(span.startOffset, span.endOffset), ...span }));
  }

  /** Ends the thread after its texts are cut. Refuses later texts. */
  async close(): Promise<void> {
    this.closed = true;
    // The pool's own close() drops tasks that wait for the thread to start.
    await Promise.allSettled(this.running);
    await this.pool.destroy();
  }

  private async cut(task: ChunkTask): Promise<CutChunk[]> {
    if (this.closed)
      throw new FunesError('UNAVAILABLE', 'The server is stopping and cuts no more documents.');
    const cutting: Promise<CutChunk[]> = this.pool.run(task);
    this.running.add(cutting);
    try {
      return await cutting;
    } finally {
      this.running.delete(cutting);
    }
  }
}

/**
 * Checks sizes and fills in the defaults: 200 and 40, but an overlap of at most a fifth of the chunkSize.
 * @throws FunesError BAD_USER_INPUT for sizes with which no text can be cut.
 */
export function checkChunkSizes(options: Omit<ChunkOptions, 'format'>): ChunkSizes {
  const chunkSize = options.chunkSize ?? defaultChunkSizes.chunkSize;
  if (!Number.isSafeInteger(chunkSize) || chunkSize < leastChunkSize) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `chunkSize is ${quote(chunkSize)}; it must be a whole number of tokens, ${leastChunkSize} or more.`,
    );
  }
  const overlap = options.overlap ?? Math.min(defaultChunkSizes.overlap, Math.floor(chunkSize / 5));
  if (!Number.isSafeInteger(overlap) || overlap < 0 || overlap > chunkSize / 2) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `overlap is ${quote(overlap)}; it must be a whole number of tokens from 0 to ${Math.floor(chunkSize / 2)}, ` +
        `half the chunkSize of ${chunkSize}.`,
    );
  }
  return { chunkSize, overlap };
}
