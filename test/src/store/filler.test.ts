import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { maintenance } from '../../../src/database/maintenance.ts';
import { openPool, type Pool } from '../../../src/database/pool.ts';
import type { EmbeddingLog } from '../../../src/embedding/embedder.ts';
import { fillOnce, startFiller } from '../../../src/store/filler.ts';
import { type Claimed, claimPending, releaseClaims, storeEmbeddings } from '../../../src/store/pending.ts';
import { hashVector } from '../../../testkit/hash-embedder.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { FallibleEmbedder } from '../../support/fallible-embedder.ts';

let database: TestDatabase;
let pool: Pool;
let embedder: FallibleEmbedder;
const log: EmbeddingLog = { info: () => {}, warn: () => {} };

beforeAll(async () => {
  database = await openTestDatabase();
  pool = database.pool;
});
beforeEach(async () => {
  embedder = new FallibleEmbedder();
  for (const table of ['memories', 'memories_archive', 'documents', 'tool_embeddings'])
    await run(`delete from ${table}`);
});
afterAll(() => database.close());

function run<Row extends Record<string, unknown>>(statement: string): Promise<Row[]> {
  return maintenance(pool, { access: 'write' }, async (tx) => [
    ...(await tx.execute(sql.raw(statement))),
  ]) as Promise<Row[]>;
}

/** Stores memories that wait for their embedding. */
async function waiting(count: number, content = "'memory ' || n"): Promise<void> {
  await run(
    `insert into memories (content) select ${content} from generate_series(1, ${count}) as n order by n`,
  );
}

interface State extends Record<string, unknown> {
  content: string;
  model: string | null;
  error: string | null;
  attempts: number;
  isPaused: boolean;
}

const states = () =>
  run<State>(`select content, embedding_model as model, embedding_error as error, embedding_attempts as attempts,
    embedding_retry_at is not null as "isPaused" from memories order by id`);

/** Steps until a step finds nothing to do. */
async function fillAll(services = { database: pool, embedder, log }): Promise<void> {
  for (;;) {
    const { embedded, refused, down } = await fillOnce(services);
    if (embedded + refused === 0 || down !== undefined) return;
  }
}

/** Lets the pauses before the next attempts end. */
const endPauses = () =>
  run(`update memories set embedding_retry_at = now() where embedding_retry_at is not null`);

const whole = { rows: 100, characters: 1e6, leaseMs: 60_000 };
const claim = () => maintenance(pool, { access: 'write' }, (tx) => claimPending(tx, 'memories', whole));
const store = (rows: readonly Claimed[]) =>
  maintenance(pool, { access: 'write' }, (tx) =>
    storeEmbeddings(
      tx,
      'memories',
      { model: 'hash-embedder', nextModel: undefined },
      rows.map((row) => ({ row, vectors: { vector: hashVector(row.text), next: undefined } })),
    ),
  );

describe('a step', () => {
  test('embeds rows of all kinds, each by its own text, and leaves the rest as it was', async () => {
    await waiting(1, `'owls "hunt" {at} \\ night, ",NULL'`);
    await run(`insert into memories_archive (id, content) values (7, 'an old owl')`);
    await run(`insert into tool_embeddings (tool_name, tool_description) values ('owl', 'counts owls')`);
    await run(`with document as (insert into documents (filename, content_hash, total_chunks) values ('owls.txt', repeat('a', 64), 1) returning id)
      insert into document_chunks (document_id, chunk_index, total_chunks, content, chunk_size, start_offset, end_offset)
      select id, 0, 1, 'a chunk of owls', 4, 0, 15 from document`);
    const [before] = await run(`select updated_at from memories`);
    expect(await fillOnce({ database: pool, embedder, log })).toEqual({
      embedded: 4,
      refused: 0,
      down: undefined,
    });
    expect([...embedder.embedded].sort()).toEqual(
      ['owls "hunt" {at} \\ night, ",NULL', 'an old owl', 'owl: counts owls', 'a chunk of owls'].sort(),
    );
    for (const [table, text] of [
      ['memories', 'owls "hunt" {at} \\ night, ",NULL'],
      ['memories_archive', 'an old owl'],
      ['tool_embeddings', 'owl: counts owls'],
      ['document_chunks', 'a chunk of owls'],
    ] as const) {
      const [row] = await run(
        `select embedding::text as vector, embedding_model as model, embedding_retry_at as lease from ${table}`,
      );
      expect(row).toMatchObject({ model: 'hash-embedder', lease: null });
      expect(Float32Array.from(JSON.parse(String(row?.vector)))).toEqual(hashVector(text));
    }
    expect(await run(`select updated_at from memories`)).toEqual([before]);
    expect(await fillOnce({ database: pool, embedder, log })).toEqual({
      embedded: 0,
      refused: 0,
      down: undefined,
    });
  });

  test('is small: rows wait for later steps, and a long text has a step of its own', async () => {
    await waiting(20);
    expect((await fillOnce({ database: pool, embedder, log })).embedded).toBe(16);
    expect((await fillOnce({ database: pool, embedder, log })).embedded).toBe(4);
    await waiting(3, `repeat('long ', 2000) || n`);
    expect((await fillOnce({ database: pool, embedder, log })).embedded).toBe(1);
  });

  test('leaves rows alone whose vector is to come from a client', async () => {
    await run(`insert into memories (content, embedding_source) values ('of a client', 'CLIENT')`);
    await fillAll();
    expect(embedder.embedded).toEqual([]);
  });

  test('never stores the vector of a text that the row had before', async () => {
    await waiting(2);
    const claimed = await claim();
    await run(`update memories set content = 'changed' where content = 'memory 1'`);
    await store(claimed);
    expect(await states()).toMatchObject([
      { content: 'changed', model: null },
      { content: 'memory 2', model: 'hash-embedder' },
    ]);
  });

  test('does not touch a row that got its embedding meanwhile, nor one that was deleted', async () => {
    await waiting(2);
    const claimed = await claim();
    await run(
      `update memories set embedding = array_fill(0.5, array[384])::vector, embedding_model = 'other' where content = 'memory 1'`,
    );
    await run(`delete from memories where content = 'memory 2'`);
    await store(claimed);
    expect(await states()).toMatchObject([{ content: 'memory 1', model: 'other' }]);
  });
});

describe('several fillers on one database', () => {
  test('embed each row once', async () => {
    await waiting(100);
    const second = openPool({ database: database.database, poolSize: 4 });
    try {
      const pools = database.engine === 'postgres' ? [pool, second] : [pool, pool];
      await Promise.all(
        pools.flatMap((one) => [one, one].map((each) => fillAll({ database: each, embedder, log }))),
      );
    } finally {
      await second.close();
    }
    // A step that finds rows locked may end early, while the others still work.
    await fillAll();
    expect(embedder.embedded).toHaveLength(100);
    expect(new Set(embedder.embedded).size).toBe(100);
    for (const { model, isPaused } of await states())
      expect([model, isPaused]).toEqual(['hash-embedder', false]);
  });

  test('do not claim what another has claimed, until its lease ends or it gives the rows back', async () => {
    await waiting(3);
    const claimed = await claim();
    expect(claimed).toHaveLength(3);
    expect(await claim()).toEqual([]);
    await maintenance(pool, { access: 'write' }, (tx) => releaseClaims(tx, 'memories', claimed.slice(0, 1)));
    const again = await claim();
    expect(again.map(({ id }) => id)).toEqual([claimed[0]?.id]);
    await run(`update memories set embedding_retry_at = now() - interval '1 second'`);
    expect(await claim()).toHaveLength(3);
  });

  test('that gave up a claim long ago do not end the claim of another', async () => {
    await waiting(1);
    const stale = await claim();
    await endPauses();
    await claim();
    await maintenance(pool, { access: 'write' }, (tx) => releaseClaims(tx, 'memories', stale));
    expect(await claim()).toEqual([]);
  });
});

describe('a row that cannot be embedded', () => {
  test('stops no other row, is tried again later and later, and is FAILED with the reason at last', async () => {
    embedder.poison = 'arsenic';
    await waiting(16, `case when n = 6 then 'arsenic' else 'bread ' || n end`);
    await fillAll();
    const after = await states();
    expect(after.filter(({ model }) => model !== null)).toHaveLength(15);
    const poisoned = async () => (await states()).filter(({ content }) => content === 'arsenic');
    expect(await poisoned()).toMatchObject([{ model: null, error: null, attempts: 1, isPaused: true }]);
    const pauses: number[] = [];
    for (let attempts = 2; attempts <= 4; attempts++) {
      await endPauses();
      await fillAll();
      expect(await poisoned()).toMatchObject([{ error: null, attempts }]);
      const [row] = await run<{ pause: number }>(
        `select round(extract(epoch from embedding_retry_at - now()) / 10)::int as pause from memories where content = 'arsenic'`,
      );
      pauses.push(row?.pause ?? 0);
    }
    expect(pauses).toEqual([2, 4, 8]);
    await endPauses();
    await fillAll();
    const failed = { model: null, error: 'no embedding of arsenic', attempts: 5, isPaused: false };
    expect(await poisoned()).toMatchObject([failed]);
    embedder.poison = undefined;
    await fillAll();
    expect(await poisoned()).toMatchObject([failed]);
  });

  test('because its vector is none that can be stored, is refused like one that makes the model fail', async () => {
    await waiting(2);
    const { embed } = embedder;
    embedder.embed = async (texts, options) =>
      (await embed.call(embedder, texts, options)).map((vector, i) =>
        texts[i] === 'memory 1' ? vector.fill(Number.NaN) : vector,
      );
    await fillAll();
    expect(await states()).toMatchObject([
      { model: null, attempts: 1 },
      { model: 'hash-embedder', attempts: 0 },
    ]);
  });
});

describe('while the embedder is down', () => {
  test('no row is blamed or held, and all are embedded when it is back', async () => {
    await waiting(5);
    embedder.stopped = true;
    for (let i = 0; i < 10; i++) {
      const { embedded, refused, down } = await fillOnce({ database: pool, embedder, log });
      expect([embedded, refused]).toEqual([0, 0]);
      expect(down).toMatchObject({ code: 'UNAVAILABLE' });
    }
    for (const state of await states())
      expect(state).toMatchObject({ model: null, error: null, attempts: 0, isPaused: false });
    embedder.stopped = false;
    await fillAll();
    for (const { model } of await states()) expect(model).toBe('hash-embedder');
  });
});

describe('a running filler', () => {
  /** Resolves when the filler has embedded so many texts. */
  function embeddedTexts(count: number): Promise<void> {
    return new Promise((resolve) => {
      const { embed } = embedder;
      embedder.embed = async (texts, options) => {
        const vectors = await embed.call(embedder, texts, options);
        if (embedder.embedded.length >= count) resolve();
        return vectors;
      };
    });
  }

  test('embeds what waited before its start, also what a server that was killed had claimed', async () => {
    await waiting(3);
    await claim();
    const done = embeddedTexts(3);
    const filler = startFiller({ database: pool, embedder, log }, { alone: true });
    await done;
    await filler.close();
    for (const { model } of await states()) expect(model).toBe('hash-embedder');
  });

  test('is woken by a write, and ends its step when it is closed', async () => {
    const filler = startFiller({ database: pool, embedder, log });
    const done = embeddedTexts(2);
    await waiting(2);
    filler.wake();
    await done;
    await filler.close();
    for (const { model } of await states()) expect(model).toBe('hash-embedder');
  });

  test('gives its rows back when it is closed while the model computes', async () => {
    await waiting(2);
    let began: () => void = () => {};
    const computing = new Promise<void>((resolve) => {
      began = resolve;
    });
    embedder.embed = (_, { signal } = {}) =>
      new Promise((_resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        signal?.addEventListener('abort', () => reject(signal.reason));
        began();
      });
    const filler = startFiller({ database: pool, embedder, log });
    await computing;
    await filler.close();
    for (const state of await states())
      expect(state).toMatchObject({ model: null, attempts: 0, isPaused: false });
  });
});
