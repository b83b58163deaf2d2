import type { Logger } from 'pino';
import { describeDatabaseUrl } from './config/database-url.ts';
import type { Config } from './config.ts';
import { databaseFolder } from './database/embedded/data-folder.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from './database/embedded/embedded-database.ts';
import { openPool, type Pool } from './database/pool.ts';
import { awaitDatabase } from './database/readiness.ts';

/** A database that answers. */
export interface OpenDatabase {
  readonly pool: Pool;
  /** Describes the database, for people. */
  readonly describe: string;
  /** The folder of the embedded database; undefined for a server's. */
  readonly folder: string | undefined;
  close(): Promise<void>;
}

/**
 * Opens the database that the settings name, and waits until it answers. Nothing is migrated.
 * @throws FolderInUse if another process uses the folder of the embedded database; FunesError that says what else is wrong and
 *   what to do.
 */
export async function openDatabase(config: Config, log: Logger): Promise<OpenDatabase> {
  const embedded: EmbeddedDatabase | undefined = config.databaseUrl
    ? undefined
    : await startEmbeddedDatabase({ dataDir: config.dataDir, logger: log });
  const pool = openPool({
    database: embedded ?? (config.databaseUrl as string),
    poolSize: config.poolSize,
    statementTimeoutMs: config.statementTimeout,
    preparedStatements: config.preparedStatements,
    logger: log,
  });
  const close = async () => {
    await pool.close();
    await embedded?.close();
  };
  try {
    const where = embedded?.describe ?? describeDatabaseUrl(config.databaseUrl as string);
    const versions = await awaitDatabase(pool, {
      where,
      withinMs: config.databaseConnectTimeout,
      logger: log,
    });
    return {
      pool,
      describe: `${where}, PostgreSQL ${versions.server}, pgvector ${versions.vector}`,
      folder: embedded && databaseFolder(config.dataDir),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
