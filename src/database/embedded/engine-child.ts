import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { program } from '../../distribution.ts';
import { FunesError } from '../../errors.ts';
import { FolderInUse } from './data-folder.ts';
import type { Endpoint, EngineMessage, EngineOptions, ServerMessage } from './messages.ts';

/** A running engine process. */
export interface EngineChild {
  readonly pid: number | undefined;
  readonly endpoint: Endpoint;
  /** Resolves when the process has ended; describes how it ended, for the log. */
  readonly exited: Promise<string>;
  kill(): void;
  /** See `EmbeddedDatabase.exchange`. */
  exchange(change: () => Promise<void>): Promise<void>;
  /** Closes the engine with a checkpoint; kills it if that takes too long. */
  close(): Promise<void>;
}

const closeWithinMs = 15_000;
const { url, execArgv } = program('database/embedded/engine-process');

/**
 * Starts an engine process and waits until it listens.
 *
 * @throws FolderInUse if another process uses the data folder; FunesError UNAVAILABLE if the folder cannot be opened.
 */
export async function launchEngine(
  options: EngineOptions,
  log: (line: string) => void,
): Promise<EngineChild> {
  const child = fork(fileURLToPath(url), [JSON.stringify(options)], {
    execArgv,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let errorOutput = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errorOutput = (errorOutput + text).slice(-4000);
  });
  // `once(child, 'close')` would reject at an 'error', and sending to a process that has just died is an 'error'.
  const exited = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => resolve(`${signal ?? `status ${code}`} ${errorOutput}`.trim()));
  });
  child.on('message', (message: EngineMessage) => {
    if (message.type === 'log') log(message.text);
  });
  const { endpoint } = await answer(child, exited, 'ready');
  return {
    pid: child.pid,
    endpoint,
    exited,
    kill: () => void child.kill('SIGKILL'),
    exchange: async (change) => {
      await ask(child, exited, 'suspend', 'suspended');
      await change();
      await ask(child, exited, 'resume', 'ready');
    },
    close: () => close(child, exited),
  };
}

type Answer<Type extends EngineMessage['type']> = Extract<EngineMessage, { type: Type }>;

function ask<Type extends EngineMessage['type']>(
  child: ChildProcess,
  exited: Promise<string>,
  type: ServerMessage['type'],
  expected: Type,
): Promise<Answer<Type>> {
  const answered = answer(child, exited, expected);
  child.send({ type } satisfies ServerMessage, () => {}); // `answered` rejects when it is dead
  return answered;
}

async function answer<Type extends EngineMessage['type']>(
  child: ChildProcess,
  exited: Promise<string>,
  expected: Type,
): Promise<Answer<Type>> {
  const listening = new AbortController();
  const received = new Promise<Answer<Type>>((resolve, reject) => {
    const onMessage = (message: EngineMessage) => {
      if (message.type === expected) resolve(message as Answer<Type>);
      else if (message.type === 'refused') reject(refusal(message));
    };
    child.on('message', onMessage).on('error', reject);
    listening.signal.onabort = () => child.off('message', onMessage).off('error', reject);
    void exited.then((how) =>
      reject(new FunesError('UNAVAILABLE', `The embedded database ended while it started (${how}).`)),
    );
  });
  return received.finally(() => listening.abort());
}

function refusal({ code, message, folderInUse }: Answer<'refused'>): FunesError {
  return folderInUse ? new FolderInUse(message) : new FunesError(code, message);
}

async function close(child: ChildProcess, exited: Promise<string>): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), closeWithinMs);
  if (child.connected) child.send({ type: 'close' } satisfies ServerMessage, () => {}); // the process may be dead already
  await exited;
  clearTimeout(timer);
}
