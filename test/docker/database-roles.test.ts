import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { migrate } from '../../src/database/migrate.ts';
import { openPool } from '../../src/database/pool.ts';
import { createLogger } from '../../src/log.ts';
import { openMigratedDatabase } from '../../src/open-database.ts';
import { databaseUrl, onServer } from '../../testkit/server-database.ts';
import { freshRole, rows } from '../support/owned-database.ts';

// docker-compose.yml as far as it can be tried without Docker: its script on a real server, with the settings of its server.

const template = inject('databaseTemplate');
const root = fileURLToPath(new URL('../..', import.meta.url));
const compose = readFileSync(`${root}/docker-compose.yml`, 'utf8');
const run = promisify(execFile);
const hasPsql = await run('psql', ['--version']).then(
  () => true,
  () => false,
);

/** A setting of the compose file, with the defaults of its variables. */
function composed(name: string): string {
  const value = new RegExp(`^ +${name}: (\\S+)$`, 'm').exec(compose)?.[1] ?? '';
  return value.replace(/\$\{\w+:-(\w+)\}/g, '$1');
}

describe.skipIf(template.engine === 'embedded' || !hasPsql)('the script of the database', () => {
  test.each([
    ['a new database', false],
    ['a database that a superuser has migrated', true],
  ])('makes the roles with which the server of the compose file starts, in %s', async (_, isMigrated) => {
    const { serverUrl } = template as { serverUrl: string };
    const server = new URL(serverUrl);
    const name = freshRole('composed');
    // Names of the test's own in place of those of the compose file, because roles belong to the whole server.
    const names = { funes_owner: freshRole('owner'), funes_server: freshRole('server') };
    await onServer(serverUrl, `create database ${name}`);
    onTestFinished(async () => {
      await onServer(serverUrl, `drop database ${name} with (force)`);
      for (const role of Object.values(names)) await onServer(serverUrl, `drop role ${role}`);
    });
    const administrator = openPool({ database: databaseUrl(serverUrl, name), poolSize: 1 });
    onTestFinished(() => administrator.close());
    if (isMigrated) await migrate(administrator);
    const env = {
      PATH: process.env.PATH,
      PGHOST: server.hostname,
      PGPORT: server.port || '5432',
      PGPASSWORD: decodeURIComponent(server.password),
      POSTGRES_USER: decodeURIComponent(server.username),
      POSTGRES_DB: name,
      OWNER: names.funes_owner,
      SERVER: names.funes_server,
      OWNER_PASSWORD: composed('OWNER_PASSWORD'),
      SERVER_PASSWORD: composed('SERVER_PASSWORD'),
    };
    for (let time = 0; time < 2; time++) {
      const { stderr } = await run('bash', ['docker/database-roles.sh'], { cwd: root, env });
      expect(stderr).toBe('');
    }

    const urlOf = (setting: string) => {
      const url = new URL(composed(setting));
      expect(Object.keys(names)).toContain(url.username);
      expect(url.pathname).toBe(`/${composed('POSTGRES_DB')}`);
      url.username = names[url.username as keyof typeof names];
      return databaseUrl(url.href, name).replace(url.host, server.host);
    };
    const settings = { DATABASE_URL: urlOf('DATABASE_URL'), FUNES_MIGRATE_URL: urlOf('FUNES_MIGRATE_URL') };
    expect(settings.DATABASE_URL).toContain(`://${names.funes_server}:`);
    const log = createLogger({ level: 'silent' });
    const database = await openMigratedDatabase(loadConfig({ env: settings, envFile: '/nowhere/.env' }), log);
    expect(database.standing).toMatchObject({
      user: names.funes_server,
      isSuperuser: false,
      isOwner: false,
    });
    await expect(rows(database.pool, 'create table mine (id int)')).rejects.toMatchObject({ code: '42501' });
    await database.close();

    expect(
      await rows(
        administrator,
        `select distinct tableowner as owner, rolsuper or rolcreaterole or rolcreatedb or rolbypassrls as mighty
        from pg_tables join pg_roles on rolname = tableowner where schemaname in ('public', 'drizzle')`,
      ),
    ).toEqual([{ owner: names.funes_owner, mighty: false }]);
    expect(
      await rows(
        administrator,
        "select proowner::regrole::text as owner from pg_proc where proname in ('funes_key') and pronamespace = 'public'::regnamespace",
      ),
    ).toEqual([{ owner: names.funes_owner }]);
  });
});
