import { type SQL, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { memories, toolEmbeddings } from '../../../schema/index.ts';
import { transaction } from '../../../src/database/transaction.ts';
import {
  compileMemoryFilters,
  compileToolFilters,
  type MemoryFilters,
} from '../../../src/filters/filters.ts';
import { localViewer } from '../../../src/viewer.ts';
import { asOwner } from '../../../testkit/owner.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await openTestDatabase();
  await asOwner(database.pool, async (tx) => {
    await tx.execute(sql`
      insert into memories (content, source, session_id, importance_score, metadata, created_at, user_id)
      select 'memory ' || i, 'source ' || i % 500, 'session ' || i, i / 5000.0,
        jsonb_build_object('n', i, 'tag', 'tag ' || i % 500, 'user', jsonb_build_object('name', 'name ' || i)),
        timestamptz '2024-01-01' + i * interval '1 minute', 'user ' || i % 500
      from generate_series(1, 5000) i`);
    await tx.execute(sql`
      insert into tool_embeddings (tool_name, tool_description, tool_parameters)
      select 'tool ' || i, 'a tool', jsonb_build_object('n', i) from generate_series(1, 5000) i`);
    await tx.execute(sql`analyze memories`);
    await tx.execute(sql`analyze tool_embeddings`);
  });
});
afterAll(() => database.close());

// Under row-level security PostgreSQL does not use its statistics for operators that are not leakproof, such as @>, and so
// expects more rows of them. Among 5,000 it would read the table.
const noSeqScan = { enable_seqscan: 'off' };

async function plan(table: PgTable, condition: SQL | undefined, settings = {}): Promise<string> {
  const rows = await transaction(database.pool, localViewer, { access: 'read', settings }, (tx) =>
    tx.execute<{ 'QUERY PLAN': string }>(sql`explain (costs off) select * from ${table} where ${condition}`),
  );
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

test.each<[index: string, filters: MemoryFilters]>([
  ['idx_memories_metadata', { metadata: { contains: { user: { name: 'name 7' } } } }],
  ['idx_memories_metadata', { metadata: { at: [{ path: ['user', 'name'], string: { eq: 'name 7' } }] } }],
  ['idx_memories_metadata', { metadata: { at: [{ path: ['n'], number: { eq: 7 } }] } }],
  ['idx_memories_source', { source: { eq: 'source 7' } }],
  ['idx_memories_source', { source: { in: ['source 7', 'source 8'] } }],
  ['idx_memories_session_id', { sessionId: { eq: 'session 7' } }],
  // One of the two indexes that begin with user_id.
  ['idx_memories_user_', { userId: { eq: 'user 7' } }],
  ['idx_memories_importance', { importanceScore: { gt: 0.999 } }],
  ['idx_memories_created_at', { createdAt: { eq: new Date('2024-01-02T00:00:00Z') } }],
  ['idx_memories_created_at', { createdAt: { gte: new Date('2024-01-04T10:00:00Z') } }],
  ['memories_pkey', { id: { eq: '7' } }],
  ['memories_pkey', { id: { in: ['7', '8'] } }],
  ['idx_memories_source', { or: [{ source: { eq: 'source 7' } }, { sessionId: { eq: 'session 9' } }] }],
])('%s serves %j', async (index, filters) => {
  const settings = index === 'idx_memories_metadata' ? noSeqScan : {};
  expect(await plan(memories, compileMemoryFilters(filters), settings)).toContain(index);
});

test('idx_memories_metadata can serve a short list of values at a path', async () => {
  const condition = compileMemoryFilters({ metadata: { at: [{ path: ['n'], number: { in: [7, 8, 9] } }] } });
  // Three look-ups cost more than a table of this size.
  expect(await plan(memories, condition, noSeqScan)).toContain('idx_memories_metadata');
});

test('idx_tool_embeddings_parameters serves containment in the parameters of tools', async () => {
  const condition = compileToolFilters({ toolParameters: { contains: { n: 7 } } });
  expect(await plan(toolEmbeddings, condition)).toContain('idx_tool_embeddings_parameters');
});

test('an order inside JSON, which no index has, reads the table', async () => {
  const condition = compileMemoryFilters({ metadata: { at: [{ path: ['n'], number: { lt: 7 } }] } });
  expect(await plan(memories, condition)).toMatch(/^Seq Scan on memories/);
});
