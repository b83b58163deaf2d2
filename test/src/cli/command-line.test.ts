import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { databaseCommands } from '../../../src/cli/database-commands.ts';
import { convertedModelFolder } from '../../../src/embedding/model-cache.ts';
import { type FinishedCommand, runFunes } from '../../support/command.ts';
import { openTestDatabase } from '../../support/database.ts';
import { testModelCache } from '../../support/real-embedder.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'funes-command-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a command prints that is refused: one line, and nothing on standard output. */
const refused = (status: number, line: string): FinishedCommand => ({
  status,
  output: '',
  errorOutput: `funes: ${line}\n`,
});

describe('help', () => {
  test('of funes lists every command', async () => {
    const { status, output, errorOutput } = await runFunes(['--help']);
    expect({ status, errorOutput }).toEqual({ status: 0, errorOutput: '' });
    expect(output).toMatch(/^Usage: funes \[options\] \[command\]\n/);
    expect(output).toMatch(/^ {2}serve +Start the server/m);
    expect(output).toMatch(/^ {2}migrate \[options\] +Bring the tables/m);
  });

  test.each([
    ['serve', /^Usage: funes serve \[options\]\n\nStart the server/],
    ['migrate', /^Usage: funes migrate \[options\]\n\nBring the tables.*--json +print one line of JSON/s],
  ])('of %s', async (command, text) => {
    const { status, output, errorOutput } = await runFunes([command, '--help']);
    expect({ status, errorOutput }).toEqual({ status: 0, errorOutput: '' });
    expect(output).toMatch(text);
  });

  test('is written without a stack to a reader that is gone', async () => {
    expect(await runFunes(['--help'], { deaf: true })).toEqual({ status: 0, output: '', errorOutput: '' });
  });
});

test('--version prints the version of the package', async () => {
  expect(await runFunes(['--version'])).toEqual({
    status: 0,
    output: `${packageJson.version}\n`,
    errorOutput: '',
  });
});

describe('a wrong command line is refused in one line with status 2:', () => {
  const help = '"funes --help" says what there is.';
  const commandNames = ['serve', ...databaseCommands.map((command) => command(async () => {}).name())];
  const helpOfMigrate = '"funes migrate --help" says what there is.';
  test.each([
    ['no command', [], `Name a command: ${commandNames.join(', ')}. ${help}`],
    ['an unknown command', ['migrat'], `"migrat" is not a command of funes. Did you mean migrate? ${help}`],
    ['one that is like no other', ['frobnicate'], `"frobnicate" is not a command of funes. ${help}`],
    [
      'an unknown option',
      ['--verison'],
      `"--verison" is not an option of funes. Did you mean --version? ${help}`,
    ],
    [
      'an unknown option of a command',
      ['migrate', '--jsn'],
      `"--jsn" is not an option of funes migrate. Did you mean --json? ${helpOfMigrate}`,
    ],
    [
      'an option of another command',
      ['serve', '--json'],
      '"--json" is not an option of funes serve. "funes serve --help" says what there is.',
    ],
    [
      'a value that an option does not take',
      ['migrate', '--json=yes'],
      `"--json" takes no value. ${helpOfMigrate}`,
    ],
    ['a word too many', ['migrate', 'now'], `"now" is one word too many for funes migrate. ${helpOfMigrate}`],
  ])('%s', async (_, args, line) => {
    expect(await runFunes(args)).toEqual(refused(2, line));
  });
});

describe('what fails is one line with status 1:', () => {
  test('a database that does not answer', async () => {
    const settings = {
      DATABASE_URL: 'postgres://user:secret@127.0.0.1:1/funes',
      FUNES_DATABASE_CONNECT_TIMEOUT: '1s',
    };
    expect(await runFunes(['migrate', '--json'], { settings })).toEqual(
      refused(
        1,
        'There is no connection to funes on 127.0.0.1:1 after 1 s (ECONNREFUSED). Start that server, correct DATABASE_URL, ' +
          'or unset DATABASE_URL to use the embedded database.',
      ),
    );
  });

  test('a server that is no database', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).end('220 mail ready\r\n'));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as { port: number };
    const settings = {
      DATABASE_URL: `postgres://user:secret@127.0.0.1:${port}/funes`,
      FUNES_DATABASE_CONNECT_TIMEOUT: '1s',
    };
    const { status, output, errorOutput } = await runFunes(['migrate'], { settings });
    server.close();
    expect({ status, output }).toEqual({ status: 1, output: '' });
    expect(errorOutput).toMatch(/^funes: There is no connection to funes on .*\n$/);
  });

  test.runIf(process.platform === 'linux')('a folder where the system makes none', async () => {
    const { status, output, errorOutput } = await runFunes(['migrate'], {
      settings: { FUNES_DATA_DIR: '/proc/funes' },
    });
    expect({ status, output }).toEqual({ status: 1, output: '' });
    expect(errorOutput).toMatch(
      /^funes: The data folder \/proc\/funes\/database cannot be used \(ENOENT.*\n$/,
    );
  });

  test('a folder that cannot be used', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const { status, output, errorOutput } = await runFunes(['migrate'], {
      settings: { FUNES_DATA_DIR: file },
    });
    expect({ status, output }).toEqual({ status: 1, output: '' });
    expect(errorOutput).toMatch(/^funes: The data folder .*\/file\/database cannot be used \(ENOTDIR.*\n$/);
  });
});

test('wrong settings are listed, one a line', async () => {
  const settings = { FUNES_POOL_SIZE: 'many', FUNES_PORT: '1' };
  const { status, output, errorOutput } = await runFunes(['migrate'], { settings });
  expect({ status, output }).toEqual({ status: 1, output: '' });
  expect(errorOutput).toMatch(
    /^funes: The settings are wrong.*:\n {2}- FUNES_POOL_SIZE is .*\n {2}- "FUNES_PORT" .*\n.*\n$/,
  );
});

test('a server that others could reach without authentication is not started', async () => {
  const settings = { HOST: '0.0.0.0', FUNES_AUTH: 'off' };
  const { status, output, errorOutput } = await runFunes(['serve'], { settings });
  expect({ status, output }).toEqual({ status: 1, output: '' });
  expect(errorOutput).toMatch(
    /^funes: The settings are wrong.*:\n {2}- HOST is "0\.0\.0\.0", which other machines can reach, and FUNES_AUTH is off.*\n.*\n$/,
  );
});

test('the installed command runs from any folder, the server too', async () => {
  await convertedModelFolder(testModelCache);
  const elsewhere = join(folder, 'elsewhere');
  await mkdir(elsewhere);
  await symlink(testModelCache, join(elsewhere, 'models'), 'junction');
  // It decides how TypeScript is read in this folder, but not how funes is.
  await writeFile(
    join(elsewhere, 'tsconfig.json'),
    '{ "compilerOptions": { "experimentalDecorators": false } }',
  );
  const installed = join(folder, 'funes');
  await symlink(resolve(packageJson.bin.funes), installed);

  const options = { program: [installed], cwd: elsewhere };
  expect(await runFunes(['--version'], options)).toMatchObject({
    status: 0,
    output: `${packageJson.version}\n`,
  });
  const settings = {
    DATABASE_URL: 'postgres://127.0.0.1:1/funes',
    FUNES_DATABASE_CONNECT_TIMEOUT: '1s',
    FUNES_DATA_DIR: elsewhere,
  };
  const { status, output, errorOutput } = await runFunes(['serve'], { ...options, settings });
  expect(status).toBe(1);
  expect(output).not.toContain('listening');
  expect(errorOutput).toMatch(/^funes: There is no connection to funes on 127\.0\.0\.1:1 after 1 s.*\n$/);
});

test.runIf(inject('databaseTemplate').engine === 'postgres')('migrate works on a server', async () => {
  const database = await openTestDatabase({ empty: true });
  try {
    const settings = { DATABASE_URL: String(database.database) };
    const first = await runFunes(['migrate'], { settings });
    expect(first).toMatchObject({ status: 0, errorOutput: '' });
    expect(first.output).toMatch(/^Applied \d+ migrations:\n {2}0000_extensions\n {2}0001_tables\n/);
    const second = await runFunes(['migrate', '--json'], { settings });
    expect(second).toEqual({ status: 0, output: '{"applied":[]}\n', errorOutput: '' });
  } finally {
    await database.close();
  }
});
