import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Generations } from '../../../src/generations.ts';
import { createLoaders } from '../../../src/loaders.ts';
import { createLogger } from '../../../src/log.ts';
import { defaultSearchOptions } from '../../../src/search/options.ts';
import { reembed } from '../../../src/store/reembed.ts';
import { localViewer } from '../../../src/viewer.ts';
import { HashEmbedder, hashModel } from '../../../testkit/hash-embedder.ts';
import { OppositeEmbedder } from '../../../testkit/opposite-embedder.ts';
import { asOwner } from '../../../testkit/owner.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

const before = new HashEmbedder();
const after = new OppositeEmbedder();
/** No two are equally near to 'violin harbor', so that there is one right order. */
const texts = Array.from(
  { length: 200 },
  (_, i) => `violin ${'harbor '.repeat(i % 7)} ${'lamp '.repeat(Math.floor(i / 7))}`,
);
let opened: TestDatabase;

beforeAll(async () => {
  opened = await openTestDatabase();
  const vectors = await before.embed(texts);
  await asOwner(opened.pool, async (tx) => {
    for (const [i, content] of texts.entries()) {
      const vector = `[${vectors[i]?.join(',')}]`;
      await tx.execute(
        sql`insert into memories (content, embedding, embedding_model) values (${content}, ${vector}::vector, ${hashModel})`,
      );
    }
    const own = `[${vectors[0]?.join(',')}]`;
    await tx.execute(
      sql`insert into memories (content, embedding, embedding_model, embedding_source) values ('own', ${own}::vector, 'client-model', 'CLIENT')`,
    );
    await tx.execute(sql`insert into memories (content) values ('pending violin')`);
    await tx.execute(
      sql`insert into tool_embeddings (tool_name, tool_description, embedding, embedding_model) values ('tune', 'tunes a violin', ${own}::vector, ${hashModel})`,
    );
    await tx.execute(sql`update installation set embedding_model = ${hashModel}`);
  });
}, 120_000);
afterAll(() => opened.close());

async function nearest(
  embedder: HashEmbedder,
  model?: string,
  { generations, exact = false }: { generations?: Generations; exact?: boolean } = {},
) {
  const log = createLogger({ level: 'silent' });
  const loaders = createLoaders({ database: opened.pool, embedder, generations, log } as never, localViewer);
  const vector = await embedder.embedQuery('violin harbor');
  const rows = await loaders.similarMemories.load({
    query: model === undefined ? { text: 'violin harbor' } : { vector, model },
    k: 10,
    filters: undefined,
    options: { ...defaultSearchOptions, exact },
  });
  return rows.map(({ row }) => row);
}

async function modelsOf(table: string) {
  return asOwner(opened.pool, async (tx) => {
    const rows = await tx.execute(
      sql.raw(`select embedding_source || ' ' || coalesce(embedding_model, 'none') as model, count(*)::int as rows,
        count(next_embedding)::int as next from ${table} group by 1 order by 1`),
    );
    return rows.map(({ model, rows: count, next }) => [model, count, next]);
  });
}

it('a search compares the rows of one model alone', async () => {
  const models = new Set((await nearest(before)).map(({ embeddingModel }) => embeddingModel));
  expect([...models]).toEqual([hashModel]);
  expect((await nearest(before, 'client-model')).map(({ content }) => content)).toEqual(['own']);
  expect(await nearest(before, 'nobody')).toEqual([]);
});

it('a change that ends in the middle leaves the old order, and goes on where it was', async () => {
  const order = (await nearest(before)).map(({ id }) => id);
  let batches = 0;
  const dies = {
    model: after.model,
    embed: async (batch: readonly string[]) => {
      if (++batches >= 3) throw new Error('The process died.');
      return after.embed(batch);
    },
  };
  await expect(reembed(opened.pool, dies)).rejects.toThrow('died');
  expect(await modelsOf('memories')).toEqual([
    ['CLIENT client-model', 1, 0],
    [`FUNES ${hashModel}`, 200, 128],
    ['FUNES none', 1, 0],
  ]);
  expect((await nearest(before)).map(({ id }) => id)).toEqual(order);

  const result = await reembed(opened.pool, after);
  expect(result).toEqual({
    model: 'opposite',
    previousModel: hashModel,
    embedded: 200 - 128 + 1 + 1,
    refused: 0,
  });
  expect(await modelsOf('memories')).toEqual([
    ['CLIENT client-model', 1, 0],
    ['FUNES opposite', 201, 0],
  ]);
  expect(await modelsOf('tool_embeddings')).toEqual([['FUNES opposite', 1, 0]]);
  const changed = await nearest(after);
  expect(new Set(changed.map(({ embeddingModel }) => embeddingModel))).toEqual(new Set(['opposite']));
  expect(changed.map(({ id }) => id)).not.toEqual(order);
  expect((await nearest(after, 'client-model')).map(({ content }) => content)).toEqual(['own']);
});

it('a search by the model of before fails, instead of finding nothing', async () => {
  await expect(nearest(before)).rejects.toThrow(/installation/);
});

/** All that a switch renames or makes anew, as the catalog tells it. */
const readCatalog = () =>
  asOwner(opened.pool, async (tx) => {
    const rows = await tx.execute<{ line: string }>(sql`
      select line from (
        select format('%s.%s %s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attstorage, attacl) as line
          from pg_attribute join pg_class on pg_class.oid = attrelid
          where attnum > 0 and relnamespace = 'public'::regnamespace and relkind = 'r' and not attisdropped
        union all select indexdef from pg_indexes where schemaname = 'public'
        union all select format('%s %s %s %s', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid)) from pg_constraint
          where connamespace = 'public'::regnamespace
        union all select format('%s valid %s', indexrelid::regclass, indisvalid) from pg_index join pg_class on pg_class.oid = indrelid
          where relnamespace = 'public'::regnamespace
      ) as all_lines order by line collate "C"`);
    return rows.map(({ line }) => line);
  });

it('changes back, a second run changes nothing, and the catalog is as the migrations made it', async () => {
  const fresh = await openTestDatabase();
  const changed = await readCatalog();
  expect((await reembed(opened.pool, before)).embedded).toBe(202);
  expect((await reembed(opened.pool, before)).embedded).toBe(0);
  const changedBack = await readCatalog();
  const used = opened;
  opened = fresh;
  const migrated = await readCatalog().finally(() => {
    opened = used;
  });
  await fresh.close();
  expect(changed).toEqual(migrated);
  expect(changedBack).toEqual(migrated);
});

it('searches without pause through a change have one model each, and find what an exact search finds', async () => {
  const log = createLogger({ level: 'silent' });
  const generations = new Generations(opened.pool, before, async () => after, log);
  const old = (await nearest(before, undefined, { exact: true })).map(({ id }) => id);
  const lists: { models: Set<string | null>; ids: string[] }[] = [];
  const searchOnce = async () => {
    const rows = await nearest(before, undefined, { generations });
    lists.push({ models: new Set(rows.map((row) => row.embeddingModel)), ids: rows.map(({ id }) => id) });
  };
  await searchOnce();
  let ended = false;
  const change = reembed(opened.pool, after).finally(() => {
    ended = true;
  });
  while (!ended) await searchOnce();
  await change;
  await searchOnce();
  const changed = (await nearest(after, undefined, { exact: true })).map(({ id }) => id);
  let found = 0;
  for (const { models, ids } of lists) {
    expect(models.size).toBe(1);
    const exact = models.has('opposite') ? changed : old;
    expect(ids).toHaveLength(10);
    found += ids.filter((id) => exact.includes(id)).length;
  }
  expect(lists.at(0)?.models).toEqual(new Set([hashModel]));
  expect(lists.at(-1)?.models).toEqual(new Set(['opposite']));
  expect(found / (10 * lists.length)).toBeGreaterThanOrEqual(0.98);
});
