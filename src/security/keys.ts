import { createHash, randomBytes } from 'node:crypto';
import { and, eq, isNull, sql } from 'drizzle-orm';
import { apiKeys } from '../../schema/index.ts';
import { type Database, transaction } from '../database/transaction.ts';
import { FunesError, quote } from '../errors.ts';
import { checkId, checkUserName } from '../input/checks.ts';
import { writeAudit } from '../store/audit.ts';
import { type CountedPage, type Listed, readPage } from '../store/pages.ts';
import { type KeyRow, keyColumns } from '../store/rows.ts';
import { type Viewer, type ViewerRole, viewerRoles } from '../viewer.ts';
import { administrators, checkAccess } from './access.ts';

/** How each key begins, so that programs that look for leaked secrets know one. */
const keyStart = 'funes_';
const keyBytes = 32;
/** How many random characters of a key its prefix shows. 256 - 8 * 6 random bits stay secret. */
const shownCharacters = 8;
const keyForm = /^funes_[A-Za-z0-9_-]{43}$/;

export type { KeyRow } from '../store/rows.ts';

/** A key to make. */
export interface NewKey {
  userId: string;
  role: ViewerRole;
  /** From this time on nobody can use the key. */
  expiresAt?: Date | null | undefined;
}

/** A key that was made now. `key` is the only copy that there is. */
export interface CreatedKey {
  key: string;
  row: KeyRow;
}

/** What messages call the parts of a new key: where its sender wrote them. */
export type NewKeyNames = Readonly<Record<keyof NewKey, string>>;

const namesOfApi: NewKeyNames = {
  userId: 'input.userId',
  role: 'input.role',
  expiresAt: 'input.expiresAt',
};

/** Which page of the list of keys. */
export interface KeyPageRequest {
  first: number;
  after?: string | null | undefined;
}

const keyList: Listed<KeyRow, 'CREATED_AT'> = {
  name: 'keys',
  table: apiKeys,
  id: apiKeys.id,
  userId: apiKeys.userId,
  columns: keyColumns,
  orders: { CREATED_AT: apiKeys.createdAt },
};

/** Whether a text has the form of a key. Nothing else needs to be looked up. */
export function isKey(text: string): boolean {
  return keyForm.test(text);
}

/** Returns what is stored of a key. */
export function hashOfKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Returns how a key begins. People recognise it by that. */
export function prefixOfKey(key: string): string {
  return key.slice(0, keyStart.length + shownCharacters);
}

/**
 * Makes a key. The audit notes it.
 * @param names by default the input paths of the API.
 * @throws FunesError FORBIDDEN unless the viewer is an administrator. BAD_USER_INPUT or LIMIT_EXCEEDED with one of the names.
 */
export async function createKey(
  database: Database,
  viewer: Viewer,
  input: NewKey,
  names = namesOfApi,
): Promise<CreatedKey> {
  checkAccess(viewer, 'createKey', administrators);
  const userId = checkUserName(input.userId, names.userId);
  const role = checkRole(input.role, names.role);
  const expiresAt = input.expiresAt ?? null;
  if (expiresAt !== null && !(expiresAt.getTime() > Date.now())) {
    throw new FunesError('BAD_USER_INPUT', `${names.expiresAt} must be in the future.`);
  }
  const key = keyStart + randomBytes(keyBytes).toString('base64url');
  const values = {
    userId,
    role,
    expiresAt,
    prefix: prefixOfKey(key),
    hash: hashOfKey(key),
  };
  const row = await transaction(database, viewer, { access: 'write' }, async (tx) => {
    const [made] = (await tx.insert(apiKeys).values(values).returning(keyColumns)) as [KeyRow];
    await writeAudit(tx, viewer, { action: 'KEY_CREATED', about: made.userId, details: describeKey(made) });
    return made;
  });
  return { key, row };
}

/**
 * Reads a page of all keys, newest first, with those that were revoked or have expired.
 * @throws FunesError FORBIDDEN unless the viewer is an administrator; otherwise as `readPage`.
 */
export async function readKeys(
  database: Database,
  viewer: Viewer,
  { first, after }: KeyPageRequest,
): Promise<CountedPage<KeyRow>> {
  checkAccess(viewer, 'keys', administrators);
  const orderBy = { field: 'CREATED_AT', direction: 'DESC' } as const;
  return readPage(database, viewer, keyList, undefined, { first, after, orderBy });
}

/**
 * Revokes a key for ever, and returns it. The audit notes it. A key that was revoked before stays as it is, and is not noted.
 * @param name what messages call the id.
 * @throws FunesError FORBIDDEN unless the viewer is an administrator. NOT_FOUND. BAD_USER_INPUT if no key can have this id.
 */
export async function revokeKey(
  database: Database,
  viewer: Viewer,
  id: string,
  name = 'id',
): Promise<KeyRow> {
  checkAccess(viewer, 'revokeKey', administrators);
  checkId(id, name);
  const row = await transaction(database, viewer, { access: 'write' }, async (tx) => {
    const [revoked] = await tx
      .update(apiKeys)
      .set({ revokedAt: sql`now()` })
      .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt)))
      .returning(keyColumns);
    if (revoked === undefined) {
      const [before] = await tx.select(keyColumns).from(apiKeys).where(eq(apiKeys.id, id));
      return before;
    }
    await writeAudit(tx, viewer, {
      action: 'KEY_REVOKED',
      about: revoked.userId,
      details: describeKey(revoked),
    });
    return revoked;
  });
  if (row === undefined) throw new FunesError('NOT_FOUND', `There is no key with id ${quote(id)}.`);
  return row;
}

/** What the audit says of a key. */
function describeKey({ id, prefix, role, expiresAt }: KeyRow) {
  return { id, prefix, role, expiresAt };
}

function checkRole(role: string, name: string): ViewerRole {
  const known = viewerRoles.find((one) => one === role);
  if (known !== undefined) return known;
  throw new FunesError(
    'BAD_USER_INPUT',
    `${name} must be one of ${viewerRoles.join(', ')}, not ${quote(role)}.`,
  );
}
