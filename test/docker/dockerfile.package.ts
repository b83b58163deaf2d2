import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Enclosure, enclose } from '../package/registry.ts';
import { type LaunchedProcess, launch } from '../support/served-process.ts';
import { carryOut, type Stage } from './dockerfile.ts';

// The image as far as it can be tried without Docker: the steps of the Dockerfile, and what its container runs.

const context = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
let folder: string;
let enclosure: Enclosure;
let image: Stage;
let server: LaunchedProcess | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'funes-image-'));
  enclosure = await enclose(folder);
  // A step empties npm's cache, which must not be that of whoever runs the test. Packages of links take no time.
  const cache = join(folder, 'cache');
  await mkdir(cache);
  const { npm_config_cache: ownCache = '' } = enclosure.npm;
  await run('cp', ['-al', join(ownCache, '_cacache'), cache]).catch(() => {}); // on another disk, npm downloads again
  const stages = join(folder, 'stages');
  await mkdir(stages);
  image = await carryOut(context, stages, { ...enclosure.npm, npm_config_cache: cache });
});
afterAll(async () => {
  server?.signal('SIGTERM');
  await server?.ended;
  await rm(folder, { recursive: true, force: true });
});

test('the image has what runs, without source and without what only the build needs', async () => {
  const files = await readdir(join(image.root, image.workdir));
  expect(files.sort()).toEqual(
    ['.npmrc', 'bin', 'dist', 'drizzle', 'node_modules', 'package-lock.json', 'package.json'].sort(),
  );
  const packages = await readdir(join(image.root, image.workdir, 'node_modules'));
  for (const name of [
    'typescript',
    'rolldown',
    'tsx',
    'onnxruntime-node',
    'onnxruntime-web',
    'graphql-yoga',
  ]) {
    expect(packages).not.toContain(name);
  }
});

test('the command of the image serves until SIGTERM, and its health check finds it', async () => {
  const port = createServer().listen(0, '127.0.0.1');
  await once(port, 'listening');
  const { port: free } = port.address() as AddressInfo;
  port.close();
  await once(port, 'close');
  const settings = { ...enclosure.alone, ...image.env, PORT: String(free) };
  const cwd = join(image.root, image.workdir);
  const [program = '', ...args] = image.command;
  server = launch(image.env.FUNES_DATA_DIR ?? '', settings, { command: [program, ...args], cwd });
  const url = await server.url;
  expect(await (await fetch(`${url}/health/live`)).json()).toEqual({ status: 'live' });
  const [checker = '', ...check] = image.health;
  await run(checker, check, { cwd, env: settings });

  const { stdout } = await run(
    'npx',
    ['funes', 'keys', 'create', '--user', 'ada', '--role', 'admin', '--json'],
    {
      cwd,
      env: settings,
    },
  );
  const { key } = JSON.parse(stdout);
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query: 'mutation { createMemory(input: { content: "Kept." }) { content } }' }),
  });
  expect(await answer.json()).toEqual({ data: { createMemory: { content: 'Kept.' } } });
  server.signal('SIGTERM');
  expect(await server.ended).toBe(0);
  await expect(run(checker, check, { cwd, env: settings })).rejects.toThrow();
});

test('neither its steps nor its server reach anything but the registry', async () => {
  expect(await enclosure.refused()).toEqual([]);
});
