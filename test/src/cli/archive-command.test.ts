import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { loadConfig } from '../../../src/config.ts';
import { createLogger } from '../../../src/log.ts';
import { openDatabase } from '../../../src/open-database.ts';
import { type FinishedCommand, runFunes } from '../../support/command.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { rows } from '../../support/owned-database.ts';

// On a server the commands get its URL; else the folder of an embedded database that they open themselves.

let database: TestDatabase | undefined;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'funes-archive-'));
  if (inject('databaseTemplate').engine === 'postgres') database = await openTestDatabase();
  else expect(await funes('migrate')).toMatchObject({ status: 0 });
  await sql(`insert into memories (content, user_id, session_id, importance_score, created_at)
    values ('an old note', 'ana', 'one', .9, now() - interval '100 days'), ('a dull note', 'ana', 'two', .1, now()), ('a note', 'bo', 'two', .9, now())`);
});
afterAll(async () => {
  await database?.close();
  await rm(folder, { recursive: true, force: true });
});

const settings = () => ({
  ...(typeof database?.database === 'string'
    ? { DATABASE_URL: database.database }
    : { FUNES_DATA_DIR: folder }),
  FUNES_LOG_LEVEL: 'silent',
});
const funes = (...args: string[]): Promise<FinishedCommand> => runFunes(args, { settings: settings() });

async function sql(statement: string): Promise<Record<string, unknown>[]> {
  const config = loadConfig({ env: settings(), envFile: '/nowhere/.env' });
  const opened = await openDatabase(config, createLogger({ level: 'silent' }));
  try {
    return await rows(opened.pool, statement);
  } finally {
    await opened.close();
  }
}
const archived = async () =>
  (await sql('select content from memories_archive order by id')).map(({ content }) => content);

test('says what it would archive, and changes nothing without --apply', async () => {
  const { status, output, errorOutput } = await funes('archive', '--older-than', '90d');
  expect({ status, errorOutput }).toEqual({ status: 0, errorOutput: '' });
  expect(output).toMatch(
    /^1 memory would be archived\. Add --apply to do it\.\n\d+ {2}ana, \d{4}-\d\d-\d\d {2}"an old note"\n$/,
  );
  expect(await archived()).toEqual([]);
});

test('archives what meets all conditions', async () => {
  expect(await funes('archive', '--user', 'ana', '--importance-below', '.5', '--apply')).toMatchObject({
    status: 0,
    output: 'Archived 1 memory. The API restores them (restoreMemories, restoreMemoriesWhere).\n',
  });
  expect(await archived()).toEqual(['a dull note']);
  const { output } = await funes(
    'archive',
    '--session',
    'one',
    '--older-than',
    new Date().toISOString(),
    '--apply',
    '--json',
  );
  expect(JSON.parse(output)).toMatchObject({ applied: true, count: 1, sample: [{ content: 'an old note' }] });
});

test.each([
  [[], 'Nothing says which memories to archive. Give at least one of --older-than'],
  [['--older-than', 'yesterday'], '--older-than must be an age in days, such as 90d, or a date'],
  [['--importance-below', '2'], '--importance-below must be a number from 0 to 1, not "2".'],
  [['--user', ''], '--user '],
])('%j is one line, and status 1', async (args, message) => {
  const { status, output, errorOutput } = await funes('archive', ...args, '--apply');
  expect({ status, output }).toEqual({ status: 1, output: '' });
  expect(errorOutput).toContain(`funes: ${message}`);
  expect(errorOutput.trimEnd()).not.toContain('\n');
});
