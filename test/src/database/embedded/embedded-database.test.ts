import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type EmbeddedDatabase,
  type EmbeddedDatabaseOptions,
  startEmbeddedDatabase,
} from '../../../../src/database/embedded/embedded-database.ts';
import { openPool, type Pool } from '../../../../src/database/pool.ts';

let dataDir: string;
const databases: EmbeddedDatabase[] = [];
const pools: Pool[] = [];
const enginePids: number[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'funes-embedded-'));
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close(0)));
  await Promise.all(databases.splice(0).map((database) => database.close()));
  for (const pid of enginePids.splice(0)) await ended(pid); // The engine closes by itself, and writes into the folder.
  await rm(dataDir, { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedDatabaseOptions> = {}): Promise<EmbeddedDatabase> {
  const database = await startEmbeddedDatabase({ dataDir, ...options });
  databases.push(database);
  return database;
}

function open(database: EmbeddedDatabase): Pool {
  const pool = openPool({ database });
  pools.push(pool);
  return pool;
}

async function run(pool: Pool, statement: string): Promise<Record<string, unknown>[]> {
  const connection = await pool.reserve();
  try {
    return await connection.unsafe(statement);
  } finally {
    connection.release();
  }
}

const patience = { timeout: 20_000, interval: 20 };
const served = (pool: Pool) => vi.waitFor(() => run(pool, 'select 1'), patience);

/** Lines of the engine's log. */
function listener() {
  const lines: string[] = [];
  return {
    lines,
    logger: { debug: (line: unknown) => lines.push(String(line)), info: () => {}, error: () => {} },
  };
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const ended = (pid: number) => vi.waitFor(() => expect(isAlive(pid)).toBe(false), patience);

describe('the data folder', () => {
  test('is refused to a second server, with the pid of the first and what to do', async () => {
    await start();
    await expect(start()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(
        new RegExp(
          `^The data folder ${dataDir}/database is in use by another funes server, process ${process.pid}\\.`,
        ),
      ),
    });
  });

  test('is free again after closing, and opens without recovery', async () => {
    const first = await start();
    await run(open(first), 'create table kept as select 42 as answer');
    await pools.pop()?.close();
    await first.close();
    const { lines, logger } = listener();
    expect(await run(open(await start({ logger })), 'select answer from kept')).toEqual([{ answer: 42 }]);
    expect(lines.join('\n')).not.toContain('recovery');
  });

  test('can be read by its owner only', async () => {
    await mkdir(join(dataDir, 'database'), { mode: 0o755 });
    await start();
    expect((await stat(join(dataDir, 'database'))).mode & 0o777).toBe(0o700);
  });

  test('may have a path that is too long for a socket in it', async () => {
    const longDir = join(dataDir, 'x'.repeat(120));
    const database = await start({ dataDir: longDir });
    expect(database.connection).toMatchObject({ path: expect.not.stringContaining(longDir) });
    expect(await run(open(database), 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('that cannot be made is named in the refusal', async () => {
    await writeFile(join(dataDir, 'file'), '');
    const refused = startEmbeddedDatabase({ dataDir: join(dataDir, 'file') });
    await expect(refused).rejects.toThrow(/file\/database cannot be used \(ENOTDIR.*FUNES_DATA_DIR/);
  });

  test('of another PostgreSQL version is named in the refusal, with the reason', async () => {
    await (await start()).close();
    await writeFile(join(dataDir, 'database/cluster/PG_VERSION'), '17\n');
    await expect(start()).rejects.toThrow(/cannot be opened: .*FATAL.*incompatible/s);
  });
});

// To make the files of a database takes seconds, even on a fast machine.
describe('the first start', { timeout: 180_000 }, () => {
  test('makes the files once and copies them into every further data folder', async () => {
    const cacheDir = join(dataDir, 'cache');
    const identify = async (name: string) => {
      const database = await start({ dataDir: join(dataDir, name), cacheDir });
      const [row] = await run(open(database), 'select system_identifier from pg_control_system()');
      return row?.system_identifier;
    };
    const first = await identify('one');
    expect(await readdir(cacheDir)).toEqual([expect.stringMatching(/^cluster-pglite-/)]);
    expect(await identify('two')).toBe(first);
  });

  test('works without a place to keep the files', async () => {
    await writeFile(join(dataDir, 'cache'), 'not a folder');
    const database = await start({ cacheDir: join(dataDir, 'cache') });
    expect(await run(open(database), 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('takes nothing from one that was interrupted', async () => {
    await mkdir(join(dataDir, 'database/cluster.partial/base'), { recursive: true });
    await writeFile(join(dataDir, 'database/cluster.partial/PG_VERSION'), 'half');
    const database = await start();
    expect(await run(open(database), 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await readdir(join(dataDir, 'database'))).not.toContain('cluster.partial');
  });
});

describe('the engine', () => {
  test('that is killed while it writes comes back with every acknowledged row', async () => {
    const database = await start();
    const pool = open(database);
    await run(pool, 'create table written (n int)');
    let acknowledged = 0;
    let stop = false;
    const writing = (async () => {
      for (let n = 1; !stop; n++) {
        const stored = await run(pool, `insert into written values (${n})`).then(
          () => true,
          () => false,
        );
        if (stored) acknowledged++;
        else await served(pool);
      }
    })();
    try {
      for (let kills = 0; kills < 3; kills++) {
        const before = acknowledged;
        await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(before + 20), patience);
        if (database.pid !== undefined) process.kill(database.pid, 'SIGKILL');
      }
    } finally {
      stop = true;
      await writing;
    }
    await served(pool); // The last insert may have been acknowledged just before the engine died.
    const [row] = await run(pool, 'select count(*)::int as stored from written');
    expect(row?.stored).toBeGreaterThanOrEqual(acknowledged);
    expect(row?.stored).toBeLessThanOrEqual(acknowledged + 3); // At each kill, one row may be stored and not acknowledged.
  }, 60_000);

  test('that has just been killed can be closed', async () => {
    const database = await start();
    process.kill(database.pid as number, 'SIGKILL');
    await database.close();
    expect(database.pid).toBeUndefined();
  });

  test('gives each connection a session of its own', async () => {
    const database = await start();
    const first = open(database);
    const connection = await first.reserve();
    await connection.unsafe(`set work_mem = '7MB'; create temporary table scratch (n int)`);
    await connection`select ${1}::int`;
    await connection.unsafe('select pg_advisory_lock(1); create table halfway (n int)');
    await connection.unsafe('begin; insert into halfway values (1)');
    await first.close(0); // This closes in the middle of a transaction.
    connection.release();

    expect(
      await run(
        open(database),
        `select current_setting('work_mem') as memory, to_regclass('scratch') as scratch,
           (select count(*)::int from pg_prepared_statements) as statements, (select count(*)::int from halfway) as rows,
           (select count(*)::int from pg_locks where locktype = 'advisory') as locks`,
      ),
    ).toEqual([{ memory: '4MB', scratch: null, statements: 0, rows: 0, locks: 0 }]);
  });

  test('goes on taking connections, however many come and go at once', async () => {
    const database = await start();
    const { path } = database.connection as { path: string };
    // Protocol 3.0, user postgres.
    const parameters = Buffer.from('\0\x03\0\0user\0postgres\0database\0postgres\0\0', 'latin1');
    const startup = Buffer.concat([Buffer.from([0, 0, 0, parameters.length + 4]), parameters]);
    let answered = 0;
    let stop = false;
    const client = async () => {
      while (!stop) {
        const socket = connect(path).on('error', () => {});
        socket.write(startup);
        socket.once('data', (answer) => {
          if (String(answer).startsWith('R')) answered++;
          socket.destroy();
        });
        await new Promise((resolve) => socket.once('close', resolve));
      }
    };
    const clients = Array.from({ length: 8 }, client);
    for (let seen = 0; seen < 50; seen = answered)
      await vi.waitFor(() => expect(answered).toBeGreaterThan(seen), patience);
    stop = true;
    await Promise.all(clients);
  });

  test('writes checkpoints while it runs, which a client notices nothing of', async () => {
    const pool = open(await start());
    const redo = async () => (await run(pool, 'select redo_lsn from pg_control_checkpoint()'))[0]?.redo_lsn;
    await run(pool, 'create table bulk (t text)');
    const before = await redo();
    await vi.waitFor(async () => {
      await run(pool, `insert into bulk select repeat(md5(i::text), 20) from generate_series(1, 20000) i`);
      expect(await run(pool, 'select 1 as one')).toEqual([{ one: 1 }]);
      expect(await redo()).not.toBe(before);
    }, patience);
  });

  test('listens on the same port when it comes back, where there are no unix sockets', async () => {
    const database = await start({ loopback: true });
    expect(database.connection).toMatchObject({ host: '127.0.0.1', port: expect.any(Number) });
    const pool = open(database);
    await run(pool, 'create table kept as select 42 as answer');
    database.interrupt();
    await served(pool);
    expect(await run(pool, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  test('comes back after a message that it cannot read', async () => {
    const database = await start({ loopback: true });
    const { host, port } = database.connection as { host: string; port: number };
    const before = database.pid;
    const socket = connect(port, host);
    socket.resume().end(Buffer.from([0, 0, 0, 0, 5, 0])); // A startup packet without a protocol version.
    await once(socket, 'close');
    const pool = open(database);
    await served(pool);
    expect(database.pid).not.toBe(before);
  });

  test('goes on with exchanged files in the same process', async () => {
    const database = await start();
    const { pid } = database;
    const first = open(database);
    await run(first, 'create table kept as select 42 as answer');
    const files = join(dataDir, 'database/cluster');
    const copy = join(dataDir, 'copy');
    await first.close();
    await database.exchange(() => cp(files, copy, { recursive: true }));
    await run(open(database), 'drop table kept');
    await pools.pop()?.close();
    await database.exchange(async () => {
      await rm(files, { recursive: true });
      await rename(copy, files);
    });
    expect(await run(open(database), 'select answer from kept')).toEqual([{ answer: 42 }]);
    expect(database.pid).toBe(pid);
  });

  test('does not write the statements of clients that fail into its log', async () => {
    const { lines, logger } = listener();
    const database = await start({ logger });
    const failing = run(open(database), `select 'a secret' || nothing`);
    await expect(failing).rejects.toThrow('nothing');
    await pools.pop()?.close();
    await database.close();
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('\n')).not.toContain('secret');
  });
});

describe('a server that dies', () => {
  const program = fileURLToPath(new URL('../../../support/embedded-server.ts', import.meta.url));

  async function startServer(): Promise<{ server: ChildProcess; enginePid: number }> {
    const server = fork(program, [dataDir], { execArgv: ['--import', 'tsx'] });
    const [message] = await once(server, 'message');
    const { enginePid } = message as { enginePid: number };
    enginePids.push(enginePid);
    return { server, enginePid };
  }

  /** The pid of the engine process that a server has started. @throws Error if there is none yet. */
  async function engineOf({ pid }: ChildProcess): Promise<number> {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    for (const child of children.trim().split(' ').map(Number)) {
      if ((await readFile(`/proc/${child}/cmdline`, 'utf8')).includes('engine-process')) return child;
    }
    throw new Error('The server has no engine yet.');
  }

  test('takes its engine with it, and the next server starts', async () => {
    const { server, enginePid } = await startServer();
    server.kill('SIGKILL');
    const database = await start(); // This waits until the engine has closed.
    expect(await run(open(database), 'select 1 as one')).toEqual([{ one: 1 }]);
    await ended(enginePid);
  });

  // Its channel is closed before the engine listens for that.
  test.runIf(process.platform === 'linux')(
    'as soon as its engine has a process takes it with it, too',
    async () => {
      const server = fork(program, [dataDir], { execArgv: ['--import', 'tsx'] });
      const enginePid = await vi.waitFor(() => engineOf(server), { timeout: 20_000, interval: 1 });
      enginePids.push(enginePid);
      server.kill('SIGKILL');
      await ended(enginePid);
      const database = await start();
      expect(await run(open(database), 'select 1 as one')).toEqual([{ one: 1 }]);
    },
  );

  test('together with its engine leaves a folder that opens at once', async () => {
    const { server, enginePid } = await startServer();
    process.kill(enginePid, 'SIGKILL');
    server.kill('SIGKILL');
    const database = await start();
    expect(await run(open(database), 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('leaves its engine in peace as long as it lives, whatever the terminal signals to both', async () => {
    const { server, enginePid } = await startServer();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(enginePid, signal);
    await expect(start()).rejects.toThrow(`process ${server.pid}`);
    expect(isAlive(enginePid)).toBe(true);
    server.kill('SIGKILL');
    await once(server, 'exit');
  });
});
