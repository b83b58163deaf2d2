import { runCommandLine } from './command-line.ts';
import { serveCommand } from './commands/serve.ts';
import type { OnDatabase } from './context.ts';
import { databaseCommands } from './database-commands.ts';
import { failureOf } from './failure.ts';

const write = (text: string) => void process.stdout.write(text);

/**
 * Runs the command line of this process. An error becomes one line on standard error, never a stack.
 * @param args the words after `funes`.
 * @returns the exit status.
 */
export async function main(args: readonly string[]): Promise<number> {
  // Whoever reads the output may stop reading, as `head` does. That is no failure of the command.
  process.stdout.on('error', () => {});
  const onDatabase: OnDatabase = async (options, work, user) => {
    const { runOnDatabase } = await import('./on-database.ts'); // not loaded to print a help
    await runOnDatabase(args, options, work, write, user);
  };
  try {
    await runCommandLine(
      args,
      [serveCommand(), ...databaseCommands.map((command) => command(onDatabase))],
      write,
    );
    return 0;
  } catch (error) {
    const { message, status } = failureOf(error);
    process.stderr.write(`funes: ${message}\n`);
    return status;
  }
}
