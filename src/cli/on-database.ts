import { setTimeout as delay } from 'node:timers/promises';
import { type Config, loadConfig } from '../config.ts';
import { databaseFolder, FolderInUse } from '../database/embedded/data-folder.ts';
import { createLogger, type Logger, logStream } from '../log.ts';
import { type OpenDatabase, openDatabase, openOwnersDatabase } from '../open-database.ts';
import { type DatabaseWork, type OutputOptions, printer } from './context.ts';
import { runInServer } from './control-client.ts';
import { OwnServices } from './own-services.ts';
import { copyStandardInput, OutputClosed, ownTerminal, type Terminal } from './terminal.ts';

const folderWaitMs = 10_000;
const folderPauseMs = 200;

/**
 * Opens the database for one command; or has the command run by the server that has the embedded database open.
 * @param args the words of the command line, for that server.
 * @param write takes what goes to standard output.
 * @param user `owner` for work that only the owner of the tables may do.
 */
export async function runOnDatabase(
  args: readonly string[],
  options: OutputOptions,
  work: DatabaseWork,
  write: (text: string) => void,
  user?: 'owner',
): Promise<void> {
  const config = loadConfig();
  const log = commandLog(config);
  const input = options.readsInput ? await copyStandardInput() : undefined;
  const terminal = ownTerminal(options);
  const writeAlone = (text: string) => {
    terminal.hideProgress();
    write(text);
  };
  let succeeded = false;
  try {
    const inputFile = input?.path;
    const database =
      config.databaseUrl === undefined
        ? await openOrSend(config, log, (folder) =>
            runInServer(folder, args, writeAlone, terminal, inputFile),
          )
        : await (user === 'owner' ? openOwnersDatabase : openDatabase)(config, log);
    if (database)
      await workOn(database, work, { config, log, options, write: writeAlone, terminal, inputFile });
    succeeded = true;
  } catch (error) {
    if (!(error instanceof OutputClosed)) throw error;
  } finally {
    await input?.remove();
    await terminal.end(succeeded);
  }
}

interface Run {
  config: Config;
  log: Logger;
  options: OutputOptions;
  write: (text: string) => void;
  terminal: Terminal;
  inputFile: string | undefined;
}

async function workOn(
  database: OpenDatabase,
  work: DatabaseWork,
  { config, log, options, write, terminal, inputFile }: Run,
): Promise<void> {
  const { pool } = database;
  const services = new OwnServices(pool, config, log);
  try {
    await work({
      ...terminal,
      pool,
      folder: database.folder,
      besideRequests: false,
      config,
      log,
      workingFolder: process.cwd(),
      inputFile,
      startServices: () => services.start(),
      print: printer(options, write),
    });
  } catch (error) {
    log.debug({ err: error }, 'The command failed.');
    throw error;
  } finally {
    await services.close();
    await database.close();
  }
}

/**
 * Opens the embedded database. Asks for a server first: opening the folder would wait for a process to start, and while a server
 * starts its engine again the folder is open to anybody. A folder that is in use without a server that listens belongs to one
 * that starts or stops, or to another command, so it is worth waiting.
 * @param send has the command run by a server, if one listens.
 * @returns undefined if a server has run the command.
 */
async function openOrSend(
  config: Config,
  log: Logger,
  send: (folder: string) => Promise<boolean>,
): Promise<OpenDatabase | undefined> {
  const folder = databaseFolder(config.dataDir);
  for (const deadline = Date.now() + folderWaitMs; ; await delay(folderPauseMs)) {
    if (await send(folder)) return undefined;
    try {
      return await openDatabase(config, log);
    } catch (error) {
      if (!(error instanceof FolderInUse) || Date.now() >= deadline) throw error;
    }
  }
}

/** Standard error has one line, the error; unless somebody looks for a problem, or sits before a terminal and waits. */
function commandLog({ logLevel }: Config): Logger {
  const quiet = process.stderr.isTTY ? 'warn' : 'silent';
  const level = logLevel === 'debug' || logLevel === 'trace' ? logLevel : quiet;
  return createLogger({ level, stream: logStream(2) });
}
