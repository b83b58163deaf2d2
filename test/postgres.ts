import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

// `npm run test:postgres [arguments of vitest]` runs the suite of `npm test` on a PostgreSQL server instead of the embedded
// engine. TEST_DATABASE_URL names the server. Without it, a server is started for the run, and removed after it.

const run = promisify(execFile);
const starter = fileURLToPath(new URL('../../shared/tools/real-postgres.sh', import.meta.url));

interface Server {
  url: string;
  stop(): Promise<void>;
}

async function findServer(): Promise<Server | undefined> {
  const url = process.env.TEST_DATABASE_URL;
  if (url) return { url, stop: async () => {} };
  return existsSync(starter) ? startServer() : undefined;
}

async function startServer(): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'funes-postgres-'));
  const { stdout } = await run(starter, ['start', folder, String(await freePort())]);
  const stop = async () => {
    await run(starter, ['stop', folder]);
    await rm(folder, { recursive: true, force: true });
  };
  return { url: stdout.trim().split('\n').at(-1) ?? '', stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

async function runTests(url: string): Promise<number> {
  const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
  const tests = spawn(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, TEST_DATABASE_URL: url },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tests.kill(signal));
  const [status] = await once(tests, 'exit');
  return status ?? 1;
}

const server = await findServer();
if (server === undefined) {
  process.stderr.write(`No PostgreSQL server to test on. Set TEST_DATABASE_URL to one with pgvector 0.8 or newer whose user may create
databases, for instance:
  docker compose up --detach --wait database
  TEST_DATABASE_URL=postgres://funes:funes@127.0.0.1:5432/funes npm run test:postgres
`);
  process.exitCode = 2;
} else {
  try {
    process.exitCode = await runTests(server.url);
  } finally {
    await server.stop();
  }
}
