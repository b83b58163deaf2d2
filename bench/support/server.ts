import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FunesError } from '../../src/errors.ts';
import type { BenchDatabase } from './database.ts';

/** A server in a process of its own. */
export interface BenchServer {
  url: string;
  pid: number;
  close(): Promise<void>;
}

const root = resolve(import.meta.dirname, '../..');
const startWithinMs = 120_000;

/** What differs from `npm start`. */
export interface ServerOptions {
  /** Options for node, such as --cpu-prof. */
  nodeOptions?: string[];
  env?: Record<string, string>;
  /** The script and its arguments. */
  command?: readonly [script: string, ...parameters: string[]];
}

/**
 * Starts the server on a free port and waits until it listens. What it prints goes to a file, so that reading a line
 * for every request does not cost the benchmark's own process anything.
 * @throws FunesError UNAVAILABLE with what it printed when it does not come up.
 */
export async function startServer(
  database: BenchDatabase,
  logFolder: string,
  {
    nodeOptions = [],
    env = {},
    command: [script, ...parameters] = ['src/main.ts', 'serve'],
  }: ServerOptions = {},
): Promise<BenchServer> {
  const logFile = join(await mkdtemp(join(logFolder, 'server-')), 'server.log');
  const log = await open(logFile, 'w');
  const child = spawn(
    process.execPath,
    [...nodeOptions, '--import', 'tsx', join(root, script), ...parameters],
    {
      cwd: root,
      env: {
        ...process.env,
        // A blank one counts more than one in .env.
        DATABASE_URL: database.url ?? '',
        FUNES_DATA_DIR: database.dataDir,
        HOST: '127.0.0.1',
        PORT: '0',
        ...env,
      },
      stdio: ['ignore', log.fd, log.fd],
    },
  );
  await log.close();
  const url = await listening(child, logFile);
  return {
    url,
    pid: child.pid as number,
    close: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function listening(child: ChildProcess, logFile: string): Promise<string> {
  const giveUp = Date.now() + startWithinMs;
  for (;;) {
    const printed = await readFile(logFile, 'utf8');
    const url = /listening on (http:\S+)/.exec(printed)?.[1];
    if (url !== undefined) return url;
    if (child.exitCode !== null || Date.now() > giveUp) {
      child.kill();
      throw new FunesError('UNAVAILABLE', `The server did not start:\n${printed}`);
    }
    await delay(50);
  }
}
