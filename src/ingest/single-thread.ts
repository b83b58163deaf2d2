import { Piscina } from 'piscina';
import { program } from '../distribution.ts';

type ThreadOptions = Pick<
  NonNullable<ConstructorParameters<typeof Piscina>[0]>,
  'workerData' | 'resourceLimits'
>;

/**
 * A pool of one thread, which starts at once and stays, because starting it takes longer than a small document does. It takes one
 * task at a time.
 * @param name the module that runs in it, as `program` takes it.
 */
export function singleThread(name: string, options: ThreadOptions): Piscina {
  const { url, execArgv } = program(name);
  return new Piscina({
    filename: url.href,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: 1,
    execArgv,
    recordTiming: false,
    ...options,
  });
}
