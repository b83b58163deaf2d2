import { vectorLiteral } from '../../schema/columns/vector.ts';
import { installation } from '../../schema/index.ts';
import { causeWithCode, databaseError, errorCode } from '../database/errors.ts';
import { type Database, transaction } from '../database/transaction.ts';
import type { Services } from '../services.ts';
import { type EmbeddingColumns, type EmbeddingServices, embedForWriting } from '../store/embeddings.ts';
import { withinQuota } from '../store/quota.ts';
import type { Viewer } from '../viewer.ts';
import type { Incoming, Read } from './incoming.ts';
import { findKnown, insertRows, type MadeEmbedding, type Writable } from './write-rows.ts';

/** What an import works with. */
export interface ImportServices {
  database: Database;
  /** Returns what embeds texts. It is asked for the first time when a text has no vector. */
  start(): Promise<EmbeddingServices>;
  quota: Services['quota'];
  /** Rows of a transaction. Small ones let requests have their turn on the one connection of the embedded database. */
  rowsOfBatch: number;
  /** Called for each line that is not imported. */
  onFault(line: number, reason: string): void;
  /** Called with the bytes of the file that are done. */
  onProgress(bytes: number): void;
}

/** What an import did. */
export interface ImportReport {
  memories: number;
  documents: number;
  chunks: number;
  tools: number;
  /** Rows that the database had. */
  known: number;
  /** Lines that were not imported. */
  failed: number;
  /** Rows that were stored without a vector, for a server to embed. */
  pending: number;
  /** Messages of another program that were left out, because the person did not see them or they have no text. */
  leftOut: number;
}

/** Batches that are read and embedded while others are written. */
const batchesAhead = 4;
/** Characters after which a batch is full, so that few large rows make one. */
const charactersOfBatch = 1_000_000;

/** Nobody waits for the answer of a request, so what takes long is not left to a server. */
const longestEmbedMs = 10 * 60_000;

/** A batch on its way, with the vectors of its new rows. */
interface Prepared {
  rows: Writable[];
  pending: number;
  known: number;
  bytes: number;
}

/**
 * Imports rows. Reading, embedding and writing overlap; rows are written in the order of the file, because the order of their ids
 * counts for sessions. A batch is one transaction, so an import that was killed goes on where it was when it runs again: what is
 * stored is known, and neither embedded nor written.
 * @throws FunesError if the file cannot be read on, or the database or a quota refuses more. What was written by then stays.
 */
export async function importRows(
  services: ImportServices,
  viewer: Viewer,
  rows: AsyncIterable<Read>,
): Promise<ImportReport> {
  const report: ImportReport = {
    memories: 0,
    documents: 0,
    chunks: 0,
    tools: 0,
    known: 0,
    failed: 0,
    pending: 0,
    leftOut: 0,
  };
  const importer = new Importer(services, viewer, report, await readDatabaseId(services.database, viewer));
  const waiting: Promise<Prepared>[] = [];
  let isBroken = false;
  const writeOldest = async () => {
    const oldest = waiting.shift();
    isBroken = true;
    if (oldest) await importer.write(await oldest);
    isBroken = false;
  };
  try {
    for await (const batch of batches(rows, services, report)) {
      const prepared = importer.prepare(batch.rows, batch.bytes);
      prepared.catch(() => {}); // awaited when its turn comes
      waiting.push(prepared);
      if (waiting.length >= batchesAhead) await writeOldest();
    }
  } finally {
    // What was read before an error of the file is written, too.
    while (waiting.length > 0 && !isBroken) await writeOldest();
  }
  return report;
}

/** Gathers rows, and tells of faults. */
async function* batches(
  rows: AsyncIterable<Read>,
  { rowsOfBatch, onFault }: ImportServices,
  report: ImportReport,
): AsyncGenerator<{ rows: Incoming[]; bytes: number }> {
  let batch: Incoming[] = [];
  let [size, characters, bytes] = [0, 0, 0];
  let failure: unknown;
  try {
    for await (const row of rows) {
      bytes = row.bytes;
      if (row.kind === 'fault') {
        report.failed += 1;
        onFault(row.line, row.reason);
        continue;
      }
      if (row.kind === 'leftOut') {
        report.leftOut += 1;
        continue;
      }
      batch.push(row);
      size += 1 + row.chunks.length;
      characters += row.json.length + row.chunks.reduce((sum, { json }) => sum + json.length, 0);
      if (size < rowsOfBatch && characters < charactersOfBatch) continue;
      yield { rows: batch, bytes };
      batch = [];
      [size, characters] = [0, 0];
    }
  } catch (error) {
    failure = error; // what was read before it is imported first
  }
  if (batch.length > 0) yield { rows: batch, bytes };
  if (failure !== undefined) throw failure;
}

class Importer {
  constructor(
    private readonly services: ImportServices,
    private readonly viewer: Viewer,
    private readonly report: ImportReport,
    private readonly databaseId: string,
  ) {}

  /** Leaves out what is known, and embeds what has no vector. */
  async prepare(rows: readonly Incoming[], bytes: number): Promise<Prepared> {
    const ours = rows.map((row) => this.withOwnId(row));
    const known = await transaction(
      this.services.database,
      this.viewer,
      { access: 'read', single: true },
      (tx) => findKnown(tx, ours),
    );
    const fresh = ours.filter((_, n) => !known.has(n));
    const embedded = await this.embed(fresh);
    return { ...embedded, known: known.size, bytes };
  }

  /** An id of another database says nothing here. */
  private withOwnId(row: Incoming): Incoming {
    return row.ownId !== null && !row.origin.startsWith(`${this.databaseId}:`)
      ? { ...row, ownId: null }
      : row;
  }

  private async embed(rows: readonly Incoming[]): Promise<Pick<Prepared, 'rows' | 'pending'>> {
    const texts = rows.flatMap(({ text, chunks }) => [text, ...chunks.map((chunk) => chunk.text)]);
    const wanted = texts.filter((text) => text !== undefined);
    const made: (MadeEmbedding | undefined)[] =
      wanted.length === 0
        ? []
        : (
            await embedForWriting({ ...(await this.services.start()), writeWaitMs: longestEmbedMs }, wanted)
          ).map(asMade);
    let next = 0;
    const take = (text: string | undefined) => (text === undefined ? undefined : made[next++]);
    const writable = rows.map((row) => ({
      row,
      made: take(row.text),
      chunksMade: row.chunks.map(({ text }) => take(text)),
    }));
    return { rows: writable, pending: made.filter((one) => one?.vector === null).length };
  }

  async write({ rows, pending, known, bytes }: Prepared): Promise<void> {
    this.report.known += known;
    this.report.pending += pending;
    await this.insert(rows);
    this.services.onProgress(bytes);
  }

  /** Inserts rows in one transaction. If the database refuses one of them, inserts each half by itself, and so finds that one. */
  private async insert(rows: readonly Writable[]): Promise<void> {
    if (rows.length === 0) return;
    const { database, quota } = this.services;
    try {
      const owners = rows.flatMap(({ row }) => (row.kind === 'tool' ? [] : [row.userId]));
      const inserted = await transaction(database, this.viewer, { access: 'write' }, (tx) =>
        withinQuota(tx, quota, owners, () => insertRows(tx, rows)),
      );
      this.count(rows, inserted);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      const [only] = rows;
      if (only && rows.length === 1) {
        this.report.failed += 1;
        this.services.onFault(only.row.line, refusal);
        return;
      }
      const middle = Math.ceil(rows.length / 2);
      await this.insert(rows.slice(0, middle));
      await this.insert(rows.slice(middle));
    }
  }

  private count(rows: readonly Writable[], inserted: ReadonlySet<number>): void {
    const { report } = this;
    report.known += rows.length - inserted.size;
    for (const n of inserted) {
      const row = rows[n]?.row;
      if (row?.kind === 'memory') report.memories += 1;
      if (row?.kind === 'tool') report.tools += 1;
      if (row?.kind !== 'document') continue;
      report.documents += 1;
      report.chunks += row.chunks.length;
    }
  }
}

function asMade(columns: EmbeddingColumns): MadeEmbedding {
  const { embedding, embeddingModel: model, nextEmbedding, nextEmbeddingModel: nextModel } = columns;
  const literal = (vector: Float32Array | null) => (vector === null ? null : vectorLiteral(vector));
  return { vector: literal(embedding), model, next: literal(nextEmbedding), nextModel };
}

/** Says why the database refuses a row. Undefined if the row is not the reason. */
function refusalOf(error: unknown): string | undefined {
  // For instance, the words of a content need more than the megabyte that its index can hold.
  if (causeWithCode(error, '54000')) return 'a text is too long for the database to index';
  const known = databaseError(error);
  if (known?.code === 'BAD_USER_INPUT' || known?.code === 'CONFLICT') return known.message.replace(/\.$/, '');
  if (known !== undefined) return undefined;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    // Data that have no right form, or that break a constraint. The message of the database may have stored text.
    if (/^2[23]/.test(errorCode(cause) ?? '')) return `the database refuses the row (${errorCode(cause)})`;
  }
  return undefined;
}

async function readDatabaseId(database: Database, viewer: Viewer): Promise<string> {
  const [row] = await transaction(database, viewer, { access: 'read', single: true }, (tx) =>
    tx.select({ databaseId: installation.databaseId }).from(installation),
  );
  return row?.databaseId ?? '';
}
