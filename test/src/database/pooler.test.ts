import { sql } from 'drizzle-orm';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../../src/config.ts';
import { openPool, type Pool } from '../../../src/database/pool.ts';
import { probeSessions } from '../../../src/database/probe.ts';
import { transaction } from '../../../src/database/transaction.ts';
import { createLogger } from '../../../src/log.ts';
import { openMigratedDatabase } from '../../../src/open-database.ts';
import { localViewer } from '../../../src/viewer.ts';
import { asOwner } from '../../../testkit/owner.ts';
import { databaseUrl } from '../../../testkit/server-database.ts';
import { openTestDatabase } from '../../support/database.ts';
import { hasPgBouncer, startPgBouncer } from '../../support/pgbouncer.ts';
import { startTestServer } from '../../support/server.ts';

const template = inject('databaseTemplate');

interface Watched {
  pool: Pool;
  warnings: string[];
}

function watched(database: Parameters<typeof openPool>[0]['database'], poolSize: number): Watched {
  const warnings: string[] = [];
  const logger = { debug: () => {}, warn: (line: unknown) => warnings.push(String(line)) };
  const pool = openPool({ database, poolSize, logger });
  onTestFinished(() => pool.close());
  return { pool, warnings };
}

async function makeNotes(pool: Pool): Promise<void> {
  await asOwner(pool, async (tx) => {
    await tx.execute(sql`create table notes (note text not null)`);
    await tx.execute(sql`grant all on notes to funes_admin`);
  });
}

const write = (pool: Pool, note: string) =>
  transaction(pool, localViewer, { access: 'write' }, (tx) =>
    tx.execute(sql`insert into notes values (${note})`),
  );

const notes = (pool: Pool) =>
  transaction(pool, localViewer, { access: 'read', single: true }, (tx) =>
    tx.execute<{ note: string; rows: number }>(
      sql`select note, count(*)::int as rows from notes where note <> ${'none'} group by note order by note`,
    ),
  );

const line = (code: string) =>
  `The database answers as behind a pooler that gives each transaction another session (${code}). From now on each ` +
  'transaction makes its own settings, and no prepared statements are used.';

describe('a session that forgets its prepared statements', () => {
  test('makes the pool do without them, and each transaction takes place once', async () => {
    const database = await openTestDatabase({ poolSize: 1 });
    await makeNotes(database.pool);
    await database.pool.close();
    const { pool, warnings } = watched(database.database, 1);
    await write(pool, 'first');
    await notes(pool);
    const forget = async () => {
      const connection = await pool.reserve();
      await connection.unsafe('deallocate all');
      connection.release();
    };
    await forget();
    await write(pool, 'second');
    expect(warnings).toEqual([line('26000')]);
    expect(pool).toMatchObject({ isPooled: true, prepare: false });
    await forget();
    await write(pool, 'third');
    expect(await notes(pool)).toEqual([
      { note: 'first', rows: 1 },
      { note: 'second', rows: 1 },
      { note: 'third', rows: 1 },
    ]);
    expect(warnings).toHaveLength(1);
    await pool.close();
    await database.close();
  });

  test('is noticed by a read of one statement, too', async () => {
    const database = await openTestDatabase({ poolSize: 1 });
    await makeNotes(database.pool);
    await database.pool.close();
    const { pool, warnings } = watched(database.database, 1);
    await write(pool, 'only');
    expect(await notes(pool)).toEqual([{ note: 'only', rows: 1 }]);
    const connection = await pool.reserve();
    await connection.unsafe('deallocate all');
    connection.release();
    expect(await notes(pool)).toEqual([{ note: 'only', rows: 1 }]);
    expect(warnings).toEqual([line('26000')]);
    await pool.close();
    await database.close();
  });
});

describe.skipIf(template.engine === 'embedded' || !hasPgBouncer)(
  'behind PgBouncer in transaction mode',
  () => {
    const { serverUrl } = template as { serverUrl: string };

    /** A new database by way of a PgBouncer of its own, and directly. */
    async function open(settings: string[] = [], empty = false) {
      const database = await openTestDatabase({ empty, poolSize: 1 });
      const name = new URL(database.database as string).pathname.slice(1);
      await database.pool.close();
      const bouncer = await startPgBouncer(serverUrl, settings);
      onTestFinished(async () => {
        await bouncer.stop();
        await database.close();
      });
      return { pooled: databaseUrl(bouncer.url, name), direct: databaseUrl(serverUrl, name) };
    }

    const everyParameter =
      'ignore_startup_parameters = statement_timeout, lock_timeout, extra_float_digits, IntervalStyle, bytea_output, array_nulls, ' +
      'transform_null_equals, row_security, exit_on_error, gin_fuzzy_search_limit, default_transaction_isolation, search_path';

    test('the probe tells it from a direct connection', async () => {
      const refusing = await open();
      const direct = watched(refusing.direct, 2).pool;
      expect(await probeSessions(direct, 'auto')).toBeUndefined();
      expect(direct).toMatchObject({ isPooled: false, prepare: true, localSettings: {} });
      const refused = watched(refusing.pooled, 2).pool;
      expect(await probeSessions(refused, 'auto')).toMatch(/unsupported startup parameter/);
      expect(refused).toMatchObject({ isPooled: true, prepare: false });

      const ignoring = await open([everyParameter]);
      const ignored = watched(ignoring.pooled, 2).pool;
      expect(await probeSessions(ignored, 'auto')).toBe('sessions are shared');
      expect(ignored).toMatchObject({ isPooled: true, prepare: false });
      const prepared = watched(ignoring.pooled, 2).pool;
      await probeSessions(prepared, true);
      expect(prepared).toMatchObject({ isPooled: true, prepare: true });
    });

    // Once in many runs, a statement that goes out while the pool goes over gets no answer; a client is told UNAVAILABLE then.
    test('statements that are missing there are noticed, and each write takes place once', {
      retry: 2,
    }, async () => {
      const { pooled, direct } = await open([everyParameter]);
      const owner = watched(direct, 1).pool;
      await makeNotes(owner);
      const { pool, warnings } = watched(pooled, 8);
      // As if the probe had not noticed anything.
      pool.expectPooler({ prepare: true });
      const written = Array.from({ length: 160 }, (_, i) => `note ${String(i).padStart(3, '0')}`);
      await Promise.all(
        Array.from({ length: 16 }, async (_, client) => {
          for (const note of written.filter((_, i) => i % 16 === client)) {
            await write(pool, note);
            expect((await notes(pool)).find((row) => row.note === note)).toEqual({ note, rows: 1 });
          }
        }),
      );
      expect(await notes(owner)).toEqual(written.map((note) => ({ note, rows: 1 })));
      expect(warnings.length).toBeLessThanOrEqual(1);
      expect(warnings[0] ?? '').toMatch(/^(The database answers as behind a pooler .*)?$/);
    });

    test('a server with no other setting starts on an empty database, and serves 16 clients', async () => {
      const { pooled } = await open([], true);
      const config = loadConfig({ env: { DATABASE_URL: pooled }, envFile: '/nowhere/.env' });
      const lines: string[] = [];
      const stream = { write: (text: string) => lines.push(JSON.parse(text).msg) };
      const opened = await openMigratedDatabase(config, createLogger({ level: 'info', stream }));
      expect(lines).toEqual([
        expect.stringMatching(/^DATABASE_URL leads to \S+ on 127\.0\.0\.1:\d+ through a pooler /),
      ]);
      const database = {
        engine: 'postgres' as const,
        database: pooled,
        pool: opened.pool,
        loseConnections: async () => {},
        close: () => opened.close(),
      };
      const server = await startTestServer({ database });
      await Promise.all(
        Array.from({ length: 16 }, async (_, client) => {
          for (let i = 0; i < 5; i++) {
            const content = `the note number${client}x${i}`;
            const { data, errors } = (await server.raw(
              `mutation ($content: String!) {
              createMemory(input: { content: $content }) { content similar(k: 1) { memory { id } } }
            }`,
              { content },
            )) as { data: { createMemory: object }; errors?: unknown };
            expect(errors).toBeUndefined();
            expect(data.createMemory).toMatchObject({ content });
            const found = await server.raw(
              'query ($text: String!) { similarMemories(text: $text, k: 1) { memory { content } } }',
              { text: content },
            );
            expect(found).toMatchObject({ data: { similarMemories: [{ memory: { content } }] } });
          }
        }),
      );
      expect(
        await server.sql(
          'select count(*)::int as rows, count(distinct content)::int as texts from public.memories',
        ),
      ).toEqual([{ rows: 80, texts: 80 }]);
      await server.close();
    });
  },
);
