import { sql } from 'drizzle-orm';
import fc, { type Arbitrary } from 'fast-check';
import { EMBEDDING_DIMENSIONS } from '../../../schema/columns/vector.ts';
import { documentChunks, documents, installation, memories, toolEmbeddings } from '../../../schema/index.ts';
import type { Transaction } from '../../../src/database/transaction.ts';
import type { Row } from './reference.ts';
import {
  someDate,
  someFileSize,
  someFraction,
  someInteger,
  someObject,
  someString,
  someWords,
} from './vocabulary.ts';

// Random rows, which are equal in every run. They are stored, and returned as the reference needs them.

const SEED = 20_240_229;

const maybe = <T>(arbitrary: Arbitrary<T>) => fc.option(arbitrary, { freq: 2, nil: null });

/** A time with microseconds, and the time that a client sees. */
const someTime = fc
  .tuple(someDate, fc.constantFrom(0, 1, 999))
  .map(([date, microseconds]) => ({ date, microseconds }));

const stored = (time: { date: Date; microseconds: number }) =>
  sql`${time.date.toISOString()}::timestamptz + make_interval(secs => ${time.microseconds}::float8 / 1e6)`;

/** The model of the server. No row has it. */
const serverModel = 'the model of the server';

/** Returns the embedding columns of row `i`. Without a model, the row waits for its embedding or can have none. */
function embeddingOf(i: number, model: string | null) {
  const isFailed = model === null && i % 3 === 1;
  const isOfClient = i % 2 === 1;
  return {
    embedding:
      model === null ? null : Array.from({ length: EMBEDDING_DIMENSIONS }, (_, d) => (d === i ? 1 : 0)),
    embeddingModel: model,
    embeddingSource: isOfClient ? ('CLIENT' as const) : ('FUNES' as const),
    embeddingError: isFailed ? 'no token of the model' : null,
    embeddingStatus: model !== null ? (isOfClient ? 'READY' : 'STALE') : isFailed ? 'FAILED' : 'PENDING',
  };
}

/** Appends the index to a text that repeats another, so that all texts are unique. */
function distinct(texts: string[]): string[] {
  return texts.map((text, i) => (texts.indexOf(text) === i ? text : `${text}${i}`));
}

const short = (text: string) => Array.from(text).slice(0, 20).join('');

export async function storeMemories(tx: Transaction): Promise<Row[]> {
  await tx.update(installation).set({ embeddingModel: serverModel });
  const rows = fc.sample(
    fc.record({
      userId: someString,
      content: someWords,
      contentSummary: maybe(someString),
      model: maybe(someString),
      source: someString,
      sessionId: maybe(someString),
      importanceScore: someFraction,
      metadata: someObject,
      created: someTime,
      updated: someTime,
    }),
    { seed: SEED, numRuns: 150 },
  );
  const keys = distinct(fc.sample(someString, { seed: SEED, numRuns: rows.length }));
  const complete = rows.map(({ model, created, updated, ...row }, i) => ({
    ...row,
    ...embeddingOf(i, model),
    idempotencyKey: i % 3 === 0 ? null : (keys[i] ?? null),
    createdAt: created.date,
    updatedAt: updated.date,
    times: { createdAt: stored(created), updatedAt: stored(updated) },
  }));
  const ids = await tx
    .insert(memories)
    .values(complete.map(({ times, embeddingStatus: _, ...row }) => ({ ...row, ...times })))
    .returning({ id: memories.id });
  return complete.map(({ times: _, embedding: __, ...row }, i) => ({ ...row, id: Number(ids[i]?.id) }));
}

/** Stores documents, some of them without chunks. Returns these documents, and chunks that contain their document. */
export async function storeDocuments(tx: Transaction): Promise<{ documents: Row[]; chunks: Row[] }> {
  const someChunk = fc.record({
    content: someWords,
    contentSummary: maybe(someString),
    model: maybe(someString),
    chunkSize: someInteger.map((size) => Math.max(size, 1)),
    overlapSize: someInteger,
    startOffset: fc.constantFrom(0, 1, 2, 3),
    endOffset: fc.constantFrom(5, 100),
    metadata: someObject,
    created: someTime,
  });
  const samples = fc.sample(
    fc.record({
      userId: someString,
      filename: someWords,
      filePath: maybe(someString),
      fileType: maybe(someString.map(short)),
      fileSize: maybe(someFileSize),
      contentHash: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 }),
      metadata: someObject,
      processed: someTime,
      updated: someTime,
      chunks: fc.array(someChunk, { maxLength: 6 }),
    }),
    { seed: SEED, numRuns: 40 },
  );
  const all = { documents: [] as Row[], chunks: [] as Row[] };
  for (const { processed, updated, chunks, ...sample } of samples) {
    const totalChunks = chunks.length;
    const [made] = await tx
      .insert(documents)
      .values({ ...sample, totalChunks, processedAt: stored(processed), updatedAt: stored(updated) })
      .returning({ id: documents.id });
    const documentId = made?.id ?? '';
    const document: Row = {
      ...sample,
      id: Number(documentId),
      totalChunks,
      processedAt: processed.date,
      updatedAt: updated.date,
    };
    all.documents.push(document);
    for (const [chunkIndex, { created, model, ...chunk }] of chunks.entries()) {
      const { embedding, embeddingStatus, ...state } = embeddingOf(chunkIndex, model);
      const row = { ...chunk, userId: sample.userId, chunkIndex, totalChunks, ...state };
      const [{ id } = { id: '' }] = await tx
        .insert(documentChunks)
        .values({ ...row, documentId, embedding, createdAt: stored(created) })
        .returning({ id: documentChunks.id });
      all.chunks.push({
        ...row,
        id: Number(id),
        documentId: Number(documentId),
        document,
        embeddingStatus,
        createdAt: created.date,
      });
    }
  }
  return all;
}

export async function storeTools(tx: Transaction): Promise<Row[]> {
  const rows = fc.sample(
    fc.record({
      toolDescription: someWords,
      toolParameters: maybe(someObject),
      model: maybe(someString),
      usageCount: someInteger,
      used: maybe(someTime),
      created: someTime,
      updated: someTime,
    }),
    { seed: SEED, numRuns: 60 },
  );
  const names = distinct(fc.sample(someWords, { seed: SEED, numRuns: rows.length }));
  const complete = rows.map(({ model, used, created, updated, ...row }, i) => ({
    ...row,
    ...embeddingOf(i, model),
    toolName: names[i] ?? '',
    lastUsed: used?.date ?? null,
    createdAt: created.date,
    updatedAt: updated.date,
    times: { lastUsed: used && stored(used), createdAt: stored(created), updatedAt: stored(updated) },
  }));
  const ids = await tx
    .insert(toolEmbeddings)
    .values(complete.map(({ times, embeddingStatus: _, ...row }) => ({ ...row, ...times })))
    .returning({ id: toolEmbeddings.id });
  return complete.map(({ times: _, embedding: __, ...row }, i) => ({ ...row, id: Number(ids[i]?.id) }));
}
