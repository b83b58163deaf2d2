import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface FinishedCommand {
  /** The exit status. */
  status: number | null;
  output: string;
  errorOutput: string;
}

export interface CommandOptions {
  settings?: Record<string, string> | undefined;
  /** What node runs. Default: the source, as `npm run funes` does. */
  program?: readonly string[];
  /** The working folder. Default: the root of the repository. */
  cwd?: string;
  /** A file that standard output goes to, in place of `output`. */
  outputFile?: string;
  /** Close the reading end of standard output at once. */
  deaf?: boolean;
}

const root = resolve(import.meta.dirname, '../..');

/** A command that runs. */
export interface RunningCommand {
  readonly ended: Promise<FinishedCommand>;
  /** What it has written to standard error so far. */
  errorOutput(): string;
  signal(name: NodeJS.Signals): void;
}

/** Runs `funes` with these words in a process of its own, to its end. */
export function runFunes(args: readonly string[], options: CommandOptions = {}): Promise<FinishedCommand> {
  return startFunes(args, options).ended;
}

/** Starts `funes` with these words in a process of its own. */
export function startFunes(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const {
    settings,
    program = ['--import', 'tsx', join(root, 'src/main.ts')],
    cwd = root,
    deaf,
    outputFile,
  } = options;
  const outputTo = outputFile === undefined ? 'pipe' : openSync(outputFile, 'w');
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [...program, ...args], {
    cwd,
    // Blank rather than left out, so that a .env of whoever runs the tests does not count.
    env: { PATH, HOME, DATABASE_URL: '', FUNES_MIGRATE_URL: '', PORT: '0', ...settings },
    stdio: ['ignore', outputTo, 'pipe'],
  });
  let output = '';
  let errorOutput = '';
  if (typeof outputTo === 'number') closeSync(outputTo);
  if (deaf) child.stdout?.destroy();
  else child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errorOutput += text));
  const ended = new Promise<FinishedCommand>((done, fail) => {
    child.on('error', fail).on('close', (status) => done({ status, output, errorOutput }));
  });
  return { ended, errorOutput: () => errorOutput, signal: (name) => child.kill(name) };
}

/** Leaves out of standard error how far a command is, which only a slow machine hears of. */
export function withoutProgress({ errorOutput, ...finished }: FinishedCommand): FinishedCommand {
  return {
    ...finished,
    errorOutput: errorOutput.replace(/^\w+: [\d.]+ (of [\d.]+ )?\w+( \(\d+ %\))?\n/gm, ''),
  };
}
