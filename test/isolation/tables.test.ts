import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { attacker, isolationSeed, ownedRows, secretsOf, tokenStart, victim } from './data.ts';

// What the tests of isolation cover: every table with an owner, and every column of them that has a text.

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase({ seed: isolationSeed });
});
afterAll(() => db.close());

/** Sends statements in one transaction that is undone, and returns the rows of the last. */
async function send<Row = Record<string, unknown>>(...statements: string[]): Promise<Row[]> {
  const connection = await db.pool.reserve();
  try {
    await connection.unsafe('begin');
    let rows: unknown = [];
    for (const statement of statements) rows = await connection.unsafe(statement);
    return [...(rows as Row[])];
  } finally {
    await connection.unsafe('rollback');
    connection.release();
  }
}

/** Tables with a column `user_id`, views and partitioned tables too. */
const owned = () =>
  send<{ table: string; policies: number; enabled: boolean }>(
    `select relname as table, relrowsecurity as enabled,
      (select count(*)::int from pg_policies where schemaname = current_schema() and tablename = relname
        and roles = '{funes_app}' and coalesce(qual, with_check) like '%user_id%funes.user%') as policies
    from pg_class join pg_attribute on attrelid = pg_class.oid and attname = 'user_id' and not attisdropped
    where relkind in ('r', 'p', 'v', 'm', 'f') and relnamespace = current_schema()::regnamespace order by relname`,
  );

test('each table with an owner has a policy, and its rows stand in the data of these tests', async () => {
  const tables = await owned();
  expect(tables).toEqual(tables.map(({ table }) => ({ table, enabled: true, policies: 1 })));
  expect(tables.map(({ table }) => table)).toEqual(Object.keys(ownedRows).sort());
});

/** Columns of texts that carry no token, with the reason. */
const withoutToken: Record<string, string> = {
  user_id: 'the name of the owner, which the requests name',
  role: 'one of three words',
  embedding_source: 'one of two words',
  embedding_error: 'a sentence of the server',
  next_embedding_model: 'the name of a model of the server',
  idempotency_fields: 'hashes',
  action: 'one of four words',
  by_user_id: 'a name of a user, too',
  content_hash: 'a secret as it is',
  hash: 'a secret as it is',
};

test('each column with texts of the foreign user carries tokens, of no other user', async () => {
  const columns = await send<{ table: string; column: string }>(
    `select table_name as table, column_name as column from information_schema.columns
    where table_schema = current_schema() and is_generated = 'NEVER' and udt_name <> 'vector' and data_type not in
      ('smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric', 'boolean', 'date', 'timestamp with time zone')`,
  );
  for (const { table } of await owned()) {
    for (const { column } of columns.filter((one) => one.table === table)) {
      if (column in withoutToken) continue;
      const users = await send(
        `select distinct user_id from ${table} where ${column}::text like '%${tokenStart[victim]}%'`,
      );
      expect({ table, column, users }).toEqual({ table, column, users: [{ user_id: victim }] });
    }
  }
  expect(secretsOf(victim).length).toBeGreaterThan(5);
});

/** Tables whose rows belong to nobody: which model the embeddings are of, and the tools. */
const shared = ['installation', 'tool_embeddings'];

describe('raw SQL as the role of requests', () => {
  const asApp = (user: string | undefined, statement: string) =>
    send(
      'set local role funes_app',
      ...(user === undefined ? [] : [`select set_config('funes.user', '${user}', true)`]),
      statement,
    );

  /** The columns that the role may read of each table and view of the database, with or without an owner. */
  const readable = () =>
    send<{ table: string; columns: string }>(
      `select relname as table, string_agg(quote_ident(attname), ', ' order by attnum) as columns
      from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
      where relkind in ('r', 'p', 'v', 'm', 'f') and relnamespace = current_schema()::regnamespace
        and has_column_privilege('funes_app', pg_class.oid, attnum, 'select') group by relname order by relname`,
    );

  test.each([
    ['without a user', undefined],
    ['with an empty user', ''],
    ['with a user who has no rows', 'nobody'],
  ])('sees nothing %s, but for what all share', async (_, user) => {
    const seen: string[] = [];
    const tables = await readable();
    for (const { table, columns } of tables)
      if ((await asApp(user, `select ${columns} from ${table} limit 1`)).length > 0) seen.push(table);
    expect(tables.length).toBeGreaterThan(5);
    expect(seen).toEqual(shared);
  });

  test('sees with a user all that is its own, and no token of another', async () => {
    const tables = (await readable()).filter(({ table }) => !shared.includes(table));
    for (const { table, columns } of tables) {
      const rows = await asApp(attacker, `select ${columns} from ${table}`);
      expect(JSON.stringify(rows)).not.toContain(tokenStart[victim]);
      const [own] = await send(`select count(*)::int as rows from ${table} where user_id = '${attacker}'`);
      expect({ table, rows: rows.length }).toEqual({ table, ...own });
      expect(rows.length).toBeGreaterThan(0);
    }
    // Nobody but administrators reads the audit.
    expect(tables.map(({ table }) => table)).toEqual(
      Object.keys(ownedRows)
        .filter((table) => table !== 'audit')
        .sort(),
    );
  });

  test('finds out nothing about another user by functions that run as the owner', async () => {
    const functions = await send<{ call: string }>(
      `select format('%I(%s)', proname, (select string_agg(case type::regtype::text
          when 'tsquery' then '''walnut | train | coffee | cello''::tsquery' when 'jsonb' then '''{}''::jsonb'
          when 'integer' then 'null::integer' else format('null::%s', type::regtype) end, ', ' order by n)
          from unnest(proargtypes::oid[]) with ordinality as argument (type, n))) as call
      from pg_proc where prosecdef and pronamespace = current_schema()::regnamespace
        and has_function_privilege('funes_app', oid, 'execute')`,
    );
    expect(functions.length).toBeGreaterThan(5);
    const foreign = new Set(
      Object.values(ownedRows)
        .flat()
        .filter((row) => row.user_id === victim)
        .map(({ id }) => String(id)),
    );
    let found = 0;
    for (const { call } of functions) {
      expect(await asApp(undefined, `select f.* from ${call} as f`)).toEqual([]);
      const rows = await asApp(attacker, `select f::text as value from ${call} as f`);
      found += rows.length;
      expect(rows.filter(({ value }) => foreign.has(String(value)))).toEqual([]);
    }
    expect(found).toBeGreaterThan(0);
  });
});
