import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Pool } from '../database/pool.ts';
import type { Services } from '../services.ts';
import type { Terminal } from './terminal.ts';

/** What a command works with: in a process of its own, or in the server that has the embedded database open. */
export interface DatabaseContext extends Terminal {
  readonly pool: Pool;
  /** The folder of the embedded database; undefined for a server's. */
  readonly folder?: string | undefined;
  /** Whether a server runs the command, beside its requests. */
  readonly besideRequests?: boolean;
  /** The settings of the process that runs the command. */
  readonly config: Config;
  readonly log: Logger;
  /** The working folder of whoever runs the command. Relative paths begin there. */
  readonly workingFolder: string;
  /** Returns what embeds and reads documents: the server's own, or one that is started for this command and ends with it. */
  startServices(): Promise<Services>;
  /** A file that has what came on standard input. Undefined unless the options asked for that. */
  readonly inputFile: string | undefined;
  /** Prints `text` for people or, with `--json`, `value` as one line of JSON, on standard output. */
  print(text: string, value: unknown): void;
}

export type DatabaseWork = (context: DatabaseContext) => Promise<void>;

/** The options that `OnDatabase` reads of a command. */
export interface OutputOptions {
  json?: true | undefined;
  /** The file that `data` goes to; otherwise standard output. */
  outputFile?: string | undefined;
  /** Whether the command reads standard input. */
  readsInput?: boolean | undefined;
}

/**
 * Runs `work` on the database that the settings name.
 * @param user `owner` for work that only the owner of the tables may do: FUNES_MIGRATE_URL counts then.
 */
export type OnDatabase = (options: OutputOptions, work: DatabaseWork, user?: 'owner') => Promise<void>;

/**
 * A command that works on the database; commands/migrate.ts is an example. It runs wherever the database is open, so it must not
 * use the terminal, the working folder or the environment of the process.
 */
export type DatabaseCommand = (onDatabase: OnDatabase) => CommandUnknownOpts;

/** The description of the option `--json`. */
export const jsonHelp = 'print one line of JSON, for programs';

/** Makes the `print` of a command. `write` takes what goes to standard output. */
export function printer({ json }: OutputOptions, write: (text: string) => void): DatabaseContext['print'] {
  return (text, value) => write(`${json === true ? JSON.stringify(value) : text}\n`);
}

/** What a server gives to all commands that it runs. */
export type ServerContext = Omit<
  DatabaseContext,
  'print' | 'besideRequests' | 'workingFolder' | 'inputFile' | keyof Terminal
>;
