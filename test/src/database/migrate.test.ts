import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate } from '../../../src/database/migrate.ts';
import { openPool } from '../../../src/database/pool.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

const committed = fileURLToPath(new URL('../../../drizzle', import.meta.url));
let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  database = await openTestDatabase({ empty: true });
  folder = await mkdtemp(join(tmpdir(), 'funes-migrations-'));
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

/** Makes a copy of the committed migrations, with more migrations at its end that have the given times. */
async function migrationsWith(
  name: string,
  more: { tag: string; when: number; sql: string }[],
): Promise<string> {
  const copy = join(folder, name);
  await cp(committed, copy, { recursive: true });
  const journalFile = join(copy, 'meta/_journal.json');
  const journal = JSON.parse(await readFile(journalFile, 'utf8'));
  for (const { tag, when, sql } of more) {
    await writeFile(join(copy, `${tag}.sql`), sql);
    journal.entries.push({ idx: journal.entries.length, version: '7', when, tag, breakpoints: true });
  }
  await writeFile(journalFile, JSON.stringify(journal));
  return copy;
}

async function tables(): Promise<string[]> {
  const connection = await database.pool.reserve();
  const rows = await connection`select tablename from pg_tables where schemaname = 'public' order by 1`;
  connection.release();
  return rows.map(({ tablename }) => tablename);
}

const future = Date.UTC(2100, 0, 1);

describe('migrating', () => {
  test('leaves nothing behind when a later migration fails', async () => {
    const broken = await migrationsWith('broken', [
      { tag: '9000_made', when: future, sql: 'create table made (n int)' },
      { tag: '9001_broken', when: future + 1, sql: 'create table broken (n no_such_type)' },
    ]);
    await expect(migrate(database.pool, broken)).rejects.toThrow();
    expect(await tables()).toEqual([]);
  });

  test('applies each migration once when two servers start at the same time', async () => {
    // The embedded database has one connection. The second migration waits for it.
    const other = database.engine === 'postgres' ? openPool({ database: database.database }) : database.pool;
    const applied = await Promise.all([migrate(database.pool), migrate(other)]);
    expect(applied.map(({ length }) => length).sort()).toEqual([0, applied.flat().length]);
    expect(applied.flat()).toContain('0001_tables');
    expect(await tables()).toContain('memories');
    if (other !== database.pool) await other.close();
  });

  test('does nothing to a database that is up to date', async () => {
    expect(await migrate(database.pool)).toEqual([]);
  });

  test('adds what is new to a database that has rows', async () => {
    const next = await migrationsWith('next', [
      { tag: '9000_next', when: future, sql: 'alter table memories add column next int' },
    ]);
    expect(await migrate(database.pool, next)).toEqual(['9000_next']);
  });

  test('refuses a database that a newer version has used', async () => {
    await expect(migrate(database.pool)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/1 migration.*does not know, the latest of 2100-01-01.*newer version/),
    });
  });

  test('refuses a migration that was put before one that is applied already', async () => {
    const late = await migrationsWith('late', [
      { tag: '9000_next', when: future, sql: 'select 1' },
      { tag: '8000_late', when: future - 1, sql: 'select 1' },
    ]);
    await expect(migrate(database.pool, late)).rejects.toThrow(/^The migration 8000_late is older/);
  });
});
