import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { convertedModelFolder } from '../../../src/embedding/model-cache.ts';
import { runFunes } from '../../support/command.ts';
import { testModelCache } from '../../support/real-embedder.ts';
import { type LaunchedProcess, launch } from '../../support/served-process.ts';

// One data folder, first without and then with a server: the tests follow each other.
let folder: string;
let server: LaunchedProcess | undefined;
beforeAll(async () => {
  await convertedModelFolder(testModelCache);
  folder = await mkdtemp(join(tmpdir(), 'funes-import-from-'));
  await symlink(testModelCache, join(folder, 'models'), 'junction');
  expect(await runFunes(['migrate'], { settings: settings() })).toMatchObject({ status: 0 });
  await writeFile(join(folder, 'notes.csv'), 'text;date;topic\nBread rises;2024-05-01;food\n;;\n');
  await writeFile(
    join(folder, 'memories.json'),
    JSON.stringify({
      results: [
        { memory: 'Is a vegetarian', user_id: 'ana' },
        { memory: 'x', user_id: 5.5, metadata: 1 },
      ],
    }),
  );
  await writeFile(
    join(folder, 'documents.jsonl'),
    '{"page_content":"Flour","metadata":{"source":"a"}}\n{"page_content":"Water","metadata":{"source":"a"}}\n',
  );
});
afterAll(async () => {
  server?.signal('SIGTERM');
  await server?.ended;
  await rm(folder, { recursive: true, force: true });
});

const settings = () => ({ FUNES_DATA_DIR: folder });
const funes = (file: string, ...options: string[]) =>
  runFunes(['import', join(folder, file), ...options], { settings: settings() });
const map = ['--from', 'csv', '--map', 'content=text,createdAt=date'];

test('the command line is checked before the file is read', async () => {
  for (const [[file, ...options], message] of [
    [
      ['notes.csv', '--from', 'cvs'],
      '--from: there is no format "cvs". Formats are chatgpt, claude, mem0, langchain, csv. Did you mean csv?',
    ],
    [['notes.csv', '--map', 'content=text'], '--map names columns of csv: add --from csv.'],
    [['nothing.csv', ...map], `The file "${join(folder, 'nothing.csv')}" does not exist.`],
    [
      ['notes.csv', '--from', 'csv', '--map', 'content=body'],
      'The file has no column "body", which --map names. Its columns are "text", "date", "topic".',
    ],
  ] as const) {
    const { status, output, errorOutput } = await funes(file, ...options);
    expect({ status, output }).toEqual({ status: 1, output: '' });
    expect(errorOutput).toBe(`funes: ${message}\n`);
  }
});

async function importAll(known: boolean) {
  const csv = await funes('notes.csv', ...map, '--json');
  expect(csv).toMatchObject({ status: 0 });
  expect(JSON.parse(csv.output)).toMatchObject({
    memories: known ? 0 : 1,
    known: known ? 1 : 0,
    failed: 0,
    leftOut: { 'has no text': 1 },
    faults: [],
  });
  const mem0 = await funes('memories.json', '--from', 'mem0');
  expect(mem0.status).toBe(1);
  expect(mem0.output).toBe(
    `Imported ${known ? 0 : 1} memories, 0 documents with 0 chunks, and 0 tools; ${known ? 1 : 0} were there already, 1 failed.\n`,
  );
  expect(mem0.errorOutput).toContain('results[1].metadata is not an object\n');
  expect(mem0.errorOutput).toMatch(/funes: 1 record was not imported\.\n$/);
  const langchain = await funes('documents.jsonl', '--from', 'langchain');
  expect(langchain).toMatchObject({
    status: 0,
    output: known
      ? 'Imported 0 memories, 0 documents with 0 chunks, and 0 tools; 1 were there already, 0 failed.\n'
      : 'Imported 0 memories, 1 documents with 2 chunks, and 0 tools; 0 were there already, 0 failed.\n',
  });
}

test('files of other programs are imported', () => importAll(false));

test('beside a server, what was imported is known', async () => {
  server = launch(folder);
  await server.url;
  await importAll(true);
});
