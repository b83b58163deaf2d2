import { Piscina } from 'piscina';
import { program } from '../distribution.ts';
import type { FlatVectors, InferenceSetup, LoadedModel } from './inference-worker.ts';
import type { TokenSpan } from './tokenizer.ts';

const { url, execArgv } = program('embedding/inference-worker');

/**
 * The worker thread that has the model, so that computing never blocks the event loop. If the thread dies, its tasks reject
 * with the reason, and the next task starts a new thread, which loads the model again.
 */
export class InferenceThread {
  private readonly pool: Piscina;

  /** @param onCrash called if the thread dies. */
  constructor(setup: InferenceSetup, onCrash: (error: Error) => void) {
    this.pool = new Piscina({
      filename: url.href,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 1,
      execArgv,
      workerData: setup,
      recordTiming: false,
    });
    this.pool.on('error', onCrash);
  }

  /** Loads the model; converts it first if that is necessary. Rejects with the reason if the model cannot be loaded. */
  load(): Promise<LoadedModel> {
    return this.pool.run(undefined, { name: 'load' });
  }

  /** Cuts each text into windows that fit the model. */
  cut(texts: string[]): Promise<TokenSpan[][]> {
    return this.pool.run(texts, { name: 'cut' });
  }

  /** Computes the vectors of each batch: one flat array of `texts x dimensions` a batch. A text must fit in a window. */
  infer(batches: string[][]): Promise<FlatVectors[]> {
    return this.pool.run(batches, { name: 'infer' });
  }

  /** Ends the thread. Running tasks reject. */
  close(): Promise<void> {
    return this.pool.destroy();
  }
}
