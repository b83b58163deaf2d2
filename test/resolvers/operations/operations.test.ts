import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  HealthDocument,
  type HealthQuery,
  IndexesDocument,
  type IndexesQuery,
  IntegrityDocument,
  type IntegrityQuery,
  StatsDocument,
  type StatsQuery,
} from '../../generated/operations.ts';
import { bearer, makeKey } from '../../src/security/support.ts';
import { FallibleEmbedder } from '../../support/fallible-embedder.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
const embedder = new FallibleEmbedder();
const keys = {} as Record<'root' | 'ana' | 'ben', Record<string, string>>;

beforeAll(async () => {
  server = await startTestServer({ embedder, settings: { FUNES_AUTH: 'keys' } });
  for (const [name, role] of [
    ['root', 'admin'],
    ['ana', 'user'],
    ['ben', 'reader'],
  ] as const)
    keys[name] = bearer((await makeKey(server, name, role)).key);
  const send = async (query: string, headers: Record<string, string>) => {
    const { errors } = await server.raw(query, {}, headers);
    expect(errors).toBeUndefined();
  };
  await send(
    `mutation { createMemories(inputs: [
      { content: "eins", createdAt: "2020-01-01T00:00:00Z" } { content: "zwei", createdAt: "2021-01-01T00:00:00Z", metadata: { a: 1 } }
      { content: "drei" }]) { id } }`,
    keys.ana,
  );
  await send(
    'mutation { ingestDocument(input: { filename: "a.txt", content: "One. Two." }) { created } }',
    keys.ana,
  );
  await send('mutation { createMemory(input: { content: "vier", userId: "ben" }) { id } }', keys.root);
  await send(
    'mutation { registerTools(inputs: [{ toolName: "hammer", toolDescription: "Drives nails" }]) { id } }',
    keys.root,
  );
  await send(
    'mutation { archiveMemories(input: { olderThan: "2020-06-01T00:00:00Z", dryRun: false }) { count } }',
    keys.ana,
  );
  embedder.stopped = true;
  await send('mutation { createMemory(input: { content: "fünf" }, wait: false) { id } }', keys.ana);
  embedder.stopped = false;
});
afterAll(() => server.close());

async function ask<Data>(
  document: { toString(): string },
  headers: Record<string, string>,
  variables = {},
): Promise<Data> {
  const { data, errors } = await server.raw(document.toString(), variables, headers);
  expect(errors).toBeUndefined();
  return data as Data;
}

describe('stats', () => {
  test('are of the rows that one may see', async () => {
    const { stats } = await ask<StatsQuery>(StatsDocument, keys.ana);
    const { MEMORY, ARCHIVED_MEMORY, DOCUMENT, CHUNK, TOOL } = Object.fromEntries(
      stats.kinds.map(({ kind, ...rest }) => [kind, rest]),
    );
    const model = 'hash-embedder';
    expect(MEMORY).toMatchObject({
      rows: 3,
      // "zwei" with {"a": 1}, "drei" and "fünf", with {} each
      bytes: 4 + 8 + 4 + 2 + 5 + 2,
      oldest: '2021-01-01T00:00:00.000Z',
      embeddings: [
        { status: 'PENDING', model: null, count: 1 },
        { status: 'READY', model, count: 2 },
      ],
    });
    expect(ARCHIVED_MEMORY).toMatchObject({
      rows: 1,
      oldest: '2020-01-01T00:00:00.000Z',
      newest: '2020-01-01T00:00:00.000Z',
    });
    expect(DOCUMENT).toMatchObject({ rows: 1, embeddings: [] });
    expect(CHUNK).toMatchObject({ rows: 1, embeddings: [{ status: 'READY', model, count: 1 }] });
    expect(TOOL).toMatchObject({ rows: 1, bytes: 'hammer'.length + 'Drives nails'.length });
    expect(stats).toMatchObject({ userCount: null, users: null });
  });

  test('without rows have no times', async () => {
    const { stats } = await ask<StatsQuery>(StatsDocument, { ...keys.root, 'x-funes-user': 'nobody' });
    expect(stats.kinds[0]).toEqual({
      kind: 'MEMORY',
      rows: 0,
      bytes: 0,
      oldest: null,
      newest: null,
      embeddings: [],
    });
  });

  test('of a user do not count the rows of others, and administrators see who has how much', async () => {
    const ofBen = await ask<StatsQuery>(StatsDocument, keys.ben);
    expect(ofBen.stats.kinds.map(({ rows }) => rows)).toEqual([1, 0, 0, 0, 1]);
    const { stats } = await ask<StatsQuery>(StatsDocument, keys.root);
    expect(stats.kinds.map(({ rows }) => rows)).toEqual([4, 1, 1, 1, 1]);
    expect(stats.userCount).toBe(2);
    expect(stats.users).toMatchObject([
      { userId: 'ana', rows: 6, memories: 3, archivedMemories: 1, documents: 1, chunks: 1 },
      { userId: 'ben', rows: 1, memories: 1, archivedMemories: 0, documents: 0, chunks: 0, bytes: 6 },
    ]);
    const firstOnly = await ask<StatsQuery>(StatsDocument, keys.root, { first: 1 });
    expect(firstOnly.stats.users).toMatchObject([{ userId: 'ana' }]);
  });

  test('of too many users at once are refused', async () => {
    const { errors } = await server.raw('{ stats { users(first: 201) { userId } } }', {}, keys.root);
    expect(errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED' } }]);
  });
});

describe('health', () => {
  test('is that of /health/ready, and says to administrators alone what is wrong', async () => {
    const checks = (detail: unknown) => [
      { name: 'database', ready: true, detail: null },
      { name: 'migrations', ready: true, detail: null },
      { name: 'model', ready: detail === undefined, detail: detail ?? null },
    ];
    expect((await ask<HealthQuery>(HealthDocument, keys.ana)).health).toMatchObject({
      ready: true,
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      checks: checks(undefined),
    });
    embedder.stopped = true;
    const ofUser = await ask<HealthQuery>(HealthDocument, keys.ana);
    expect(ofUser.health).toMatchObject({ ready: false, checks: checks(null) });
    const ofAdministrator = await ask<HealthQuery>(HealthDocument, keys.root);
    expect(ofAdministrator.health.checks).toEqual(checks(expect.stringContaining('stopped')));
    embedder.stopped = false;
  });
});

describe('integrity and indexes', () => {
  test('tell administrators what the doctor finds', async () => {
    const missing = async () => {
      const { integrity } = await ask<IntegrityQuery>(IntegrityDocument, keys.root);
      expect(integrity.ok).toBe(integrity.findings.length === 0);
      return integrity.findings.filter(({ code }) => code !== 'PGVECTOR_OLD');
    };
    const pending = { code: 'EMBEDDINGS_PENDING', subject: 'memories' };
    expect(await missing()).toMatchObject([pending]);
    await server.sql('drop index idx_memories_embedding_hnsw');
    const found = await missing();
    expect(found).toMatchObject([
      {
        code: 'INDEX_MISSING',
        subject: 'memories.idx_memories_embedding_hnsw',
        command: 'funes doctor --fix INDEX_MISSING',
      },
      pending,
    ]);
    await server.sql(found[0]?.statements[0] ?? '');
    expect(await missing()).toMatchObject([pending]);
  });

  test('list each index with what it is', async () => {
    await server.sql('analyze memories');
    const { indexes } = await ask<IndexesQuery>(IndexesDocument, keys.root);
    expect(indexes.find(({ name }) => name === 'idx_memories_embedding_hnsw')).toEqual({
      name: 'idx_memories_embedding_hnsw',
      table: 'memories',
      method: 'hnsw',
      definition: "hnsw (embedding vector_cosine_ops) WITH (m='16', ef_construction='64')",
      operatorClasses: ['vector_cosine_ops'],
      parameters: ['m=16', 'ef_construction=64'],
      unique: false,
      valid: true,
      bytes: expect.any(Number),
      rows: expect.any(Number),
      scans: expect.any(Number),
    });
    const primary = indexes.find(({ name }) => name === 'memories_pkey');
    expect(primary).toMatchObject({
      method: 'btree',
      unique: true,
      operatorClasses: ['int8_ops', 'text_ops'],
      rows: 4,
    });
    expect(primary?.bytes).toBeGreaterThan(0);
    expect(new Set(indexes.map(({ table }) => table))).toEqual(
      new Set([
        'api_keys',
        'audit',
        'document_chunks',
        'documents',
        'installation',
        'memories',
        'memories_archive',
        'tool_embeddings',
      ]),
    );
  });
});
