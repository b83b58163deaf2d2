import { databaseError } from '../database/errors.ts';
import { FunesError } from '../errors.ts';

/** How a command failed: what stands after `funes: ` on standard error, and the exit status. */
export interface Failure {
  readonly message: string;
  readonly status: number;
}

/** The exit status of a command line that is wrong. Everything else that fails ends with 1. */
export const wrongUsage = 2;

/** A failure with its exit status. A command itself throws a plain `FunesError`. */
export class CommandError extends FunesError {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super('BAD_USER_INPUT', message);
  }
}

/** The failure that an error stands for. Its message is never a stack. */
export function failureOf(error: unknown): Failure {
  const status = error instanceof CommandError ? error.status : 1;
  const known = databaseError(error);
  // Input that is wrong in several ways is refused with a line for each.
  if (known?.code === 'BAD_USER_INPUT') return { message: known.message, status };
  if (known !== undefined) return { message: oneLine(known.message), status };
  const root = rootOf(error);
  // undefined_table
  if (root instanceof Error && 'code' in root && root.code === '42P01')
    return { message: 'The database has no tables of this version yet. Run "funes migrate" first.', status };
  const what = reasonOf(root);
  return {
    message: `The command failed for a reason that it does not expect (${oneLine(what)}). FUNES_LOG_LEVEL=debug shows more.`,
    status,
  };
}

/** The first cause: messages of Drizzle, which come before it, consist of SQL and parameters. */
function rootOf(error: unknown): unknown {
  let root = error;
  while (root instanceof Error && root.cause !== undefined) root = root.cause;
  return root;
}

/** What an unexpected error says, without the statement that Drizzle's message begins with. */
function reasonOf(root: unknown): string {
  if (!(root instanceof Error)) return String(root);
  if (/^Failed query:/.test(root.message)) return 'a statement failed';
  return `${root.name}: ${root.message}`;
}

/** The text in one line, without stack frames. */
function oneLine(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s+at /.test(line))
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ');
}
