import { messages, PGlite, type PGliteOptions, protocol } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';

const checkpointAfterBytes = 64 * 1024 * 1024;
const walCheckEveryMs = 2000;

const [simpleQuery, sync] = ['Q', 'S'].map((type) => type.charCodeAt(0));
const startup = 0; // a startup packet begins with its length instead of a type, and the length is below 16 MB

/**
 * PGlite as the engine of a server. PGlite is one session in single-user mode. This class adds two things that clients of a
 * server expect: each connection begins with a clean session, and there are checkpoints, which limit the size of the
 * write-ahead log and the time of a recovery.
 *
 * Durability: every acknowledged write survives the death of this process, because the operating system has it. A write may not
 * survive a power failure, because PGlite runs with fsync off and its file system has no fsync.
 */
export class Engine extends PGlite {
  private walCheckedAt = 0;

  /**
   * @param cluster the folder of the cluster.
   * @param onLog called with each line of PostgreSQL's log.
   * @param onFailure called if the engine fails, not just a statement. It must end the process, because the socket server would
   *   wait for ever.
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
        // The log must not contain errors of clients, because they quote statements and values.
        ...['-c', 'log_min_messages=log', '-c', 'log_min_error_statement=panic'],
      ],
      onStderr: (line) => {
        onLog(line);
        return false; // PGlite then writes nothing to standard error
      },
    };
    super(cluster, options);
  }

  /** Handles one message of a client. The socket server calls this for one message at a time. */
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

  /** Runs a statement of this class and returns its last value. No client sees the answer. */
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
