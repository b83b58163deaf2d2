import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FunesError, quote } from '../errors.ts';
import type { OutputOptions } from './context.ts';
import { type ProgressState, progressDisplay } from './progress.ts';

/** Where a command's output goes, apart from what it prints. */
export interface Terminal {
  /** Shows how far the command is. */
  progress(state: ProgressState): void;
  /** Prints a line on standard error. */
  note(text: string): void;
  /** Writes a part of a result that may be large. Resolves when there is room for more. @throws OutputClosed */
  data(text: string): Promise<void>;
}

/** Nobody reads the output any more, as after `funes export | head`. That is no failure of a command. */
export class OutputClosed extends Error {}

/** The terminal of this process. */
export interface OwnTerminal extends Terminal {
  /** Makes room for what is printed. */
  hideProgress(): void;
  /** Takes the bar away, and gives the file its name if the command has succeeded. */
  end(succeeded: boolean): Promise<void>;
}

/**
 * Makes the terminal of this process.
 * @param options.outputFile where `data` goes instead of standard output. The file appears when it is complete.
 */
export function ownTerminal({ outputFile }: OutputOptions): OwnTerminal {
  const display = progressDisplay();
  const file = outputFile === undefined ? undefined : new NewFile(outputFile);
  return {
    progress: (state) => display.show(state),
    note: (text) => display.note(text),
    hideProgress: () => display.hide(),
    data: (text) => (file ? file.write(text) : writeOut(text)),
    end: async (succeeded) => {
      display.hide();
      await file?.end(succeeded);
    },
  };
}

function writeOut(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (!error) resolve();
      else if ((error as NodeJS.ErrnoException).code === 'EPIPE') reject(new OutputClosed());
      else reject(cannotWrite('The output', error));
    });
  });
}

/** A file that has its name only when it is complete, so that nobody takes half of it for the whole. */
class NewFile {
  private readonly partPath: string;
  private readonly stream;
  private failure: Error | undefined;

  constructor(private readonly path: string) {
    this.partPath = join(dirname(path), `.funes-${randomBytes(6).toString('hex')}.part`);
    this.stream = createWriteStream(this.partPath, { mode: 0o600, flags: 'wx' });
    this.stream.on('error', (error) => {
      this.failure ??= error;
    });
  }

  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.failure) return reject(this.refusal(this.failure));
      const done = (error?: Error | null) => (error ? reject(this.refusal(error)) : resolve());
      this.stream.write(text, done);
    });
  }

  async end(succeeded: boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.stream.closed || this.failure) return resolve();
      this.stream.once('close', resolve).end();
    });
    if (succeeded && this.failure === undefined) {
      await rename(this.partPath, this.path).catch((error: Error) => {
        this.failure = error;
      });
    }
    if (!succeeded || this.failure) await rm(this.partPath, { force: true });
    if (succeeded && this.failure) throw this.refusal(this.failure);
  }

  private refusal(error: Error): FunesError {
    return cannotWrite(`The file ${quote(this.path)}`, error);
  }
}

function cannotWrite(what: string, error: Error): FunesError {
  const { code } = error as NodeJS.ErrnoException;
  return new FunesError('UNAVAILABLE', `${what} cannot be written (${code ?? error.message}).`);
}

/** A copy of standard input, which another process of the same owner can read. */
export interface InputCopy {
  path: string;
  remove(): Promise<void>;
}

/** Copies standard input into a file in a folder that only its owner can enter. */
export async function copyStandardInput(): Promise<InputCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'funes-input-'));
  const path = join(folder, 'input');
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    // Not process.stdin, which would keep the process alive.
    await pipeline(
      createReadStream('', { fd: 0, autoClose: false }),
      createWriteStream(path, { mode: 0o600 }),
    );
    return { path, remove };
  } catch (error) {
    await remove();
    throw new FunesError(
      'UNAVAILABLE',
      `Standard input cannot be copied into ${quote(folder)} (${(error as NodeJS.ErrnoException).code ?? error}).`,
    );
  }
}
