import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './postgres-server.ts';

/** A PgBouncer in transaction mode before a server. */
export interface PgBouncer {
  /** The URL of the same database by way of PgBouncer. */
  readonly url: string;
  stop(): Promise<void>;
}

const program = process.env.PGBOUNCER_PATH || '/usr/sbin/pgbouncer';
/** Whether this machine has PgBouncer. */
export const hasPgBouncer = existsSync(program);

const longestStartMs = 20_000;

/**
 * Starts PgBouncer on a free port of the loopback address.
 * @param serverUrl the server, and the user that all clients become.
 * @param settings lines of its configuration beside the least that it needs.
 */
export async function startPgBouncer(
  serverUrl: string,
  settings: readonly string[] = [],
): Promise<PgBouncer> {
  const folder = await mkdtemp(join(tmpdir(), 'funes-pgbouncer-'));
  const port = await freePort();
  const server = new URL(serverUrl);
  const configuration = join(folder, 'pgbouncer.ini');
  const password = server.password && ` password=${decodeURIComponent(server.password)}`;
  const lines = [
    '[databases]',
    `* = host=${server.hostname} port=${server.port || 5432} user=${decodeURIComponent(server.username)}${password}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    // Fewer than the clients have, so that sessions are shared.
    'default_pool_size = 3',
    ...settings,
  ];
  await writeFile(configuration, `${lines.join('\n')}\n`);
  // It refuses to run as root.
  const asUser = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  await chmod(folder, 0o755);
  const bouncer = spawn(program, [...asUser, configuration], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(bouncer, 'exit').catch(() => {});
  let output = '';
  bouncer.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const stop = async () => {
    bouncer.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  for (const deadline = Date.now() + longestStartMs; !(await listens(port)); await delay(20)) {
    if (bouncer.exitCode === null && Date.now() < deadline) continue;
    await stop();
    throw new Error(`PgBouncer did not start: ${output}`);
  }
  const url = new URL(serverUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return { url: url.href, stop };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
