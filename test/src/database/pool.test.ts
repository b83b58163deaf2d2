import { createServer, type Server } from 'node:net';
import type { ReservedSql } from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { databaseError } from '../../../src/database/errors.ts';
import { openPool, type Pool, type PoolOptions } from '../../../src/database/pool.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type FreezingProxy, startFreezingProxy } from '../../support/freezing-proxy.ts';

let database: TestDatabase;
const pools: Pool[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
  const pool = open();
  await use(pool, (sql) => sql`create table pairs (pair int, half int)`);
  await pool.close();
});
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close(0))));
afterAll(() => database.close());

/** Opens a pool on the test database. The embedded database takes one connection, so no two pools are open at a time. */
function open(options: Omit<PoolOptions, 'database'> = {}): Pool {
  const pool = openPool({ database: database.database, poolSize: 4, ...options });
  pools.push(pool);
  return pool;
}

async function use<T>(pool: Pool, work: (sql: ReservedSql) => Promise<T>): Promise<T> {
  const connection = await pool.reserve();
  try {
    return await work(connection);
  } finally {
    connection.release();
  }
}

const patience = { timeout: 20_000, interval: 20 };
/** Sends statements until the database serves again. */
const served = (pool: Pool) => vi.waitFor(() => use(pool, (sql) => sql`select 1`), patience);

const outcome = (promise: PromiseLike<unknown>) =>
  Promise.resolve(promise).then(
    () => 'answered',
    (error: unknown) => databaseError(error)?.code ?? String(error),
  );

const endless = 'select count(*) from generate_series(1, 1000000000000)';

describe('a lost connection', () => {
  let pool: Pool;
  beforeEach(async () => {
    pool = open();
    await use(pool, (sql) => sql`truncate pairs`);
  });

  test('rejects the statement it was answering and all that come after, and the pool serves again', async () => {
    const connection = await pool.reserve();
    await connection`begin`;
    const inHand = outcome(connection.unsafe(endless));
    await database.loseConnections();
    expect(await inHand).toBe('UNAVAILABLE');
    expect(await outcome(connection`select 1`)).toBe('UNAVAILABLE');
    expect(await outcome(connection.unsafe('rollback'))).toBe('UNAVAILABLE');
    connection.release();
    await served(pool);
  });

  test('rejects statements that had not been sent yet', async () => {
    const connection = await pool.reserve();
    const inHand = outcome(connection`select count(*) from generate_series(1, ${1_000_000_000}::int)`);
    const behind = [1, 2, 3].map((n) => outcome(connection`select ${n}::int + ${n}::int`));
    await database.loseConnections();
    expect(await Promise.all([inHand, ...behind])).toEqual(Array(4).fill('UNAVAILABLE'));
    connection.release();
    await served(pool);
  });

  test('runs nothing of its transaction on another connection', async () => {
    const connection = await pool.reserve();
    await connection.unsafe('begin');
    await connection`insert into pairs values (1, 1)`;
    await database.loseConnections();
    await vi.waitFor(async () => expect(await outcome(connection`select 1`)).toBe('UNAVAILABLE'), patience);
    expect(await outcome(connection`insert into pairs values (1, 2)`)).toBe('UNAVAILABLE');
    expect(await outcome(connection.unsafe('commit'))).toBe('UNAVAILABLE');
    connection.release();
    await served(pool);
    expect(await use(pool, (sql) => sql`select * from pairs`)).toHaveLength(0);
  });

  test('leaves whole transactions only, however often it happens under load', async () => {
    let pair = 0;
    let stop = false;
    const committed: number[] = [];
    const writer = async () => {
      while (!stop) {
        const mine = pair++;
        const write = use(pool, async (sql) => {
          // All statements except COMMIT are sent at once, as the server does.
          const begun = sql.unsafe('begin').execute();
          const halves = [1, 2].map((half) => sql`insert into pairs values (${mine}, ${half})`.execute());
          await Promise.all([begun, ...halves]);
          await sql.unsafe('commit');
        });
        const result = await outcome(write);
        if (result === 'answered') committed.push(mine);
        else {
          expect(result).toBe('UNAVAILABLE');
          await served(pool);
        }
      }
    };
    const writers = Array.from({ length: 8 }, writer);
    try {
      for (let losses = 0; losses < (database.engine === 'postgres' ? 20 : 3); losses++) {
        const before = committed.length;
        await vi.waitFor(() => expect(committed.length).toBeGreaterThan(before + 5), patience);
        await database.loseConnections();
      }
    } finally {
      stop = true;
      await Promise.all(writers);
    }
    await served(pool);
    const rows = await use(pool, (sql) => sql`select pair, count(*)::int as halves from pairs group by pair`);
    expect(rows.filter(({ halves }) => halves !== 2)).toEqual([]);
    const stored = new Set(rows.map(({ pair }) => pair));
    expect(committed.filter((mine) => !stored.has(mine))).toEqual([]);
  }, 90_000);
});

describe('a reservation', () => {
  test('has its connection to itself, so that settings of its transaction reach no other', async () => {
    const pool = open();
    const shown = (sql: ReservedSql) =>
      sql`select current_setting('work_mem') as value`.then(([row]) => row?.value);
    const before = await use(pool, shown);
    const inside = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((megabytes) =>
        use(pool, async (sql) => {
          await sql.unsafe(`begin; set local work_mem = '${megabytes}MB'`);
          const value = await shown(sql);
          await sql.unsafe('commit');
          return value;
        }),
      ),
    );
    expect(inside).toEqual(['1MB', '2MB', '3MB', '4MB', '5MB', '6MB']);
    expect(await use(pool, shown)).toBe(before);
  });

  test('inside another one fails instead of waiting for ever when the pool has one connection', async () => {
    const pool = open({ poolSize: 1, acquireTimeoutMs: 50 });
    const nested = use(pool, () => use(pool, (sql) => sql`select 1`));
    await expect(nested).rejects.toThrow(/^The only database connection was in use for 0.05 s\./);
    await served(pool);
  });

  test('is refused when all connections stay in use', async () => {
    const pool = open({ poolSize: 2, acquireTimeoutMs: 50 });
    const held = await Promise.all(Array.from({ length: pool.size }, () => pool.reserve()));
    await expect(pool.reserve()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    for (const connection of held) connection.release();
    await served(pool);
  });

  test('goes on after a statement that the server refused', async () => {
    const refused = await use(open(), async (sql) => {
      await sql.unsafe('begin');
      const divided = await outcome(sql`select 1 / 0`);
      await sql.unsafe('rollback');
      expect(await sql`select 1 as one`).toEqual([{ one: 1 }]);
      return divided;
    });
    expect(refused).toBe('BAD_USER_INPUT');
  });

  test('refuses an undefined parameter without harm to the statements beside it', async () => {
    const answers = await use(open(), (sql) =>
      Promise.all([
        outcome(sql.unsafe('select 1')),
        outcome(sql.unsafe('select $1::int', [undefined as never])),
        outcome(sql.unsafe('select $1::int', [2])),
      ]),
    );
    expect(answers).toEqual(['answered', 'TypeError: Parameter $1 of a statement is undefined.', 'answered']);
  });

  test('refuses more parameters than the protocol has without harm to the statements beside it', async () => {
    const answers = await use(open(), (sql) =>
      Promise.all([outcome(sql.unsafe('select 1', Array(70_000).fill(1))), outcome(sql`select ${2}::int`)]),
    );
    expect(answers).toEqual([
      expect.stringMatching(/^RangeError: A statement has 70000 parameters/),
      'answered',
    ]);
  });

  test('takes no statement after its release', async () => {
    const pool = open();
    const connection = await pool.reserve();
    connection.release();
    connection.release();
    expect(await outcome(connection`select 1`)).toMatch(/after its connection was released/);
    await served(pool);
  });

  test('that is released in the middle of a statement does not hand its connection on', async () => {
    const pool = open({ poolSize: 1 });
    const connection = await pool.reserve();
    await connection.unsafe('begin; insert into pairs values (-1, 1)');
    const waiting = outcome(connection.unsafe('select 1'));
    connection.release();
    expect(await waiting).toMatch(/released while a statement was waiting/);
    await served(pool);
    expect(await use(pool, (sql) => sql`select * from pairs where pair = -1`)).toHaveLength(0);
  });

  test('gives dates, times and arrays as PostgreSQL writes them, and takes JSON as text', async () => {
    const text = '{"b": 1}';
    const [row] = await use(
      open(),
      (sql) =>
        sql`select '2024-02-29 12:00:00.123456+00'::timestamptz as time, array[1, 2] as list, ${text}::jsonb as json`,
    );
    expect(row).toEqual({ time: '2024-02-29 12:00:00.123456+00', list: '{1,2}', json: { b: 1 } });
  });
});

describe('the statement timeout', () => {
  test('ends a statement that computes for ever, and the pool serves again', async () => {
    const pool = open({ statementTimeoutMs: 300 });
    const error = await use(pool, (sql) => sql.unsafe(endless)).catch(databaseError);
    expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    await served(pool);
  });

  test('can be waived for one reservation', async () => {
    const pool = open({ statementTimeoutMs: 100 });
    const connection = await pool.reserve({ statementTimeoutMs: 0 });
    await connection.unsafe('set statement_timeout = 0');
    await connection.unsafe('select pg_sleep(0.3)');
    await connection.unsafe('reset statement_timeout');
    connection.release();
  });

  test('is a setting of the session, and behind a pooler one that each transaction must make', async () => {
    const direct = open({ statementTimeoutMs: 12_345 });
    expect(direct.localSettings).toEqual({});
    const shown = (sql: ReservedSql) => sql`select current_setting('statement_timeout') as value`;
    // PGlite has no timer that could stop a statement, so the pool keeps the time.
    const inSession = database.engine === 'postgres' ? '12345ms' : '0';
    expect(await use(direct, shown)).toEqual([{ value: inSession }]);
    await direct.close();

    const pooled = open({ statementTimeoutMs: 12_345, preparedStatements: false });
    expect(pooled.localSettings).toMatchObject({ statement_timeout: 12_345, DateStyle: "'ISO, MDY'" });
    expect(pooled.prepare).toBe(false);
    const statements = await use(pooled, async (sql) => {
      await sql`select ${1}::int`;
      return sql`select name from pg_prepared_statements`;
    });
    expect(statements).toHaveLength(0);
  });
});

describe('closing the pool', () => {
  test('waits for what is in use and refuses what waits', async () => {
    const pool = open({ poolSize: 1 });
    const connection = await pool.reserve();
    const waiting = outcome(pool.reserve());
    const closed = pool.close();
    expect(await waiting).toBe('UNAVAILABLE');
    expect(await outcome(pool.reserve())).toBe('UNAVAILABLE');
    expect(await connection`select 1 as one`).toEqual([{ one: 1 }]);
    connection.release();
    await closed;
  });

  test('does not wait for ever', async () => {
    const pool = open();
    const connection = await pool.reserve();
    await pool.close(10);
    expect(await outcome(connection`select 1`)).toBe('UNAVAILABLE');
    connection.release();
  });
});

describe('a server that cannot be reached', () => {
  let server: Server;
  const url = () => {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    return `postgres://user:a-secret@127.0.0.1:${port}/db`;
  };
  beforeEach(async () => {
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const refusal = (pool: Pool) =>
    pool.reserve().then(
      () => undefined,
      (error: Error) => error,
    );

  test('is unavailable when it refuses connections, to every request at once', async () => {
    const address = url();
    await new Promise((resolve) => server.close(resolve));
    const pool = openPool({ database: address, poolSize: 2 });
    const errors = await Promise.all(Array.from({ length: 20 }, () => refusal(pool)));
    for (const error of errors) expect(error).toMatchObject({ code: 'UNAVAILABLE' });
    expect(errors.map(String).join()).not.toContain('secret');
    await pool.close();
  });

  test('is unavailable when it accepts connections and says nothing', async () => {
    const pool = openPool({ database: url(), poolSize: 2, connectTimeoutMs: 100 });
    server.on('connection', (socket) => socket.resume());
    expect(await refusal(pool)).toMatchObject({ code: 'UNAVAILABLE' });
    await pool.close();
  });

  test('is unavailable when it accepts connections and closes them', async () => {
    const pool = openPool({ database: url(), poolSize: 2, connectTimeoutMs: 100 });
    server.on('connection', (socket) => socket.resume().end());
    expect(await refusal(pool)).toMatchObject({ code: 'UNAVAILABLE' });
    await pool.close();
  });
});

describe('a database that falls silent', () => {
  let proxy: FreezingProxy;
  beforeEach(async () => {
    proxy = await startFreezingProxy(database.database);
  });
  afterEach(() => proxy.close());

  const connectTimeoutMs = 500;
  /** Opens a pool through the proxy, as large as the engine allows. */
  const openThrough = () => {
    const poolSize = database.engine === 'postgres' ? 3 : 1;
    const pool = openPool({ database: proxy.url, poolSize, connectTimeoutMs });
    pools.push(pool);
    return pool;
  };
  /** Begins as `transaction` does: without waiting for BEGIN. */
  const request = (pool: Pool) =>
    outcome(
      use(pool, async (sql) => {
        const begun = sql.unsafe('begin').execute();
        await Promise.all([begun, sql`select ${1}::int`]);
        await sql.unsafe('commit');
      }),
    );
  const requests = (pool: Pool) => Promise.all(Array.from({ length: 30 }, () => request(pool)));

  test('fails all requests within the time of one attempt to connect, and serves again afterwards', async () => {
    const pool = openThrough();
    expect(await requests(pool)).toEqual(Array(30).fill('answered'));
    proxy.freeze();
    // First over connections that were open, then over new ones. One after another would be an attempt for each request.
    for (const _ of ['open', 'new']) {
      expect(await requests(pool)).toEqual(Array(30).fill('UNAVAILABLE'));
      expect(proxy.attempts()).toBeLessThanOrEqual(2 * pool.size);
    }
    proxy.thaw();
    await served(pool);
    expect(await requests(pool)).toEqual(Array(30).fill('answered'));
  });

  test('on one connection fails nobody who waits while another is answered', async ({ skip }) => {
    if (database.engine !== 'postgres') skip('The embedded database has one connection.');
    const pool = openPool({ database: proxy.url, poolSize: 2, connectTimeoutMs });
    pools.push(pool);
    const first = await pool.reserve();
    await first`select 1`;
    const other = await pool.reserve();
    first.release();
    proxy.freezeOldest();
    const silent = request(pool);
    const waiting = request(pool);
    await other`select 1`;
    expect(await silent).toBe('UNAVAILABLE');
    expect(await waiting).toBe('answered');
    other.release();
  });

  test('is not confused with a first statement that takes long', async () => {
    const pool = openThrough();
    const seconds = (2 * connectTimeoutMs) / 1000;
    expect(await outcome(use(pool, (sql) => sql.unsafe(`select pg_sleep(${seconds})`)))).toBe('answered');
    expect(await outcome(use(pool, (sql) => sql`select pg_sleep(${seconds})`))).toBe('answered');
  });
});
