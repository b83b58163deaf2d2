import {
  cp,
  link,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withConnection } from '../../../src/database/connection.ts';
import { FunesError } from '../../../src/errors.ts';
import { type FilesToIngest, ingestFiles } from '../../../src/ingest/ingest-files.ts';
import { limits } from '../../../src/input/limits.ts';
import { createLogger } from '../../../src/log.ts';
import type { Services } from '../../../src/services.ts';
import { commandLineViewer } from '../../../src/viewer.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { FallibleEmbedder } from '../../support/fallible-embedder.ts';
import { sharedChunker } from '../../support/shared-chunker.ts';
import { sharedExtractor } from '../../support/shared-extractor.ts';

let database: TestDatabase;
let services: Services;
let embedder: FallibleEmbedder;
let folder: string;
let users = 0;
let userId: string;

beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  embedder = new FallibleEmbedder();
  services = {
    database: database.pool,
    embedder,
    extractor: sharedExtractor,
    chunker: sharedChunker,
    log: createLogger({ level: 'silent' }),
  };
  folder = await mkdtemp(join(tmpdir(), 'funes-files-'));
  userId = `user ${++users}`;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);

async function write(files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(at(name)), { recursive: true });
    await writeFile(at(name), content);
  }
}

/** Ingests the folder. */
const ingest = (options: Partial<FilesToIngest> = {}, start = async () => services) =>
  ingestFiles({ database: database.pool, start }, commandLineViewer, {
    userId,
    paths: [folder],
    deleteGone: false,
    dryRun: false,
    ...options,
  });

/** Ingests the folder, and fails if something is cut or embedded. */
const ingestWithoutModel = (options: Partial<FilesToIngest> = {}) =>
  ingest(options, () => Promise.reject(new Error('Something is to be embedded.')));

interface Stored {
  id: string;
  name: string;
  text: string;
}
const sql = <Row extends object>(statement: string, parameters: string[] = []) =>
  withConnection(
    database.pool,
    async (connection) => [...(await connection.unsafe(statement, parameters))] as unknown as Row[],
  );

/** The documents of the user by their paths in the folder. All their chunks have embeddings. */
async function documents(user = userId): Promise<Record<string, Stored>> {
  const rows = await sql<{ id: string; path: string; filename: string; text: string; pending: boolean }>(
    `select d.id::text, file_path as path, filename, string_agg(c.content, '' order by chunk_index) as text,
      bool_or(c.embedding is null) as pending
      from documents d join document_chunks c on c.document_id = d.id where d.user_id = $1 group by 1, 2, 3 order by 2`,
    [user],
  );
  for (const { pending } of rows) expect(pending).toBe(false);
  return Object.fromEntries(
    rows.map(({ id, path, filename, text }) => [
      path.replace(`${folder}/`, ''),
      { id, name: filename, text },
    ]),
  );
}

const ship = (name: string) => `The ship ${name} sails to the old harbour.\n`;

/** The bytes of no text in any encoding. */
const binary = Uint8Array.from({ length: 512 }, (_, i) => (i * i * 7 + i * 13) % 256);

/** What a report says if nothing happened. */
const nothing = {
  dryRun: false,
  files: 0,
  created: [],
  changed: [],
  unchanged: 0,
  moved: [],
  same: [],
  deleted: [],
  failed: [],
  pending: 0,
};

describe('a folder', () => {
  test('is ingested with its folders, without what is hidden, in node_modules, behind a link or no document', async () => {
    await write({
      'a.md': `# Ships\n\n${ship('Ada')}`,
      'deep/er/b.TXT': ship('Bea'),
      'c.htm': `<p>${ship('Cleo')}</p>`,
      '.hidden.md': ship('Hidden'),
      '.git/d.md': ship('Git'),
      'node_modules/x/e.md': ship('Module'),
      'photo.png': ship('Photo'),
      'no-ending': ship('No ending'),
    });
    await symlink(at('a.md'), at('link.md'));
    await symlink(at('deep'), at('linked'));
    expect(await ingest()).toEqual({
      ...nothing,
      files: 3,
      created: expect.arrayContaining([at('a.md'), at('c.htm'), at('deep/er/b.TXT')]),
    });
    expect(await documents()).toMatchObject({
      'a.md': { name: 'a.md', text: `# Ships\n\n${ship('Ada')}` },
      'c.htm': { name: 'c.htm' },
      'deep/er/b.TXT': { name: 'b.TXT', text: ship('Bea') },
    });
  });

  test('costs a hash a file if nothing has changed', async () => {
    await write({ 'a.md': ship('Ada'), 'b.txt': ship('Bea') });
    await ingest();
    const before = await documents();
    expect(await ingestWithoutModel()).toEqual({ ...nothing, files: 2, unchanged: 2 });
    expect(await documents()).toEqual(before);
  });

  test('has a changed file embedded where its text is new, in the same document', async () => {
    const page = (name: string) => `${ship(name).repeat(12)}\n`;
    await write({ 'a.md': ['Ada', 'Bea', 'Cleo'].map(page).join('\n') });
    await ingest();
    const before = await documents();
    const embedded = embedder.embedded.length;
    const text = ['Ada', 'Bea', 'Cleo', 'Dora', 'Eva'].map(page).join('\n');
    await write({ 'a.md': text });
    expect(await ingest()).toEqual({ ...nothing, files: 1, changed: [at('a.md')] });
    expect(embedder.embedded.slice(embedded).join('')).not.toContain('Ada');
    expect((await documents())['a.md']?.id).toBe(before['a.md']?.id);
  });

  test('that is named twice, and with a file of it, is ingested once', async () => {
    await write({ 'a/b.md': ship('Ada') });
    expect(await ingest({ paths: [folder, at('a'), at('a/b.md')] })).toMatchObject({
      files: 1,
      created: [at('a/b.md')],
      failed: [],
    });
  });

  test('by two at once has one document a file', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `${i}.txt`);
    await write(Object.fromEntries(names.map((name) => [name, ship(name)])));
    const reports = await Promise.all([ingest(), ingest(), ingest()]);
    for (const { failed } of reports) expect(failed).toEqual([]);
    expect(reports.flatMap(({ created }) => created).sort()).toEqual(names.map(at).sort());
    expect(Object.keys(await documents()).sort()).toEqual([...names].sort());
  });

  test('of which three files are broken has all others stored, and the three named', async () => {
    const names = Array.from({ length: 60 }, (_, i) => `${String(i).padStart(3, '0')}.txt`);
    await write(Object.fromEntries(names.map((name) => [name, ship(name)])));
    await write({ '017.txt': binary, '030.txt': '', '059.pdf': 'no pdf' });
    const report = await ingest();
    expect(report.failed.map(({ path }) => path)).toEqual(['017.txt', '030.txt', '059.pdf'].map(at));
    expect(report.created).toHaveLength(58);
    expect(Object.keys(await documents())).toHaveLength(58);
  });
});

describe('files that were renamed', () => {
  test('keep their documents, and nothing is embedded', async () => {
    await write({ 'a.md': ship('Ada') });
    await ingest();
    const before = await documents();
    await mkdir(at('new'));
    await rename(at('a.md'), at('new/b.md'));
    const { id = '' } = before['a.md'] ?? {};
    expect(await ingestWithoutModel({ deleteGone: true })).toEqual({
      ...nothing,
      files: 1,
      moved: [{ id, from: at('a.md'), to: at('new/b.md') }],
    });
    expect(await documents()).toEqual({ 'new/b.md': { id, name: 'b.md', text: ship('Ada') } });
  });

  test('to the names of each other keep their documents', async () => {
    await write({ 'a.md': ship('Ada'), 'b.md': ship('Bea') });
    await ingest();
    const before = await documents();
    await write({ 'a.md': ship('Bea'), 'b.md': ship('Ada') });
    expect((await ingestWithoutModel()).moved).toHaveLength(2);
    const after = await documents();
    expect([after['a.md']?.id, after['b.md']?.id]).toEqual([before['b.md']?.id, before['a.md']?.id]);
  });

  test('in a row, as logs are, keep their documents, and the new file gets one', async () => {
    await write({ 'log.txt': ship('Ada'), 'log.1.txt': ship('Bea') });
    await ingest();
    const before = await documents();
    await write({ 'log.txt': ship('Zoe'), 'log.1.txt': ship('Ada'), 'log.2.txt': ship('Bea') });
    expect(await ingest({ deleteGone: true })).toMatchObject({
      created: [at('log.txt')],
      moved: [{ to: at('log.1.txt') }, { to: at('log.2.txt') }],
      deleted: [],
    });
    expect(embedder.embedded.slice(2)).toEqual([ship('Zoe')]);
    const after = await documents();
    expect([after['log.1.txt']?.id, after['log.2.txt']?.id]).toEqual([
      before['log.txt']?.id,
      before['log.1.txt']?.id,
    ]);
  });

  test('to another format are read so', async () => {
    const html = `<p>${ship('Ada')}</p>`;
    await write({ 'a.txt': html });
    await ingest();
    const before = await documents();
    await rename(at('a.txt'), at('a.html'));
    expect(await ingest()).toMatchObject({ moved: [{ to: at('a.html') }], changed: [], created: [] });
    const after = await documents();
    expect(after['a.html']?.id).toBe(before['a.txt']?.id);
    expect(after['a.html']?.text).not.toContain('<p>');
  });

  test('from outside of the folder leave the document of the other path, and are told', async () => {
    await write({ 'one/a.md': ship('Ada') });
    await ingest({ paths: [at('one')] });
    const { id } = (await documents())['one/a.md'] ?? {};
    await mkdir(at('two'));
    await rename(at('one/a.md'), at('two/a.md'));
    expect(await ingestWithoutModel({ paths: [at('two')], deleteGone: true })).toEqual({
      ...nothing,
      files: 1,
      same: [{ path: at('two/a.md'), as: at('one/a.md'), id }],
    });
    expect(await documents()).toHaveProperty(['one/a.md']);
  });
});

describe('files of the same bytes', () => {
  test('are one document, and the report says which', async () => {
    await write({ 'a.md': ship('Ada') });
    await link(at('a.md'), at('b.md'));
    expect(await ingest()).toMatchObject({
      created: [at('a.md')],
      same: [{ path: at('b.md'), as: at('a.md'), id: null }],
    });
    const { id } = (await documents())['a.md'] ?? {};
    expect(await ingestWithoutModel()).toMatchObject({
      unchanged: 1,
      same: [{ path: at('b.md'), as: at('a.md'), id }],
    });
  });

  test('take the place of what one of them was: its text is in no file any more', async () => {
    await write({ 'a.md': ship('Ada'), 'b.md': ship('Bea') });
    await ingest();
    const { id } = (await documents())['b.md'] ?? {};
    await cp(at('a.md'), at('b.md'));
    expect(await ingestWithoutModel()).toMatchObject({
      unchanged: 1,
      same: [{ path: at('b.md'), as: at('a.md') }],
      deleted: [{ id, path: at('b.md') }],
    });
    expect(Object.keys(await documents())).toEqual(['a.md']);
  });

  test('are a document of each user', async () => {
    await write({ 'a.md': ship('Ada') });
    await ingest();
    expect(await ingest({ userId: `${userId} two` })).toMatchObject({ created: [at('a.md')] });
    expect(await documents(`${userId} two`)).toHaveProperty(['a.md']);
    expect(await documents()).toHaveProperty(['a.md']);
  });
});

describe('files that are gone', () => {
  test('keep their documents, unless these shall be deleted', async () => {
    await write({ 'a.md': ship('Ada'), 'in/b.md': ship('Bea'), 'inner/c.md': ship('Cleo') });
    await ingest();
    await ingest({ userId: `${userId} two` });
    const { id } = (await documents())['in/b.md'] ?? {};
    await rm(at('in/b.md'));
    await rm(at('inner/c.md'));
    expect(await ingestWithoutModel()).toMatchObject({ deleted: [] });
    const wanted = { paths: [at('in')], deleteGone: true };
    const dry = await ingestWithoutModel({ ...wanted, dryRun: true });
    expect(Object.keys(await documents())).toHaveLength(3);
    const report = await ingestWithoutModel(wanted);
    expect(report).toEqual({ ...nothing, deleted: [{ id, path: at('in/b.md') }] });
    expect(dry).toEqual({ ...report, dryRun: true });
    // The folder `in` is not the beginning of the name `inner`, and other users keep theirs.
    expect(Object.keys(await documents())).toEqual(['a.md', 'inner/c.md']);
    expect(Object.keys(await documents(`${userId} two`))).toHaveLength(3);
  });

  test('are not those that are there and cannot be ingested', async () => {
    await write({ 'a.md': ship('Ada'), 'b.md': ship('Bea'), 'c.md': ship('Cleo'), 'd.md': ship('Dora') });
    await ingest();
    const before = await documents();
    await write({ 'a.md': '', 'b.md': binary });
    await truncate(at('c.md'), limits.fileLength + 1);
    await rm(at('d.md'));
    await symlink(at('elsewhere'), at('d.md'));
    expect(await ingest({ deleteGone: true })).toMatchObject({
      deleted: [],
      changed: [],
      failed: [
        { path: at('a.md'), reason: 'The file "a.md" is empty. Send one that has text.' },
        { path: at('b.md'), reason: expect.stringContaining('The file "b.md" is not valid UTF-8') },
        {
          path: at('c.md'),
          reason: `The file has ${limits.fileLength + 1} bytes; at most ${limits.fileLength} are allowed. Divide it.`,
        },
      ],
    });
    expect(await documents()).toEqual(before);
  });

  test('are not those below a folder that is not there', async () => {
    await write({ 'in/b.md': ship('Bea') });
    await ingest();
    await rm(at('in'), { recursive: true });
    expect(await ingestWithoutModel({ paths: [at('in')], deleteGone: true })).toMatchObject({
      deleted: [],
      failed: [{ path: at('in'), reason: 'There is no such file or folder.' }],
    });
    expect(await documents()).toHaveProperty(['in/b.md']);
  });

  test('cannot be told from a single file', async () => {
    await write({ 'a.md': ship('Ada') });
    await expect(ingest({ paths: [at('a.md')], deleteGone: true })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: `--delete is for folders, and "${at('a.md')}" is a file. Name its folder, or leave --delete out.`,
    });
    expect(await documents()).toEqual({});
  });
});

test('a dry run says what would be done, and writes nothing', async () => {
  await write({ 'a.md': ship('Ada'), 'b.md': ship('Bea'), 'c.md': ship('Cleo'), 'd.md': ship('Dora') });
  await ingest();
  const before = await documents();
  await write({ 'b.md': ship('Bella'), 'new.md': ship('Nina'), 'copy.md': ship('Ada') });
  await rename(at('c.md'), at('e.md'));
  await rm(at('d.md'));
  const dry = await ingestWithoutModel({ deleteGone: true, dryRun: true });
  expect(await documents()).toEqual(before);
  expect(dry).toMatchObject({
    dryRun: true,
    files: 5,
    created: [at('new.md')],
    changed: [at('b.md')],
    unchanged: 1,
    moved: [{ from: at('c.md'), to: at('e.md') }],
    same: [{ path: at('copy.md'), as: at('a.md') }],
    deleted: [{ path: at('d.md') }],
  });
  expect(await ingest({ deleteGone: true })).toEqual({ ...dry, dryRun: false });
});

test('what cannot be ingested is named with its reason, and stops nothing else', async () => {
  const samples = resolve(import.meta.dirname, 'files');
  const manual = await readFile(join(samples, 'manual.pdf'));
  await write({
    'encrypted.pdf': await readFile(join(samples, 'encrypted.pdf')),
    'drawing.pdf': await readFile(join(samples, 'drawing.pdf')),
    'bomb.docx': await readFile(join(samples, 'bomb.docx')),
    'half.pdf': manual.subarray(0, manual.length / 2),
    'blank.txt': ' \n',
    'good.txt': ship('Ada'),
    'unknown.xyz': ship('Bea'),
  });
  await symlink(at('loop.md'), at('loop.md'));
  await mkdir(at('empty/er'), { recursive: true });
  const paths = [folder, ...['nowhere', 'good.txt/x.md', 'empty', 'unknown.xyz', 'loop.md'].map(at)];
  const report = await ingest({ paths });
  const reasons = Object.fromEntries(
    report.failed.map(({ path, reason }) => [path.replace(`${folder}/`, ''), reason]),
  );
  expect(reasons).toEqual({
    'encrypted.pdf': expect.stringContaining('password'),
    'drawing.pdf': expect.stringContaining('no text'),
    'bomb.docx': expect.stringContaining('bomb.docx'),
    'half.pdf': expect.stringContaining('is cut off'),
    'blank.txt': expect.stringContaining('must not be blank'),
    nowhere: 'There is no such file or folder.',
    'good.txt/x.md': 'There is no such file or folder.',
    empty: 'The folder has no file that can be ingested.',
    'unknown.xyz': expect.stringContaining('has the extension ".xyz", which cannot be ingested'),
    'loop.md': 'It is a symbolic link that leads to itself (ELOOP).',
  });
  expect(report.created).toEqual([at('good.txt')]);
});

test('several documents of one path are left alone, and the file says so', async () => {
  await write({ 'a.md': ship('Ada') });
  await ingest();
  await sql(
    `insert into documents (user_id, filename, file_path, content_hash) values ($1, 'a.md', $2, repeat('a', 64))`,
    [userId, at('a.md')],
  );
  expect(await ingestWithoutModel()).toMatchObject({ unchanged: 1, deleted: [] });
  await write({ 'a.md': ship('Bea') });
  expect((await ingest()).failed).toMatchObject([
    { path: at('a.md'), reason: expect.stringMatching(/^Several documents have this path: \d+, \d+\./) },
  ]);
});

test('a document that takes longer than one claim lasts is embedded as a whole', async () => {
  const paragraphs = Array.from({ length: 90 }, (_, i) => `# ${i}\n\n${ship(`number ${i}`).repeat(40)}\n`);
  await write({ 'a.md': paragraphs.join('') });
  embedder.mostOfCall = 20;
  expect(await ingest()).toEqual({ ...nothing, files: 1, created: [at('a.md')] });
  expect(embedder.calls).toBeGreaterThan(4);
  expect(Object.keys(await documents())).toEqual(['a.md']);
});

describe('when the embedder stops', () => {
  test('documents are stored and wait; the next time they are embedded', async () => {
    await write({ 'a.md': ship('Ada'), 'b.md': ship('Bea') });
    embedder.stopped = true;
    expect(await ingest()).toMatchObject({ pending: 2, failed: [] });
    embedder.stopped = false;
    expect(await ingest()).toEqual({ ...nothing, files: 2, unchanged: 2 });
    expect([...embedder.embedded].sort()).toEqual([ship('Ada'), ship('Bea')]);
    expect(Object.keys(await documents())).toHaveLength(2);
  });

  test('before it has started, nothing is stored', async () => {
    await write({ 'a.md': ship('Ada') });
    const failed = new FunesError('UNAVAILABLE', 'The model cannot be loaded.');
    await expect(ingest({}, () => Promise.reject(failed))).rejects.toBe(failed);
    expect(await documents()).toEqual({});
  });
});

test('the progress ends with all files', async () => {
  await write({ 'a.md': ship('Ada'), 'b.md': '', 'c.md': ship('Cleo') });
  const steps: [number, number][] = [];
  const wanted = { userId, paths: [folder], deleteGone: false, dryRun: false };
  await ingestFiles(
    { database: database.pool, start: async () => services },
    commandLineViewer,
    wanted,
    (done, total) => steps.push([done, total]),
  );
  expect(steps).toEqual([
    [1, 3],
    [2, 3],
    [3, 3],
  ]);
});
