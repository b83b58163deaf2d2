import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { FolderInUse } from '../../../src/database/embedded/data-folder.ts';
import {
  type EmbeddedDatabase,
  startEmbeddedDatabase,
} from '../../../src/database/embedded/embedded-database.ts';
import { migrate } from '../../../src/database/migrate.ts';
import { openPool, type Pool } from '../../../src/database/pool.ts';
import { Generations } from '../../../src/generations.ts';
import { createLoaders } from '../../../src/loaders.ts';
import { createLogger } from '../../../src/log.ts';
import { defaultSearchOptions } from '../../../src/search/options.ts';
import type { Services } from '../../../src/services.ts';
import { reembed } from '../../../src/store/reembed.ts';
import { localViewer } from '../../../src/viewer.ts';
import { HashEmbedder, hashModel } from '../../../testkit/hash-embedder.ts';
import { OppositeEmbedder } from '../../../testkit/opposite-embedder.ts';
import { asOwner } from '../../../testkit/owner.ts';
import { openTestDatabase } from '../../support/database.ts';

const log = createLogger({ level: 'silent' });
const [before, after] = [new HashEmbedder(), new OppositeEmbedder()];
const program = fileURLToPath(new URL('../../support/reembed-process.ts', import.meta.url));
const onServer = inject('databaseTemplate').engine === 'postgres';

/** A database that this process can leave to another: a server's, or a folder. */
interface Shared {
  /** What the other process opens. */
  where: string;
  pool: Pool;
  /** Lets go of the folder, if it is one, and takes hold of it when `work` is done. */
  leave<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

async function openFolder(): Promise<Shared> {
  const where = await mkdtemp(join(tmpdir(), 'funes-reembed-'));
  let engine: EmbeddedDatabase;
  const shared: Shared = {
    where,
    pool: undefined as never,
    leave: async (work) => {
      await shared.pool.close();
      await engine.close();
      const result = await work();
      await open();
      return result;
    },
    close: async () => {
      await shared.pool.close();
      await engine.close();
      await rm(where, { recursive: true, force: true });
    },
  };
  async function open(): Promise<void> {
    // The engine of a process that was killed ends when it sees that.
    for (;;) {
      try {
        engine = await startEmbeddedDatabase({ dataDir: where });
        break;
      } catch (error) {
        if (!(error instanceof FolderInUse)) throw error;
      }
    }
    shared.pool = openPool({ database: engine });
  }
  await open();
  await migrate(shared.pool);
  return shared;
}

async function openShared(): Promise<Shared> {
  const { database, pool, close } = await openTestDatabase();
  if (typeof database === 'string') return { where: database, pool, leave: (work) => work(), close };
  await close();
  return openFolder();
}

/** Text N is nearer to 'violin harbor' than text N + 1. */
const texts = Array.from({ length: 300 }, (_, n) => `violin harbor ${'lamp '.repeat(n)}`);
let shared: Shared;

beforeAll(async () => {
  shared = await openShared();
  const vectors = await before.embed(texts);
  await asOwner(shared.pool, async (tx) => {
    for (const [n, content] of texts.entries()) {
      await tx.execute(sql`insert into memories (content, embedding, embedding_model, metadata)
        values (${content}, ${JSON.stringify([...(vectors[n] ?? [])])}::vector, ${hashModel}, ${JSON.stringify({ n })}::jsonb)`);
    }
    await tx.execute(sql`update installation set embedding_model = ${hashModel}`);
  });
}, 300_000);
afterAll(() => shared.close(), 60_000);

interface List {
  models: Set<string | null>;
  /** The numbers of the texts. */
  found: number[];
}

/** Searches as a server of the model before, again and again until `work` has ended, and once more. */
async function searchDuring(work: () => Promise<unknown>): Promise<List[]> {
  const generations = new Generations(shared.pool, before, async () => after, log);
  const services = {
    database: shared.pool,
    embedder: before,
    generations,
    log,
  } as Partial<Services> as Services;
  const lists: List[] = [];
  const searchOnce = async () => {
    const rows = await createLoaders(services, localViewer).similarMemories.load({
      query: { text: 'violin harbor' },
      k: 10,
      filters: undefined,
      options: defaultSearchOptions,
    });
    const found = rows.map(({ row }) => Number(row.metadata.n));
    lists.push({ models: new Set(rows.map(({ row }) => row.embeddingModel)), found });
  };
  await searchOnce();
  let ended = false;
  const working = work().finally(() => {
    ended = true;
  });
  while (!ended) await searchOnce();
  await working;
  await searchOnce();
  return lists;
}

/** The right list of each model. */
const right: Readonly<Record<string, number[]>> = {
  [hashModel]: Array.from({ length: 10 }, (_, i) => i),
  opposite: Array.from({ length: 10 }, (_, i) => texts.length - 1 - i),
};

function checkLists(lists: readonly List[]): void {
  let hits = 0;
  for (const { models, found } of lists) {
    expect(models.size).toBe(1);
    const [model] = models;
    const exact = right[model ?? ''] ?? [];
    expect(found).toHaveLength(10);
    expect(found).toEqual(found.toSorted((a, b) => (model === hashModel ? a - b : b - a)));
    hits += found.filter((n) => exact.includes(n)).length;
  }
  expect(hits / (10 * lists.length)).toBeGreaterThanOrEqual(0.98);
}

/** Starts the change in a process of its own, and kills that process when it has embedded so many batches. */
async function killAfter(batches: number): Promise<void> {
  const child = fork(program, [shared.where, String(batches)], { execArgv: ['--import', 'tsx'] });
  const exit = once(child, 'exit');
  const [message] = await once(child, 'message');
  child.kill('SIGKILL');
  expect([message, ...(await exit)]).toEqual(['held', null, 'SIGKILL']);
}

const countNext = async () => {
  const [row] = await asOwner(shared.pool, (tx) =>
    tx.execute<{ count: number }>(sql`select count(next_embedding)::int as count from memories`),
  );
  return row?.count;
};

test('lists have one model and the right order through a change that is killed and goes on', async () => {
  const during = onServer
    ? searchDuring
    : async (work: () => Promise<unknown>) => {
        await work();
        return searchDuring(async () => {});
      };
  const lists = await during(() => shared.leave(() => killAfter(2)));
  expect(await countNext()).toBe(128);
  expect(lists.map(({ models }) => [...models])).toEqual(lists.map(() => [hashModel]));
  const result: Partial<Awaited<ReturnType<typeof reembed>>> = {};
  const last = await searchDuring(async () => Object.assign(result, await reembed(shared.pool, after)));
  expect(result).toEqual({
    model: 'opposite',
    previousModel: hashModel,
    embedded: texts.length - 128,
    refused: 0,
  });
  expect(last.at(0)?.models).toEqual(new Set([hashModel]));
  expect(last.at(-1)?.models).toEqual(new Set(['opposite']));
  checkLists([...lists, ...last]);
}, 300_000); // the embedded database is started four times
