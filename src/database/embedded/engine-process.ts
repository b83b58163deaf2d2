import { chmod, rm } from 'node:fs/promises';
import type { Server } from 'node:net';
import { dirname } from 'node:path';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { FunesError } from '../../errors.ts';
import { makeFolder } from '../../make-folder.ts';
import { clusterPath, prepareCluster } from './cluster.ts';
import { FolderInUse } from './data-folder.ts';
import { Engine } from './engine.ts';
import { folderAdvice } from './folder-advice.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import type { Endpoint, EngineMessage, EngineOptions, ServerMessage } from './messages.ts';

// The program of the engine process. PGlite computes on the thread that calls it, so in the process of the server every
// statement would block the event loop.

const closeWithinMs = 10_000;
interface RunningEngine {
  lock: FolderLock;
  engine: Engine;
  listener: PGLiteSocketServer;
  endpoint: Endpoint;
}

async function start(options: EngineOptions): Promise<RunningEngine> {
  const { folder, cacheDir, serverPid } = options;
  try {
    await makeFolder(folder);
    await chmod(folder, 0o700);
    const lock = await lockFolder(folder, { serverPid, enginePid: process.pid });
    await prepareCluster(folder, cacheDir);
    return { lock, ...(await serve(folder, options.endpoint)) };
  } catch (error) {
    if (error instanceof FunesError || !(error instanceof Error && 'syscall' in error)) throw error;
    throw new FunesError(
      'UNAVAILABLE',
      `The data folder ${folder} cannot be used (${error.message}). ` +
        (await folderAdvice(folder, (error as NodeJS.ErrnoException).code)),
    );
  }
}

async function serve(folder: string, asked: Endpoint): Promise<Omit<RunningEngine, 'lock'>> {
  const engine = await openEngine(clusterPath(folder));
  const listener = await listen(engine, asked);
  const endpoint = endpointOf(listener, asked);
  send({ type: 'ready', endpoint });
  return { engine, listener, endpoint };
}

async function openEngine(cluster: string): Promise<Engine> {
  const complaints: string[] = [];
  let isOpen = false;
  const log = (text: string) => {
    if (!isOpen && /FATAL|PANIC|HINT|DETAIL/.test(text)) complaints.push(text);
    send({ type: 'log', text });
  };
  const engine = new Engine(cluster, log, (error) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`, () => process.exit(1));
  });
  try {
    await engine.waitReady;
  } catch (error) {
    throw new FunesError(
      'UNAVAILABLE',
      `The embedded database in ${cluster} cannot be opened: ${complaints.join(' ') || String(error)} ` +
        'Restore the folder from a backup, or set FUNES_DATA_DIR to a new folder.',
      { cause: error },
    );
  }
  isOpen = true;
  return engine;
}

async function listen(engine: Engine, endpoint: Endpoint): Promise<PGLiteSocketServer> {
  if ('path' in endpoint) {
    await makeFolder(dirname(endpoint.path), 0o700);
    await rm(endpoint.path, { force: true }); // left by a killed process; no other one is alive, because this one has the lock
  }
  // PGlite is one session: a second connection would read and write inside the transactions of the first. So the socket
  // takes one at a time. The listener above it hears late that a connection has closed, and leaves open what it refuses
  // meanwhile, which would keep out every later connection. So it refuses none.
  const listener = new PGLiteSocketServer({ db: engine, ...endpoint, maxConnections: 2 });
  await listener.start();
  (listener as unknown as { server: Server }).server.maxConnections = 1;
  return listener;
}

function endpointOf(listener: PGLiteSocketServer, asked: Endpoint): Endpoint {
  return 'path' in asked ? asked : { ...asked, port: Number(listener.getServerConn().split(':').pop()) };
}

function send(message: EngineMessage): void {
  if (process.connected) process.send?.(message);
}

async function close(running: Promise<RunningEngine>): Promise<never> {
  setTimeout(() => process.exit(1), closeWithinMs).unref();
  const { lock, engine, listener } = await running;
  await listener.stop();
  if (!engine.closed) await engine.close(); // writes a checkpoint, so that the next start needs no recovery
  await lock.release();
  process.exit(0);
}

async function suspend({ engine, listener }: RunningEngine): Promise<void> {
  await listener.stop();
  await engine.close();
  send({ type: 'suspended' });
}

async function resume({ lock, endpoint }: RunningEngine): Promise<RunningEngine> {
  return { lock, ...(await serve(options.folder, endpoint)) };
}

const options: EngineOptions = JSON.parse(process.argv[2] ?? '');
process.title = `funes database ${options.folder}`;
// Terminals and systemd signal the whole process group. The server drains its requests first, then sends `close`.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

function refuse(error: unknown): void {
  const { code, message } =
    error instanceof FunesError ? error : new FunesError('INTERNAL_SERVER_ERROR', String(error));
  const folderInUse = error instanceof FolderInUse;
  process.send?.({ type: 'refused', code, message, folderInUse } satisfies EngineMessage, () =>
    process.exit(1),
  );
}

let running = start(options);
running.catch(refuse);
process.on('message', (message: ServerMessage) => {
  if (message.type === 'suspend') running.then(suspend).catch(refuse);
  else if (message.type === 'resume') {
    running = running.then(resume);
    running.catch(refuse);
  } else void close(running);
});
process.on('disconnect', () => void close(running)); // the server has ended or died
if (!process.connected) void close(running); // it had died before anything here listened
