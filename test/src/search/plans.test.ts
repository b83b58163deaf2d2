import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { explain } from '../../../testkit/statements.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { forms, reported, secondPages } from './forms.ts';
import { hnsw, planRows, planUser } from './plan-rows.ts';

// The plan of each form, among 4,000 rows of each kind. Sequential scans are off and operators dear, because among so few rows
// it is cheaper for some forms to compare all rows, and larger indexes take too long to build for a test. On every database, the tests assert the
// indexes that a form must be able to use. test/sql/plans has the whole plan that the embedded database makes for an
// administrator, test/sql/plans/user the one for a user, behind the policies. `npm run sql:update` writes these files.

const settings = 'set local enable_seqscan = off; set local cpu_operator_cost = 1';

type Viewer = 'administrator' | 'user';

/** The headers by which a request is each viewer's. */
const viewers: Record<Viewer, Record<string, string>> = {
  administrator: {},
  user: { 'x-funes-user': planUser },
};

const plans = join(import.meta.dirname, '../../sql/plans');
const folders: Record<Viewer, string> = { administrator: plans, user: join(plans, 'user') };
const words = (table: string) => `idx_${table}_content_tsv`;

/** The functions that read the index of words for a user: a plan does not show what a function reads. */
const wordsOfUser: Record<string, string> = {
  memories: 'funes_own_memories_with_words',
  document_chunks: 'funes_own_chunks_with_words',
};

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

  /** Sends a query as an administrator or as a user, and returns its data. */
  async function ask(viewer: Viewer, query: string): Promise<unknown> {
    const { data, errors } = await server.raw(query, {}, viewers[viewer]);
    expect(errors).toBeUndefined();
    return data;
  }

  async function planOf(viewer: Viewer, query: string): Promise<string> {
    const statements = await server.statementsOf(() => ask(viewer, query));
    const plan = await explain(server.database.pool, statements.at(-1) as never, settings);
    // The content of a cursor differs from run to run.
    return plan
      .replace(/'-?\d+(\.\d+)?(e-?\d+)?'::double precision/g, "'…'::double precision")
      .replace(/'\d{4}-[^']+'::timestamp with time zone/g, "'…'::timestamp with time zone")
      .replace(/'\{"at"[^']*'::jsonb/g, "'…'::jsonb")
      .replace(/'\d+'::bigint/g, "'…'::bigint");
  }

  async function isCommitted(viewer: Viewer, name: string, query: string): Promise<void> {
    const plan = await planOf(viewer, query);
    for (const index of indexes[name] ?? []) {
      const [, ownersTable] = /^idx_(memories|document_chunks)_content_tsv$/.exec(index) ?? [];
      expect(plan).toContain(viewer === 'user' && ownersTable ? wordsOfUser[ownersTable] : index);
    }
    if (indexes[name]?.length === 0) expect(plan).not.toContain('hnsw');
    // Another version of PostgreSQL may make another plan.
    if (inject('databaseTemplate').engine === 'embedded')
      await expect(`${plan}\n`).toMatchFileSnapshot(join(folders[viewer], `${name}.txt`));
  }

  describe.each(['administrator', 'user'] as const)('of a %s', (viewer) => {
    test.each(Object.entries(forms))('%s can read by its indexes', (name, fields) =>
      isCommitted(viewer, name, `{ ${fields} }`),
    );

    test.each(Object.entries(secondPages))('%s can read by its indexes', async (name, fields) => {
      const data = await ask(viewer, `{ page: ${fields.replace(' AFTER', '')} }`);
      const cursor = /"cursor":("[\w-]+")/.exec(JSON.stringify(data))?.[1];
      await isCommitted(viewer, name, `{ page: ${fields.replace(' AFTER', `, after: ${cursor}`)} }`);
    });

    test.each(Object.entries(reported))('%s can read by its indexes', (name, fields) =>
      isCommitted(viewer, name, `query @searchReport { ${fields} }`),
    );
  });

  test('is known of every form', () => {
    const known = Object.keys({ ...forms, ...secondPages, ...reported }).sort();
    expect(Object.keys(indexes).sort()).toEqual(known);
    for (const folder of Object.values(folders)) {
      const files = readdirSync(folder).filter((file) => file.endsWith('.txt'));
      expect(files.map((file) => basename(file, '.txt')).sort()).toEqual(known);
    }
  });
});
