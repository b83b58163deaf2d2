import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { identityStatements } from '../../../src/database/identity.ts';
import { transaction } from '../../../src/database/transaction.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

// What the database itself lets through, whatever a request sends: raw SQL, without the conditions of store and search.

const owned = ['api_keys', 'audit', 'document_chunks', 'documents', 'memories', 'memories_archive'];

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await send(
    `insert into memories (user_id, content) values ('ann', 'of ann'), ('bob', 'of bob');
    insert into memories_archive (id, user_id, content) values (91, 'ann', 'of ann'), (92, 'bob', 'of bob');
    insert into documents (user_id, filename, content_hash) values ('ann', 'a', repeat('a', 64)), ('bob', 'b', repeat('b', 64));
    update documents set total_chunks = 1;
    insert into document_chunks (user_id, document_id, chunk_index, total_chunks, content, chunk_size, start_offset, end_offset)
      select user_id, id, 0, 1, 'of ' || user_id, 1, 0, 1 from documents;
    insert into api_keys (user_id, role, prefix, hash) values ('ann', 'user', 'a', repeat('a', 64)), ('bob', 'user', 'b', repeat('b', 64));
    insert into audit (user_id, action, by_user_id) values ('ann', 'KEY_CREATED', 'root'), ('bob', 'KEY_CREATED', 'root')`,
  );
});
afterAll(() => db.close());

/** Sends statements in one transaction and returns the rows of the last; its changes are kept only by the owner. */
async function send(statements: string, userId?: string): Promise<Record<string, unknown>[]> {
  const connection = await db.pool.reserve();
  const identity = userId === undefined ? [] : identityStatements({ userId, role: 'user' });
  try {
    await connection.unsafe(['begin', ...identity].join('; '));
    const results = (await connection.unsafe(statements)) as unknown[];
    await connection.unsafe(userId === undefined ? 'commit' : 'rollback');
    return (Array.isArray(results.at(-1)) ? results.at(-1) : results) as Record<string, unknown>[];
  } catch (error) {
    await connection.unsafe('rollback');
    throw error;
  } finally {
    connection.release();
  }
}

const readable = owned.filter((table) => !['api_keys', 'audit'].includes(table));

test.each([
  'delete from audit',
  "update audit set action = 'KEY_REVOKED'",
  "insert into audit (user_id, action, by_user_id, created_at) values ('ann', 'USER_EXPORTED', 'ann', '2001-01-01')",
])('not even the role of administrators may: %s', async (statement) => {
  expect(await send('set local role funes_admin; select id from audit')).toHaveLength(2);
  await expect(send(`set local role funes_admin; ${statement}`)).rejects.toMatchObject({ code: '42501' });
});

describe('a transaction of a user', () => {
  test.each(readable)('sees its own rows of %s and no others', async (table) => {
    const users = await send(`select distinct user_id from ${table}`, 'ann');
    expect(users).toEqual([{ user_id: 'ann' }]);
    expect(await send(`select 1 from ${table} where user_id = 'bob'`, 'ann')).toEqual([]);
  });

  test.each(readable)('sees nothing of %s without a user', async (table) => {
    expect(await send(`select * from ${table}`, '')).toEqual([]);
    expect(await send(`set local role funes_app; select * from ${table}`)).toEqual([]);
  });

  test('sees its own keys and no others, and the hash of none', async () => {
    expect(await send('select user_id, prefix from api_keys', 'ann')).toEqual([
      { user_id: 'ann', prefix: 'a' },
    ]);
    expect(await send('select user_id from api_keys', '')).toEqual([]);
    for (const reading of ['select * from api_keys', 'select hash from api_keys'])
      await expect(send(reading, 'ann')).rejects.toMatchObject({ code: '42501' });
  });

  test('deletes its own keys and no others, and makes and changes none', async () => {
    const deleted = 'with gone as (delete from api_keys returning user_id) select user_id from gone';
    expect(await send(deleted, 'ann')).toEqual([{ user_id: 'ann' }]);
    expect(await send(deleted, '')).toEqual([]);
    for (const change of [
      "update api_keys set role = 'admin'",
      'select id from api_keys for update',
      "insert into api_keys (user_id, role, prefix, hash) values ('ann', 'admin', 'c', repeat('c', 64))",
    ])
      await expect(send(change, 'ann')).rejects.toMatchObject({ code: '42501' });
  });

  test.each([
    ["('ann', 'USER_EXPORTED', 'ann')", true],
    ["('ann', 'USER_FORGOTTEN', 'ann')", true],
    ["('bob', 'USER_EXPORTED', 'ann')", false],
    ["('ann', 'USER_EXPORTED', 'bob')", false],
    ["('ann', 'KEY_CREATED', 'ann')", false],
  ])('adds the line %s to the audit: %s', async (line, allowed) => {
    const adding = send(`insert into audit (user_id, action, by_user_id) values ${line}`, 'ann');
    if (allowed) expect(await adding).toEqual([]);
    else await expect(adding).rejects.toMatchObject({ code: '42501' });
  });

  test.each([
    'select id from audit',
    'select count(*) from audit',
    'delete from audit',
    "update audit set action = 'KEY_REVOKED'",
    "insert into audit (user_id, action, by_user_id, created_at) values ('ann', 'USER_EXPORTED', 'ann', '2001-01-01')",
    "insert into audit (user_id, action, by_user_id) values ('ann', 'USER_EXPORTED', 'ann') returning id",
  ])('may not: %s', async (statement) => {
    await expect(send(statement, 'ann')).rejects.toMatchObject({ code: '42501' });
  });

  test.each(readable)('changes and deletes no row of another in %s', async (table) => {
    const change = `with changed as (update ${table} set user_id = user_id where user_id = 'bob' returning 1)`;
    expect(await send(`${change} select count(*)::int as rows from changed`, 'ann')).toEqual([{ rows: 0 }]);
    const deletion = `with gone as (delete from ${table} where user_id = 'bob' returning 1)`;
    expect(await send(`${deletion} select count(*)::int as rows from gone`, 'ann')).toEqual([{ rows: 0 }]);
  });

  test('writes no row for another, and makes none another’s', async () => {
    await expect(
      send(`insert into memories (user_id, content) values ('bob', 'x')`, 'ann'),
    ).rejects.toMatchObject({ code: '42501' });
    await expect(send(`update memories set user_id = 'bob'`, 'ann')).rejects.toMatchObject({ code: '42501' });
  });

  test('changes of a tool nothing but its use', async () => {
    await send(`insert into tool_embeddings (tool_name, tool_description) values ('hammer', 'nails')`);
    await send('update tool_embeddings set usage_count = usage_count + 1, last_used = now()', 'ann');
    await expect(send(`update tool_embeddings set tool_description = 'x'`, 'ann')).rejects.toMatchObject({
      code: '42501',
    });
    await expect(send('delete from tool_embeddings', 'ann')).rejects.toMatchObject({ code: '42501' });
  });

  test('may name its user as oddly as it likes', async () => {
    const names = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 100 })
      .filter((name) => !/\0/.test(name));
    await fc.assert(
      fc.asyncProperty(names, async (userId) => {
        const statements = identityStatements({ userId, role: 'user' });
        expect(statements.join('; ')).toMatch(
          /^set local role funes_app; select set_config\('funes\.user', convert_from\(decode\('([0-9a-f]{2})+', 'hex'\), 'UTF8'\), true\)$/,
        );
        const [row] = await send(
          `select current_setting('funes.user') as user, current_user as role`,
          userId,
        );
        expect(row).toEqual({ user: userId, role: 'funes_app' });
      }),
      { numRuns: 60 },
    );
  });
});

test('each table with an owner has row-level security and policies of both roles', async () => {
  const tables = await send(
    `select relname as table, relrowsecurity as enabled,
      (select string_agg(roles::text, ' ' order by policyname) from pg_policies where tablename = relname) as roles
    from pg_class join pg_attribute on attrelid = pg_class.oid and attname = 'user_id'
    where relkind = 'r' and relnamespace = current_schema()::regnamespace order by relname`,
  );
  expect(tables).toEqual(
    owned.map((table) => ({ table, enabled: true, roles: '{funes_admin} {funes_app}' })),
  );
});

test.each(['user', 'reader', 'admin'] as const)(
  'the role of a request by a %s owns nothing and may pass no policy',
  async (role) => {
    const connection = await db.pool.reserve();
    try {
      await connection.unsafe(['begin', ...identityStatements({ userId: 'ann', role })].join('; '));
      const [found] = await connection.unsafe(
        `select rolname as name, rolsuper as superuser, rolbypassrls as bypasses, rolcanlogin as logs_in, rolinherit as inherits,
        (select count(*)::int from pg_class where relowner = role.oid) as tables,
        (select count(*)::int from pg_proc where proowner = role.oid) as functions,
        (select count(*)::int from pg_auth_members where member = role.oid) as roles
      from pg_roles role where rolname = current_user`,
      );
      await connection.unsafe('rollback');
      expect(found).toEqual({
        name: role === 'admin' ? 'funes_admin' : 'funes_app',
        superuser: false,
        bypasses: false,
        logs_in: false,
        inherits: false,
        tables: 0,
        functions: 0,
        roles: 0,
      });
    } finally {
      connection.release();
    }
  },
);

test('a transaction of an administrator sees and writes the rows of all, through a policy', async () => {
  await transaction(db.pool, { userId: 'root', role: 'admin' }, { access: 'write' }, async (tx) => {
    for (const table of owned) {
      const rows = await tx.execute(sql.raw(`select count(distinct user_id)::int as users from ${table}`));
      expect([...rows]).toEqual([{ users: 2 }]);
    }
    await tx.execute(sql`update memories set source = 'x' where user_id = 'bob'`);
    await tx.execute(sql`delete from memories_archive where user_id = 'bob' and content = 'nothing'`);
    await expect(tx.execute(sql`alter table memories disable row level security`)).rejects.toMatchObject({
      cause: { code: '42501' },
    });
  }).catch((error: Error) => expect(error.message).toMatch(/ended with ROLLBACK/));
});

describe('the functions that return ids of one’s own rows', () => {
  const calls = [
    `select funes_own_memories_with_words('ann | bob', null, null) as id`,
    `select funes_own_memories_with_words('ann | bob', '{}', 10) as id`,
    `select funes_own_chunks_with_words('ann | bob', null, null) as id`,
    `select funes_own_memories_containing('{}', null) as id`,
    `select funes_own_documents_containing('{}', null) as id`,
    `select funes_own_chunks_containing('{}', null) as id`,
  ];
  const tableOf = (call: string) =>
    /memories/.test(call) ? 'memories' : /documents/.test(call) ? 'documents' : 'document_chunks';

  test.each(calls)('return those alone: %s', async (call) => {
    for (const user of ['ann', 'bob'])
      expect(await send(call, user)).toEqual(
        await send(`select id from ${tableOf(call)} where user_id = '${user}' and user_id in ('ann', 'bob')`),
      );
    expect(await send(call, 'ann')).toHaveLength(1);
  });

  test.each(calls)('return nothing without a user: %s', async (call) => {
    expect(await send(call, '')).toEqual([]);
    expect(await send(`set local role funes_app; ${call}`)).toEqual([]);
  });

  test.each(calls)('read the tables of funes, whatever the session names so: %s', async (call) => {
    const table = tableOf(call);
    const disguise = `create temporary table ${table} (id bigint, user_id text, content_tsv tsvector, metadata jsonb);
      insert into ${table} values (666, 'ann', 'ann', '{}'); set local search_path = pg_temp, public`;
    const connection = await db.pool.reserve();
    try {
      await connection.unsafe(
        ['begin', disguise, ...identityStatements({ userId: 'ann', role: 'user' })].join('; '),
      );
      const ids = await connection.unsafe(call);
      expect(ids).toHaveLength(1);
      expect(ids[0]?.id).not.toBe('666');
    } finally {
      await connection.unsafe('rollback');
      connection.release();
    }
  });
});

test('every function that runs as the owner has fixed names, and is for the roles of requests alone', async () => {
  const functions = await send(
    `select proname as name, coalesce(array_to_string(proconfig, ' '), '') as settings, prosqlbody is not null as bound,
      (select string_agg(acl.grantee::regrole::text, ' ' order by acl.grantee::regrole::text) from aclexplode(proacl) acl
        where acl.grantee <> proowner) as callers,
      has_function_privilege('public', pg_proc.oid, 'execute') as public
    from pg_proc where prosecdef and pronamespace = current_schema()::regnamespace order by proname`,
  );
  const own = ['chunks_containing', 'chunks_with_words', 'documents_containing', 'memories_containing'];
  expect(functions.map(({ name }) => name)).toEqual([
    'funes_key',
    ...[...own, 'memories_with_words'].map((name) => `funes_own_${name}`),
  ]);
  for (const { name, settings, bound, callers, public: anybody } of functions) {
    expect(anybody, String(name)).toBe(false);
    if (name === 'funes_key')
      expect({ bound, callers }).toEqual({ bound: true, callers: 'funes_admin funes_app' });
    else {
      expect(callers).toBe('funes_app');
      expect(settings).toMatch(/search_path=\w+, pg_temp( |$)/);
    }
  }
});
