import { Mutex } from 'async-mutex';
import type { Piscina } from 'piscina';
import { FunesError, quote } from '../errors.ts';
import type { Extraction } from './extract/extraction.ts';
import type { ExtractResult, ExtractTask } from './extractor-worker.ts';
import type { DocumentFormat } from './formats.ts';
import { singleThread } from './single-thread.ts';

/** What the extraction of one file may take. */
export interface ExtractorLimits {
  milliseconds: number;
  /** Megabytes of JavaScript objects. */
  heapMegabytes: number;
  /** Megabytes by which the process may grow meanwhile. Buffers are not in the heap. */
  processMegabytes: number;
}

const usualLimits: ExtractorLimits = { milliseconds: 60_000, heapMegabytes: 1024, processMegabytes: 1536 };

const memoryCheckMilliseconds = 200;

/**
 * Extracts the text of files. Works in a thread of its own, which takes one file at a time. A file that takes too long or too much
 * memory ends the thread; the next file gets a new one.
 */
export class Extractor {
  private readonly pool: Piscina;
  private readonly limits: ExtractorLimits;
  private readonly turn = new Mutex();
  private closed = false;

  /** @param startsAtOnce whether the thread starts now, or with the first file. */
  constructor(limits: Partial<ExtractorLimits> = {}, startsAtOnce = false) {
    this.limits = { ...usualLimits, ...limits };
    this.pool = singleThread('ingest/extractor-worker', startsAtOnce, {
      resourceLimits: { maxOldGenerationSizeMb: this.limits.heapMegabytes },
    });
  }

  /**
   * Extracts the text of a file.
   * @param filename names the file in errors.
   * @throws FunesError BAD_USER_INPUT for bytes that do not have the format; LIMIT_EXCEEDED for a file that takes too long or too
   *   much memory, or that holds too much when it is unpacked; UNAVAILABLE after `close`.
   */
  async extract(filename: string, format: DocumentFormat, bytes: Uint8Array): Promise<Extraction> {
    if (this.closed)
      throw new FunesError('UNAVAILABLE', 'The server is stopping and reads no more documents.');
    if (bytes.length === 0) {
      throw new FunesError('BAD_USER_INPUT', `The file ${quote(filename)} is empty. Send one that has text.`);
    }
    const result = await this.turn.runExclusive(() => this.run(filename, { bytes, format: format.name }));
    if ('problem' in result)
      throw new FunesError(result.code, `The file ${quote(filename)} ${result.problem}`);
    return result;
  }

  /** Ends the thread after its file is done. Refuses later files. */
  async close(): Promise<void> {
    this.closed = true;
    await this.turn.waitForUnlock();
    await this.pool.destroy();
  }

  private async run(filename: string, task: ExtractTask): Promise<ExtractResult> {
    const { milliseconds, heapMegabytes, processMegabytes } = this.limits;
    const ending = new AbortController();
    let exceeded: string | undefined;
    const end = (limit: string) => {
      exceeded ??= limit;
      ending.abort();
    };
    const before = process.memoryUsage.rss();
    const timer = setTimeout(() => end(`${milliseconds / 1000} seconds`), milliseconds);
    const memory = setInterval(() => {
      const grown = (process.memoryUsage.rss() - before) / 2 ** 20;
      if (grown > processMegabytes) end(`${processMegabytes} MB of memory`);
    }, memoryCheckMilliseconds);
    try {
      return await this.pool.run(task, { signal: ending.signal });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY')
        exceeded ??= `${heapMegabytes} MB of memory`;
      if (!exceeded) throw error;
      throw new FunesError(
        'LIMIT_EXCEEDED',
        `The file ${quote(filename)} takes more than ${exceeded} to read. Divide it, or save it as txt or md, and send that.`,
        { cause: error },
      );
    } finally {
      clearTimeout(timer);
      clearInterval(memory);
    }
  }
}
