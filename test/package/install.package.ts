import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { documentFiles } from '../../demo/documents.ts';
import { type LaunchedProcess, launch } from '../support/served-process.ts';
import { type Enclosure, enclose, expectToHold, succeed } from './registry.ts';

// The package as somebody gets it: npm installs the tarball in an empty folder, with its defaults. All tests use one
// installation, and one server, in this order.

const root = resolve(import.meta.dirname, '../..');
let folder: string;
let project: string;
let tarball: string;
let packed: { size: number; unpackedSize: number; files: { path: string }[] };
let enclosure: Enclosure;
let server: LaunchedProcess | undefined;
let refusedOnPurpose: string[];

const inProject = () => ({ cwd: project, env: { ...enclosure.alone, FUNES_DATA_DIR: join(folder, 'data') } });
const funes = (...args: string[]) => succeed('npx', ['funes', ...args], inProject());

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'funes-package-'));
  project = join(folder, 'project');
  await mkdir(project);
  enclosure = await enclose(folder);
  const output = await succeed('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: root,
    env: enclosure.npm,
  });
  [packed] = JSON.parse(output.slice(output.indexOf('[\n')));
  tarball = join(folder, (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '');
});
afterAll(async () => {
  server?.signal('SIGTERM');
  await server?.ended;
  await rm(folder, { recursive: true, force: true });
});

async function send<Data>(query: string): Promise<Data> {
  const response = await fetch(`${await server?.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
  expect(errors).toBeUndefined();
  return data;
}

test('the tarball has what runs and what explains it, and neither source, tests nor data', async () => {
  const parts = new Set(packed.files.map(({ path }) => path.split('/')[0]));
  expect([...parts].sort()).toEqual(
    ['bin', 'dist', 'docs', 'drizzle', 'schema.graphql', 'package.json']
      .concat(['.env.example', 'CHANGELOG.md', 'LICENSE', 'README.md'])
      .sort(),
  );
  const code = packed.files.map(({ path }) => path).filter((path) => /\.(ts|node)$/.test(path));
  expect(code.sort()).toEqual([
    'dist/index.d.ts',
    ...['darwin/arm64', 'linux/arm64', 'linux/x64', 'win32/arm64', 'win32/x64'].map(
      (platform) => `dist/onnxruntime-node/bin/napi-v6/${platform}/onnxruntime_binding.node`,
    ),
  ]);
  expect(packed.files.map(({ path }) => path)).toContain('dist/onnxruntime-node/LICENSE');
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  process.stdout.write(
    `The tarball has ${megabytes(packed.size)}, ${megabytes(packed.unpackedSize)} unpacked.\n`,
  );
  expect((await stat(tarball)).size).toBe(packed.size);
});

test('npm installs it with its defaults, and reaches the registry alone', async () => {
  await expectToHold(enclosure, project);
  refusedOnPurpose = await enclosure.refused();
  await succeed('npm', ['install', tarball], { cwd: project, env: enclosure.npm });
  expect(await enclosure.refused()).toEqual(refusedOnPurpose);
  expect((await readdir(project)).sort()).toEqual(['node_modules', 'package-lock.json', 'package.json']);
  const packages = await readdir(join(project, 'node_modules'));
  for (const name of ['onnxruntime-node', 'onnxruntime-web', 'graphql-yoga', 'sharp', 'tsx', 'typescript'])
    expect(packages).not.toContain(name);
});

test('the command prints its help and its version', async () => {
  expect(await funes('--help')).toContain('Usage: funes [options] [command]');
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  expect(await funes('--version')).toBe(`${version}\n`);
});

test('the server starts on the embedded database, stores memories, and finds one by its meaning', async () => {
  server = launch(join(folder, 'data'), enclosure.alone, {
    command: ['npx', 'funes', 'serve'],
    cwd: project,
    group: true,
  });
  await server.url;
  const contents = [
    'Leo scored the winning goal on Sunday.',
    'The kettle broke, so there is no tea this morning.',
  ];
  for (const content of contents)
    await send(`mutation { createMemory(input: { content: "${content}" }) { id } }`);
  const { similarMemories } = await send<{ similarMemories: { memory: { content: string } }[] }>(
    '{ similarMemories(text: "We need a new water boiler", k: 1) { memory { content } } }',
  );
  expect(similarMemories).toEqual([{ memory: { content: contents[1] } }]);
});

test.each(['manual.pdf', 'report-pandoc.docx', 'talk.pptx', 'ledger.xlsx'])(
  'the server reads %s',
  async (filename) => {
    const content = await readFile(join(root, 'test/src/ingest/files', filename), 'base64');
    const { ingestDocument } = await send<{ ingestDocument: { chunkCount: number } }>(
      `mutation { ingestDocument(input: { filename: "${filename}", contentBase64: "${content}" }) { chunkCount } }`,
    );
    expect(ingestDocument.chunkCount).toBeGreaterThan(0);
  },
);

test('the server has its page for queries', async () => {
  const page = await fetch(`${await server?.url}/graphiql`, { headers: { accept: 'text/html' } });
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('GraphiQL');
});

test('commands work beside the server', async () => {
  expect(await funes('keys', 'list')).toBe('There are no keys.\n');
  expect(await funes('migrate')).toBe('No migration was pending.\n');
});

test('a program may import it, with types', async () => {
  await writeFile(
    join(project, 'program.ts'),
    `import { type Config, createLogger, FunesError, loadConfig, startFunes } from 'funes';
const config: Config = loadConfig({ env: { PORT: '0' } });
const log = createLogger({ level: 'silent' });
export const url: Promise<string> = startFunes(config, log).then((server) => server.url);
// @ts-expect-error: the types are known
startFunes(42);
export const error: Error = new FunesError('CONFLICT', 'twice');
`,
  );
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck'];
  await succeed(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), ...options, 'program.ts'],
    inProject(),
  );
  const names = "import('funes').then((names) => console.log(Object.keys(names).sort().join()))";
  expect(await succeed(process.execPath, ['--eval', names], inProject())).toBe(
    'FunesError,createLogger,loadConfig,startFunes\n',
  );
});

test('the demo finds the server and the documents of the installed packages', async () => {
  const program = join(project, 'node_modules/.bin/funes-demo');
  const demo = spawn(program, [`${await server?.url}/graphql`], {
    ...inProject(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const text of demo.stdout.setEncoding('utf8')) {
    output += text;
    // What comes after takes minutes on a slow machine, and is the same as from the source, which test/demo tests.
    if (output.includes('installed packages')) demo.kill('SIGKILL');
  }
  expect(output).toContain(`Using the server at ${await server?.url}/graphql`);
  expect(output).toContain(` and ${documentFiles.length} documents of the installed packages`);
});

test('SIGTERM ends the server, which has reached nothing beyond this machine', async () => {
  server?.signal('SIGTERM');
  await server?.ended;
  expect(server?.errorOutput()).toBe('');
  expect(await enclosure.refused()).toEqual(refusedOnPurpose);
});
