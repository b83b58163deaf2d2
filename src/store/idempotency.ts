import { createHash } from 'node:crypto';
import { and, eq, inArray, notInArray, or, type SQL, sql } from 'drizzle-orm';
import stringify from 'safe-stable-stringify';
import { memories, memoriesArchive } from '../../schema/index.ts';
import type { Transaction } from '../database/transaction.ts';
import { FunesError, quote } from '../errors.ts';
import { type Viewer, visibleTo } from '../viewer.ts';
import { archivedMemoryColumns, type MemoryRow, memoryColumns } from './rows.ts';

/** A key of a user. Only with the user does it name a memory. */
export interface UserKey {
  userId: string;
  idempotencyKey: string;
}

/** A hash of each field of a write, by the field's name. A field without a value has none. */
export type FieldHashes = Record<string, string>;

/** A write with a key. */
export interface KeyedWrite extends UserKey {
  content: string;
  idempotencyFields: FieldHashes | null;
}

/** The memory of a key, live or archived, with the fields of the write that used the key first. */
export interface KnownMemory extends MemoryRow {
  idempotencyFields: FieldHashes | null;
}

// 96 bits: two values of one field are never equal by accident.
const hashLength = 16;

/** Hashes the fields of a write. Objects are equal if they have the same keys and values, in any order. */
export function hashFields(fields: Record<string, unknown>): FieldHashes {
  const given = Object.entries(fields).filter(([, value]) => value != null);
  return Object.fromEntries(given.map(([name, value]) => [name, hashOf(value)]));
}

function hashOf(value: unknown): string {
  const bytes =
    value instanceof Float32Array
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : (stringify(value) ?? '');
  return createHash('sha256').update(bytes).digest('base64url').slice(0, hashLength);
}

/** Returns a text that is different for different keys or users. */
export const nameOf = ({ userId, idempotencyKey }: UserKey): string =>
  JSON.stringify([userId, idempotencyKey]);

/**
 * Reads the memories of these keys, live and archived, in one statement: a memory that moves between the two meanwhile is read
 * exactly once. Returns them by `nameOf` their keys. A live memory comes before an archived one of the same key.
 * @param inserted rows that this transaction inserted. They do not count as known.
 */
export async function readKnown(
  tx: Transaction,
  viewer: Viewer,
  keys: readonly UserKey[],
  inserted: readonly MemoryRow[] = [],
): Promise<Map<string, KnownMemory>> {
  if (keys.length === 0) return new Map();
  const isOther =
    inserted.length > 0
      ? notInArray(
          memories.id,
          inserted.map(({ id }) => id),
        )
      : undefined;
  const live = tx
    .select({
      ...memoryColumns,
      archivedAt: sql<Date | null>`null::timestamptz`.mapWith(memoriesArchive.archivedAt).as('archived_at'),
      idempotencyFields: memories.idempotencyFields,
    })
    .from(memories)
    .where(and(ofKeys(memories, keys), isOther, visibleTo(viewer, memories.userId)));
  const archived = tx
    .select({
      ...archivedMemoryColumns,
      archivedAt: sql<Date | null>`${memoriesArchive.archivedAt}`
        .mapWith(memoriesArchive.archivedAt)
        .as('archived_at'),
      idempotencyFields: memoriesArchive.idempotencyFields,
    })
    .from(memoriesArchive)
    .where(and(ofKeys(memoriesArchive, keys), visibleTo(viewer, memoriesArchive.userId)));
  const rows: KnownMemory[] = await live.unionAll(archived);
  const known = new Map<string, KnownMemory>();
  for (const row of rows) {
    if (row.idempotencyKey === null) continue;
    const name = nameOf({ userId: row.userId, idempotencyKey: row.idempotencyKey });
    if (row.archivedAt == null || !known.has(name)) known.set(name, row);
  }
  return known;
}

function ofKeys(table: typeof memories | typeof memoriesArchive, keys: readonly UserKey[]): SQL | undefined {
  const byUser = new Map<string, string[]>();
  for (const { userId, idempotencyKey } of keys) {
    const ofUser = byUser.get(userId);
    if (ofUser) ofUser.push(idempotencyKey);
    else byUser.set(userId, [idempotencyKey]);
  }
  return or(
    ...[...byUser].map(([userId, names]) =>
      and(eq(table.userId, userId), inArray(table.idempotencyKey, names)),
    ),
  );
}

/**
 * Checks that a write repeats the first write with its key.
 * @param first the fields of the first write. A memory of an old version has null; then only its content is compared.
 * @param name what the first write made, for the message.
 * @throws FunesError CONFLICT that names the fields that differ.
 */
export function checkRepeats(
  write: KeyedWrite,
  first: { content: string; idempotencyFields: FieldHashes | null },
  name: string,
  inputPath: string,
): void {
  const differing = differingFields(write, first);
  if (differing.length === 0) return;
  throw new FunesError(
    'CONFLICT',
    `${inputPath}.idempotencyKey ${quote(write.idempotencyKey)} was used before for ${name}, whose write had other ` +
      `${differing.join(', ')}. Repeat a key only to repeat the same write.`,
  );
}

function differingFields(
  write: KeyedWrite,
  first: { content: string; idempotencyFields: FieldHashes | null },
): string[] {
  const before = first.idempotencyFields;
  const now = write.idempotencyFields;
  if (before === null || now === null) return write.content === first.content ? [] : ['content'];
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => before[name] !== now[name]).sort();
}
