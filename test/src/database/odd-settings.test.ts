import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openPool } from '../../../src/database/pool.ts';
import { probeSessions } from '../../../src/database/probe.ts';
import { asOwner } from '../../../testkit/owner.ts';
import { onServer } from '../../../testkit/server-database.ts';
import { openTestDatabase } from '../../support/database.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { sql } from 'drizzle-orm';

// Everything that statements rely on, with another value than PostgreSQL has by default.
const odd = [
  "DateStyle = 'German, DMY'",
  "IntervalStyle = 'sql_standard'",
  "TimeZone = 'Asia/Kathmandu'",
  'extra_float_digits = -15',
  "bytea_output = 'escape'",
  'array_nulls = off',
  'transform_null_equals = on',
  'standard_conforming_strings = off',
  'row_security = off',
  'exit_on_error = on',
  'gin_fuzzy_search_limit = 1',
  "client_encoding = 'LATIN1'",
  "default_transaction_isolation = 'serializable'",
  "statement_timeout = '1ms'",
  "lock_timeout = '1ms'",
  "search_path = 'elsewhere'",
];

const isEmbedded = inject('databaseTemplate').engine === 'embedded';

describe.skipIf(isEmbedded).each([
  ['by the parameters of a session', true],
  ['in each transaction', false],
])('a database with odd settings, which funes sets %s,', (_, preparedStatements) => {
  let server: TestServer;

  beforeAll(async () => {
    const database = await openTestDatabase();
    const name = new URL(database.database as string).pathname.slice(1);
    const url = database.database as string;
    await asOwner(database.pool, async (tx) => {
      await tx.execute(sql`create schema elsewhere`);
      await tx.execute(sql`create schema extensions`);
      await tx.execute(sql`alter extension vector set schema extensions`);
      await tx.execute(sql`grant usage on schema extensions to public`);
    });
    await database.pool.close();
    for (const setting of odd) await onServer(`${url.replace(/\/[^/]*$/, '/postgres')}`, `alter database ${name} set ${setting}`);
    const pool = openPool({ database: url, poolSize: 3, preparedStatements });
    await probeSessions(pool, 'auto');
    const close = async () => {
      await pool.close();
      await database.close();
    };
    server = await startTestServer({ database: { ...database, pool, close } });
  });
  afterAll(() => server.close());

  async function ask(query: string, variables: object = {}): Promise<Record<string, never>> {
    const { data, errors } = await server.raw(query, variables);
    expect(errors).toBeUndefined();
    return data as Record<string, never>;
  }

  test('has them in a session of its own', async () => {
    const url = server.database.database as string;
    const plain = openPool({ database: url, poolSize: 1, preparedStatements: false });
    const connection = await plain.reserve();
    const [row] = await connection.unsafe("select current_setting('DateStyle') as style, current_setting('search_path') as path");
    expect(row).toEqual({ style: 'German, DMY', path: 'elsewhere' });
    connection.release();
    await plain.close();
  });

  test('stores, changes and finds memories', async () => {
    const created = await ask(
      `mutation ($input: CreateMemoryInput!) {
        createMemory(input: $input) { id createdAt importanceScore metadata content }
      }`,
      {
        input: {
          content: 'The café costs 3 € — a "\\backslash\\".',
          importanceScore: 0.123456789012345,
          metadata: { list: [null, 1], text: "it's" },
        },
      },
    );
    expect(created.createMemory).toMatchObject({
      content: 'The café costs 3 € — a "\\backslash\\".',
      importanceScore: 0.123456789012345,
      metadata: { list: [null, 1], text: "it's" },
    });
    const { createdAt, id } = created.createMemory as { createdAt: string; id: string };
    expect(Math.abs(Date.parse(createdAt) - Date.now())).toBeLessThan(3_600_000);
    const found = await ask(
      `query ($after: DateTime!, $before: DateTime!) {
        similarMemories(text: "café", k: 1) { score memory { id createdAt } }
        words: similarMemories(text: "café", k: 1, mode: KEYWORD) { memory { id } }
        memories(filters: { createdAt: { gte: $after, lte: $before } }) { nodes { id createdAt } }
      }`,
      { after: createdAt, before: createdAt },
    );
    expect(found).toMatchObject({
      similarMemories: [{ memory: { id, createdAt } }],
      words: [{ memory: { id } }],
      memories: { nodes: [{ id, createdAt }] },
    });
  });
});
