import { and, eq, inArray, type SQL } from 'drizzle-orm';
import { memories } from '../../schema/index.ts';
import { type Database, transaction } from '../database/transaction.ts';
import { FunesError, quote } from '../errors.ts';
import {
  checkBatch,
  checkCreatedAt,
  checkId,
  checkJson,
  checkOptionalText,
  checkRange,
  checkText,
  checkUserName,
} from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import { mergeMetadata, parseMergeMetadata } from '../input/merge-patch.ts';
import { type OwnEmbedding, parseOwnEmbedding } from '../input/vectors.ts';
import type { Services } from '../services.ts';
import { ownerOf, type Viewer, visibleTo } from '../viewer.ts';
import { keepInstallationsModel, wakeFiller } from './embeddings.ts';
import { checkRepeats, hashFields, type KnownMemory, nameOf, readKnown } from './idempotency.ts';
import { deleteArchived } from './memory-archive.ts';
import type { Listed } from './pages.ts';
import { checkQuota, withinQuota } from './quota.ts';
import { type MemoryRow, memoryColumns } from './rows.ts';
import { embedUnlessOwn } from './written-embeddings.ts';

/** A new memory, as a client sends it. */
export interface NewMemory extends OwnEmbedding {
  content: string;
  contentSummary?: string | null | undefined;
  source?: string | null | undefined;
  sessionId?: string | null | undefined;
  userId?: string | null | undefined;
  importanceScore?: number | null | undefined;
  metadata?: Record<string, unknown> | null | undefined;
  idempotencyKey?: string | null | undefined;
  createdAt?: Date | null | undefined;
}

/** A change of a memory. A field that is left out keeps its value. */
export type MemoryChange = {
  [Field in Exclude<keyof NewMemory, 'userId' | 'idempotencyKey' | 'createdAt'>]?:
    | NewMemory[Field]
    | null
    | undefined;
} & {
  /** A JSON Merge Patch (RFC 7396) of the metadata. */
  mergeMetadata?: Record<string, unknown> | null | undefined;
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
 * returns the memory that has the key, live or archived, and neither embeds nor stores anything.
 * @param options.inputPathOf returns the input path of the input with this index.
 * @param options.wait whether to wait for the embeddings; without, all new memories are PENDING.
 * @throws FunesError BAD_USER_INPUT or LIMIT_EXCEEDED with the input path. CONFLICT if a key was used for other fields.
 */
export async function createMemories(
  services: Services,
  viewer: Viewer,
  inputs: readonly NewMemory[],
  {
    inputPathOf = (index) => `inputs[${index}]`,
    wait = true,
  }: { inputPathOf?: (index: number) => string; wait?: boolean } = {},
): Promise<MemoryRow[]> {
  checkBatch(inputs, 'inputs');
  if (inputs.length === 0) return [];
  const { database, quota } = services;
  const writes = inputs.map((input, i) => parseNewMemory(viewer, input, inputPathOf(i)));
  const firstOfKey = checkKeysInBatch(writes, inputPathOf);
  const keyed = writes.filter(isKeyed);
  const known =
    keyed.length === 0
      ? new Map<string, KnownMemory>()
      : await transaction(database, viewer, { access: 'read', single: true }, (tx) =>
          readKnown(tx, viewer, keyed),
        );
  checkKnown(writes, known, inputPathOf);
  const fresh = writes.filter(
    (write, i) => !isKeyed(write) || (firstOfKey.get(nameOf(write)) === i && !known.has(nameOf(write))),
  );
  if (fresh.length === 0) return inInputOrder(writes, [], known, inputPathOf);

  await checkQuota(database, viewer, quota, fresh.map(usageOf));
  const embeddings = await embedUnlessOwn(
    services,
    fresh.map(({ content, own }) => ({ text: content, own })),
    wait,
  );
  const rows = fresh.map(({ own: _own, createdAt, ...values }, i) => ({
    ...values,
    ...(createdAt && { createdAt }),
    ...embeddings[i],
  }));
  const stored = await transaction(database, viewer, { access: 'write' }, async (tx) => {
    const owners = rows.map(({ userId }) => userId);
    return withinQuota(tx, quota, owners, async () => {
      const inserted = await tx
        .insert(memories)
        .values(rows)
        .onConflictDoNothing({ target: [memories.userId, memories.idempotencyKey] })
        .returning(memoryColumns)
        .then((written) => keepInstallationsModel(tx, memories, written));
      const keyedFresh = fresh.filter(isKeyed);
      // Another request may have used a key since the look-up, and even have archived the memory. The insertion waited for both,
      // so this statement sees what they did.
      const taken = new Map([...known, ...(await readKnown(tx, viewer, keyedFresh, inserted))]);
      checkKnown(writes, taken, inputPathOf);
      const archived = inserted.filter((row) => isKeyed(row) && taken.get(nameOf(row))?.archivedAt != null);
      if (archived.length > 0) {
        const ids = archived.map(({ id }) => id);
        await tx.delete(memories).where(and(inArray(memories.id, ids), visibleTo(viewer, memories.userId)));
      }
      return inInputOrder(writes, inserted, taken, inputPathOf);
    });
  });
  wakeFiller(services, stored);
  return stored;
}

type Write = ReturnType<typeof parseNewMemory>;

function isKeyed<Row extends { idempotencyKey: string | null }>(
  row: Row,
): row is Row & { idempotencyKey: string } {
  return row.idempotencyKey !== null;
}

/** Checks that equal keys of a batch have equal writes. Returns the index of the first write of each key. */
function checkKeysInBatch(
  writes: readonly Write[],
  inputPathOf: (index: number) => string,
): Map<string, number> {
  const firstOfKey = new Map<string, number>();
  for (const [i, write] of writes.entries()) {
    if (!isKeyed(write)) continue;
    const first = firstOfKey.get(nameOf(write));
    if (first === undefined) firstOfKey.set(nameOf(write), i);
    else checkRepeats(write, writes[first] as Write, inputPathOf(first), inputPathOf(i));
  }
  return firstOfKey;
}

function checkKnown(
  writes: readonly Write[],
  known: ReadonlyMap<string, KnownMemory>,
  inputPathOf: (index: number) => string,
): void {
  for (const [i, write] of writes.entries()) {
    const memory = isKeyed(write) ? known.get(nameOf(write)) : undefined;
    if (memory && isKeyed(write)) {
      const name = `${memory.archivedAt == null ? 'memory' : 'archived memory'} ${memory.id}`;
      checkRepeats(write, memory, name, inputPathOf(i));
    }
  }
}

/** Returns a row for each input: the memory that had the key before, or the inserted row. */
function inInputOrder(
  writes: readonly Write[],
  inserted: readonly MemoryRow[],
  known: ReadonlyMap<string, KnownMemory>,
  inputPathOf: (index: number) => string,
): MemoryRow[] {
  const ofKey = new Map(inserted.filter(isKeyed).map((row) => [nameOf(row), row]));
  const withoutKey = inserted.filter((row) => !isKeyed(row)).values();
  return writes.map((write, i) => {
    const row = isKeyed(write)
      ? (known.get(nameOf(write)) ?? ofKey.get(nameOf(write)))
      : withoutKey.next().value;
    if (row) return row;
    throw new FunesError(
      'CONFLICT',
      `Another request removed ${inputPathOf(i)} meanwhile. Send ${inputPathOf(i)} again.`,
    );
  });
}

const usageOf = ({ userId, content, contentSummary, metadata }: Write) => ({
  userId,
  rows: 1,
  bytes:
    Buffer.byteLength(content) +
    Buffer.byteLength(contentSummary ?? '') +
    Buffer.byteLength(JSON.stringify(metadata)),
});

/**
 * Changes a memory. If its content changes, embeds it again.
 * @param wait whether to wait for the embedding of new content; without, the memory is PENDING.
 * @throws FunesError NOT_FOUND. BAD_USER_INPUT or LIMIT_EXCEEDED with the input path.
 */
export async function updateMemory(
  services: Services,
  viewer: Viewer,
  id: string,
  change: MemoryChange,
  wait = true,
): Promise<MemoryRow> {
  const { values, own, patch } = parseMemoryChange(change);
  const { database, quota } = services;
  const found = visibleMemories(viewer, [id]);
  if (Object.keys(values).length === 0 && !own && !patch) {
    const [row] = await readMemories(database, viewer, [id]);
    return row ?? notFound(id);
  }
  const [embedding] =
    own || values.content !== undefined
      ? await embedUnlessOwn(services, [{ text: values.content ?? '', own }], wait)
      : [];
  const row = await transaction(database, viewer, { access: 'write' }, async (tx) => {
    const [current] =
      quota || patch
        ? await tx
            .select({ userId: memories.userId, metadata: memories.metadata })
            .from(memories)
            .where(found)
            .for('update')
        : [];
    const changes = {
      ...values,
      ...embedding,
      ...(patch && current && { metadata: mergeMetadata(current.metadata, patch) }),
    };
    if (Object.keys(changes).length === 0) return undefined;
    return withinQuota(tx, quota, current ? [current.userId] : [], async () => {
      const updated = await tx.update(memories).set(changes).where(found).returning(memoryColumns);
      return (embedding ? await keepInstallationsModel(tx, memories, updated) : updated)[0];
    });
  });
  if (row === undefined) return notFound(id);
  wakeFiller(services, [row]);
  return row;
}

/**
 * Deletes the memories with these ids, live or archived, and returns how many it deleted.
 * @param inputPathOf returns the input path of the id with this index.
 */
export async function deleteMemories(
  { database }: Services,
  viewer: Viewer,
  ids: readonly string[],
  inputPathOf: (index: number) => string = (index) => `ids[${index}]`,
): Promise<number> {
  const condition = visibleMemories(viewer, checkBatch(ids, 'ids'), inputPathOf);
  return transaction(database, viewer, { access: 'write' }, async (tx) => {
    const deleted = await tx.delete(memories).where(condition).returning({ id: memories.id });
    return deleted.length + (await deleteArchived(tx, condition));
  });
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
  const own = parseOwnEmbedding(input, inputPath);
  const createdAt = checkCreatedAt(input.createdAt, `${inputPath}.createdAt`);
  const fields = {
    content: checkText(input.content, `${inputPath}.content`, limits.contentLength),
    contentSummary:
      checkOptionalText(input.contentSummary, `${inputPath}.contentSummary`, limits.contentLength) ?? null,
    source: checkOptionalText(input.source, `${inputPath}.source`, 50) ?? 'chat',
    sessionId: checkOptionalText(input.sessionId, `${inputPath}.sessionId`, 100) ?? null,
    importanceScore: checkRange(input.importanceScore ?? 0.5, `${inputPath}.importanceScore`, 0, 1),
    metadata: checkJson(input.metadata ?? {}, `${inputPath}.metadata`),
  };
  const idempotencyKey = checkOptionalText(input.idempotencyKey, `${inputPath}.idempotencyKey`, 200) ?? null;
  return {
    ...fields,
    userId: ownerOf(
      viewer,
      input.userId == null ? input.userId : checkUserName(input.userId, `${inputPath}.userId`),
      `${inputPath}.userId`,
    ),
    createdAt,
    idempotencyKey,
    // A field that is left out is hashed as its default, so that a client may send it or not.
    idempotencyFields: idempotencyKey === null ? null : hashFields({ ...fields, createdAt, ...own }),
    own,
  };
}

function parseMemoryChange(change: MemoryChange) {
  const { content, contentSummary, source, sessionId, importanceScore, metadata } = change;
  const own = parseOwnEmbedding(change, 'input');
  const patch = parseMergeMetadata(change);
  for (const [field, value] of Object.entries({ content, source, importanceScore, metadata })) {
    if (value === null)
      throw new FunesError(
        'BAD_USER_INPUT',
        `input.${field} must not be null: leave it out to keep the stored value.`,
      );
  }
  const values = {
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
  return { values, own, patch };
}
