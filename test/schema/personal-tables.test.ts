import { getTableColumns, getTableName } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PersonalTable, personalTables } from '../../src/store/personal-tables.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';

// Whether a table whose rows belong to persons was thought of everywhere. It must fail for a table that is added and forgotten.

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

async function query<Row extends object>(statement: string): Promise<Row[]> {
  const connection = await db.pool.reserve();
  try {
    return [...(await connection.unsafe(statement))] as unknown as Row[];
  } finally {
    connection.release();
  }
}

const listed = Object.values<PersonalTable>(personalTables);

/** What is missing for the tables that have a user, in words. */
async function missing(): Promise<string[]> {
  const tables = await query<{ name: string; enabled: boolean; policies: string[] }>(
    `select relname as name, relrowsecurity as enabled,
        array(select unnest(roles)::text from pg_policies where tablename = relname and schemaname = current_schema()) as policies
      from pg_class join pg_attribute on attrelid = pg_class.oid and attname = 'user_id' and not attisdropped
      where relkind in ('r', 'p') and relnamespace = current_schema()::regnamespace order by relname`,
  );
  const named = tables.flatMap(({ name, enabled, policies }) => [
    ...(enabled ? [] : [`${name} has no row-level security`]),
    ...['funes_admin', 'funes_app']
      .filter((role) => !policies.includes(role))
      .map((role) => `${name} has no policy of ${role}`),
    ...(listed.some(({ table }) => getTableName(table) === name)
      ? []
      : [`${name} is not in personalTables, of which exportUser and forgetUser are made`]),
  ]);
  const gone = listed
    .map(({ table }) => getTableName(table))
    .filter((name) => !tables.some((table) => table.name === name));
  return [...named, ...gone.map((name) => `${name} is in personalTables and not in the database`)];
}

test('each table with a user has policies, and stands in the export and the forgetting of a person', async () => {
  expect(await missing()).toEqual([]);
});

test('a table that nobody thought of is found', async () => {
  await query('create table notes (id bigint, user_id varchar(100))');
  expect(await missing()).toEqual([
    'notes has no row-level security',
    'notes has no policy of funes_admin',
    'notes has no policy of funes_app',
    'notes is not in personalTables, of which exportUser and forgetUser are made',
  ]);
  await query('drop table notes');
});

test('the owner of each row is its user_id, and an export leaves out nothing but what is computed, vectors and hashes', () => {
  for (const { table, userId, columns, embedding } of listed) {
    expect(userId.name).toBe('user_id');
    const left = Object.entries(getTableColumns(table)).filter(([name]) => !(name in columns));
    const reasons = left.map(([name, column]) =>
      column.generated !== undefined
        ? 'computed'
        : column === embedding || name === 'nextEmbedding'
          ? 'vector'
          : name,
    );
    const allowed =
      getTableName(table) === 'api_keys' ? ['computed', 'vector', 'hash'] : ['computed', 'vector'];
    expect(reasons.filter((reason) => !allowed.includes(reason))).toEqual([]);
  }
});

test('only the audit stays when a person is forgotten, and only administrators export it', () => {
  const kept = listed.filter(({ forgotten }) => forgotten === 'kept');
  expect(kept.map(({ table }) => getTableName(table))).toEqual(['audit']);
  expect(listed.filter(({ exportedFor }) => exportedFor === 'administrators')).toEqual(kept);
});
