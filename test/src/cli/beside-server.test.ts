import { lstat, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { convertedModelFolder } from '../../../src/embedding/model-cache.ts';
import { runFunes } from '../../support/command.ts';
import { testModelCache } from '../../support/real-embedder.ts';
import { type LaunchedProcess, launch } from '../../support/served-process.ts';

// One data folder, from its first command to the death of its server: the tests follow each other.
let dataDir: string;
let server: LaunchedProcess | undefined;

const recorder = pathToFileURL(resolve(import.meta.dirname, '../../support/record-modules.mjs')).href;
const modulesFile = (name: string) => join(dataDir, `modules-of-${name}.txt`);
/** Makes a process write down the modules that it loads. */
const recorded = (name: string) => ({
  NODE_OPTIONS: `--import ${recorder}`,
  MODULES_FILE: modulesFile(name),
});
const funes = (args: string[], settings: Record<string, string> = {}) =>
  runFunes(args, { settings: { FUNES_DATA_DIR: dataDir, ...settings } });

beforeAll(async () => {
  await convertedModelFolder(testModelCache);
  dataDir = await mkdtemp(join(tmpdir(), 'funes-beside-'));
  await symlink(testModelCache, join(dataDir, 'models'), 'junction');
});
afterAll(async () => {
  server?.signal('SIGTERM');
  await server?.ended;
  await rm(dataDir, { recursive: true, force: true });
});

const nothingPending = { status: 0, output: 'No migration was pending.\n', errorOutput: '' };
const nothingPendingInJson = { status: 0, output: '{"applied":[]}\n', errorOutput: '' };

test('migrate makes the embedded database and says what it applied', async () => {
  const { status, output, errorOutput } = await funes(['migrate'], recorded('migrate'));
  expect({ status, errorOutput }).toEqual({ status: 0, errorOutput: '' });
  const { entries } = JSON.parse(await readFile(resolve('drizzle/meta/_journal.json'), 'utf8'));
  const names = entries.map(({ tag }: { tag: string }) => `  ${tag}\n`);
  expect(output).toBe(`Applied ${names.length} migrations:\n${names.join('')}`);
});

test('migrate says that nothing is pending', async () => {
  expect(await funes(['migrate'])).toEqual(nothingPending);
  expect(await funes(['migrate', '--json'])).toEqual(nothingPendingInJson);
});

/** The keys that "funes keys list" shows, without when each was made. */
async function listedKeys(): Promise<Record<string, unknown>[]> {
  const { status, output, errorOutput } = await funes(['keys', 'list', '--json'], recorded('keys'));
  expect({ status, errorOutput }).toEqual({ status: 0, errorOutput: '' });
  return JSON.parse(output).keys;
}

/** Makes a key, lists it and revokes it. */
async function tryKeys(user: string): Promise<void> {
  const made = await funes(['keys', 'create', '--user', user, '--role', 'reader'], recorded('keys'));
  expect(made).toEqual({
    status: 0,
    output: expect.stringMatching(/^funes_[\w-]{43}\n$/),
    errorOutput: '',
  });
  const [key] = await listedKeys();
  const prefix = made.output.slice(0, 14);
  expect(key).toMatchObject({ userId: user, role: 'reader', prefix, revokedAt: null });
  expect(await funes(['keys', 'revoke', String(key?.id)], recorded('keys'))).toEqual({
    status: 0,
    output: `Revoked the key ${prefix}… of ${user}.\n`,
    errorOutput: '',
  });
  expect((await listedKeys())[0]).toMatchObject({ userId: user, revokedAt: expect.any(String) });
  expect(await funes(['keys', 'revoke', '999999'])).toEqual({
    status: 1,
    output: '',
    errorOutput: 'funes: There is no key with id "999999".\n',
  });
}

test('keys are made, listed and revoked without a server', () => tryKeys('alone'));

test('beside a server, migrate prints the same', async () => {
  server = launch(dataDir, recorded('serve'));
  await server.url;
  expect(await funes(['migrate'])).toEqual(nothingPending);
  expect(await funes(['migrate', '--json'])).toEqual(nothingPendingInJson);
});

test('beside a server, keys print the same', () => tryKeys('beside'));

test('only the server starts with a model and with the API', async () => {
  const heavy =
    /node_modules\/(@huggingface|@xenova|onnxruntime[^/]*|piscina|@apollo|type-graphql|graphql)\//g;
  const loadedBy = async (name: string) => {
    const modules = await readFile(modulesFile(name), 'utf8');
    expect(modules).toContain('/src/main.ts');
    return new Set([...modules.matchAll(heavy)].map(([, name]) => name));
  };
  // The server shows that the expression finds them where they are.
  for (const name of ['@apollo', 'type-graphql', 'piscina', '@xenova', 'graphql'])
    expect(await loadedBy('serve')).toContain(name);
  for (const name of ['migrate', 'keys']) {
    expect(await loadedBy(name)).toEqual(new Set());
    expect(await readFile(modulesFile(name), 'utf8')).toContain('node_modules/postgres/');
  }
});

test('only the owner of the folder can reach the socket', async () => {
  const mode = async (path: string) => (await lstat(join(dataDir, path))).mode & 0o777;
  expect(await mode('database')).toBe(0o700);
  expect(await mode('database/control.sock')).toBe(0o600);
});

test('a server that was killed leaves a socket, and the next command opens the database itself', async () => {
  server?.signal('SIGKILL');
  await server?.ended;
  server = undefined;
  expect((await lstat(join(dataDir, 'database/control.sock'))).isSocket()).toBe(true);
  expect(await funes(['migrate'])).toEqual(nothingPending);
});

test('two commands at once take turns', async () => {
  const both = await Promise.all([funes(['migrate']), funes(['migrate', '--json'])]);
  expect(both).toEqual([nothingPending, nothingPendingInJson]);
});

test('a database that cannot be opened is one line', async () => {
  await writeFile(join(dataDir, 'database/cluster/PG_VERSION'), 'no version\n');
  const { status, output, errorOutput } = await funes(['migrate']);
  expect({ status, output }).toEqual({ status: 1, output: '' });
  expect(errorOutput).toMatch(/^funes: The embedded database in .* cannot be opened: .*PG_VERSION.*\n$/);
});
