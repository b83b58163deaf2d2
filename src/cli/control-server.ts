import { once } from 'node:events';
import { chmod, rm, symlink } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { socketPath } from '../database/embedded/data-folder.ts';
import { wholeCharacters } from '../input/characters.ts';
import { runCommandLine } from './command-line.ts';
import { type OnDatabase, printer, type ServerContext } from './context.ts';
import {
  type ControlAnswer,
  type ControlRequest,
  controlName,
  controlPath,
  controlRequest,
  readLines,
} from './control-protocol.ts';
import { databaseCommands } from './database-commands.ts';
import { failureOf } from './failure.ts';
import { OutputClosed, type Terminal } from './terminal.ts';

/** Listens for commands of other processes. */
export interface ControlServer {
  /** Accepts no more commands, and waits for those that run, at most `timeoutMs`. */
  close(timeoutMs?: number): Promise<void>;
}

/**
 * Runs the database commands that other processes send, because only this process may open the folder of the embedded
 * database. Does nothing on Windows, whose sockets everybody can reach.
 * @param folder the folder of the embedded database, which this process has locked.
 */
export async function listenForCommands(folder: string, context: ServerContext): Promise<ControlServer> {
  if (process.platform === 'win32') return { close: async () => {} };
  const sockets = new Set<Socket>();
  /** The commands that run, with the sockets of their clients. */
  const running = new Map<Socket, Promise<void>>();
  const server = createServer((socket) => {
    sockets.add(socket);
    // A client may be gone before its command is done. The command runs to its end.
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    readRequest(socket.setEncoding('utf8')).then(
      (request) =>
        running.set(
          socket,
          answer(socket, request, context).finally(() => running.delete(socket)),
        ),
      () => socket.destroy(), // it hung up, or it is no client of ours
    );
  });
  const { path, remove } = socketPath(folder, controlName);
  const link = controlPath(folder);
  await rm(link, { force: true }); // left by a server that was killed: this process has the lock
  server.listen(path);
  await once(server, 'listening');
  await chmod(path, 0o600);
  if (path !== link) await symlink(path, link);
  return {
    close: async (timeoutMs = 10_000) => {
      const closed = new Promise((resolve) => server.close(resolve));
      if (path !== link) await rm(link, { force: true });
      for (const socket of sockets) if (!running.has(socket)) socket.destroy();
      const patience = new AbortController();
      await Promise.race([
        Promise.all(running.values()),
        delay(timeoutMs, undefined, { signal: patience.signal }).catch(() => {}),
      ]);
      patience.abort();
      for (const socket of sockets) socket.destroy();
      await closed;
      remove();
    },
  };
}

/** Characters in one line of the protocol; what a command prints may be longer. */
const longestPrint = 100_000;

/** Divides a text, but never between the two halves of a character: written alone, each half would become another character. */
function* partsOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = wholeCharacters(text, Math.min(start + longestPrint, text.length));
    yield text.slice(start, end);
    start = end;
  }
}

/** Runs a command, and sends what it prints and how it ends. Resolves when all of that is sent. */
async function answer(
  socket: Socket,
  { arguments: args, workingFolder, inputFile }: ControlRequest,
  context: ServerContext,
): Promise<void> {
  const send = (line: ControlAnswer) => void socket.write(`${JSON.stringify(line)}\n`);
  const write = (text: string) => {
    for (const print of partsOf(text)) send({ print });
  };
  const onDatabase: OnDatabase = (options, work) =>
    work({
      ...context,
      ...terminalOf(socket, send),
      workingFolder,
      inputFile,
      print: printer(options, write),
    });
  try {
    const commands = databaseCommands.map((command) => command(onDatabase));
    await runCommandLine(args, commands, write);
    send({ status: 0 });
  } catch (error) {
    context.log.debug({ err: error }, 'A command of another process failed.');
    send(failureOf(error));
  }
  if (socket.destroyed) return; // the client is gone
  await new Promise<void>((resolve) => socket.once('close', resolve).end(() => resolve()));
}

/** Between two states of progress that are sent. */
const progressEveryMs = 100;

/** The terminal of a client, on the other end of the socket. */
function terminalOf(socket: Socket, send: (line: ControlAnswer) => void): Terminal {
  let sentAt = 0;
  return {
    progress: (progress) => {
      const now = performance.now();
      if (now - sentAt < progressEveryMs) return;
      sentAt = now;
      send({ progress });
    },
    note: (note) => send({ note }),
    data: async (text) => {
      for (const data of partsOf(text)) {
        if (socket.destroyed) throw new OutputClosed();
        send({ data });
        if (socket.writableNeedDrain) await drained(socket);
      }
    },
  };
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

/** The command that a client sends. */
async function readRequest(socket: Socket): Promise<ControlRequest> {
  const lines = readLines(socket.iterator({ destroyOnReturn: false }));
  const { value } = await lines.next();
  await lines.return(undefined);
  socket.resume(); // otherwise nobody would see its end
  return controlRequest.parse(value);
}
