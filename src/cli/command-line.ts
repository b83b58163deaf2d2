import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { CommanderError } from 'commander';
import { version } from '../distribution.ts';
import { quote } from '../errors.ts';
import { suggestion } from '../suggestion.ts';
import { CommandError, wrongUsage } from './failure.ts';

/**
 * Runs one command line. `--help` and `--version` print and do nothing else.
 * @param args the words after `funes`.
 * @param write takes what goes to standard output.
 * @throws CommandError that says in one line what is wrong with the words; whatever the command throws.
 */
export async function runCommandLine(
  args: readonly string[],
  commands: readonly CommandUnknownOpts[],
  write: (text: string) => void,
): Promise<void> {
  const funes = new Command('funes')
    .description('Memory and retrieval for applications that use a language model.')
    .version(version, '-V, --version', 'print the version')
    .addHelpText(
      'after',
      '\nSettings are environment variables, or lines of a file .env in the working folder; docs/settings.md lists them.' +
        '\nA command that fails prints one line on standard error. Its exit status is 2 if the command line is wrong, otherwise 1.',
    );
  for (const command of commands) funes.addCommand(command);
  prepare(funes, write);
  try {
    await funes.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError && error.exitCode === 0)) throw error;
  }
}

/** Makes a command and all below it report to `runCommandLine`, instead of to the terminal. */
function prepare(command: CommandUnknownOpts, write: (text: string) => void): void {
  command
    .helpCommand(false)
    .helpOption('-h, --help', 'print this help')
    .showSuggestionAfterError(false)
    .configureOutput({ writeOut: write, writeErr: () => {} })
    .exitOverride((error) => {
      throw error.exitCode === 0 ? error : new CommandError(refusal(command, error), wrongUsage);
    });
  for (const inner of command.commands) prepare(inner, write);
}

function refusal(command: CommandUnknownOpts, error: CommanderError): string {
  const name = fullName(command);
  const help = `"${name} --help" says what there is.`;
  const quoted = /'(.*?)'/.exec(error.message)?.[1] ?? '';
  switch (error.code) {
    case 'commander.help':
      return `Name a command: ${namesIn(command).join(', ')}. ${help}`;
    case 'commander.unknownCommand':
      return `${quote(quoted)} is not a command of ${name}.${suggestion(quoted, namesIn(command))} ${help}`;
    case 'commander.unknownOption': {
      const option = quoted.replace(/=.*/s, '');
      const known = ['--help', ...command.options.flatMap(({ long }) => long ?? [])];
      if (known.includes(option)) return `${quote(option)} takes no value. ${help}`;
      return `${quote(option)} is not an option of ${name}.${suggestion(option, known)} ${help}`;
    }
    case 'commander.excessArguments':
      return `${quote(command.args[command.registeredArguments.length])} is one word too many for ${name}. ${help}`;
    default: {
      const problem = error.message.replace(/^error: /, '').replace(/\.?$/, '');
      return `${problem.charAt(0).toUpperCase()}${problem.slice(1)}. ${help}`;
    }
  }
}

const namesIn = (command: CommandUnknownOpts): string[] => command.commands.map((inner) => inner.name());

function fullName(command: CommandUnknownOpts): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}
