import { sql } from 'drizzle-orm';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseVector } from '../../schema/columns/vector.ts';
import type { EmbedOptions } from '../../src/embedding/embedder.ts';
import { FunesError } from '../../src/errors.ts';
import { Generations } from '../../src/generations.ts';
import { ingestDocument } from '../../src/ingest/ingest.ts';
import { createLoaders } from '../../src/loaders.ts';
import { defaultSearchOptions, type SearchOptions } from '../../src/search/options.ts';
import type { Services } from '../../src/services.ts';
import { fillOnce } from '../../src/store/filler.ts';
import { createMemories, updateMemory } from '../../src/store/memories.ts';
import { reembed } from '../../src/store/reembed.ts';
import { registerTools } from '../../src/store/tools.ts';
import { importRows } from '../../src/transfer/import.ts';
import type { Incoming, Read } from '../../src/transfer/incoming.ts';
import { commandLineViewer, localViewer } from '../../src/viewer.ts';
import { HashEmbedder, hashModel, hashVector } from '../../testkit/hash-embedder.ts';
import { OppositeEmbedder, oppositeVector } from '../../testkit/opposite-embedder.ts';
import { asOwner } from '../../testkit/owner.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { sharedChunker } from '../support/shared-chunker.ts';
import { sharedExtractor } from '../support/shared-extractor.ts';

const log = pino({ level: 'silent' });
const [before, after] = [new HashEmbedder(), new OppositeEmbedder()];
let opened: TestDatabase;

beforeEach(async () => {
  opened = await openTestDatabase();
});
afterEach(() => opened.close());

const run = <Row extends Record<string, unknown>>(statement: string) =>
  asOwner(opened.pool, async (tx) => [...(await tx.execute<Row>(sql.raw(statement)))]);

const readModels = async () =>
  (await run(`select embedding_model as current, next_embedding_model as next from installation`))[0];

/** A server of the model of `own`, in a database that had a server of the model of `before`. */
async function serve(
  own: HashEmbedder = after,
  load: (model: string) => Promise<HashEmbedder> = async () => before,
): Promise<Services & { generations: Generations }> {
  const generations = new Generations(opened.pool, own, load, log);
  await generations.start();
  return {
    database: opened.pool,
    embedder: own,
    generations,
    extractor: sharedExtractor,
    chunker: sharedChunker,
    log,
  };
}

const vector = `array_fill(0.5, array[384])::vector`;
const insert = (model: string, source = 'FUNES') =>
  run(`insert into memories (content, embedding, embedding_model, embedding_source)
    values ('a harbor', ${vector}, '${model}', '${source}')`);

describe('a server that starts', () => {
  test('notes its model in a new database', async () => {
    await serve(before);
    expect(await readModels()).toEqual({ current: hashModel, next: null });
  });

  test('notes that the embeddings are to be changed to its model', async () => {
    await serve(before);
    await insert(hashModel);
    const { generations } = await serve();
    expect(await readModels()).toEqual({ current: hashModel, next: 'opposite' });
    expect(await generations.current()).toBe(before);
  });

  test.each([
    ['only a client has made', 'CLIENT', hashModel],
    ['are all of a third model', 'FUNES', 'third'],
  ])('notes its model alone if the embeddings %s', async (_, source, model) => {
    await serve(before);
    await insert(model, source);
    await serve();
    expect(await readModels()).toEqual({ current: 'opposite', next: null });
  });

  test('knows the model by which a command has embedded before the first server', async () => {
    const note = (own: HashEmbedder) =>
      new Generations(opened.pool, own, async () => expect.unreachable(), log).noteFirst();
    await note(before);
    await insert(hashModel);
    await note(after);
    expect(await readModels()).toEqual({ current: hashModel, next: null });
    const { generations } = await serve();
    expect(await readModels()).toEqual({ current: hashModel, next: 'opposite' });
    expect(await generations.current()).toBe(before);
  });

  test('leaves a change to another model as it is', async () => {
    await serve(before);
    await insert(hashModel);
    await serve();
    await serve(before);
    expect(await readModels()).toEqual({ current: hashModel, next: 'opposite' });
  });
});

const tables = ['memories', 'document_chunks', 'tool_embeddings'] as const;

interface Vectors extends Record<string, unknown> {
  text: string;
  source: string;
  current: string | null;
  vector: string | null;
  next: string | null;
  next_vector: string | null;
}

/** The embeddings of all rows. Of each vector, whether it is right. */
async function readRows() {
  const rows: unknown[] = [];
  for (const table of tables) {
    const text = table === 'tool_embeddings' ? `tool_name || ': ' || tool_description` : 'content';
    const found =
      await run<Vectors>(`select ${text} as text, embedding_source as source, embedding_model as current,
      embedding::text as vector, next_embedding_model as next, next_embedding::text as next_vector from ${table} order by id`);
    for (const row of found) {
      rows.push([
        table,
        row.text,
        nameOf(row.text, row.current, row.vector),
        nameOf(row.text, row.next, row.next_vector),
      ]);
    }
  }
  return rows;
}

/** Names the model of a vector, if it has made the vector. */
function nameOf(text: string, model: string | null, literal: string | null): string | null {
  if (model === null || literal === null) return null;
  const right = { [hashModel]: hashVector, opposite: oppositeVector, own: () => parseVector(literal) }[model];
  return JSON.stringify(parseVector(literal)) === JSON.stringify(right?.(text)) ? model : `not by ${model}`;
}

const own = { embedding: Array.from({ length: 384 }, (_, i) => i + 1), embeddingModel: 'own' };

/** Writes rows of all kinds. */
async function writeAll(services: Services, wait = true): Promise<void> {
  const [first] = await createMemories(
    services,
    localViewer,
    [{ content: 'a fox' }, { content: 'an owl' }, { content: 'a hare', ...own }],
    { wait },
  );
  await updateMemory(services, localViewer, first?.id ?? '', { content: 'a red fox' }, wait);
  await registerTools(services, localViewer, [{ toolName: 'tune', toolDescription: 'tunes a violin' }], wait);
  await ingestDocument(
    services,
    localViewer,
    { filename: 'a.txt', content: 'A violin in the rain.' },
    { wait },
  );
}

/** All rows of `writeAll`, with the models of their vectors. */
const written = (current: string | null, next: string | null) => [
  ['memories', 'a red fox', current, next],
  ['memories', 'an owl', current, next],
  ['memories', 'a hare', 'own', null],
  ['document_chunks', 'A violin in the rain.', current, next],
  ['tool_embeddings', 'tune: tunes a violin', current, next],
];

/** A memory of a file, without a vector. */
const imported = (content: string, id: string): Incoming => ({
  kind: 'memory',
  line: 1,
  json: JSON.stringify({ row: { content } }),
  userId: 'ada',
  origin: `other:memory:${id}`,
  idempotencyKey: null,
  ownId: null,
  contentHash: null,
  archivedAt: null,
  text: content,
  chunks: [],
});

/** A database whose embeddings are to be changed from `before` to `after`. */
async function twoGenerations(load?: (model: string) => Promise<HashEmbedder>) {
  await serve(before);
  await insert(hashModel);
  const services = await serve(after, load);
  await run(`delete from memories`);
  return services;
}

describe('while the embeddings are being changed', () => {
  test('writes store the vectors of both models, but leave those of clients alone', async () => {
    await writeAll(await twoGenerations());
    expect(await readRows()).toEqual(written(hashModel, 'opposite'));
  });

  test('the filler stores the vectors of both models', async () => {
    const services = await twoGenerations();
    await writeAll(services, false);
    expect(await readRows()).toEqual(written(null, null));
    expect(await fillOnce(services)).toMatchObject({ embedded: 4, down: undefined });
    expect(await readRows()).toEqual(written(hashModel, 'opposite'));
  });

  test('a tool that is registered again as it was is not embedded again', async () => {
    const services = await twoGenerations();
    const tools = [{ toolName: 'tune', toolDescription: 'tunes a violin' }];
    await registerTools(services, localViewer, tools);
    const calls = before.calls + after.calls;
    await registerTools(services, localViewer, tools);
    expect(before.calls + after.calls).toBe(calls);
  });

  test('the switch leaves rows of all kinds with the vectors of the new model and of clients', async () => {
    const services = await twoGenerations();
    await writeAll(services);
    await createMemories(services, localViewer, [{ content: 'a badger' }], { wait: false });
    expect(await reembed(opened.pool, after)).toMatchObject({ embedded: 1, refused: 0 });
    const rows = written('opposite', null);
    rows.splice(3, 0, ['memories', 'a badger', 'opposite', null]);
    expect(await readRows()).toEqual(rows);
  });

  test('an import writes the vectors of the new model if searches were switched while it embedded', async () => {
    const services = await twoGenerations();
    const calls = after.calls;
    async function* rows(): AsyncGenerator<Read> {
      yield { ...imported('a vole', '1'), bytes: 1 };
      await vi.waitFor(() => expect(after.calls).toBe(calls + 1));
      await reembed(opened.pool, after);
    }
    const unused = () => expect.unreachable();
    await importRows(
      {
        database: opened.pool,
        start: async () => services,
        quota: undefined,
        rowsOfBatch: 1,
        onFault: unused,
        onProgress: () => {},
      },
      commandLineViewer,
      rows(),
    );
    expect(await readRows()).toEqual([['memories', 'a vole', 'opposite', null]]);
  });

  test('a row that the new model refuses stops no other, and is PENDING after the switch', async () => {
    const services = await twoGenerations();
    await writeAll(services);
    await run(`update memories set next_embedding = null, next_embedding_model = null`);
    const choosy = {
      model: after.model,
      embed: async (texts: readonly string[], options?: EmbedOptions) => {
        if (texts.includes('an owl')) throw new Error('No owls.');
        return after.embed(texts, options);
      },
    };
    expect(await reembed(opened.pool, choosy)).toMatchObject({ embedded: 1, refused: 1 });
    const rows = written('opposite', null);
    rows[1] = ['memories', 'an owl', null, null];
    expect(await readRows()).toEqual(rows);
    services.generations.refresh();
    expect(await fillOnce(services)).toMatchObject({ embedded: 1 });
    expect(await readRows()).toEqual(written('opposite', null));
  });
});

test('a row that the model before could not embed is embedded by the new one', async () => {
  const services = await twoGenerations();
  await run(
    `insert into memories (content, embedding_error, embedding_attempts) values ('an owl', 'No owls.', 5)`,
  );
  await reembed(opened.pool, after);
  services.generations.refresh();
  expect(await fillOnce(services)).toMatchObject({ embedded: 1 });
  expect(await readRows()).toEqual([['memories', 'an owl', 'opposite', null]]);
});

test('two changes to one model at the same time end with that model and every index', async () => {
  const services = await twoGenerations();
  await writeAll(services);
  await run(`update memories set next_embedding = null, next_embedding_model = null`);
  const indexes = () =>
    run(`select indexdef from pg_indexes where schemaname = 'public' order by indexdef collate "C"`);
  const migrated = await indexes();
  const ends = await Promise.all([reembed(opened.pool, after), reembed(opened.pool, after)]);
  expect(ends.map(({ model }) => model)).toEqual(['opposite', 'opposite']);
  expect(await readRows()).toEqual(written('opposite', null));
  await reembed(opened.pool, after);
  expect(await indexes()).toEqual(migrated);
});

test('a change to another model stops the change that runs', async () => {
  const services = await twoGenerations();
  await writeAll(services);
  const interrupted = {
    model: 'third',
    embed: async (texts: readonly string[]) => {
      await run(`update installation set next_embedding_model = 'opposite'`);
      return after.embed(texts);
    },
  };
  await expect(reembed(opened.pool, interrupted)).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('opposite'),
  });
  expect(await readModels()).toEqual({ current: hashModel, next: 'opposite' });
});

/** Switches to `after` while it embeds. Its own vectors are then of the model before. */
class Overtaken extends HashEmbedder {
  switched = false;

  override async embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]> {
    const vectors = await super.embed(texts, options);
    if (!this.switched) {
      this.switched = true;
      await reembed(opened.pool, after);
    }
    return vectors;
  }
}

describe('a switch that comes between the embedding of a text and its write', () => {
  // The server of the model before knows nothing of the change. That of the next model has both vectors.
  test.each([
    ['of the model before', before.model],
    ['of the next model', after.model],
  ])('leaves no row of the model before in a server %s', async (_, model) => {
    const embedder = new Overtaken();
    const write = async (work: (services: Services) => Promise<unknown>) => {
      await opened.close();
      opened = await openTestDatabase();
      embedder.switched = false;
      await serve(before);
      await insert(hashModel);
      const services =
        model === after.model ? await serve(after, async () => embedder) : await serve(embedder);
      await work(services);
      expect(embedder.switched).toBe(true);
      expect(JSON.stringify(await readRows())).not.toContain(hashModel);
      const statuses = await run<{ status: string }>(
        tables
          .map((table) => `select coalesce(embedding_model, 'PENDING') as status from ${table}`)
          .join(' union '),
      );
      const allowed = model === after.model ? ['opposite'] : ['opposite', 'PENDING'];
      expect(allowed).toEqual(expect.arrayContaining(statuses.map(({ status }) => status)));
    };
    await write(async (services) => {
      const [row] = await createMemories(services, localViewer, [{ content: 'an owl' }]);
      expect(row?.embeddingStatus).toBe(model === after.model ? 'READY' : 'PENDING');
    });
    await write(async (services) => {
      const [{ id } = { id: '' }] = await run<{ id: string }>(`select id::text from memories`);
      await updateMemory(services, localViewer, id, { content: 'an owl' });
    });
    await write((services) =>
      registerTools(services, localViewer, [{ toolName: 'tune', toolDescription: 'tunes a violin' }]),
    );
    await write((services) =>
      ingestDocument(services, localViewer, { filename: 'a.txt', content: 'A violin in the rain.' }),
    );
    await write(async (services) => {
      await createMemories(services, localViewer, [{ content: 'an owl' }], { wait: false });
      await fillOnce(services);
    });
  });
});

describe('a server that cannot load the model of the stored embeddings', () => {
  const refuse = async (): Promise<HashEmbedder> => {
    throw new FunesError('BAD_USER_INPUT', 'There is no such model.');
  };
  const find = (services: Services, mode: SearchOptions['mode']) =>
    createLoaders(services, localViewer).similarMemories.load({
      query: { text: 'owl' },
      k: 5,
      filters: undefined,
      options: { ...defaultSearchOptions, mode },
    });

  test('says so and what to do, finds by words, and stores new rows as PENDING until the switch', async () => {
    const services = await twoGenerations(refuse);
    await writeAll(services);
    const rows = written(null, 'opposite');
    // The filler or the change embeds chunks by both models.
    rows[3] = ['document_chunks', 'A violin in the rain.', null, null];
    expect(await readRows()).toEqual(rows);
    for (const mode of ['SEMANTIC', 'HYBRID'] as const) {
      await expect(find(services, mode)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringMatching(/hash-embedder.*Run "funes reembed"/),
      });
    }
    expect((await find(services, 'KEYWORD')).map(({ row }) => row.content)).toEqual(['an owl']);
    expect(await fillOnce(services)).toMatchObject({ embedded: 0, refused: 0, down: expect.any(FunesError) });
    expect(await reembed(opened.pool, after)).toMatchObject({ embedded: 1 });
    expect(await readRows()).toEqual(written('opposite', null));
    services.generations.refresh();
    expect((await find(services, 'SEMANTIC')).length).toBe(2);
  });
});
