import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The server in a process of its own, started a moment ago. */
export interface LaunchedProcess {
  readonly pid: number;
  /** Where it listens; rejects, with all it has printed, when it ends before. */
  readonly url: Promise<string>;
  /** Its exit status, or null after a signal that it did not handle. */
  readonly ended: Promise<number | null>;
  /** What it has printed so far. */
  output(): string;
  errorOutput(): string;
  signal(name: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void;
}

/** How a server is started. */
export interface Start {
  /** The program and its arguments. */
  command: readonly [string, ...string[]];
  cwd: string;
  /** Whether a signal goes to all processes that it starts: npx starts the server in one below its own, and passes no signal on. */
  group?: boolean;
}

const fromSource: Start = {
  command: [process.execPath, '--import', 'tsx', 'src/main.ts', 'serve'],
  cwd: fileURLToPath(new URL('../..', import.meta.url)),
};

/** Starts the server as a person does, with the embedded database in `dataDir`, on any free port. */
export function launch(
  dataDir: string,
  settings: Record<string, string> = {},
  { command: [program, ...args], cwd, group = false }: Start = fromSource,
): LaunchedProcess {
  const { PATH, HOME } = process.env;
  const server = spawn(program, args, {
    cwd,
    detached: group,
    // Blank rather than left out, so that a .env of whoever runs the tests does not count.
    env: {
      PATH,
      HOME,
      DATABASE_URL: '',
      FUNES_MIGRATE_URL: '',
      PORT: '0',
      FUNES_DATA_DIR: dataDir,
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errorOutput = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    errorOutput += text;
  });
  const ended = new Promise<number | null>((resolve) => {
    server.on('close', resolve); // not 'exit', after which there may be more to read
  });
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  const url = new Promise<string>((resolve, reject) => {
    server.on('error', reject);
    server.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      // The banner is written at once, and its last line tells that all of it is here.
      const listening = /listening on (http:\S+).*Ctrl\+C stops the server/s.exec(output)?.[1];
      if (listening !== undefined) resolve(listening);
    });
    ended.then((status) =>
      reject(new Error(`The server ended with status ${status}:\n${output}${errorOutput}`)),
    );
  });
  url.catch(() => {}); // who expects it to end does not ask for it
  return {
    pid: server.pid ?? 0,
    url,
    ended,
    output: () => output,
    errorOutput: () => errorOutput,
    signal: (name) => {
      if (!group) server.kill(name);
      else if (server.pid !== undefined && !hasEnded) process.kill(-server.pid, name);
    },
  };
}

export interface ServedProcess {
  url: string;
  /** Everything the server has printed. */
  output(): string;
  stop(): Promise<void>;
}

/** The same in a data folder of its own, listening, until `stop`. */
export async function serve(): Promise<ServedProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'funes-browser-'));
  const server = launch(dataDir);
  const stop = async () => {
    server.signal('SIGTERM');
    await server.ended;
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    return { url: await server.url, output: () => server.output() + server.errorOutput(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
