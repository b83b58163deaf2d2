import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listenForCommands } from '../../../src/cli/control-server.ts';
import { loadConfig } from '../../../src/config.ts';
import { createLogger } from '../../../src/log.ts';
import { hashVector } from '../../../testkit/hash-embedder.ts';
import { runFunes, withoutProgress } from '../../support/command.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

// The commands run in processes of their own, and are sent to this one, which has the database open as a server has.
let database: TestDatabase;
let folder: string;
let close: () => Promise<void>;

beforeAll(async () => {
  database = await openTestDatabase({ poolSize: 1 });
  folder = await mkdtemp(join(tmpdir(), 'funes-transfer-'));
  await mkdir(join(folder, 'database'), { mode: 0o700 });
  const server = await listenForCommands(join(folder, 'database'), {
    pool: database.pool,
    config: loadConfig({ env: {}, envFile: '/nowhere/.env' }),
    log: createLogger({ level: 'silent' }),
    startServices: () => Promise.reject(new Error('These rows have vectors.')),
  });
  close = () => server.close();
});
afterAll(async () => {
  await close();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

const funes = async (args: string[]) =>
  withoutProgress(await runFunes(args, { settings: { FUNES_DATA_DIR: folder } }));
const path = (name: string) => join(folder, name);
const rows = Array.from({ length: 300 }, (_, n) => ({
  content: `memory ${n}`,
  embedding: [...hashVector(`memory ${n}`)],
  embeddingModel: 'm',
}));

test('beside a server, the server reads the file, and its export comes through the socket', async () => {
  await writeFile(path('in.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  expect(await funes(['import', path('in.jsonl'), '--from', 'jsonl'])).toEqual({
    status: 0,
    output:
      'Imported 300 memories, 0 documents with 0 chunks, and 0 tools; 0 were there already, 0 failed.\n',
    errorOutput: '',
  });
  const printed = await funes(['export']);
  expect(printed).toMatchObject({ status: 0, errorOutput: '' });
  expect(printed.output.trimEnd().split('\n')).toHaveLength(302);

  expect(await funes(['export', path('out.jsonl'), '--json'])).toEqual({
    status: 0,
    output: '{"memories":300,"documents":0,"chunks":0,"tools":0}\n',
    errorOutput: '',
  });
  const written = await readFile(path('out.jsonl'), 'utf8');
  expect(written.split('\n').slice(1)).toEqual(printed.output.split('\n').slice(1));
  expect(await funes(['import', path('out.jsonl')])).toMatchObject({
    status: 0,
    output: expect.stringContaining('300 were there already, 0 failed.'),
  });
});

test('a line with an error is named on standard error, and the exit status is 1', async () => {
  await writeFile(path('bad.jsonl'), '{"content":""}\n');
  const { status, output, errorOutput } = await funes(['import', path('bad.jsonl'), '--from', 'jsonl']);
  expect({ status, errorOutput }).toEqual({
    status: 1,
    errorOutput: 'line 1: content must not be blank\nfunes: 1 row was not imported.\n',
  });
  expect(output).toContain('1 failed.');
});

test.each<[string, string[], number, RegExp]>([
  [
    'a file that is not there',
    ['import', '/nowhere/x'],
    1,
    /^funes: The file "\/nowhere\/x" is not there\.\n$/,
  ],
  [
    'an unknown format',
    ['import', 'x', '--from', 'notion'],
    2,
    /^funes: .*notion.* is invalid\. Allowed choices are chatgpt/,
  ],
  ['a map of an export', ['import', 'x', '--map', 'content=a'], 1, /^funes: --map is for csv and jsonl/],
])('%s is one line', async (_, args, status, message) => {
  const finished = await funes(args);
  expect(finished).toMatchObject({ status, output: '' });
  expect(finished.errorOutput).toMatch(message);
  expect(finished.errorOutput.trimEnd().split('\n')).toHaveLength(1);
});
