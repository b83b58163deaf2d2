import { runCommandLine } from '../../../src/cli/command-line.ts';
import { printer } from '../../../src/cli/context.ts';
import { databaseCommands } from '../../../src/cli/database-commands.ts';
import { failureOf } from '../../../src/cli/failure.ts';
import { loadConfig } from '../../../src/config.ts';
import { withConnection } from '../../../src/database/connection.ts';
import type { Pool } from '../../../src/database/pool.ts';
import type { Examination } from '../../../src/doctor/doctor.ts';
import type { Finding, Query } from '../../../src/doctor/finding.ts';
import { createLogger } from '../../../src/log.ts';
import { HashEmbedder } from '../../../testkit/hash-embedder.ts';
import type { TestDatabase } from '../../support/database.ts';
import { sharedChunker } from '../../support/shared-chunker.ts';
import { sharedExtractor } from '../../support/shared-extractor.ts';

/** Runs `work` on a connection, outside a transaction. */
export function queryOn<T>(pool: Pool, work: (query: Query) => Promise<T>): Promise<T> {
  return withConnection(pool, (connection) =>
    work(async (text) => [...(await connection.unsafe(text))] as never),
  );
}

export interface Outcome {
  status: number;
  output: string;
  message: string;
}

/** Runs the words after `funes` on the database, as the command line does in this process. */
export async function funes({ database, pool }: TestDatabase, args: readonly string[]): Promise<Outcome> {
  const config = loadConfig({
    env: typeof database === 'string' ? { DATABASE_URL: database } : {},
    envFile: '/nowhere/.env',
  });
  const log = createLogger({ level: 'silent' });
  let output = '';
  const write = (text: string) => {
    output += text;
  };
  const commands = databaseCommands.map((command) =>
    command((options, work) =>
      work({
        pool,
        config,
        log,
        print: printer(options, write),
        workingFolder: '/',
        inputFile: undefined,
        startServices: async () => ({
          database: pool,
          embedder: new HashEmbedder(),
          extractor: sharedExtractor,
          chunker: sharedChunker,
          log,
        }),
        progress: () => {},
        note: () => {},
        data: async () => {},
      }),
    ),
  );
  try {
    await runCommandLine(args, commands, write);
    return { status: 0, output, message: '' };
  } catch (error) {
    const { status, message } = failureOf(error);
    return { status, output, message };
  }
}

/** What `funes doctor --json` finds. A database with an old pgvector always has that finding, which is left out. */
export async function findings(database: TestDatabase): Promise<Finding[]> {
  const { output, message } = await funes(database, ['doctor', '--json']);
  if (output === '') throw new Error(message);
  const examination = JSON.parse(output) as Examination;
  return examination.findings.filter(({ code }) => code !== 'PGVECTOR_OLD');
}
