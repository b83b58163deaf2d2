import { vectorLiteral } from '../../schema/columns/vector.ts';
import { maintenance } from '../database/maintenance.ts';
import type { Database, Transaction } from '../database/transaction.ts';
import type { Embedder, EmbeddingLog, EmbedOptions } from '../embedding/embedder.ts';
import { FunesError } from '../errors.ts';
import { type Generations, type RowEmbedder, rowEmbedderOf, type TextVectors } from '../generations.ts';
import {
  type Claimed,
  claimPending,
  type EmbeddedKind,
  embeddedKinds,
  endAllClaims,
  recordFailure,
  releaseClaims,
  storeEmbeddings,
} from './pending.ts';

/** Small, so that a request never waits long for the rows or for the database's only connection. */
const claimSize = { rows: 16, characters: 8000, leaseMs: 60_000 };
/** After so many failures of a row alone, it is FAILED. */
const mostAttempts = 5;
const firstRetryMs = 10_000;
/** How long a filler waits while nothing is to be done, and while the embedder or the database fails. */
const idleMs = 5000;
const firstPauseMs = 1000;
const longestPauseMs = 60_000;
/** Two, so that the model computes while a batch is read or stored. */
const workers = 2;
/** A text that every model can embed. If it fails, the fault is not a row's. */
const probe = 'funes';
/** Characters of a reason that is stored. */
const longestReason = 500;

/** What the filler works with. */
export interface FillerServices {
  database: Database;
  embedder: Embedder;
  /** The models of the stored embeddings. Without it, all are of the model of `embedder`. */
  generations?: Generations | undefined;
  log: EmbeddingLog;
}

/** What one step of a filler did. */
export interface Filled {
  embedded: number;
  /** Rows that the model refused, of which each was alone. */
  refused: number;
  /** Why the embedder embeds nothing at all. Undefined if it works. */
  down: unknown;
}

/**
 * One step: claims a small batch of rows of each kind that wait for their embedding, embeds them behind all requests, and stores
 * their embeddings. Any number of processes can do this at once. A batch that fails is split, so that a row that can never be
 * embedded stops no other row. While the embedder fails altogether, no row is blamed.
 * @throws as `maintenance`. Rows that were claimed are then free when their lease ends.
 */
export async function fillOnce(services: FillerServices, signal?: AbortSignal): Promise<Filled> {
  const claimed = await maintenance(services.database, { access: 'write' }, async (tx) => {
    const rows: Claimed[] = [];
    for (const kind of embeddedKinds) rows.push(...(await claimPending(tx, kind, claimSize)));
    return rows;
  });
  const filled: Filled = { embedded: 0, refused: 0, down: undefined };
  if (claimed.length > 0) await fill(services, claimed, filled, signal);
  return filled;
}

async function fill(
  services: FillerServices,
  rows: readonly Claimed[],
  filled: Filled,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { database } = services;
  const rowEmbedder = await rowEmbedderOf(services);
  const embed = (texts: readonly string[]) =>
    attempt(rowEmbedder, texts, { background: true, ...(signal && { signal }) });
  const outcome = await embed(rows.map(({ text }) => text));
  if ('vectors' in outcome) {
    const embedded = rows.map((row, i) => ({
      row,
      vectors: outcome.vectors[i] ?? { vector: undefined, next: undefined },
    }));
    await inOneTransaction(
      database,
      embedded,
      ({ row }) => row.kind,
      (tx, kind, some) => storeEmbeddings(tx, kind, rowEmbedder.models, some),
    );
    filled.embedded += rows.length;
    return;
  }
  const probed = await embed([probe]);
  if ('error' in probed) filled.down = probed.error;
  else if (rows.length === 1 && rows[0]) await refuse(services, rows[0], outcome.error, filled);
  else {
    const middle = Math.ceil(rows.length / 2);
    await fill(services, rows.slice(0, middle), filled, signal);
    if (filled.down === undefined) return fill(services, rows.slice(middle), filled, signal);
  }
  if (filled.down !== undefined) {
    await inOneTransaction(database, rows, ({ kind }) => kind, releaseClaims);
  }
}

type Outcome = { vectors: TextVectors[] } | { error: unknown };

async function attempt(
  rowEmbedder: RowEmbedder,
  texts: readonly string[],
  options: EmbedOptions,
): Promise<Outcome> {
  try {
    const vectors = await rowEmbedder.embed(texts, options);
    // Throws if the database would refuse one.
    for (const made of vectors) for (const vector of Object.values(made)) if (vector) vectorLiteral(vector);
    return { vectors };
  } catch (error) {
    return { error };
  }
}

async function refuse(
  { database, log }: FillerServices,
  row: Claimed,
  error: unknown,
  filled: Filled,
): Promise<void> {
  const attempts = row.attempts + 1;
  const retryMs = attempts < mostAttempts ? firstRetryMs * 2 ** row.attempts : undefined;
  await maintenance(database, { access: 'write' }, (tx) =>
    recordFailure(tx, row, { reason: reasonOf(error), retryMs }),
  );
  const { kind, id } = row;
  log.warn(
    { err: error, kind, id, attempts },
    retryMs === undefined
      ? 'a row cannot be embedded; it is FAILED'
      : 'a row was not embedded; it is tried again',
  );
  filled.refused += 1;
}

/** What the model said. The queue puts a message for requests around that. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, longestReason);
}

/** Runs `write` for the items of each kind. */
function inOneTransaction<T>(
  database: Database,
  items: readonly T[],
  kindOf: (item: T) => EmbeddedKind,
  write: (tx: Transaction, kind: EmbeddedKind, items: readonly T[]) => Promise<unknown>,
): Promise<void> {
  return maintenance(database, { access: 'write' }, async (tx) => {
    for (const kind of embeddedKinds) {
      const some = items.filter((item) => kindOf(item) === kind);
      if (some.length > 0) await write(tx, kind, some);
    }
  });
}

/** A filler that runs beside the requests of a server. */
export interface RunningFiller {
  /** Looks for rows now, instead of when the pause ends. */
  wake(): void;
  /** Ends the step that runs, and gives its rows back. */
  close(): Promise<void>;
}

/**
 * Starts to embed what waits for its embedding, step after step, until it is closed. All that it knows is in the rows.
 * @param alone whether no other server has this database. What a server that was killed had claimed is then free at once.
 */
export function startFiller(services: FillerServices, { alone = false } = {}): RunningFiller {
  const closing = new AbortController();
  const { signal } = closing;
  const [idle, failing] = [new Set<() => void>(), new Set<() => void>()];
  /** Whether rows came since a worker last looked. */
  let woken = false;

  function pause(ms: number, pausing: Set<() => void>): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        pausing.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms).unref();
      pausing.add(end);
    });
  }

  function wake(): void {
    woken = true;
    for (const end of [...idle]) end();
  }

  async function work(): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      woken = false;
      const { embedded, refused, down } = await fillOnce(services, signal).catch((error: unknown) => ({
        embedded: 0,
        refused: 0,
        down: error,
      }));
      if (signal.aborted) return;
      if (down === undefined) {
        if (failures > 0) services.log.info({}, 'rows that wait for their embedding are embedded again');
        failures = 0;
        if (embedded + refused === 0 && !woken) await pause(idleMs, idle);
      } else {
        if (failures === 0) services.log.warn({ err: down }, 'rows wait for their embedding; trying again');
        await pause(Math.min(firstPauseMs * 2 ** failures, longestPauseMs), failing);
        failures += 1;
      }
    }
  }

  async function start(): Promise<void> {
    if (alone) {
      await maintenance(services.database, { access: 'write' }, endAllClaims).catch((error: unknown) =>
        services.log.warn({ err: error }, 'claims of a server that was killed end only in a minute'),
      );
    }
    await Promise.all(Array.from({ length: workers }, work));
  }

  const ended = start();
  return {
    wake,
    close: () => {
      closing.abort(new FunesError('UNAVAILABLE', 'The server is shutting down.'));
      for (const end of [...idle, ...failing]) end();
      return ended;
    },
  };
}
