import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface LongRun {
  /** The script of package.json, for the message about wrong arguments. */
  script: string;
  /** The file of the test, from the root of the repository, and a part of its name. Default: all tests of the file. */
  file: string;
  test?: string;
  /** The names in the environment by which the test learns how many operations to send, and the seed. */
  variables: { count: string; seed?: string };
  /** What is counted, for that message, and how many without an argument. Default: 10,000 operations. */
  counted?: { name: string; standard: number };
}

/**
 * Runs tests with the numbers of the command line: how many operations, and the seed if there is one, which is another one each time.
 * The test prints the seed.
 */
export async function runLong({
  script,
  file,
  test,
  variables,
  counted: { name, standard } = { name: 'operations', standard: 10_000 },
}: LongRun): Promise<void> {
  const [count = String(standard), seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2);
  if (![count, seed].every((text) => /^\d{1,10}$/.test(text))) {
    process.stderr.write(
      `Usage: npm run ${script} [${name}]${variables.seed ? ' [seed]' : ''}, whole numbers.\n`,
    );
    process.exit(2);
  }
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const tests = spawn(process.execPath, [vitest, 'run', file, ...(test === undefined ? [] : ['-t', test])], {
    stdio: 'inherit',
    env: { ...process.env, [variables.count]: count, ...(variables.seed && { [variables.seed]: seed }) },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tests.kill(signal));
  const [status] = await once(tests, 'exit');
  process.exitCode = status ?? 1;
}
