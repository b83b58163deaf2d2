import { beforeEach, describe, expect, inject, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { openPool } from '../../src/database/pool.ts';
import { createLogger } from '../../src/log.ts';
import { openMigratedDatabase } from '../../src/open-database.ts';
import { databaseUrl, onServer } from '../../testkit/server-database.ts';
import { runFunes } from '../support/command.ts';
import {
  freshRole,
  type OwnedDatabase,
  openOwnedDatabase,
  password,
  rows,
} from '../support/owned-database.ts';
import { startTestServer } from '../support/server.ts';

// A server that logs in as a role that owns nothing and only may switch to the roles of requests.

const template = inject('databaseTemplate');
const isEmbedded = template.engine === 'embedded';

describe.skipIf(isEmbedded)('as a member alone', () => {
  let login: string;
  let database: OwnedDatabase;
  let memberUrl: string;
  beforeEach(async () => {
    login = freshRole('login');
    database = await openOwnedDatabase({ mayGrant: true, logins: [login] });
    memberUrl = database.urlOf(login);
  });

  const funes = (args: string[], settings: Record<string, string>) =>
    runFunes(args, { settings: { FUNES_LOG_LEVEL: 'silent', ...settings } });
  const asOwner = (...args: string[]) => funes(args, { DATABASE_URL: database.ownerUrl });

  async function migrateAndApply(): Promise<void> {
    expect(await asOwner('migrate')).toMatchObject({ status: 0, errorOutput: '' });
    expect(await asOwner('roles', '--login', login, '--apply')).toMatchObject({ status: 0, errorOutput: '' });
    await database.asAdministrator(`alter role ${login} password '${password}'`);
  }

  /** Opens the database as `funes serve` does, and returns what it logged. */
  async function open(settings: Record<string, string>): Promise<string[]> {
    const lines: string[] = [];
    const log = createLogger({
      level: 'info',
      stream: { write: (line) => lines.push(JSON.parse(line).msg) },
    });
    const opened = await openMigratedDatabase(loadConfig({ env: settings, envFile: '/nowhere/.env' }), log);
    await opened.close();
    return lines;
  }

  test('it owns nothing, has no table without switching, and makes none', async () => {
    await migrateAndApply();
    const pool = openPool({ database: memberUrl, poolSize: 1 });
    try {
      const [role] = await rows(
        pool,
        `select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit,
          exists (select from pg_shdepend where refobjid = role.oid and deptype = 'o') as owns
        from pg_roles role where rolname = current_user`,
      );
      expect(role).toEqual({
        ...{ rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false },
        ...{ rolinherit: false, owns: false },
      });
      for (const statement of [
        'create table mine (id int)',
        'create schema mine',
        'select from memories',
        'select from api_keys',
        'select from drizzle.__drizzle_migrations',
        "select funes_key('')",
        `set role ${database.owner}`,
      ]) {
        await expect(rows(pool, statement), statement).rejects.toMatchObject({ code: '42501' });
      }
      expect(await rows(pool, 'set role funes_app; reset role; set role funes_admin')).toBeDefined();
    } finally {
      await pool.close();
    }
  });

  test('the whole API works: keys, writes, searches, tools and the archive', async () => {
    await migrateAndApply();
    const pool = openPool({ database: memberUrl, poolSize: 3 });
    const made = await funes(['keys', 'create', '--user', 'root', '--role', 'admin'], {
      DATABASE_URL: memberUrl,
    });
    expect(made).toMatchObject({ status: 0, errorOutput: '' });
    const server = await startTestServer({
      database: {
        engine: 'postgres',
        database: memberUrl,
        pool,
        loseConnections: async () => {},
        close: () => pool.close(),
      },
      settings: { FUNES_AUTH: 'keys' },
    });
    try {
      const send = async <Data>(key: string, query: string): Promise<Data> => {
        const { data, errors } = await server.raw(query, {}, { authorization: `Bearer ${key}` });
        expect(errors, query).toBeUndefined();
        return data as never;
      };
      const admin = made.output.trim();
      const { createKey } = await send<{ createKey: { key: string } }>(
        admin,
        'mutation { createKey(input: { userId: "ana" }) { key } }',
      );
      const user = createKey.key;
      await send(
        admin,
        'mutation { registerTools(inputs: [{ toolName: "t", toolDescription: "red fox", toolParameters: {} }]) { id } }',
      );
      const { createMemories } = await send<{ createMemories: { id: string }[] }>(
        user,
        'mutation { createMemories(inputs: [{ content: "a red fox" }, { content: "a blue whale" }]) { id } }',
      );
      await send(
        user,
        'mutation { ingestDocument(input: { filename: "a.txt", content: "The red fox ran." }) { document { id } } }',
      );
      await send(user, 'mutation { recordToolUse(name: "t") { usageCount } }');
      for (const key of [admin, user]) {
        expect(
          await send(
            key,
            `{ similarMemories(text: "red fox", k: 1) { memory { content } }
              similarChunks(text: "red fox", k: 1, options: { mode: HYBRID }) { chunk { content } }
              similarTools(text: "red fox", k: 1) { tool { toolName usageCount } }
              memories(first: 5) { totalCount } }`,
          ),
        ).toEqual({
          similarMemories: [{ memory: { content: 'a red fox' } }],
          similarChunks: [{ chunk: { content: 'The red fox ran.' } }],
          similarTools: [{ tool: { toolName: 't', usageCount: 1 } }],
          memories: { totalCount: 2 },
        });
      }
      const archive = 'mutation { archiveMemories(input: { importanceBelow: 1, dryRun: false }) { count } }';
      expect(await send(user, archive)).toEqual({ archiveMemories: { count: 2 } });
      const ids = JSON.stringify(createMemories.map(({ id }) => id));
      await send(user, `mutation { restoreMemories(ids: ${ids}) }`);
      await send(user, `mutation { deleteMemories(ids: ${ids}) }`);
      const keys = await send(admin, '{ keys(first: 5) { edges { node { userId } } } }');
      expect(keys).toEqual({ keys: { edges: [{ node: { userId: 'ana' } }, { node: { userId: 'root' } }] } });
    } finally {
      await server.close();
    }
  });

  test('a start without the owner says that it does not migrate, or what is pending', async () => {
    await migrateAndApply();
    expect(await open({ DATABASE_URL: memberUrl })).toEqual([
      `The user "${login}" of DATABASE_URL does not own the tables of funes, so this server does not migrate. No migration is pending.`,
    ]);
    await database.asAdministrator(
      'delete from drizzle.__drizzle_migrations where id = (select max(id) from drizzle.__drizzle_migrations)',
    );
    const pending = /^1 migration is pending: \d{4}_\w+\. /;
    const remedy =
      'Run "funes migrate" with FUNES_MIGRATE_URL set to a direct connection of the owner of the tables.';
    const { message } = await open({ DATABASE_URL: memberUrl }).then(
      () => new Error('It started.'),
      (error: Error) => error,
    );
    expect(message).toMatch(pending);
    expect(message.replace(pending, '')).toBe(
      `The user "${login}" of DATABASE_URL does not own the tables of funes. ${remedy}`,
    );
  });

  test('a start of the owner without prepared statements migrates, as behind a pooler', async () => {
    const settings = { DATABASE_URL: database.ownerUrl, FUNES_PREPARED_STATEMENTS: 'off' };
    expect(await open(settings)).toEqual([]);
    const tables = "select tableowner as owner from pg_tables where tablename = 'memories'";
    expect(await rows(database.administrator, tables)).toEqual([{ owner: database.owner }]);
    expect(await open(settings)).toEqual([]);
  });

  test('a start with FUNES_MIGRATE_URL migrates by it, and serves as the member', async () => {
    await database.asAdministrator(
      `create role ${login} login noinherit password '${password}'`,
      `grant funes_app, funes_admin to ${login}`,
    );
    const settings = { DATABASE_URL: memberUrl, FUNES_MIGRATE_URL: database.ownerUrl };
    expect(await open(settings)).toEqual([]);
    const [{ owner } = { owner: '' }] = await rows<{ owner: string }>(
      database.administrator,
      "select tableowner as owner from pg_tables where tablename = 'memories'",
    );
    expect(owner).toBe(database.owner);
    expect(await open(settings)).toEqual([]);
  });

  test('FUNES_MIGRATE_URL of a database of another name, or of no owner, is refused', async () => {
    await migrateAndApply();
    await expect(open({ DATABASE_URL: database.ownerUrl, FUNES_MIGRATE_URL: memberUrl })).rejects.toThrow(
      `The user "${login}" of FUNES_MIGRATE_URL does not own the tables of funes.`,
    );
    const { ownerUrl } = await openOwnedDatabase({ mayGrant: false });
    await expect(open({ DATABASE_URL: memberUrl, FUNES_MIGRATE_URL: ownerUrl })).rejects.toThrow(
      'FUNES_MIGRATE_URL and DATABASE_URL name different databases',
    );
  });

  test('FUNES_MIGRATE_URL that leads to another database is refused before that is migrated', async () => {
    await migrateAndApply();
    // Without a name, the driver connects to the database that is named like the user.
    await database.asAdministrator(`create database ${database.owner} owner ${database.owner}`);
    try {
      const { serverUrl } = template as { serverUrl: string };
      await onServer(databaseUrl(serverUrl, database.owner), 'create extension vector');
      const unnamed = new URL(database.ownerUrl);
      unnamed.pathname = '/';
      const settings = { DATABASE_URL: memberUrl, FUNES_MIGRATE_URL: unnamed.href };
      await expect(open(settings)).rejects.toThrow(
        'FUNES_MIGRATE_URL and DATABASE_URL lead to different databases',
      );
      const pool = openPool({ database: databaseUrl(database.ownerUrl, database.owner), poolSize: 1 });
      expect(await rows(pool, "select from pg_tables where tablename = 'memories'")).toEqual([]);
      await pool.close();
    } finally {
      await database.asAdministrator(`drop database ${database.owner} with (force)`);
    }
  });

  test("the owner's commands are refused to a member, and work without prepared statements and by FUNES_MIGRATE_URL", async () => {
    await migrateAndApply();
    const remedy =
      'Set FUNES_MIGRATE_URL to a direct connection of the owner of the tables, for the work that only the owner may do.\n';
    const pooled = { DATABASE_URL: database.ownerUrl, FUNES_PREPARED_STATEMENTS: 'off' };
    expect(await funes(['migrate'], { DATABASE_URL: memberUrl })).toEqual({
      status: 1,
      output: '',
      errorOutput: `funes: The user "${login}" of DATABASE_URL does not own the tables of funes. ${remedy}`,
    });
    expect(await funes(['roles'], pooled)).toEqual({
      status: 0,
      output: expect.stringContaining('\ngrant usage on schema public to funes_app, funes_admin;\n'),
      errorOutput: '',
    });
    expect(await funes(['migrate'], pooled)).toMatchObject({ status: 0, errorOutput: '' });
    expect(await funes(['migrate'], { ...pooled, FUNES_MIGRATE_URL: database.ownerUrl })).toEqual({
      status: 0,
      output: 'No migration was pending.\n',
      errorOutput: '',
    });
  });

  test('a user who is neither owner nor member is told how to become one', async () => {
    expect(await asOwner('migrate')).toMatchObject({ status: 0 });
    await database.asAdministrator(`create role ${login} login password '${password}'`);
    const missing = `The user "${login}" of DATABASE_URL may not switch to the roles that requests run as.`;
    await expect(open({ DATABASE_URL: memberUrl })).rejects.toThrow(
      `${missing} Run "funes roles --login ${login} --apply" with FUNES_MIGRATE_URL set to a direct connection of the owner of the tables.`,
    );
    await expect(open({ DATABASE_URL: memberUrl, FUNES_MIGRATE_URL: database.ownerUrl })).rejects.toThrow(
      missing,
    );
  });
});
