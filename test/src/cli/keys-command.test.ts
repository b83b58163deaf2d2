import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../../src/config.ts';
import { createLogger } from '../../../src/log.ts';
import { openDatabase } from '../../../src/open-database.ts';
import { readAudit } from '../../../src/store/audit.ts';
import { localViewer } from '../../../src/viewer.ts';
import { type FinishedCommand, runFunes } from '../../support/command.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

// On a server the commands get its URL; else the folder of an embedded database that they open themselves.

let database: TestDatabase | undefined;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'funes-keys-'));
  if (inject('databaseTemplate').engine === 'postgres') database = await openTestDatabase();
  else expect(await funes('migrate')).toMatchObject({ status: 0 });
});
afterAll(async () => {
  await database?.close();
  await rm(folder, { recursive: true, force: true });
});

const settings = () => ({
  ...(typeof database?.database === 'string'
    ? { DATABASE_URL: database.database }
    : { FUNES_DATA_DIR: folder }),
  FUNES_LOG_LEVEL: 'silent',
});

function funes(...args: string[]): Promise<FinishedCommand> {
  return runFunes(args, { settings: settings() });
}

test.each([['list'], ['create', '--user', 'ana']])(
  'keys %s before a migration names it in one line',
  async (...args) => {
    const empty = database && (await openTestDatabase({ empty: true }));
    const unmigrated = await mkdtemp(join(tmpdir(), 'funes-unmigrated-'));
    onTestFinished(async () => {
      await empty?.close();
      await rm(unmigrated, { recursive: true, force: true });
    });
    const url = empty?.database;
    const { status, output, errorOutput } = await runFunes(['keys', ...args], {
      settings: {
        ...(typeof url === 'string' ? { DATABASE_URL: url } : { FUNES_DATA_DIR: unmigrated }),
        FUNES_LOG_LEVEL: 'silent',
      },
    });
    expect({ status, output }).toEqual({ status: 1, output: '' });
    expect(errorOutput).toMatch(/^funes: The database has no .* Run "funes migrate".*\n$/);
  },
);

/** The lines of the audit, newest first, as an administrator reads them. */
async function readLines() {
  const config = loadConfig({ env: settings(), envFile: '/nowhere/.env' });
  const { pool, close } = await openDatabase(config, createLogger({ level: 'silent' }));
  try {
    const { edges } = await readAudit(pool, localViewer, { first: 200 });
    return edges.map(({ node }) => node);
  } finally {
    await close();
  }
}

async function list(): Promise<Record<string, unknown>[]> {
  const { output } = await funes('keys', 'list', '--json');
  return JSON.parse(output).keys;
}

test('keys are made, listed without the key, and revoked', async () => {
  expect(await funes('keys', 'list')).toEqual({ status: 0, output: 'There are no keys.\n', errorOutput: '' });
  const { output, ...rest } = await funes('keys', 'create', '--user', 'ana', '--role', 'admin');
  expect(rest).toEqual({ status: 0, errorOutput: '' });
  expect(output).toMatch(/^funes_[\w-]{43}\n$/);
  const [made] = await list();
  expect(made).toMatchObject({ userId: 'ana', role: 'admin', prefix: output.slice(0, 14), revokedAt: null });
  expect(JSON.stringify(made)).not.toContain(output.trim());
  expect((await funes('keys', 'list')).output).toMatch(
    /^1 {2}funes_\S{8}… {2}admin ana, made \S+ \S+, never used\n$/,
  );
  expect(await funes('keys', 'revoke', '1')).toMatchObject({
    status: 0,
    output: `Revoked the key ${made?.prefix}… of ana.\n`,
  });
  expect((await list())[0]?.revokedAt).toEqual(expect.any(String));
  const line = { about: 'ana', by: 'default_user', actor: 'command line', keyPrefix: null };
  const details = { id: '1', prefix: made?.prefix, role: 'admin', expiresAt: null };
  expect(await readLines()).toMatchObject([
    { ...line, action: 'KEY_REVOKED', details },
    { ...line, action: 'KEY_CREATED', details },
  ]);
});

test.each([
  [['keys', 'revoke', '7'], 1, /^funes: There is no key with id "7"\.\n$/],
  [['keys', 'revoke', 'x'], 1, /^funes: ID .*"x".*\n$/],
  [['keys', 'create'], 2, /^funes: .*--user.*\n$/],
  [['keys', 'create', '--user', 'ana', '--role', 'boss'], 2, /^funes: .*admin, user, reader.*\n$/],
  // JavaScript takes the others for dates.
  ...['soon', '2027-01-31', '2027-02-30T00:00:00Z'].map((date): [string[], number, RegExp] => [
    ['keys', 'create', '--user', 'ana', '--expires', date],
    1,
    /^funes: --expires must be a date with a time and a zone, such as .*\n$/,
  ]),
  [
    ['keys', 'create', '--user', 'ana', '--expires', '2001-01-01T00:00:00+01:00'],
    1,
    /^funes: --expires must be in the future\.\n$/,
  ],
  [['keys', 'create', '--user', ' '], 1, /^funes: --user must not be blank\.\n$/],
  [['keys', 'create', '--user', 'x'.repeat(101)], 1, /^funes: --user has 101 characters; .*\n$/],
  [
    ['keys', 'create', '--user', 'a\nb'],
    1,
    /^funes: .*contains U\+000A, which does not show in a name: "a\\nb"\. Remove it\.\n$/,
  ],
])('%j is refused in one line', async (args, status, line) => {
  const refused = await funes(...args);
  expect(refused).toMatchObject({ status, output: '' });
  expect(refused.errorOutput).toMatch(line);
});

test.runIf(process.platform === 'linux')(
  'a key that cannot be printed fails, and is to be revoked',
  async () => {
    const command = ['keys', 'create', '--user', 'lost'];
    const { status, errorOutput } = await runFunes(command, {
      settings: settings(),
      outputFile: '/dev/full',
    });
    const prefix = (await list()).find(({ userId }) => userId === 'lost')?.prefix;
    expect(status).toBe(1);
    expect(errorOutput).toBe(
      `funes: The output cannot be written (ENOSPC). The key ${prefix}… was made and cannot be shown again: find its id by ` +
        '"funes keys list" and revoke it.\n',
    );
  },
);
