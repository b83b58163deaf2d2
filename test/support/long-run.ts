import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface LongRun {
  /** The script of package.json, for the message about wrong arguments. */
  script: string;
  /** The file of the test, from the root of the repository, and a part of its name. */
  file: string;
  test: string;
  /** The names in the environment by which the test learns how many operations to send, and the seed. */
  variables: { count: string; seed: string };
}

/**
 * Runs one test with the numbers of the command line: how many operations (10,000), and the seed, which is another one each time. The
 * test prints the seed.
 */
export async function runLong({ script, file, test, variables }: LongRun): Promise<void> {
  const [count = '10000', seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2);
  if (![count, seed].every((text) => /^\d{1,10}$/.test(text))) {
    process.stderr.write(`Usage: npm run ${script} [operations] [seed], two whole numbers.\n`);
    process.exit(2);
  }
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const tests = spawn(process.execPath, [vitest, 'run', file, '-t', test], {
    stdio: 'inherit',
    env: { ...process.env, [variables.count]: count, [variables.seed]: seed },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tests.kill(signal));
  const [status] = await once(tests, 'exit');
  process.exitCode = status ?? 1;
}
