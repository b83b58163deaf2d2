import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** A script that starts and stops a server: `start FOLDER PORT` prints its URL, `stop FOLDER` stops it, `bin` prints the folder of its programs. */
const starter =
  process.env.POSTGRES_STARTER ||
  fileURLToPath(new URL('../../../shared/tools/real-postgres.sh', import.meta.url));

/** A server that tests run on. */
export interface Server {
  url: string;
  stop(): Promise<void>;
}

/** The server of TEST_DATABASE_URL or, without it, one that is started now. Undefined if none can be started here. */
export async function findServer(): Promise<Server | undefined> {
  const url = process.env.TEST_DATABASE_URL;
  if (url) return { url, stop: async () => {} };
  return canStartServer ? startServer() : undefined;
}

/** Whether `startServer` can start one on this machine. */
export const canStartServer = existsSync(starter);

/** The folder of pg_dump, pg_restore and the others, of the version of the server. */
export async function serverPrograms(): Promise<string> {
  return (await run(starter, ['bin'])).stdout.trim();
}

/** Starts a server that nobody else uses. */
export async function startServer(): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'funes-postgres-'));
  const { stdout } = await run(starter, ['start', folder, String(await freePort())]);
  const stop = async () => {
    await run(starter, ['stop', folder]);
    await rm(folder, { recursive: true, force: true });
  };
  return { url: stdout.trim().split('\n').at(-1) ?? '', stop };
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

/** Runs vitest in a process of its own, and returns its exit status. */
export async function runTests(args: readonly string[], env: Record<string, string>): Promise<number> {
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const tests = spawn(process.execPath, [vitest, 'run', ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tests.kill(signal));
  const [status] = await once(tests, 'exit');
  return status ?? 1;
}
