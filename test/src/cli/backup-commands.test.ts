import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { loadConfig } from '../../../src/config.ts';
import { engineMajor } from '../../../src/database/embedded/engine-version.ts';
import type { Pool } from '../../../src/database/pool.ts';
import { convertedModelFolder } from '../../../src/embedding/model-cache.ts';
import { createLogger } from '../../../src/log.ts';
import { openDatabase } from '../../../src/open-database.ts';
import { type FinishedCommand, runFunes } from '../../support/command.ts';
import { openTestDatabase } from '../../support/database.ts';
import { rows } from '../../support/owned-database.ts';
import { testModelCache } from '../../support/real-embedder.ts';
import { launch } from '../../support/served-process.ts';

// A folder with rows of every table, which the tests back up, restore and move.

vi.setConfig({ testTimeout: 180_000 }); // a test is up to six commands, each of a process of its own

let folder: string;
let source: string;
beforeAll(async () => {
  await convertedModelFolder(testModelCache);
  folder = await mkdtemp(join(tmpdir(), 'funes-backup-'));
  source = await newDataDir();
  expect(await funes(source, 'migrate')).toMatchObject({ status: 0 });
  expect(await funes(source, 'keys', 'create', '--user', 'ana')).toMatchObject({ status: 0 });
  await onFolder(source, async (pool) => {
    for (const statement of seed) await rows(pool, statement);
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const vector = `(select array_agg(sin(n * 1.7 + length(content)))::vector from generate_series(1, 384) n)`;
const seed = [
  `insert into memories (user_id, content, metadata, session_id, idempotency_key, created_at)
    select 'ana', 'memory ' || n || e' "quoted" \\\\ \\n\\t\u20ac \u{1f600}', jsonb_build_object('n', n, 'a.b', null), 's', 'key ' || n,
      '2024-02-29 12:00:00.123456+01'::timestamptz + n * interval '1 minute' from generate_series(1, 130) n`,
  `update memories set embedding = ${vector}, embedding_model = 'a model', updated_at = created_at`,
  `insert into memories (content) values ('waits for its embedding'), ('is deleted, and its id is not given again')`,
  `insert into memories_archive (id, user_id, content, archived_at) select id, 'ana', 'archived', '2025-01-01' from memories where id = 7`,
  'delete from memories where id in (7, 132)',
  `with one as (insert into documents (user_id, filename, file_type, file_size, content_hash, total_chunks)
      values ('ana', 'a.txt', 'txt', 10, repeat('a', 64), 3) returning id)
    insert into document_chunks (user_id, document_id, chunk_index, total_chunks, content, chunk_size, start_offset, end_offset)
    select 'ana', id, n, 3, 'chunk ' || n, 10, n, n + 1 from one, generate_series(0, 2) n`,
  // Chunks whose ids are not in the order of the text.
  'update document_chunks set id = default where chunk_index = 0',
  `insert into tool_embeddings (tool_name, tool_description, tool_parameters) values ('a tool', 'does it', '{"type": "object"}')`,
];

let made = 0;
const newDataDir = async () => {
  const dataDir = join(folder, `data-${made++}`);
  await mkdir(dataDir);
  await symlink(testModelCache, join(dataDir, 'models'), 'junction');
  return dataDir;
};
const newPath = (name: string) => join(folder, `${made++}-${name}`);

const funes = (dataDir: string, ...args: string[]): Promise<FinishedCommand> =>
  runFunes(args, { settings: { FUNES_DATA_DIR: dataDir, FUNES_LOG_LEVEL: 'silent' } });

const onFolder = <T>(dataDir: string, work: (pool: Pool) => Promise<T>) =>
  on({ FUNES_DATA_DIR: dataDir }, work);

async function on<T>(env: Record<string, string>, work: (pool: Pool) => Promise<T>): Promise<T> {
  const config = loadConfig({ env, envFile: '/nowhere/.env' });
  const opened = await openDatabase(config, createLogger({ level: 'silent' }));
  try {
    return await work(opened.pool);
  } finally {
    await opened.close();
  }
}

const tables = [
  'api_keys',
  'audit',
  'document_chunks',
  'documents',
  'installation',
  'memories',
  'memories_archive',
  'tool_embeddings',
];

/** All that a database has, and the ids that come next. */
async function contents(pool: Pool): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const table of tables)
    found[table] = (
      await rows<{ row: string }>(pool, `select t::text as row from ${table} t order by 1`)
    ).map(({ row }) => row);
  found.next = await rows(
    pool,
    `select sequencename, last_value::text from pg_sequences where schemaname = 'public' order by 1`,
  );
  return found;
}

async function refused(command: Promise<FinishedCommand>, message: string | RegExp): Promise<void> {
  const { status, output, errorOutput } = await command;
  expect({ status, output }).toEqual({ status: 1, output: '' });
  expect(errorOutput).toMatch(message);
  expect(errorOutput).toMatch(/^funes: .*\n$/);
}

describe('backup and restore', () => {
  test('bring back all rows in another folder', async () => {
    const file = newPath('backup.tar');
    const backup = await funes(source, 'backup', file, '--json');
    expect(backup).toMatchObject({ status: 0, errorOutput: '' });
    expect(JSON.parse(backup.output)).toEqual({
      file,
      bytes: (await readFile(file)).length,
      files: expect.any(Number),
      pausedMs: expect.any(Number),
    });
    const restored = await newDataDir();
    const { status, output, errorOutput } = await funes(restored, 'restore', file);
    expect({ status, errorOutput }).toEqual({ status: 0, errorOutput: '' });
    expect(output).toMatch(
      /^Restored the backup of \S+Z into .*: 130 memories, 1 documents\. The database starts\.\n$/,
    );
    expect(await onFolder(restored, contents)).toEqual(await onFolder(source, contents));
    expect(await readdir(join(restored, 'database'))).not.toContain('restore.partial');
    await refused(funes(restored, 'restore', file), 'is not empty: it has cluster');
    await refused(funes(source, 'backup', file), 'is there already');
  });

  test('a backup of a server that writes has every write that was acknowledged before', async () => {
    const dataDir = await newDataDir();
    const server = launch(dataDir);
    const stop = new AbortController();
    let acknowledged = 0;
    try {
      const url = `${await server.url}/graphql`;
      const write = async () => {
        const query = `mutation { createMemory(input: { content: "memory ${acknowledged + 1}" }) { id } }`;
        const answer = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ query }),
        });
        expect(await answer.json()).toMatchObject({ data: { createMemory: { id: expect.any(String) } } });
        acknowledged++;
      };
      for (let n = 0; n < 5; n++) await write();
      const writing = (async () => {
        while (!stop.signal.aborted) await write();
      })();
      const before = acknowledged;
      const file = newPath('served.tar');
      const { status, output, errorOutput } = await funes(dataDir, 'backup', file);
      const after = acknowledged + 1; // one may be stored and not yet answered
      stop.abort();
      await writing;
      expect({ status, errorOutput }).toEqual({ status: 0, errorOutput: '' });
      expect(output).toMatch(/^Wrote [\d.]+ MB to .*\. Requests stood still for \d+\.\d\d s\.\n$/);
      await write(); // it serves on
      await refused(funes(dataDir, 'restore', file), `in use by another funes server, process ${server.pid}`);
      await refused(
        funes(dataDir, 'move', '--to', 'postgres://nobody@127.0.0.1:1/none'),
        `Stop the server first (process ${server.pid})`,
      );
      const restored = await newDataDir();
      expect(await funes(restored, 'restore', file)).toMatchObject({ status: 0 });
      const found = await onFolder(restored, (pool) =>
        rows(pool, 'select content from memories order by id'),
      );
      expect(found.length).toBeGreaterThanOrEqual(before);
      expect(found.length).toBeLessThanOrEqual(after);
      expect(found).toEqual(found.map((_, n) => ({ content: `memory ${n + 1}` })));
    } finally {
      stop.abort();
      server.signal('SIGTERM');
      expect(await server.ended).toBe(0);
    }
  });

  test('a backup that is damaged restores nothing', async () => {
    const whole = newPath('whole.tar');
    expect(await funes(source, 'backup', whole)).toMatchObject({ status: 0 });
    const bytes = await readFile(whole);
    const dataDir = await newDataDir();
    const damaged = newPath('damaged.tar');

    await writeFile(damaged, bytes);
    await truncate(damaged, Math.floor(bytes.length / 2));
    await refused(funes(dataDir, 'restore', damaged), 'it ends too early');

    const flipped = Buffer.from(bytes);
    const at = flipped.indexOf('memory 42');
    expect(at).toBeGreaterThan(0);
    flipped.writeUInt8(flipped.readUInt8(at) ^ 1, at);
    await writeFile(damaged, flipped);
    await refused(funes(dataDir, 'restore', damaged), /the checksum of cluster\/base\/\S+ is wrong/);

    await writeFile(damaged, 'no archive'.repeat(200));
    await refused(funes(dataDir, 'restore', damaged), 'it is no archive that funes has written');
    await refused(funes(dataDir, 'restore', join(folder, 'nowhere.tar')), 'There is no file');
    expect(await readdir(join(dataDir, 'database'))).toEqual(['lock', 'owner.json']);
    expect(await funes(dataDir, 'restore', whole)).toMatchObject({ status: 0 });
  });

  test('a backup that cannot be written is one line, and leaves no part of it', async () => {
    await refused(funes(source, 'backup', join(folder, 'nowhere/backup.tar')), 'cannot be written (ENOENT)');
    await refused(
      funes(source, 'backup', join(source, 'database/cluster/backup.tar')),
      'Name a file outside of',
    );
    await refused(
      runFunes(['backup', newPath('server.tar')], {
        settings: { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/x', FUNES_DATABASE_CONNECT_TIMEOUT: '1s' },
      }),
      'There is no connection',
    );
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});

test('the version that a folder is compared with is that of the engine', async () => {
  const [row] = await onFolder(source, (pool) =>
    rows<{ number: number }>(pool, `select current_setting('server_version_num')::int / 10000 as number`),
  );
  expect(row?.number).toBe(engineMajor);
});

test('a folder of another major version of PostgreSQL says what to do, and so does a backup', async () => {
  const file = newPath('old.tar');
  expect(await funes(source, 'backup', file)).toMatchObject({ status: 0 });
  const dataDir = await newDataDir();
  expect(await funes(dataDir, 'restore', file)).toMatchObject({ status: 0 });
  await writeFile(join(dataDir, 'database/cluster/PG_VERSION'), '17\n');
  for (const command of ['migrate', 'serve'])
    await refused(
      funes(dataDir, command),
      /is of PostgreSQL 17, and this version of funes has PostgreSQL 18; nothing was changed\. .*funes move --to URL/,
    );
});

describe('move', () => {
  test('says what is wrong with --to', async () => {
    await refused(funes(source, 'move', '--to', 'nonsense'), '--to must be a URL such as');
    await refused(
      runFunes(['move', '--to', 'postgres://nobody@127.0.0.1:1/none'], {
        settings: { FUNES_DATA_DIR: source, FUNES_DATABASE_CONNECT_TIMEOUT: '1s' },
      }),
      /no connection to none on 127\.0\.0\.1:1 .* or correct --to\./,
    );
    expect(await funes(source, 'move')).toMatchObject({ status: 2 });
    await refused(
      funes(await newDataDir(), 'move', '--to', 'postgres://nobody@127.0.0.1:1/none'),
      'There is nothing to move',
    );
  });

  test.runIf(inject('databaseTemplate').engine === 'postgres')(
    'takes everything into an empty database, once',
    async () => {
      const database = await openTestDatabase({ empty: true });
      try {
        const url = database.database as string;
        const { status, output, errorOutput } = await funes(source, 'move', '--to', url);
        expect({ status, errorOutput }).toEqual({ status: 0, errorOutput: '' });
        expect(output).toMatch(
          /^Moved 130 memories, 1 archived ones, 1 documents with 3 chunks, 1 tools, 1 keys and 1 lines of the audit to /,
        );
        const moved = await on({ DATABASE_URL: url }, contents);
        expect(moved).toEqual(await onFolder(source, contents));
        const doctor = await runFunes(['doctor', '--json'], { settings: { DATABASE_URL: url } });
        const codes = JSON.parse(doctor.output).findings.map(({ code }: { code: string }) => code);
        expect(codes.filter((code: string) => !/PENDING|STALE|PGVECTOR_OLD|MEMORY_LOW/.test(code))).toEqual(
          [],
        );
        await refused(funes(source, 'move', '--to', url), 'is not empty: there are rows in its table');
        expect(await on({ DATABASE_URL: url }, contents)).toEqual(moved);
      } finally {
        await database.close();
      }
    },
  );

  test.runIf(inject('databaseTemplate').engine === 'postgres')(
    'refuses the tables of another application, and names --to',
    async () => {
      const database = await openTestDatabase({ empty: true });
      try {
        await rows(database.pool, 'create extension vector');
        await rows(database.pool, 'create table memories (other int)');
        await refused(
          funes(source, 'move', '--to', database.database as string),
          /belongs to another application: .* Name a database in --to that funes has to itself\./,
        );
      } finally {
        await database.close();
      }
    },
  );

  test.runIf(inject('databaseTemplate').engine === 'postgres')('takes all or nothing', async () => {
    const database = await openTestDatabase();
    try {
      const url = database.database as string;
      await rows(
        database.pool,
        `alter table tool_embeddings add constraint odd check (tool_name <> 'a tool')`,
      );
      const before = await contents(database.pool);
      await refused(funes(source, 'move', '--to', url), 'funes: ');
      expect(await contents(database.pool)).toEqual(before);
      const indexes = `select indexname from pg_indexes where indexdef like '%hnsw%'`;
      expect(await rows(database.pool, indexes)).toHaveLength(6);
      await rows(database.pool, 'alter table tool_embeddings drop constraint odd');
      expect(await funes(source, 'move', '--to', url)).toMatchObject({ status: 0 });
      expect(await rows(database.pool, indexes)).toHaveLength(6);
    } finally {
      await database.close();
    }
  });
});
