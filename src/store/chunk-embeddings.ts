import { type Transaction, transaction } from '../database/transaction.ts';
import { rowEmbedderOf, type TextVectors } from '../generations.ts';
import type { Services } from '../services.ts';
import type { Viewer } from '../viewer.ts';
import { type EmbeddingServices, warnOfPending, writeWaitOf } from './embeddings.ts';
import { type Claimed, claimChunks, releaseClaims, storeEmbeddings } from './pending.ts';
import type { DocumentRow } from './rows.ts';

/** Embeddings that one transaction stores. Each of them costs a search of the vector index, and other requests wait meanwhile. */
const vectorsPerTransaction = 16;

/** For what follows the wait: the last embeddings are stored, and the rest is given back. */
const leaseGraceMs = 10_000;

/** How long a request may take to embed the chunks that it writes. Undefined if it does not wait. */
export function leaseOf(services: EmbeddingServices, wait: boolean): number | undefined {
  return wait ? writeWaitOf(services) + leaseGraceMs : undefined;
}

/**
 * Embeds the new chunks of a document, whose transaction is committed, and stores their embeddings in short transactions. So a
 * long document holds no transaction open. What is not embedded when the time is over is PENDING, and the filler embeds it. If the
 * process is killed, the filler finishes when the claims end. Never throws, because the document is stored.
 * @returns how many chunks are left without an embedding.
 * @param claimed what the request has claimed; empty if it does not wait.
 */
export async function embedChunks(
  services: Pick<Services, 'database'> & EmbeddingServices,
  viewer: Viewer,
  claimed: readonly Claimed[],
  wait: boolean,
): Promise<number> {
  const { database, filler, log, embedsInBackground: background = false } = services;
  const waiting = new Set(claimed);
  const ready: { row: Claimed; vectors: TextVectors }[] = [];
  const write = <T>(work: (tx: Transaction) => Promise<T>) =>
    transaction(database, viewer, { access: 'write' }, work);
  let writing = Promise.resolve();

  const rowEmbedder = await rowEmbedderOf(services);

  function store(least: number): void {
    while (ready.length >= least && ready.length > 0) {
      const some = ready.splice(0, vectorsPerTransaction);
      writing = writing.then(async () => {
        const stored = await write((tx) => storeEmbeddings(tx, 'chunks', rowEmbedder.models, some));
        for (const { row } of some) if (stored.has(row.id)) waiting.delete(row);
      });
      // Awaited below. Until then, a failure would be an unhandled rejection.
      writing.catch(() => {});
    }
  }

  if (claimed.length > 0) {
    const signal = AbortSignal.timeout(writeWaitOf(services));
    const onVectors = (index: number, vectors: TextVectors) => {
      const row = claimed[index];
      if (row === undefined || vectors.vector === undefined) return;
      ready.push({ row, vectors });
      store(vectorsPerTransaction);
    };
    try {
      await rowEmbedder.embed(
        claimed.map(({ text }) => text),
        { background, signal, onVectors },
      );
    } catch (error) {
      warnOfPending(log, error, waiting.size - ready.length, signal);
    }
    try {
      store(1);
      await writing;
      if (waiting.size > 0) await write((tx) => releaseClaims(tx, 'chunks', [...waiting]));
    } catch (error) {
      log.warn({ err: error }, 'embeddings of a document were not stored; they are made again later');
    }
  }
  if (!wait || waiting.size > 0) filler?.wake();
  return waiting.size;
}

/** Chunks of a document that are claimed at a time, so that a claim never lasts much longer than embedding takes. */
const chunksPerClaim = 64;
/** Claims of a document at a time: the model computes one while the others are read or stored. */
const claimsAtOnce = 2;

/**
 * Embeds what waits of a document, however long it takes: while some chunks of a claim are embedded in its time, the others are claimed
 * again. What others have claimed is left to them.
 * @returns how many chunks could not be embedded. They stay PENDING.
 */
export async function embedWaitingChunks(
  services: Pick<Services, 'database'> & EmbeddingServices,
  viewer: Viewer,
  document: Pick<DocumentRow, 'id' | 'userId' | 'totalChunks'>,
): Promise<number> {
  const size = { rows: chunksPerClaim, leaseMs: writeWaitOf(services) + leaseGraceMs };
  let left = 0;
  async function work(): Promise<void> {
    while (left === 0) {
      const claimed = await transaction(services.database, viewer, { access: 'write' }, (tx) =>
        claimChunks(tx, document, size),
      );
      if (claimed.length === 0) return;
      const missing = await embedChunks(services, viewer, claimed, true);
      if (missing === 0 && claimed.length < chunksPerClaim) return;
      if (missing === claimed.length) left += missing;
    }
  }
  const workers = document.totalChunks > chunksPerClaim ? claimsAtOnce : 1;
  await Promise.all(Array.from({ length: workers }, work));
  return left;
}
