import { FunesError } from '../errors.ts';
import { runCommandLine } from './command-line.ts';
import { restoreCommand } from './commands/restore.ts';
import { serveCommand } from './commands/serve.ts';
import type { OnDatabase } from './context.ts';
import { databaseCommands } from './database-commands.ts';
import { failureOf } from './failure.ts';

/**
 * Runs the command line of this process. An error becomes one line on standard error, never a stack.
 * @param args the words after `funes`.
 * @returns the exit status.
 */
export async function main(args: readonly string[]): Promise<number> {
  let lost: NodeJS.ErrnoException | undefined;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever reads the output may stop reading, as `head` does. That is no failure of the command.
    if (error.code !== 'EPIPE') lost ??= error;
  });
  let written = Promise.resolve();
  const texts: string[] = [];
  const write = (text: string) => {
    texts.push(text);
    written = new Promise((resolve) => process.stdout.write(text, () => resolve()));
  };
  const onDatabase: OnDatabase = async (options, work, user) => {
    const { runOnDatabase } = await import('./on-database.ts'); // not loaded to print a help
    await runOnDatabase(args, options, work, write, user);
  };
  try {
    await runCommandLine(
      args,
      [serveCommand(), restoreCommand(write), ...databaseCommands.map((command) => command(onDatabase))],
      write,
    );
    await written;
    if (lost !== undefined) throw await lostOutput(lost, texts.join(''));
    return 0;
  } catch (error) {
    const { message, status } = failureOf(error);
    process.stderr.write(`funes: ${message}\n`);
    return status;
  }
}

/** The error for an output that could not be written. A key in it was seen by nobody, and must not stay valid. */
async function lostOutput({ code, message }: NodeJS.ErrnoException, output: string): Promise<FunesError> {
  const { prefixOfKey } = await import('../security/keys.ts'); // not loaded to print a help
  const prefixes = [...new Set(output.match(/\bfunes_[\w-]{43}/g))].map((key) => `${prefixOfKey(key)}…`);
  const advice =
    prefixes.length === 0
      ? 'What the command did stands.'
      : `The key ${prefixes.join(', ')} was made and cannot be shown again: find its id by "funes keys list" and revoke it.`;
  return new FunesError('UNAVAILABLE', `The output cannot be written (${code ?? message}). ${advice}`);
}
