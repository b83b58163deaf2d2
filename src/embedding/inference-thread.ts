import { Piscina } from 'piscina';
import type { FlatVectors, InferenceSetup, LoadedModel } from './inference-worker.ts';
import type { TokenSpan } from './tokenizer.ts';

const typescriptLoader = new URL('../typescript-worker.mjs', import.meta.url).href;

/**
 * The worker thread that holds the model, so that computing never blocks the event loop. A thread that dies is
 * replaced: the tasks it was running reject with the reason, the next ones load the model again.
 */
export class InferenceThread {
  private readonly pool: Piscina;

  /** `onCrash` hears of a thread that died. */
  constructor(setup: InferenceSetup, onCrash: (error: Error) => void) {
    this.pool = new Piscina({
      filename: new URL('./inference-worker.ts', import.meta.url).href,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 1,
      execArgv: ['--import', typescriptLoader],
      workerData: setup,
      recordTiming: false,
    });
    this.pool.on('error', onCrash);
  }

  /** Loads the model, converting it first where that is needed. Rejects with the loader's reason. */
  load(): Promise<LoadedModel> {
    return this.pool.run(undefined, { name: 'load' });
  }

  /** Cuts each text into windows that fit the model. */
  cut(texts: string[]): Promise<TokenSpan[][]> {
    return this.pool.run(texts, { name: 'cut' });
  }

  /** Computes batches of texts, each text at most one window long; one flat `texts x dimensions` array a batch. */
  infer(batches: string[][]): Promise<FlatVectors[]> {
    return this.pool.run(batches, { name: 'infer' });
  }

  /** Ends the thread; tasks that are still running reject. */
  close(): Promise<void> {
    return this.pool.destroy();
  }
}
