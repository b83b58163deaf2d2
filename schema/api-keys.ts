import { sql } from 'drizzle-orm';
import { check, index, pgTable, primaryKey, timestamp, unique, varchar } from 'drizzle-orm/pg-core';
import { timestampNow } from './columns/common.ts';
import { bigintId } from './columns/id.ts';
import { ownerPolicies } from './columns/policies.ts';

const point = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });

/**
 * The keys by which requests say who they are. A key itself is shown once, to the person who makes it, and never stored. Requests
 * look a key up with the function `funes_key` (migration 0008), because a key is looked up before there is a user.
 */
export const apiKeys = pgTable(
  'api_keys',
  {
    id: bigintId('id').generatedAlwaysAsIdentity(),
    userId: varchar('user_id', { length: 100 }).notNull(),
    role: varchar('role', { length: 10 }).notNull().$type<'admin' | 'user' | 'reader'>(),
    /** The beginning of the key, by which people recognise it. */
    prefix: varchar('prefix', { length: 20 }).notNull(),
    /** SHA-256 of the key, in hex. A key has 256 random bits, so its hash needs no salt. */
    hash: varchar('hash', { length: 64 }).notNull(),
    createdAt: timestampNow('created_at'),
    /** To about a minute. */
    lastUsedAt: point('last_used_at'),
    expiresAt: point('expires_at'),
    revokedAt: point('revoked_at'),
  },
  (t) => [
    primaryKey({ name: 'api_keys_pkey', columns: [t.id] }),
    unique('api_keys_hash').on(t.hash),
    check('api_keys_user_id_not_blank', sql`${t.userId} ~ '[^[:space:]]'`),
    check('api_keys_role', sql`${t.role} in ('admin', 'user', 'reader')`),
    check('api_keys_hash_sha256', sql`${t.hash} ~ '^[0-9a-f]{64}$'`),
    index('idx_api_keys_user_id').on(t.userId),
    ...ownerPolicies('api_keys', t.userId),
  ],
);
