import { beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import type { IndexInfo } from '../../../src/doctor/indexes.ts';
import type { BuiltIndex } from '../../../src/upkeep/vector-indexes.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { findings, funes, queryOn } from '../doctor/support.ts';

const isEmbedded = inject('databaseTemplate').engine === 'embedded';

let database: TestDatabase;
const run = (...words: string[]) => funes(database, ['index', ...words]);
const send = (...statements: string[]) =>
  queryOn(database.pool, async (query) => {
    for (const statement of statements) await query(statement);
  });
async function indexes(): Promise<IndexInfo[]> {
  const { output } = await run('list', '--json');
  return (JSON.parse(output) as { indexes: IndexInfo[] }).indexes;
}
const indexOf = async (name: string) => (await indexes()).find((index) => index.name === name);

/** 300 memories whose vectors lie in all directions, the same in each run. */
const memories = `
  insert into memories (user_id, content, embedding, embedding_model)
  select 'ana', 'memory ' || n, (select array_agg(sin(n * 12.9898 + d * 78.233 + n * d * .37)) from generate_series(1, 384) as d)::vector, 'hash-embedder'
  from generate_series(1, 300) as n`;

beforeEach(async () => {
  database = await openTestDatabase({ poolSize: 2 });
  const opened = database;
  onTestFinished(() => opened.close());
  await send("update installation set embedding_model = 'hash-embedder'", memories);
});

test('lists the indexes on vectors, and all others if asked', async () => {
  expect(await indexOf('idx_memories_embedding_hnsw')).toMatchObject({
    table: 'memories',
    method: 'hnsw',
    operatorClasses: ['vector_cosine_ops'],
    parameters: ['m=16', 'ef_construction=64'],
    valid: true,
  });
  expect((await indexes()).every(({ method }) => method === 'hnsw')).toBe(true);
  const { status, output } = await run('list', '--all');
  expect({ status, output }).toEqual({
    status: 0,
    output: expect.stringContaining('idx_memories_content_tsv  memories, gin (content_tsv)'),
  });
});

test.each([
  [
    'hnsw',
    'cosine',
    ['--m', '24', '--ef-construction', '100'],
    ['m=24', 'ef_construction=100'],
    'vector_cosine_ops',
  ],
  ['hnsw', 'euclidean', [], ['m=16', 'ef_construction=64'], 'vector_l2_ops'],
  ['hnsw', 'inner_product', [], ['m=16', 'ef_construction=64'], 'vector_ip_ops'],
  ['ivfflat', 'cosine', ['--lists', '1'], ['lists=1'], 'vector_cosine_ops'],
  ['ivfflat', 'euclidean', ['--lists', '5'], ['lists=5'], 'vector_l2_ops'],
  ['ivfflat', 'inner_product', [], ['lists=1'], 'vector_ip_ops'],
])(
  'builds an index of the kind %s for %s, rebuilds it and drops it',
  async (kind, metric, options, parameters, operatorClass) => {
    const words = ['build', 'memories', '--kind', kind, '--metric', metric, ...options];
    const { status, output, message } = await run(...words, '--json');
    expect({ status, message }).toEqual({ status: 0, message: '' });
    const built = JSON.parse(output) as BuiltIndex;
    expect(built).toMatchObject({ table: 'memories', built: true });
    if (metric === 'cosine') expect(built.recall).toBeGreaterThanOrEqual(0.98);
    else expect(built.recall).toBe(null);
    const expected = { method: kind, operatorClasses: [operatorClass], parameters, valid: true };
    expect(await indexOf(built.name)).toMatchObject(expected);
    expect(await findings(database)).toEqual([]);

    expect(JSON.parse((await run(...words, '--json')).output)).toMatchObject({
      name: built.name,
      built: false,
    });
    expect(await run('rebuild', built.name)).toMatchObject({
      status: 0,
      output: expect.stringContaining(`Rebuilt ${built.name}. ${isEmbedded ? 'Requests waited' : 'It took'}`),
    });
    expect(await indexOf(built.name)).toMatchObject(expected);
    expect(await run('drop', built.name)).toMatchObject({ status: 0, output: `Dropped ${built.name}.\n` });
    expect(await indexOf(built.name)).toBe(undefined);
  },
);

test('drops an index by which searches would find too few rows', async () => {
  // Vectors of a list for each row, of which the search reads a part: so few of the nearest are found.
  const { status, message } = await run(
    'build',
    'memories',
    '--kind',
    'ivfflat',
    '--lists',
    '300',
    '--name',
    'coarse',
  );
  expect({ status, message }).toEqual({
    status: 1,
    message: expect.stringMatching(/^With the index coarse, searches find [\d.]+ %/),
  });
  expect(await indexOf('coarse')).toBe(undefined);
});

test('does not take an incomplete index of another kind for its own', async () => {
  if (isEmbedded) return; // its builds are whole or are not there
  const blocked = database.pool.reserve();
  const connection = await blocked;
  try {
    // A unique index of equal values fails at its end, and leaves what is not valid.
    await connection.unsafe(`create unique index concurrently broken on memories (user_id)`).catch(() => {});
  } finally {
    connection.release();
  }
  const { status, message } = await run('build', 'memories', '--name', 'broken');
  expect({ status, message }).toEqual({
    status: 1,
    message: expect.stringMatching(/^There is an index broken with other parameters/),
  });
});

test.each([
  [['build', 'memorys'], 1, /^There is no table "memorys" with vectors\. Did you mean memories\?/],
  [['build', 'memories', '--m', 'many'], 2, /^--m must be a whole number, not "many"\.$/],
  [['build', 'memories', '--m', '200'], 1, /^--m must be a whole number from 2 to 100, not 200\.$/],
  [
    ['build', 'memories', '--m', '40', '--ef-construction', '50'],
    1,
    /^--ef-construction must be at least twice --m\.$/,
  ],
  [['build', 'memories', '--lists', '10'], 1, /^--lists is not for an index of the kind hnsw\.$/],
  [['build', 'memories', '--kind', 'flat'], 2, /flat/],
  [
    ['build', 'memories', '--name', 'idx_memories_user_id'],
    1,
    /^There is an index idx_memories_user_id with other parameters: btree \(user_id\)/,
  ],
  [['build', 'memories', '--m', '8', '--name', 'idx_memories_embedding_hnsw'], 1, /with other parameters/],
  [
    ['rebuild', 'idx_memories_embeding_hnsw'],
    1,
    /^There is no index .* Did you mean idx_memories_embedding_hnsw\?/,
  ],
  [['drop', 'idx_memories_embedding_hnsw'], 1, /belongs to the tables of funes/],
  [['drop', 'memories_pkey'], 1, /belongs to the tables of funes/],
  [['drop', 'nothing'], 1, /^There is no index "nothing"\./],
])('refuses %j with one line', async (words, status, message) => {
  const before = await indexes();
  const outcome = await run(...words);
  expect(outcome).toEqual({ status, output: '', message: expect.stringMatching(message) });
  expect(outcome.message).not.toContain('\n');
  expect((await indexes()).map(({ name }) => name)).toEqual(before.map(({ name }) => name));
});
