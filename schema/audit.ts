import { sql } from 'drizzle-orm';
import { check, index, jsonb, pgPolicy, pgTable, primaryKey, varchar } from 'drizzle-orm/pg-core';
import { type JsonObject, timestampNow } from './columns/common.ts';
import { bigintId } from './columns/id.ts';
import { adminRole, appRole, transactionUser } from './columns/policies.ts';

/** What the audit notes. */
export const auditActions = ['KEY_CREATED', 'KEY_REVOKED', 'USER_EXPORTED', 'USER_FORGOTTEN'] as const;

/**
 * Who made or revoked a key, exported or forgot a user, and when. Lines are only added: no role of a request may change or delete
 * one, or set its time. Users add lines about themselves and read none.
 */
export const audit = pgTable(
  'audit',
  {
    id: bigintId('id').generatedAlwaysAsIdentity(),
    /** Whom the line is about. */
    about: varchar('user_id', { length: 100 }).notNull(),
    action: varchar('action', { length: 20 }).notNull().$type<(typeof auditActions)[number]>(),
    /** The user whose rights the request had. */
    by: varchar('by_user_id', { length: 100 }).notNull(),
    /** The administrator who acted for that user, or the command line. */
    actor: varchar('actor', { length: 100 }),
    /** The beginning of the key that the request was sent with. */
    keyPrefix: varchar('key_prefix', { length: 20 }),
    /** The key, or how many rows. */
    details: jsonb('details').$type<JsonObject>().notNull().default({}),
    createdAt: timestampNow('created_at'),
  },
  (t) => [
    primaryKey({ name: 'audit_pkey', columns: [t.id] }),
    check(
      'audit_action',
      sql`${t.action} in ('KEY_CREATED', 'KEY_REVOKED', 'USER_EXPORTED', 'USER_FORGOTTEN')`,
    ),
    index('idx_audit_created_at').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('idx_audit_user_created').on(t.about, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    pgPolicy('audit_of_all', { to: adminRole, for: 'all', using: sql`true`, withCheck: sql`true` }),
    pgPolicy('audit_of_oneself', {
      to: appRole,
      for: 'insert',
      withCheck: sql`${t.about} = ${transactionUser} and ${t.by} = ${transactionUser} and ${t.action} in ('USER_EXPORTED', 'USER_FORGOTTEN')`,
    }),
  ],
);
