import { once } from 'node:events';
import { lstat, readlink, stat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { FunesError } from '../errors.ts';
import { type ControlRequest, controlAnswer, controlPath, readLines } from './control-protocol.ts';
import { CommandError } from './failure.ts';
import { OutputClosed, type Terminal } from './terminal.ts';

/**
 * Sends a command line to the server that has the database in this folder open, and writes what the command prints there.
 * @param terminal where the rest of the command's output goes.
 * @param inputFile a file with what came on standard input.
 * @returns false if no server listens: the command has not run.
 * @throws CommandError if the command failed, or if the server ended while the command ran.
 */
export async function runInServer(
  folder: string,
  args: readonly string[],
  write: (text: string) => void,
  terminal: Terminal,
  inputFile?: string,
): Promise<boolean> {
  const socket = await connectTo(folder);
  if (socket === undefined) return false;
  try {
    const request: ControlRequest = { arguments: [...args], workingFolder: process.cwd(), inputFile };
    socket.write(`${JSON.stringify(request)}\n`);
    const outcome = await readAnswer(socket, write, terminal);
    if (outcome.status !== 0) throw new CommandError(outcome.message ?? '', outcome.status);
    return true;
  } finally {
    socket.destroy();
  }
}

async function readAnswer(socket: Socket, write: (text: string) => void, terminal: Terminal) {
  try {
    for await (const line of readLines(socket)) {
      const answer = controlAnswer.parse(line);
      if ('status' in answer) return answer;
      if ('print' in answer) write(answer.print);
      else if ('data' in answer) await terminal.data(answer.data);
      else if ('note' in answer) terminal.note(answer.note);
      else terminal.progress(answer.progress);
    }
  } catch (error) {
    if (error instanceof OutputClosed || error instanceof FunesError) throw error;
    // The connection was lost in the middle of a line.
  }
  return {
    status: 1,
    message:
      'The running server ended before the command was done. Run the command again; what was done by then may stand.',
  };
}

async function connectTo(folder: string): Promise<Socket | undefined> {
  const path = await socketOf(folder);
  if (path === undefined) return undefined;
  const socket = connect(path).setEncoding('utf8');
  try {
    await once(socket, 'connect');
    return socket;
  } catch {
    return undefined; // a server that was killed left the file
  }
}

async function socketOf(folder: string): Promise<string | undefined> {
  const path = controlPath(folder);
  try {
    if (!(await lstat(path)).isSymbolicLink()) return path;
    const target = await readlink(path);
    // It is in the folder for temporary files, where anybody could have made one of this name after the server was killed.
    const [owned, place] = await Promise.all([stat(folder), lstat(dirname(target))]);
    const isPrivate = place.isDirectory() && place.uid === owned.uid && (place.mode & 0o077) === 0;
    return isPrivate ? target : undefined;
  } catch {
    return undefined; // no server, or a folder that one may not enter: opening the database says so
  }
}
