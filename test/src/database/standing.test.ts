import { networkInterfaces } from 'node:os';
import { expect, inject, test } from 'vitest';
import { serverHosts } from '../../../src/database/client.ts';
import { isOnThisMachine, readStanding, refuseRemoteSuperuser } from '../../../src/database/standing.ts';
import { openOwnedDatabase } from '../../support/owned-database.ts';

const isEmbedded = inject('databaseTemplate').engine === 'embedded';
const [reachable] = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .filter(({ internal, family }) => !internal && family === 'IPv4');

test.each([
  [[], true],
  [['127.0.0.1'], true],
  [['127.8.0.1', 'localhost'], true],
  [['::1'], true],
  [['192.0.2.1'], false],
  [['localhost', '192.0.2.1'], false],
  [['no-such-host.invalid'], false],
  [['0.0.0.0'], false],
  [['::ffff:127.0.0.1'], true],
])('whether %j are this machine: %j', async (hosts, expected) => {
  expect(await isOnThisMachine(hosts)).toBe(expected);
});

test.skipIf(reachable === undefined)(
  'an address of this machine that others reach counts as another',
  async () => {
    expect(await isOnThisMachine([reachable?.address ?? ''])).toBe(false);
  },
);

test('the hosts of a URL are those that the driver connects to', () => {
  expect(serverHosts('postgres://me@one:1,two:2/things')).toEqual(['one', 'two']);
  expect(serverHosts('postgres://me@one/things?host=127.0.0.1')).toEqual(['127.0.0.1']); // as libpq does
  expect(serverHosts('postgres://me@[::1]:1/things')).toEqual(['::1']);
  expect(serverHosts('postgres://me@one/things?hostaddr=192.0.2.1')).toEqual(['192.0.2.1']);
  expect(serverHosts('postgres:///things?host=/run/postgresql')).toEqual([]);
});

test.skipIf(isEmbedded)('a superuser is refused on another machine, and the owner is not', async () => {
  const { administrator, ownerPool, owner } = await openOwnedDatabase({ mayGrant: false });
  const [superuser, plain] = [await readStanding(administrator), await readStanding(ownerPool)];
  expect(plain).toMatchObject({ user: owner, isSuperuser: false, isOwner: true });
  expect(superuser).toMatchObject({ isSuperuser: true, identity: plain.identity });
  const remote = 'postgres://me@192.0.2.1/things';
  await refuseRemoteSuperuser(superuser, 'postgres://me@127.0.0.1/things', 'DATABASE_URL');
  await refuseRemoteSuperuser(plain, remote, 'DATABASE_URL');
  await expect(refuseRemoteSuperuser(superuser, remote, 'DATABASE_URL')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message:
      `The user "${superuser.user}" of DATABASE_URL is a superuser, and the server of the database is not on this machine. To make a user for ` +
      'funes, run "funes roles --login NAME --apply" once with FUNES_ALLOW_SUPERUSER=on, and name that user in DATABASE_URL; or keep ' +
      'FUNES_ALLOW_SUPERUSER=on.',
  });
});
