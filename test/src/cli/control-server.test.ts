import { once } from 'node:events';
import { access, chmod, mkdir, mkdtemp, readlink, rm, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { memories } from '../../../schema/index.ts';
import { runInServer } from '../../../src/cli/control-client.ts';
import { type ControlServer, listenForCommands } from '../../../src/cli/control-server.ts';
import { loadConfig } from '../../../src/config.ts';
import { maintenance } from '../../../src/database/maintenance.ts';
import type { Pool } from '../../../src/database/pool.ts';
import { createLogger } from '../../../src/log.ts';
import { runFunes } from '../../support/command.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let dataDir: string;
let folder: string;
const servers: ControlServer[] = [];

beforeAll(async () => {
  database = await openTestDatabase({ poolSize: 1 });
});
afterAll(() => database.close());
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'funes-control-'));
  folder = join(dataDir, 'database');
  await mkdir(folder, { mode: 0o700 });
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await rm(dataDir, { recursive: true, force: true });
});

async function listen(at = folder, pool: Pool = database.pool): Promise<ControlServer> {
  const config = loadConfig({ env: {}, envFile: '/nowhere/.env' });
  const log = createLogger({ level: 'silent' });
  const server = await listenForCommands(at, {
    pool,
    config,
    log,
    startServices: () => Promise.reject(new Error('These commands need no model.')),
  });
  servers.push(server);
  return server;
}

async function send(args: string[], at = folder): Promise<{ ran: boolean; output: string }> {
  let output = '';
  const terminal = { progress: () => {}, note: () => {}, data: async () => {} };
  const write = (text: string) => {
    output += text;
  };
  const ran = await runInServer(at, args, write, terminal);
  return { ran, output };
}

/** Sends a command, and writes each part of its result as bytes. Returns all of them as a text. */
async function sendBytes(args: string[]): Promise<string> {
  const parts: Buffer[] = [];
  const data = async (part: string) => void parts.push(Buffer.from(part));
  await runInServer(folder, args, () => {}, { progress: () => {}, note: () => {}, data });
  return Buffer.concat(parts).toString();
}

const done = { ran: true, output: 'No migration was pending.\n' };
const notSent = { ran: false, output: '' };

test('runs a command, and prints for people or programs', async () => {
  await listen();
  expect(await send(['migrate'])).toEqual(done);
  expect(await send(['migrate', '--json'])).toEqual({ ran: true, output: '{"applied":[]}\n' });
});

test('runs the commands of its list alone', async () => {
  await listen();
  await expect(send(['serve'])).rejects.toMatchObject({
    message: expect.stringMatching(/^"serve" is not a command of funes\./),
    status: 2,
  });
  await expect(send(['migrate', '--from=/etc/passwd'])).rejects.toMatchObject({
    message: expect.stringMatching(/^"--from" is not an option of funes migrate\./),
    status: 2,
  });
});

test.each([
  ['no JSON', 'GET / HTTP/1.1\n'],
  ['other JSON', '{"command":"migrate"}\n'],
  ['no words', '{"arguments":"migrate"}\n'],
  ['a line without an end', 'x'.repeat(1_100_000)],
])('hangs up on a client that sends %s, and goes on', async (_, text) => {
  await listen();
  const client = connect(join(folder, 'control.sock'));
  const closed = new Promise((resolve) => client.on('close', resolve));
  client.on('error', () => {}).resume(); // it is reset if it was writing still
  client.write(text);
  await closed;
  expect(await send(['migrate'])).toEqual(done);
});

test('a large result arrives as it is, wherever it is divided', async () => {
  await listen();
  const trees = '\u{1f332}'.repeat(80_000);
  // Whatever comes before the text, one of the two is divided inside of a character.
  for (const content of [trees, `x${trees}`]) {
    await maintenance(database.pool, { access: 'write' }, (tx) => tx.insert(memories).values({ content }));
    expect((await sendBytes(['export'])).includes(content)).toBe(true);
    await maintenance(database.pool, { access: 'write' }, (tx) => tx.delete(memories));
  }
});

test('the process that sends a command fails as the command does', async () => {
  await listen();
  const connection = await database.pool.reserve();
  await connection`insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', 4102444800000)`;
  connection.release();
  try {
    const { status, output, errorOutput } = await runFunes(['migrate', '--json'], {
      settings: { FUNES_DATA_DIR: dataDir },
    });
    expect({ status, output }).toEqual({ status: 1, output: '' });
    expect(errorOutput).toMatch(
      /^funes: The database has 1 migration\(s\) that this version .*newer version.*\n$/,
    );
  } finally {
    const again = await database.pool.reserve();
    await again`delete from drizzle.__drizzle_migrations where hash = 'later'`;
    again.release();
  }
});

describe('a folder whose path is too long for a socket', () => {
  test('has a link to one, until the server closes', async () => {
    const long = join(folder, 'x'.repeat(120));
    await mkdir(long);
    const server = await listen(long);
    const target = await readlink(join(long, 'control.sock'));
    expect(target).not.toContain(long);
    expect(await send(['migrate'], long)).toEqual(done);

    await server.close();
    await expect(access(dirname(target))).rejects.toThrow('ENOENT');
    await expect(readlink(join(long, 'control.sock'))).rejects.toThrow('ENOENT');
  });

  test('has a link that is not followed into a folder where others may write', async () => {
    await listen();
    const open = join(dataDir, 'open');
    await mkdir(open);
    await symlink(join(folder, 'control.sock'), join(folder, 'linked.sock'));
    await mkdir(join(open, 'database'), { mode: 0o700 });
    await symlink(join(folder, 'control.sock'), join(open, 'database/control.sock'));
    expect(await send(['migrate'], join(open, 'database'))).toEqual(done);
    await chmod(folder, 0o770);
    expect(await send(['migrate'], join(open, 'database'))).toEqual(notSent);
  });
});

test('where nothing listens, nothing is sent', async () => {
  expect(await send(['migrate'])).toEqual(notSent);
  await (await listen()).close();
  expect(await send(['migrate'])).toEqual(notSent);
});

describe('closing', () => {
  /** Lets `work` run while a command waits for the only connection. */
  async function whileOneRuns(
    work: (server: ControlServer, command: Promise<unknown>, release: () => void) => Promise<void>,
  ) {
    const connection = await database.pool.reserve();
    let noteStart = () => {};
    const started = new Promise<void>((resolve) => {
      noteStart = resolve;
    });
    // A command runs when it asks for a connection.
    const reserve = (options: Parameters<Pool['reserve']>[0]) => {
      noteStart();
      return database.pool.reserve(options);
    };
    const server = await listen(folder, Object.assign(Object.create(database.pool), { reserve }));
    const command = send(['migrate']);
    command.catch(() => {});
    await started;
    await work(server, command, () => connection.release()).finally(() => connection.release());
  }

  test('waits for the command that runs', async () => {
    await whileOneRuns(async (server, command, release) => {
      const closed = server.close();
      expect(await send(['migrate'])).toEqual(notSent);
      release();
      expect(await command).toEqual(done);
      await closed;
    });
  });

  test('ends when it has waited long enough, and the client says what may stand', async () => {
    await whileOneRuns(async (server, command) => {
      await server.close(50);
      await expect(command).rejects.toMatchObject({
        message: expect.stringMatching(/^The running server ended before the command was done\./),
        status: 1,
      });
    });
  });

  test('waits for a command whose client is gone, and no longer', async () => {
    await whileOneRuns(async (server, _, release) => {
      const client = connect(join(folder, 'control.sock'));
      await once(client, 'connect');
      await new Promise((written) => client.write('{"arguments":["migrate"]}\n', written));
      await send(['--version']);
      client.destroy();
      await send(['--version']);
      release();
      await server.close(3_600_000);
    });
  });

  test('does not wait for a client that sends nothing', async () => {
    const server = await listen();
    const client = connect(join(folder, 'control.sock'));
    await once(client, 'connect');
    const closed = once(client, 'close');
    client.resume();
    await Promise.all([server.close(3_600_000), closed]);
  });
});
