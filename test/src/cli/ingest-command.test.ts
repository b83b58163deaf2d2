import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { convertedModelFolder } from '../../../src/embedding/model-cache.ts';
import { type FinishedCommand, runFunes, withoutProgress } from '../../support/command.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { testModelCache } from '../../support/real-embedder.ts';
import { type LaunchedProcess, launch } from '../../support/served-process.ts';

// On a server the command gets its URL. With the embedded database it opens the folder itself, or is sent to the server that has it.

let database: TestDatabase | undefined;
let dataDir: string;
let folder: string;

beforeAll(async () => {
  await convertedModelFolder(testModelCache);
  dataDir = await mkdtemp(join(tmpdir(), 'funes-ingest-'));
  await symlink(testModelCache, join(dataDir, 'models'), 'junction');
  if (inject('databaseTemplate').engine === 'postgres') database = await openTestDatabase();
  else expect(await funes(['migrate'])).toMatchObject({ status: 0 });
});
afterAll(async () => {
  await database?.close();
  await rm(dataDir, { recursive: true, force: true });
});
beforeEach(async () => {
  folder = await mkdtemp(join(dataDir, 'files-'));
  await mkdir(join(folder, 'docs'));
  await writeFile(join(folder, 'docs/coffee.md'), '# Coffee\n\nDescale the machine every second month.\n');
  await writeFile(join(folder, 'docs/knives.txt'), 'Sharpen the knives on the wet stone.\n');
});

const settings = (): Record<string, string> => ({
  ...(typeof database?.database === 'string' && { DATABASE_URL: database.database }),
  FUNES_DATA_DIR: dataDir,
  FUNES_LOG_LEVEL: 'silent',
});

/** Runs a command whose working folder is the one above `docs`. */
async function funes(args: string[]): Promise<FinishedCommand> {
  const finished = await runFunes(args, {
    settings: settings(),
    program: ['--import', import.meta.resolve('tsx'), resolve('src/main.ts')],
    cwd: folder ?? dataDir,
  });
  return withoutProgress(finished);
}

async function ingestJson(...args: string[]) {
  const { output, status, errorOutput } = await funes(['ingest', ...args, '--json']);
  expect(output).toMatch(/^\{.*\}\n$/);
  return { report: JSON.parse(output), status, errorOutput };
}

/** What each user of the command sees, wherever the command runs. */
async function expectToIngest(user: string): Promise<void> {
  const path = (name: string) => join(folder, 'docs', name);
  expect(await funes(['ingest', 'docs', '--user', user, '--dry-run'])).toEqual({
    status: 0,
    output:
      `would create ${path('coffee.md')}\nwould create ${path('knives.txt')}\n` +
      '2 files: 2 would be created, 0 would be changed, 0 unchanged, 0 failed.\n',
    errorOutput: '',
  });
  expect(await funes(['ingest', 'docs', '--user', user])).toEqual({
    status: 0,
    output: '2 files: 2 created, 0 changed, 0 unchanged, 0 failed.\n',
    errorOutput: '',
  });
  await writeFile(path('coffee.md'), '# Coffee\n\nDescale the machine every month.\n');
  await rm(path('knives.txt'));
  await writeFile(path('broken.pdf'), 'no pdf');
  const { report, status, errorOutput } = await ingestJson('docs', '../nowhere', '--user', user, '--delete');
  expect({ status, errorOutput }).toEqual({
    status: 1,
    errorOutput: 'funes: 2 paths could not be ingested.\n',
  });
  expect(report).toEqual({
    dryRun: false,
    files: 2,
    created: [],
    changed: [path('coffee.md')],
    unchanged: 0,
    moved: [],
    same: [],
    deleted: [{ id: expect.stringMatching(/^\d+$/), path: path('knives.txt') }],
    failed: [
      { path: path('broken.pdf'), reason: expect.stringContaining('"broken.pdf"') },
      { path: resolve(folder, '../nowhere'), reason: 'There is no such file or folder.' },
    ].sort((a, b) => (a.path < b.path ? -1 : 1)),
    pending: 0,
  });
  const again = await funes(['ingest', 'docs/coffee.md', '--user', user]);
  expect(again.output).toBe('1 file: 0 created, 0 changed, 1 unchanged, 0 failed.\n');
}

test('ingests, changes and deletes what relative paths name', async () => {
  await expectToIngest('ada');
});

test.each([
  [['ingest'], 2, /^funes: Missing required argument 'paths'.*\n$/],
  [['ingest', 'docs', '--user', ''], 1, /^funes: --user must not be blank\.\n$/],
  [['ingest', 'docs', '--user', ' ada'], 1, /^funes: --user begins or ends with a blank.*\n$/],
  [['ingest', 'docs/coffee.md', '--delete'], 1, /^funes: --delete is for folders, and ".*" is a file\..*\n$/],
])('%j is refused in one line', async (args, status, message) => {
  const refused = await funes(args);
  expect(refused).toMatchObject({ status, output: '' });
  expect(refused.errorOutput).toMatch(message);
});

describe.skipIf(inject('databaseTemplate').engine === 'postgres')('beside a server', () => {
  let server: LaunchedProcess;
  beforeAll(async () => {
    server = launch(dataDir);
    await server.url;
  });
  afterAll(async () => {
    server.signal('SIGTERM');
    await server.ended;
  });

  test('ingests, changes and deletes the same, and the server finds it', async () => {
    await expectToIngest('bea');
    const query = `{ documents(filters: { userId: { eq: "bea" } }) { edges { node { filename embeddingStatus text } } } }`;
    const response = await fetch(`${await server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    expect(await response.json()).toEqual({
      data: {
        documents: {
          edges: [
            {
              node: {
                filename: 'coffee.md',
                embeddingStatus: 'READY',
                text: '# Coffee\n\nDescale the machine every month.\n',
              },
            },
          ],
        },
      },
    });
  });
});
