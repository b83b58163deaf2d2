import { and, eq, inArray, type SQL } from 'drizzle-orm';
import { memories } from '../../schema/index.ts';
import { type Database, type Transaction, transaction } from '../database/transaction.ts';
import { FunesError, quote } from '../errors.ts';
import { checkBatch, checkId, checkJson, checkOptionalText, checkRange, checkText } from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import type { Services } from '../services.ts';
import { ownerOf, type Viewer, visibleTo } from '../viewer.ts';
import { embedForWriting } from './embeddings.ts';
import type { Listed } from './pages.ts';
import { withinQuota } from './quota.ts';
import { type MemoryRow, memoryColumns } from './rows.ts';

/** A new memory, as a client sends it. */
export interface NewMemory {
  content: string;
  contentSummary?: string | null | undefined;
  source?: string | null | undefined;
  sessionId?: string | null | undefined;
  userId?: string | null | undefined;
  importanceScore?: number | null | undefined;
  metadata?: Record<string, unknown> | null | undefined;
  idempotencyKey?: string | null | undefined;
}

/** A change of a memory. A field that is left out keeps its value. */
export type MemoryChange = {
  [Field in Exclude<keyof NewMemory, 'userId' | 'idempotencyKey'>]?: NewMemory[Field] | null | undefined;
};

export const memoryList: Listed<MemoryRow, 'CREATED_AT' | 'UPDATED_AT' | 'IMPORTANCE_SCORE' | 'ID'> = {
  name: 'memories',
  table: memories,
  id: memories.id,
  userId: memories.userId,
  columns: memoryColumns,
  orders: {
    CREATED_AT: memories.createdAt,
    UPDATED_AT: memories.updatedAt,
    IMPORTANCE_SCORE: memories.importanceScore,
    ID: memories.id,
  },
};

/** Reads the memories with these ids that the viewer may see. */
export async function readMemories(
  database: Database,
  viewer: Viewer,
  ids: readonly string[],
): Promise<MemoryRow[]> {
  return transaction(database, viewer, { access: 'read' }, (tx) =>
    tx.select(memoryColumns).from(memories).where(visibleMemories(viewer, ids)),
  );
}

/**
 * Stores memories, all or none, and returns them in the order of the inputs. For an input whose idempotency key is taken,
 * returns the memory that has the key.
 * @param inputPathOf returns the input path of the input with this index.
 * @throws FunesError BAD_USER_INPUT or LIMIT_EXCEEDED with the input path. CONFLICT if a key was used for other content.
 */
export async function createMemories(
  { database, embedder, generations, log, quota }: Services,
  viewer: Viewer,
  inputs: readonly NewMemory[],
  inputPathOf: (index: number) => string = (index) => `inputs[${index}]`,
): Promise<MemoryRow[]> {
  checkBatch(inputs, 'inputs');
  if (inputs.length === 0) return [];
  const values = inputs.map((input, i) => parseNewMemory(viewer, input, inputPathOf(i)));
  const embeddings = await embedForWriting(
    embedder,
    values.map(({ content }) => content),
    log,
    generations,
  );
  const rows = values.map((value, i) => ({ ...value, ...embeddings[i] }));
  return transaction(database, viewer, { access: 'write' }, async (tx) => {
    const owners = rows.map(({ userId }) => userId);
    const created = await withinQuota(tx, quota, owners, async () =>
      tx
        .insert(memories)
        .values(rows)
        .onConflictDoNothing({ target: [memories.userId, memories.idempotencyKey] })
        .returning(memoryColumns),
    );
    return inInputOrder(tx, viewer, values, created, inputPathOf);
  });
}

/** Returns a row for each input: the inserted row, or if none was inserted, the earlier row with the same key. */
async function inInputOrder(
  tx: Transaction,
  viewer: Viewer,
  values: readonly ReturnType<typeof parseNewMemory>[],
  created: readonly MemoryRow[],
  inputPathOf: (index: number) => string,
): Promise<MemoryRow[]> {
  if (created.length === values.length) return [...created];
  const keyOf = (row: { userId: string; idempotencyKey: string | null }) =>
    JSON.stringify([row.userId, row.idempotencyKey]);
  const keyed = values.filter(({ idempotencyKey }) => idempotencyKey !== null);
  const sameKeys = and(
    inArray(memories.userId, [...new Set(keyed.map(({ userId }) => userId))]),
    inArray(
      memories.idempotencyKey,
      keyed.map(({ idempotencyKey }) => idempotencyKey as string),
    ),
    visibleTo(viewer, memories.userId),
  );
  const earlier = await tx.select(memoryColumns).from(memories).where(sameKeys);
  const byKey = new Map(earlier.map((row) => [keyOf(row), row]));
  const withoutKey = created.filter(({ idempotencyKey }) => idempotencyKey === null).values();
  return values.map((value, i) => {
    const row = value.idempotencyKey === null ? withoutKey.next().value : byKey.get(keyOf(value));
    if (!row)
      throw new FunesError(
        'CONFLICT',
        `Another request removed ${inputPathOf(i)} meanwhile. Send ${inputPathOf(i)} again.`,
      );
    if (row.content !== value.content) {
      // The transaction is rolled back, so the id of a row that it created would name nothing.
      const first = values.findIndex((other) => keyOf(other) === keyOf(value));
      const before = created.some(({ id }) => id === row.id) ? inputPathOf(first) : `memory ${row.id}`;
      throw new FunesError(
        'CONFLICT',
        `${inputPathOf(i)}.idempotencyKey ${quote(row.idempotencyKey)} was used before for ${before}, which has other content. ` +
          'Repeat a key only to repeat the same write.',
      );
    }
    return row;
  });
}

/**
 * Changes a memory. If its content changes, embeds it again.
 * @throws FunesError NOT_FOUND. BAD_USER_INPUT or LIMIT_EXCEEDED with the input path.
 */
export async function updateMemory(
  { database, embedder, generations, log, quota }: Services,
  viewer: Viewer,
  id: string,
  change: MemoryChange,
): Promise<MemoryRow> {
  const values = parseMemoryChange(change);
  const found = visibleMemories(viewer, [id]);
  if (Object.keys(values).length === 0) {
    const [row] = await readMemories(database, viewer, [id]);
    return row ?? notFound(id);
  }
  const [embedding] =
    values.content === undefined ? [] : await embedForWriting(embedder, [values.content], log, generations);
  const [row] = await transaction(database, viewer, { access: 'write' }, async (tx) => {
    const owners = quota ? await tx.select({ userId: memories.userId }).from(memories).where(found) : [];
    return withinQuota(
      tx,
      quota,
      owners.map(({ userId }) => userId),
      async () =>
        tx
          .update(memories)
          .set({ ...values, ...embedding })
          .where(found)
          .returning(memoryColumns),
    );
  });
  return row ?? notFound(id);
}

/**
 * Deletes the memories with these ids, and returns how many it deleted.
 * @param inputPathOf returns the input path of the id with this index.
 */
export async function deleteMemories(
  { database }: Services,
  viewer: Viewer,
  ids: readonly string[],
  inputPathOf: (index: number) => string = (index) => `ids[${index}]`,
): Promise<number> {
  const condition = visibleMemories(viewer, checkBatch(ids, 'ids'), inputPathOf);
  const deleted = await transaction(database, viewer, { access: 'write' }, (tx) =>
    tx.delete(memories).where(condition).returning({ id: memories.id }),
  );
  return deleted.length;
}

function visibleMemories(
  viewer: Viewer,
  ids: readonly string[],
  inputPathOf: (index: number) => string = () => 'id',
): SQL | undefined {
  for (const [i, id] of ids.entries()) checkId(id, inputPathOf(i));
  const [only] = ids;
  const matching =
    only !== undefined && ids.length === 1 ? eq(memories.id, only) : inArray(memories.id, [...ids]);
  return and(matching, visibleTo(viewer, memories.userId));
}

function notFound(id: string): never {
  throw new FunesError('NOT_FOUND', `There is no memory with id ${quote(id)}.`);
}

function parseNewMemory(viewer: Viewer, input: NewMemory, inputPath: string) {
  return {
    content: checkText(input.content, `${inputPath}.content`, limits.contentLength),
    contentSummary:
      checkOptionalText(input.contentSummary, `${inputPath}.contentSummary`, limits.contentLength) ?? null,
    source: checkOptionalText(input.source, `${inputPath}.source`, 50) ?? 'chat',
    sessionId: checkOptionalText(input.sessionId, `${inputPath}.sessionId`, 100) ?? null,
    userId: ownerOf(
      viewer,
      checkOptionalText(input.userId, `${inputPath}.userId`, 100),
      `${inputPath}.userId`,
    ),
    importanceScore: checkRange(input.importanceScore ?? 0.5, `${inputPath}.importanceScore`, 0, 1),
    metadata: checkJson(input.metadata ?? {}, `${inputPath}.metadata`),
    idempotencyKey: checkOptionalText(input.idempotencyKey, `${inputPath}.idempotencyKey`, 200) ?? null,
  };
}

function parseMemoryChange(change: MemoryChange) {
  const { content, contentSummary, source, sessionId, importanceScore, metadata } = change;
  for (const [field, value] of Object.entries({ content, source, importanceScore, metadata })) {
    if (value === null)
      throw new FunesError(
        'BAD_USER_INPUT',
        `input.${field} must not be null: leave it out to keep the stored value.`,
      );
  }
  return {
    ...(content != null && { content: checkText(content, 'input.content', limits.contentLength) }),
    ...(contentSummary !== undefined && {
      contentSummary: checkOptionalText(contentSummary, 'input.contentSummary', limits.contentLength),
    }),
    ...(source != null && { source: checkText(source, 'input.source', 50) }),
    ...(sessionId !== undefined && { sessionId: checkOptionalText(sessionId, 'input.sessionId', 100) }),
    ...(importanceScore != null && {
      importanceScore: checkRange(importanceScore, 'input.importanceScore', 0, 1),
    }),
    ...(metadata != null && { metadata: checkJson(metadata, 'input.metadata') }),
  };
}
