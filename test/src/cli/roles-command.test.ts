import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { grantStatements } from '../../../src/database/grants.ts';
import { migrate } from '../../../src/database/migrate.ts';
import { type FinishedCommand, runFunes } from '../../support/command.ts';
import { freshRole, openOwnedDatabase, rows } from '../../support/owned-database.ts';

const isEmbedded = inject('databaseTemplate').engine === 'embedded';

function funes(args: string[], settings: Record<string, string>): Promise<FinishedCommand> {
  return runFunes(args, { settings: { FUNES_LOG_LEVEL: 'silent', ...settings } });
}

const refused = (line: string | RegExp, status = 1) => ({
  status,
  output: '',
  errorOutput: typeof line === 'string' ? `funes: ${line}\n` : expect.stringMatching(line),
});

test('funes roles on the embedded database says what it is for', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'funes-roles-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  expect(await funes(['roles'], { FUNES_DATA_DIR: folder })).toEqual(
    refused(
      'The embedded database makes its roles itself, and only funes can log in to it. "funes roles" is for a PostgreSQL server: set DATABASE_URL.',
    ),
  );
});

test('an unknown option is refused with the one that was meant', async () => {
  expect(await funes(['roles', '--aply'], {})).toEqual(
    refused(/^funes: "--aply" is not an option of funes roles\. Did you mean --apply\?.*\n$/, 2),
  );
});

describe.skipIf(isEmbedded)('on a server', () => {
  test('it prints a script that a superuser can run twice, and that --apply then has nothing to add to', async () => {
    const login = freshRole('login');
    const { ownerPool, ownerUrl, owner, administrator, asAdministrator } = await openOwnedDatabase({
      mayGrant: true,
      logins: [login],
    });
    await migrate(ownerPool);
    const settings = { DATABASE_URL: ownerUrl };
    const printed = await funes(['roles', '--login', login], settings);
    expect(printed).toMatchObject({ status: 0, errorOutput: '' });
    const lines = printed.output.trim().split('\n');
    const statements = lines.filter((line) => !line.startsWith('--'));
    expect(statements.slice(2)).toEqual([
      expect.stringMatching(new RegExp(`^grant funes_app, funes_admin to ${owner}`)),
      expect.stringContaining(`create role ${login} login noinherit`),
      expect.stringMatching(new RegExp(`^grant funes_app, funes_admin to ${login}`)),
      ...grantStatements('public').map((statement) => `${statement};`),
    ]);
    expect(lines.at(-1)).toMatch(new RegExp(`^-- Set the password .*: \\\\password ${login}$`));
    const { output: json } = await funes(['roles', '--login', login, '--json'], settings);
    expect(JSON.parse(json)).toEqual({ statements: statements.map((line) => line.replace(/;$/, '')) });
    expect(await rows(administrator, `select from pg_roles where rolname = '${login}'`)).toEqual([]);

    for (let time = 0; time < 2; time++) await asAdministrator(printed.output);
    expect(await funes(['roles', '--login', login, '--apply'], settings)).toEqual({
      status: 0,
      output: `The roles and their ${grantStatements('public').length} grants are as this version of funes needs them.\n`,
      errorOutput: '',
    });
  });

  test('--apply makes the login at the same time as another does', async () => {
    const login = freshRole('login');
    const { ownerPool, ownerUrl } = await openOwnedDatabase({ mayGrant: true, logins: [login] });
    await migrate(ownerPool);
    const both = await Promise.all(
      [1, 2].map(() => funes(['roles', '--login', login, '--apply'], { DATABASE_URL: ownerUrl })),
    );
    expect(both).toMatchObject([
      { status: 0, errorOutput: '' },
      { status: 0, errorOutput: '' },
    ]);
  });

  test('--apply before there are tables is refused', async () => {
    const { ownerUrl } = await openOwnedDatabase({ mayGrant: true });
    expect(await funes(['roles', '--apply'], { DATABASE_URL: ownerUrl })).toEqual(
      refused(/^funes: The database has no table memories, .* yet\. Run "funes migrate" first\.\n$/),
    );
  });

  test('an owner who may not make roles is told what an administrator can run', async () => {
    const login = freshRole('login');
    const { ownerUrl, ownerPool, owner, asAdministrator } = await openOwnedDatabase({
      mayGrant: false,
      logins: [login],
    });
    const settings = { DATABASE_URL: ownerUrl };
    await asAdministrator(`grant funes_app, funes_admin to ${owner}`);
    await migrate(ownerPool);
    const { errorOutput, ...rest } = await funes(['roles', '--login', login, '--apply'], settings);
    expect(rest).toEqual({ status: 1, output: '' });
    const [, statements = ''] =
      /^funes: The user of the database may not make the role of the server\. Let an administrator of the database run: (.*)\n$/.exec(
        errorOutput,
      ) ?? [];
    await asAdministrator(statements);
    expect(await funes(['roles', '--login', login, '--apply'], settings)).toMatchObject({
      status: 0,
      errorOutput: '',
    });
  });

  test('a restore that left policies out is noticed', async () => {
    const { ownerUrl, ownerPool, asAdministrator } = await openOwnedDatabase({ mayGrant: true });
    await migrate(ownerPool);
    await asAdministrator(
      'drop policy memories_of_user on memories',
      'drop policy memories_of_all on memories',
    );
    expect(await funes(['roles', '--apply'], { DATABASE_URL: ownerUrl })).toEqual(
      refused(
        'No policy says whose rows are whose, of memories: a restore leaves policies out if their roles are missing. Create the ' +
          'roles that "funes roles" prints, and restore again.',
      ),
    );
  });

  test('a login that would have more than it needs is refused', async () => {
    const login = freshRole('login');
    const heir = freshRole('heir');
    const { ownerUrl, ownerPool, owner, asAdministrator } = await openOwnedDatabase({
      mayGrant: true,
      logins: [login, heir],
    });
    await migrate(ownerPool);
    const apply = (name: string) => funes(['roles', '--apply', '--login', name], { DATABASE_URL: ownerUrl });
    await asAdministrator(`create role ${login} bypassrls`);
    expect(await apply(login)).toEqual(
      refused(
        `The role "${login}" passes by the policies of row-level security (BYPASSRLS). Name another one by --login.`,
      ),
    );
    expect(await apply(owner)).toEqual(
      refused(`The role "${owner}" owns the tables. Name another one by --login.`),
    );
    expect(await apply('funes_app')).toEqual(
      refused('Requests run as funes_app; a server must log in as another role. Name one by --login.'),
    );
    expect(await apply("o'hara")).toEqual(
      refused(/^funes: --login must be a name of at most 63 letters.*not "o'hara"\.\n$/),
    );
    // A role that inherits, by a grant that the owner cannot change.
    await asAdministrator(`create role ${heir} login inherit`, `grant funes_app to ${heir}`);
    const { errorOutput, status } = await apply(heir);
    expect({ status, lines: errorOutput.split('\n').length }).toEqual({ status: 1, lines: 2 });
    expect(errorOutput).toMatch(
      new RegExp(`^funes: (The role ${heir} inherits|The user of the database may not make the role)`),
    );
  });
});
