import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ServedProcess {
  url: string;
  /** Everything the server has printed. */
  output(): string;
  stop(): Promise<void>;
}

/** The server as a person starts it, in a process and a data folder of its own, on any free port. */
export async function serve(): Promise<ServedProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'funes-browser-'));
  const server = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0', FUNES_DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const stop = async () => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGTERM');
      await once(server, 'exit');
    }
    await rm(dataDir, { recursive: true, force: true });
  };

  const url = new Promise<string>((resolve, reject) => {
    for (const stream of [server.stdout, server.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        const listening = /listening on (http:\S+)/.exec(printed)?.[1];
        if (listening !== undefined) resolve(listening);
      });
    }
    server.on('exit', (code) => reject(new Error(`The server ended with status ${code}:\n${printed}`)));
  });
  try {
    return { url: await url, output: () => printed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
