import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openPool } from '../../../src/database/pool.ts';
import { probeSessions } from '../../../src/database/probe.ts';
import { transaction } from '../../../src/database/transaction.ts';
import { asOwner } from '../../../testkit/owner.ts';
import { onServer } from '../../../testkit/server-database.ts';
import { openTestDatabase } from '../../support/database.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

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
  // Not so short that it ends the message in which a transaction sets its own.
  "statement_timeout = '9s'",
  "lock_timeout = '1ms'",
  "search_path = 'elsewhere'",
];

// biome-ignore lint/suspicious/noExplicitAny: the answers are compared as a whole.
type Answer = Record<string, any>;

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
    for (const setting of odd)
      await onServer(`${url.replace(/\/[^/]*$/, '/postgres')}`, `alter database ${name} set ${setting}`);
    await database.loseConnections(); // a pooler would keep sessions that have the settings of before
    const pool = openPool({ database: url, poolSize: 3, preparedStatements });
    await probeSessions(pool, 'auto');
    const close = async () => {
      await pool.close();
      await database.close();
    };
    server = await startTestServer({ database: { ...database, pool, close } });
  });
  afterAll(() => server.close());

  async function ask(query: string, variables: object = {}): Promise<Answer> {
    const { data, errors } = await server.raw(query, variables);
    expect(errors).toBeUndefined();
    return data as Answer;
  }

  test('has them in a session of its own', async () => {
    const url = server.database.database as string;
    const plain = openPool({ database: url, poolSize: 1, preparedStatements: false });
    const connection = await plain.reserve(); // PgBouncer keeps a DateStyle for each client, so another setting is read
    const [row] = await connection.unsafe(
      "select current_setting('IntervalStyle') as style, current_setting('search_path') as path",
    );
    expect(row).toEqual({ style: 'sql_standard', path: 'elsewhere' });
    connection.release();
    await plain.close();
  });

  test('stores, changes, finds, archives and deletes memories', async () => {
    const content = 'The café costs 3 € — a "\\backslash\\".';
    const { createMemory } = await ask(
      `mutation ($input: CreateMemoryInput!) {
        createMemory(input: $input) { id createdAt importanceScore metadata content }
      }`,
      { input: { content, importanceScore: 0.123456789012345, metadata: { list: [null, 1], text: "it's" } } },
    );
    expect(createMemory).toMatchObject({
      content,
      importanceScore: 0.123456789012345,
      metadata: { list: [null, 1], text: "it's" },
    });
    const { createdAt, id } = createMemory;
    expect(Math.abs(Date.parse(createdAt) - Date.now())).toBeLessThan(3_600_000);
    const found = await ask(
      `query ($at: DateTime!) {
        similarMemories(text: "café", k: 1) { score memory { id createdAt } }
        words: similarMemories(text: "café", k: 1, options: { mode: KEYWORD }) { memory { id } }
        memories(first: 5, filters: { createdAt: { gte: $at, lte: $at }, metadata: { contains: { text: "it's" } } }) {
          edges { node { id createdAt } }
        }
        recall(text: "café", k: 1) { ... on MemoryMatch { memory { id } } }
      }`,
      { at: createdAt },
    );
    expect(found).toMatchObject({
      similarMemories: [{ memory: { id, createdAt } }],
      words: [{ memory: { id } }],
      memories: { edges: [{ node: { id, createdAt } }] },
      recall: [{ memory: { id } }],
    });
    const changed = await ask(
      `mutation ($id: ID!) {
        updateMemory(id: $id, input: { content: "Tea is cheaper." }) { id content createdAt }
        archiveMemories(input: { filters: { id: { eq: $id } }, dryRun: false }) { count }
        restoreMemories(ids: [$id])
        deleteMemory(id: $id)
      }`,
      { id },
    );
    expect(changed).toEqual({
      updateMemory: { id, content: 'Tea is cheaper.', createdAt },
      archiveMemories: { count: 1 },
      restoreMemories: 1,
      deleteMemory: true,
    });
  });

  test('stores and finds documents and tools', async () => {
    const { ingestDocument, registerTools } = await ask(
      `mutation {
        ingestDocument(input: { filename: "a.md", content: "# Häuser\\n\\nThe houses are old." }) { chunkCount document { id createdAt } }
        registerTools(inputs: [{ toolName: "weather", toolDescription: "Tells the weather" }]) { toolName }
      }`,
    );
    expect(ingestDocument).toMatchObject({ chunkCount: 1, document: { createdAt: expect.any(String) } });
    expect(registerTools).toEqual([{ toolName: 'weather' }]);
    const found = await ask(`{
      similarChunks(text: "old houses", k: 1) { chunk { content } }
      similarTools(text: "weather", k: 1) { tool { toolName } }
    }`);
    expect(found).toMatchObject({
      similarChunks: [{ chunk: { content: expect.stringContaining('The houses are old.') } }],
      similarTools: [{ tool: { toolName: 'weather' } }],
    });
  });

  test('shows a user the own rows alone, by their words too', async () => {
    const asAnn = { userId: 'ann', role: 'user' } as const;
    await ask(`mutation { createMemory(input: { content: "A secret of bob.", userId: "bob" }) { id } }`);
    const mine = await ask(
      `mutation { createMemory(input: { content: "A secret of ann.", userId: "ann" }) { id } }`,
    );
    const { pool } = server.database;
    const ids = await transaction(pool, asAnn, { access: 'read' }, (tx) =>
      tx.execute(sql`select id::text, funes_own_memories_with_words(websearch_to_tsquery('english', 'secret'), null, 9)::text as own,
        embedding <=> embedding as distance from memories`),
    );
    expect(ids).toEqual([{ id: mine.createMemory.id, own: mine.createMemory.id, distance: 0 }]);
    const [own] = await transaction(pool, asAnn, { access: 'read' }, (tx) =>
      tx.execute(sql`select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
        current_setting('DateStyle') as date, current_setting('transaction_isolation') as isolation`),
    );
    expect(own).toEqual({ statement: '30s', lock: '0', date: 'ISO, MDY', isolation: 'read committed' });
  });
});
