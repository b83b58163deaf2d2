import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { explain } from '../../../testkit/statements.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { forms, reported, secondPages } from './forms.ts';
import { hnsw, planRows } from './plan-rows.ts';

// The plan of each form, among 4,000 rows of each kind. Sequential scans are off, because among so few rows they are
// cheaper for some forms, and larger indexes take too long to build for a test. On every database, the tests assert the
// indexes that a form must be able to use. test/sql/plans has the whole plan that the embedded database makes. `npm run
// sql:update` writes these files.

const folder = join(import.meta.dirname, '../../sql/plans');
const words = (table: string) => `idx_${table}_content_tsv`;

/** The indexes that a form must read. */
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
    server = await startTestServer({ seed: planRows });
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
    // The content of a cursor differs from run to run.
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
    // Another version of PostgreSQL may make another plan.
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
