import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertedModelFolder } from '../../src/embedding/model-cache.ts';
import { type FinishedCommand, type RunningCommand, startFunes } from '../support/command.ts';
import { openTestDatabase } from '../support/database.ts';
import { testModelCache } from '../support/real-embedder.ts';
import { type LaunchedProcess, launch } from '../support/served-process.ts';

/** A database and the settings by which the server and the commands find it, in processes that can be killed. */
export interface Installation {
  readonly engine: 'embedded' | 'postgres';
  /** A folder for files, inside the folder of the data. */
  readonly folder: string;
  /** Another model than the bundled one, for FUNES_EMBEDDING_MODEL. */
  readonly otherModel: string;
  /** Settings that the next processes have beside those of the installation. */
  settings: Record<string, string>;
  /** Starts the server, and returns before it listens. */
  start(): LaunchedProcess;
  /** Starts a command. */
  command(...args: string[]): RunningCommand;
  close(): Promise<void>;
}

/** Makes an empty database on the engine that the run is for. */
export async function install(): Promise<Installation> {
  const converted = await convertedModelFolder(testModelCache);
  const folder = await mkdtemp(join(tmpdir(), 'funes-crash-'));
  await symlink(testModelCache, join(folder, 'models'), 'junction');
  // The same weights by another name are another model.
  const otherModel = join(folder, 'another-model');
  await symlink(converted, otherModel, 'junction');
  const database = await openTestDatabase();
  const started: { signal(name: 'SIGKILL'): void; ended: Promise<number | null | FinishedCommand> }[] = [];
  const settings = () => ({
    FUNES_DATA_DIR: folder,
    // Short, because on PostgreSQL a killed server's claims on the chunks of a document end with it.
    FUNES_WRITE_WAIT: '5s',
    ...(typeof database.database === 'string' && { DATABASE_URL: database.database }),
    ...installation.settings,
  });
  const kept = <Process extends (typeof started)[number]>(process: Process) => {
    started.push(process);
    return process;
  };
  const installation: Installation = {
    engine: database.engine,
    folder,
    otherModel,
    settings: {},
    start: () => kept(launch(folder, settings())),
    command: (...args) => kept(startFunes(args, { settings: { ...settings(), FUNES_LOG_LEVEL: 'debug' } })),
    close: async () => {
      for (const { signal, ended } of started) {
        signal('SIGKILL');
        await ended;
      }
      await database.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
  return installation;
}
