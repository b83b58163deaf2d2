import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { explain } from '../../support/statements.ts';
import { clusteredVectors, storeVectors } from '../../support/vectors.ts';
import { forms, reported, secondPages } from './forms.ts';

// The plan that PostgreSQL makes of each form among 4,000 rows of each kind, when it may read no table whole: with so few that
// is cheaper for some forms, and building indexes of more takes too long for a test. What a form must be able to read by an
// index is asserted on every database. Beside that, the whole plan that the embedded one makes stands in test/sql/plans;
// `npm run sql:update` writes the files anew.

const folder = join(import.meta.dirname, '../../sql/plans');
const rows = 4000;

const hnsw = (table: string) =>
  table === 'tool_embeddings' ? 'idx_tool_embeddings_hnsw' : `idx_${table}_embedding_hnsw`;
const words = (table: string) => `idx_${table}_content_tsv`;

/** Indexes that a form must read. */
const indexes: Record<string, string[]> = {
  nearest: [hnsw('memories')],
  'nearest-to-vector': [hnsw('memories')],
  'nearest-to-several': [hnsw('memories')],
  'nearest-to-rows': [hnsw('memories')],
  'nearest-to-examples': [hnsw('memories')],
  'nearest-filtered': [hnsw('memories')],
  'nearest-exact': [],
  'nearest-euclidean': [],
  'nearest-inner-product': [],
  keyword: [words('memories')],
  'hybrid-with-context': [hnsw('memories'), words('memories'), 'idx_memories_user_session'],
  'hybrid-by-rank': [hnsw('memories'), words('memories')],
  'percentile-and-weights': [hnsw('memories')],
  diversity: [hnsw('memories')],
  'chunks-of-documents': [hnsw('document_chunks')],
  tools: [hnsw('tool_embeddings')],
  'documents-by-best-chunk': [hnsw('document_chunks')],
  'documents-by-best-chunk-hybrid': [hnsw('document_chunks'), words('document_chunks')],
  'documents-by-mean': [hnsw('document_chunks'), 'idx_document_chunks_doc_index'],
  'documents-by-mean-percentile': [hnsw('document_chunks')],
  'documents-by-their-words': [words('document_chunks')],
  'documents-by-mean-of-examples': [hnsw('document_chunks')],
  recall: [hnsw('memories'), hnsw('document_chunks'), hnsw('tool_embeddings')],
  'recall-hybrid': [
    ...[hnsw('memories'), hnsw('document_chunks'), hnsw('tool_embeddings')],
    ...[words('memories'), words('document_chunks'), words('tool_embeddings')],
  ],
  'nearest-second-page': [hnsw('memories')],
  'nearest-filtered-second-page': [hnsw('memories')],
  'hybrid-second-page': [hnsw('memories'), words('memories')],
  'documents-second-page': [hnsw('document_chunks')],
  'recall-second-page': [hnsw('memories'), hnsw('tool_embeddings')],
  'recall-hybrid-second-page': [hnsw('memories'), words('memories')],
  'nearest-reported': [hnsw('memories')],
};

describe('the plan of a search', { timeout: 120_000 }, () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startTestServer();
    const { pool } = server.database;
    await storeVectors(pool, clusteredVectors(rows));
    const kept = ['document_chunks', 'tool_embeddings'];
    for (const table of kept) await server.sql(`drop index ${hnsw(table)}`);
    // Every second memory is of the conversations that the filtered forms ask for; every fourth chunk ends its document.
    await server.sql(`update memories set content = case id % 50 when 0 then 'violin' else 'harbor' end || ' number ' || id, session_id = 'session ' || id / 20,
      source = case id % 2 when 0 then 'chat' else 'note' end, metadata = metadata || jsonb_build_object('lang', case id % 2 when 0 then 'en' else 'de' end)`);
    await server.sql('vacuum full memories');
    await server.sql(`with document as (
        insert into documents (filename, content_hash, total_chunks)
        select case i % 2 when 0 then 'a.md' else 'b.md' end, lpad(i::text, 64, '0'), 4 from generate_series(1, ${rows / 4}) i
        returning id, user_id),
      numbered as (select *, row_number() over (order by id) - 1 as n from document)
      insert into document_chunks (user_id, document_id, chunk_index, total_chunks, content, embedding, embedding_model,
        chunk_size, start_offset, end_offset)
      select numbered.user_id, numbered.id, place % 4, 4, case place % 50 when 0 then 'violin' else 'harbor' end || ' part ' || place, embedding, 'test', 10, place % 4 * 20, place % 4 * 20 + 15
      from (select embedding, row_number() over (order by id) - 1 as place from memories) memory
        join numbered on numbered.n = place / 4`);
    await server.sql(`insert into tool_embeddings (tool_name, tool_description, embedding, embedding_model)
      select 'tool ' || id, 'plays the ' || case id % 50 when 0 then 'violin' else 'harbor' end, embedding, 'test' from memories`);
    for (const table of kept) {
      await server.sql(`create index ${hnsw(table)} on ${table} using hnsw (embedding vector_cosine_ops)`);
    }
    for (const table of [...kept, 'memories', 'documents']) await server.sql(`vacuum analyze ${table}`);
  }, 240_000);
  afterAll(() => server.close());

  async function planOf(query: string): Promise<string> {
    const statements = await server.statementsOf(async () => {
      const { errors } = await server.raw(query);
      expect(errors).toBeUndefined();
    });
    const plan = await explain(
      server.database.pool,
      statements.at(-1) as never,
      'set local enable_seqscan = off',
    );
    // What a cursor holds differs from run to run.
    return plan
      .replace(/'-?\d+(\.\d+)?(e-?\d+)?'::double precision/g, "'…'::double precision")
      .replace(/'\d{4}-[^']+'::timestamp with time zone/g, "'…'::timestamp with time zone")
      .replace(/'\{"at"[^']*'::jsonb/g, "'…'::jsonb")
      .replace(/'\d+'::bigint/g, "'…'::bigint");
  }

  async function isCommitted(name: string, query: string): Promise<void> {
    const plan = await planOf(query);
    for (const index of indexes[name] ?? []) expect(plan).toContain(index);
    if (indexes[name]?.length === 0) expect(plan).not.toContain('hnsw');
    // Another version of PostgreSQL may plan another way to the same end.
    if (inject('databaseTemplate').engine === 'embedded')
      await expect(`${plan}\n`).toMatchFileSnapshot(join(folder, `${name}.txt`));
  }

  test.each(Object.entries(forms))('%s can read by its indexes', (name, fields) =>
    isCommitted(name, `{ ${fields} }`),
  );

  test.each(Object.entries(secondPages))('%s can read by its indexes', async (name, fields) => {
    const { data } = await server.raw(`{ page: ${fields.replace(' AFTER', '')} }`);
    const cursor = /"cursor":("[\w-]+")/.exec(JSON.stringify(data))?.[1];
    await isCommitted(name, `{ page: ${fields.replace(' AFTER', `, after: ${cursor}`)} }`);
  });

  test.each(Object.entries(reported))('%s can read by its indexes', (name, fields) =>
    isCommitted(name, `query @searchReport { ${fields} }`),
  );

  test('is known of every form', () => {
    const known = Object.keys({ ...forms, ...secondPages, ...reported }).sort();
    expect(Object.keys(indexes).sort()).toEqual(known);
    expect(
      readdirSync(folder)
        .map((file) => basename(file, '.txt'))
        .sort(),
    ).toEqual(known);
  });
});
