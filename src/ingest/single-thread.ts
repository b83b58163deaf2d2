import { Piscina } from 'piscina';
import { program } from '../distribution.ts';

/** How long a thread waits for its next task before it ends. */
const idleMilliseconds = 60_000;

type ThreadOptions = Pick<
  NonNullable<ConstructorParameters<typeof Piscina>[0]>,
  'workerData' | 'resourceLimits'
>;

/**
 * A pool of at most one thread, which starts with its first task, takes one task at a time, and ends after a minute without work.
 * @param name the module that runs in it, as `program` takes it.
 */
export function singleThread(name: string, options: ThreadOptions): Piscina {
  const { url, execArgv } = program(name);
  return new Piscina({
    filename: url.href,
    minThreads: 0,
    maxThreads: 1,
    concurrentTasksPerWorker: 1,
    idleTimeout: idleMilliseconds,
    execArgv,
    recordTiming: false,
    ...options,
  });
}
