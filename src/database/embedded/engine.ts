import { messages, PGlite, type PGliteOptions, protocol } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';

const checkpointAfterBytes = 64 * 1024 * 1024;
const walCheckEveryMs = 2000;

const [simpleQuery, sync] = ['Q', 'S'].map((type) => type.charCodeAt(0));
const startup = 0; // a startup packet has no type byte; it begins with its length, below 16 MB

/**
 * PGlite as a server's engine. PGlite is one session in single-user mode; this adds the two things that a client of a
 * server counts on and that mode does not do: each connection starts with a clean session, and checkpoints happen, so
 * that the write-ahead log and the time of a recovery stay bounded.
 *
 * Durability: every acknowledged write survives the death of this process, as it has been handed to the operating
 * system. A power failure is another matter: PGlite runs with fsync off and its file system has none.
 */
export class Engine extends PGlite {
  private walCheckedAt = 0;

  /**
   * @param cluster the folder with its files.
   * @param onLog takes each line of PostgreSQL's log.
   * @param onFailure called when the engine itself has failed, not a statement; the socket server would then wait for
   *   ever, so the process must end.
   */
  constructor(
    cluster: string,
    onLog: (line: string) => void,
    private readonly onFailure: (error: unknown) => void,
  ) {
    const options: PGliteOptions = {
      extensions: { vector },
      relaxedDurability: false,
      startParams: [
        ...PGlite.defaultStartParams,
        // The log must not have a client's errors in it, as they quote its statements and values.
        ...['-c', 'log_min_messages=log', '-c', 'log_min_error_statement=panic'],
      ],
      onStderr: (line) => {
        onLog(line);
        return false; // nothing on our own standard error
      },
    };
    super(cluster, options);
  }

  /** One message of a client. The socket server calls this for each, one at a time, and never between two others. */
  override async execProtocolRawStream(
    message: Uint8Array,
    options: Parameters<PGlite['execProtocolRawStream']>[1],
  ): Promise<void> {
    try {
      if (message[0] === startup) await this.discardSession();
      await super.execProtocolRawStream(message, options);
      const statementEnded = message[0] === sync || message[0] === simpleQuery;
      if (statementEnded && !this.isInTransaction()) await this.checkpointWhenDue();
    } catch (error) {
      this.onFailure(error);
      throw error;
    }
  }

  private async discardSession(): Promise<void> {
    await this.command('ROLLBACK');
    await this.command('DISCARD ALL');
  }

  private async checkpointWhenDue(): Promise<void> {
    if (Date.now() - this.walCheckedAt < walCheckEveryMs) return;
    this.walCheckedAt = Date.now();
    const written = await this.command(
      'SELECT pg_current_wal_insert_lsn() - redo_lsn FROM pg_control_checkpoint()',
    );
    if (Number(written) >= checkpointAfterBytes) await this.command('CHECKPOINT');
  }

  /** Runs a statement of our own and gives its last value. Its answer is collected here, so no client sees it. */
  private async command(statement: string): Promise<string | undefined> {
    const parser = new protocol.Parser();
    let value: string | undefined;
    await super.execProtocolRawStream(protocol.serialize.query(statement), {
      onRawData: (bytes) =>
        parser.parse(bytes.slice(), (part) => {
          if (part instanceof messages.DataRowMessage) value = part.fields.at(-1) ?? undefined;
        }),
    });
    return value;
  }
}
