import { setTimeout as delay } from 'node:timers/promises';
import { SingleBar } from 'cli-progress';
import { type Config, loadConfig } from '../config.ts';
import { databaseFolder, FolderInUse } from '../database/embedded/data-folder.ts';
import { createLogger, type Logger, logStream } from '../log.ts';
import { type OpenDatabase, openDatabase, openOwnersDatabase } from '../open-database.ts';
import { type DatabaseWork, type OutputOptions, type ProgressBar, printer } from './context.ts';
import { runInServer } from './control-client.ts';

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
  const database =
    config.databaseUrl === undefined
      ? await openOrSend(config, log, args, write)
      : await (user === 'owner' ? openOwnersDatabase : openDatabase)(config, log);
  if (database === undefined) return;
  try {
    const bar = options.json !== true && process.stdout.isTTY === true && { showProgress };
    await work({ pool: database.pool, config, log, print: printer(options, write), ...bar });
  } catch (error) {
    log.debug({ err: error }, 'The command failed.');
    throw error;
  } finally {
    await database.close();
  }
}

/**
 * Opens the embedded database. Asks for a server first: opening the folder would wait for a process to start, and while a server
 * starts its engine again the folder is open to anybody. A folder that is in use without a server that listens belongs to one
 * that starts or stops, or to another command, so it is worth waiting.
 * @returns undefined if a server has run the command.
 */
async function openOrSend(
  config: Config,
  log: Logger,
  args: readonly string[],
  write: (text: string) => void,
): Promise<OpenDatabase | undefined> {
  const folder = databaseFolder(config.dataDir);
  for (const deadline = Date.now() + folderWaitMs; ; await delay(folderPauseMs)) {
    if (await runInServer(folder, args, write)) return undefined;
    try {
      return await openDatabase(config, log);
    } catch (error) {
      if (!(error instanceof FolderInUse) || Date.now() >= deadline) throw error;
    }
  }
}

/** Shows a progress bar on standard output, from the first update on. */
function showProgress(): ProgressBar {
  const bar = new SingleBar({
    format: '{bar} {value} of {total} rows',
    hideCursor: null, // a process that is killed would leave the terminal without its cursor
    clearOnComplete: true,
  });
  return {
    update: (done, total) => {
      if (bar.isActive) bar.setTotal(total);
      else bar.start(total, done);
      bar.update(done);
    },
    stop: () => bar.stop(),
  };
}

/** Standard error has one line, the error; unless somebody looks for a problem, or sits before a terminal and waits. */
function commandLog({ logLevel }: Config): Logger {
  const quiet = process.stderr.isTTY ? 'warn' : 'silent';
  const level = logLevel === 'debug' || logLevel === 'trace' ? logLevel : quiet;
  return createLogger({ level, stream: logStream(2) });
}
