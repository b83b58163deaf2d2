import { Piscina } from 'piscina';
import { resolveModel } from '../embedding/model.ts';
import type { TokenizerOptions } from '../embedding/tokenizer.ts';
import { FunesError, quote } from '../errors.ts';
import type { TextStructure } from './chunker-outline.ts';
import type { ChunkSizes, ChunkSpan } from './chunker-packing.ts';
import type { ChunkTask } from './chunker-worker.ts';

export type { TextStructure } from './chunker-outline.ts';
export type { ChunkSpan } from './chunker-packing.ts';

/** One chunk; `content` is `text.slice(startOffset, endOffset)`, offsets in UTF-16 units. */
export interface ChunkPiece extends ChunkSpan {
  content: string;
}

/** How a text is cut. */
export interface ChunkOptions {
  format: TextStructure;
  /** Most tokens of one chunk, 200 unless told. */
  chunkSize?: number | undefined;
  /** Most tokens that neighbouring chunks share, 40 unless told. */
  overlap?: number | undefined;
}

/** Default sizes in the embedding model's tokens. */
export const defaultChunkSizes: ChunkSizes = { chunkSize: 200, overlap: 40 };

/** Below this size a single character of some scripts has more tokens than a chunk may have. */
export const leastChunkSize = 8;

/** Longest time that the chunker's thread waits for the next text before it ends. */
const idleMilliseconds = 60_000;

const typescriptLoader = new URL('../typescript-worker.mjs', import.meta.url).href;

/**
 * Cuts texts into chunks that the embedding model reads whole, in a worker thread of its own. The thread starts with
 * the first text, takes one text at a time, and ends after a minute without work.
 */
export class Chunker {
  private readonly pool: Piscina;
  private readonly running = new Set<Promise<ChunkSpan[]>>();
  private closed = false;

  /**
   * Takes the embedding model's two settings, whose tokenizer counts the tokens.
   * Throws FunesError BAD_USER_INPUT for a model setting that is neither a folder nor a hub id.
   */
  constructor(options: TokenizerOptions = {}) {
    resolveModel(options.model);
    this.pool = new Piscina({
      filename: new URL('./chunker-worker.ts', import.meta.url).href,
      minThreads: 0,
      maxThreads: 1,
      concurrentTasksPerWorker: 1,
      idleTimeout: idleMilliseconds,
      execArgv: ['--import', typescriptLoader],
      workerData: options,
      recordTiming: false,
    });
  }

  /**
   * The chunks of `text` in order. Each has at least 1 and at most `chunkSize` tokens; each begins at most `overlap`
   * tokens before the end of the one before it; without these overlaps they join up to the text exactly, white space
   * included. Cuts are made at headings, blocks, list items, sentences, lines or words, the first of these that
   * leaves no scrap. Code blocks and tables are cut only when they are longer than a chunk, words likewise; a heading
   * stays with what follows it, and what begins with a heading has no overlap.
   *
   * A text without words has no chunks. One character with more than `chunkSize` tokens is a chunk all the same, which
   * takes a tokenizer that expands ligatures. Throws FunesError BAD_USER_INPUT for a chunkSize below 8 and an overlap
   * of more than half the chunkSize; UNAVAILABLE once it is closed.
   */
  async chunk(text: string, options: ChunkOptions): Promise<ChunkPiece[]> {
    const sizes = checkChunkSizes(options);
    if (!/\S/.test(text)) return [];
    const spans = await this.cut({ text, format: options.format, ...sizes });
    return spans.map((span) => ({ content: text.slice(span.startOffset, span.endOffset), ...span }));
  }

  /** Ends the thread when the texts that were given to it are done; later ones are refused. */
  async close(): Promise<void> {
    this.closed = true;
    // The pool's own close() drops tasks that wait for the thread to start.
    await Promise.allSettled(this.running);
    await this.pool.destroy();
  }

  private async cut(task: ChunkTask): Promise<ChunkSpan[]> {
    if (this.closed)
      throw new FunesError('UNAVAILABLE', 'The server is stopping and cuts no more documents.');
    const cutting: Promise<ChunkSpan[]> = this.pool.run(task);
    this.running.add(cutting);
    try {
      return await cutting;
    } finally {
      this.running.delete(cutting);
    }
  }
}

/**
 * Fills in the default sizes (200 and 40; the overlap is at most a fifth of a chunkSize given alone).
 * Throws FunesError BAD_USER_INPUT for sizes that no text can be cut with.
 */
export function checkChunkSizes(options: Omit<ChunkOptions, 'format'>): ChunkSizes {
  const chunkSize = options.chunkSize ?? defaultChunkSizes.chunkSize;
  if (!Number.isSafeInteger(chunkSize) || chunkSize < leastChunkSize) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `chunkSize is ${quote(chunkSize)}: give a whole number of tokens, ${leastChunkSize} or more.`,
    );
  }
  const overlap = options.overlap ?? Math.min(defaultChunkSizes.overlap, Math.floor(chunkSize / 5));
  if (!Number.isSafeInteger(overlap) || overlap < 0 || overlap > chunkSize / 2) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `overlap is ${quote(overlap)}: give a whole number of tokens from 0 to ${Math.floor(chunkSize / 2)}, ` +
        `half the chunkSize of ${chunkSize}.`,
    );
  }
  return { chunkSize, overlap };
}
