import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { openPool } from '../../../src/database/pool.ts';
import { databaseUrl, onServer } from '../../../testkit/server-database.ts';
import { runFunes } from '../../support/command.ts';
import { openTestDatabase } from '../../support/database.ts';
import { rows } from '../../support/owned-database.ts';
import { canStartServer, serverPrograms, startServer } from '../../support/postgres-server.ts';

const run = promisify(execFile);

// The steps of docs/operations.md, from one server to another that has no roles of funes.
test.runIf(inject('databaseTemplate').engine === 'postgres' && canStartServer)(
  'pg_dump and pg_restore bring a database to another server, once the roles are there',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'funes-dump-'));
    const [database, other, programs] = await Promise.all([
      openTestDatabase(),
      startServer(),
      serverPrograms(),
    ]);
    try {
      await rows(
        database.pool,
        `insert into memories (user_id, content, embedding, embedding_model)
          select 'ana', 'memory ' || n, (select array_agg(sin(n * d))::vector from generate_series(1, 384) d), 'a model'
          from generate_series(1, 50) n`,
      );
      const dump = join(folder, 'funes.dump');
      await run(join(programs, 'pg_dump'), [
        '--format=custom',
        `--file=${dump}`,
        database.database as string,
      ]);

      for (const statement of [
        `create role funes_owner login createrole password 'secret'`,
        'create database funes owner funes_owner',
      ])
        await onServer(other.url, statement);
      const superuserUrl = databaseUrl(other.url, 'funes');
      await onServer(superuserUrl, 'create extension vector');
      const ownerUrl = superuserUrl.replace(/\/\/[^@]*@/, '//funes_owner:secret@');
      for (const role of ['funes_app', 'funes_admin'])
        await onServer(ownerUrl, `create role ${role} nologin noinherit`);
      const { stdout } = await run(join(programs, 'pg_restore'), ['--list', dump]);
      const list = join(folder, 'list');
      await writeFile(
        list,
        stdout
          .split('\n')
          .filter((line) => !line.includes('EXTENSION'))
          .join('\n'),
      );
      await run(join(programs, 'pg_restore'), [
        '--exit-on-error',
        '--single-transaction',
        '--no-owner',
        `--use-list=${list}`,
        `--dbname=${ownerUrl}`,
        dump,
      ]);
      const settings = { DATABASE_URL: ownerUrl };
      expect(await runFunes(['roles', '--login', 'funes_server', '--apply'], { settings })).toMatchObject({
        status: 0,
        errorOutput: '',
      });
      const doctor = await runFunes(['doctor', '--json'], { settings });
      const codes = JSON.parse(doctor.output).findings.map(({ code }: { code: string }) => code);
      expect(codes.filter((code: string) => !/STALE|PGVECTOR_OLD|MAINTENANCE_MEMORY/.test(code))).toEqual([]);
      const pool = openPool({ database: ownerUrl, poolSize: 1 });
      try {
        const all = 'select t::text as row from memories t order by id';
        expect(await rows(pool, all)).toEqual(await rows(database.pool, all));
        expect(await rows(pool, 'select count(*)::int as count from memories')).toEqual([{ count: 50 }]);
      } finally {
        await pool.close();
      }
    } finally {
      await database.close();
      await other.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
