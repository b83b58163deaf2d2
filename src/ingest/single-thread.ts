import { Piscina } from 'piscina';
import { program } from '../distribution.ts';

type ThreadOptions = Pick<
  NonNullable<ConstructorParameters<typeof Piscina>[0]>,
  'workerData' | 'resourceLimits'
>;

/**
 * A pool of one thread, which takes one task at a time. Once it has started it stays, because starting it takes longer than a small
 * document does.
 * @param name the module that runs in it, as `program` takes it.
 * @param startsAtOnce whether the thread starts now, or with its first task.
 */
export function singleThread(name: string, startsAtOnce: boolean, options: ThreadOptions): Piscina {
  const { url, execArgv } = program(name);
  return new Piscina({
    filename: url.href,
    minThreads: startsAtOnce ? 1 : 0,
    maxThreads: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 1,
    execArgv,
    recordTiming: false,
    ...options,
  });
}
