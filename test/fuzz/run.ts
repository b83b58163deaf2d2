import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

// `npm run test:fuzz [operations] [seed]`: the test that sends operations made from the schema, with more of them and with a
// seed that is another one each time. It prints the seed.

const [operations = '10000', seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2);
if (![operations, seed].every((text) => /^\d{1,9}\d?$/.test(text))) {
  process.stderr.write('Usage: npm run test:fuzz [operations] [seed], two whole numbers.\n');
  process.exit(2);
}
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const tests = spawn(process.execPath, [vitest, 'run', 'test/fuzz', '-t', 'do not fail the server'], {
  stdio: 'inherit',
  env: { ...process.env, FUZZ_OPERATIONS: operations, FUZZ_SEED: seed },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tests.kill(signal));
const [status] = await once(tests, 'exit');
process.exitCode = status ?? 1;
