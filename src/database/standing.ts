import { lookup } from 'node:dns/promises';
import { BlockList, isIPv6 } from 'node:net';
import { FunesError, quote } from '../errors.ts';
import { serverHosts } from './client.ts';
import { withConnection } from './connection.ts';
import type { Pool } from './pool.ts';

/** What the user of a connection is to the database. */
export interface Standing {
  readonly user: string;
  readonly isSuperuser: boolean;
  /** The user may change the tables or, where there are none yet, create them. */
  readonly isOwner: boolean;
  readonly database: string;
  /** Why the database takes no writes: it follows another server, or a setting makes transactions read-only. Null if it takes them. */
  readonly readOnly: 'standby' | 'setting' | null;
  /** The same text for two connections means that both lead to one database of one server. */
  readonly identity: string;
}

/** Reads what the user of the connections is. It needs no rights in the database. */
export function readStanding(pool: Pool): Promise<Standing> {
  return withConnection(pool, async (connection) => {
    const home = pool.schemas?.home ?? null;
    const [standing] = await connection<Standing[]>`
      select current_user as user, current_database() as database,
        (select rolsuper from pg_roles where rolname = current_user) as "isSuperuser",
        coalesce(
          (select pg_has_role(relowner, 'USAGE') from pg_class where oid = to_regclass(quote_ident(coalesce(${home}::text, current_schema())) || '.memories')),
          has_schema_privilege(coalesce(${home}::text, current_schema()), 'CREATE'),
          false) as "isOwner",
        case when pg_is_in_recovery() then 'standby'
          when current_setting('default_transaction_read_only') = 'on' then 'setting' end as "readOnly",
        (select oid from pg_database where datname = current_database()) || ' of ' || case
          when has_function_privilege('pg_control_system()', 'EXECUTE')
          then (select system_identifier from pg_control_system())::text else '' end as identity`;
    if (standing === undefined) throw new Error('The database did not say who its user is.');
    return standing;
  });
}

/**
 * Refuses a superuser on a server that other machines can reach. A mistake in a statement of a superuser can read files of
 * that server and run programs on it.
 *
 * The hosts of the URL decide, because they are where this process connects to. The address that the server tells would
 * mislead: behind a pooler the server sees the pooler alone, and in a container it has an address of its own.
 *
 * @param setting the name of the setting that has the URL.
 * @throws FunesError UNAVAILABLE that says what to do instead.
 */
export async function refuseRemoteSuperuser(
  { user, isSuperuser }: Standing,
  url: string,
  setting: string,
): Promise<void> {
  if (!isSuperuser || (await isOnThisMachine(serverHosts(url)))) return;
  throw new FunesError(
    'UNAVAILABLE',
    `The user ${quote(user)} of ${setting} is a superuser, and the server of the database is not on this machine. To make a user for funes, ` +
      'run "funes roles --login NAME --apply" once with FUNES_ALLOW_SUPERUSER=on, and name that user in DATABASE_URL; or keep ' +
      'FUNES_ALLOW_SUPERUSER=on.',
  );
}

/**
 * Refuses a database that takes no writes.
 * @param setting the name of the setting that has the URL.
 * @throws FunesError UNAVAILABLE that says what to do instead.
 */
export function refuseReadOnly({ readOnly, database }: Standing, setting: string): void {
  if (readOnly === null) return;
  throw new FunesError(
    'UNAVAILABLE',
    readOnly === 'standby'
      ? `The server of ${setting} is a standby, which takes no writes. Name the primary server in ${setting}.`
      : `The database ${quote(database)} of ${setting} is read-only (default_transaction_read_only is on). Turn that off for the ` +
          `database and its user, or name another database in ${setting}.`,
  );
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * Whether all these hosts are this machine: each address of each is a loopback address. So a tunnel that begins on a loopback
 * address counts as this machine. No hosts mean a unix socket.
 */
export async function isOnThisMachine(hosts: readonly string[]): Promise<boolean> {
  const local = await Promise.all(
    hosts.map(async (host) => {
      const addresses = await lookup(host, { all: true }).catch(() => []);
      return (
        addresses.length > 0 &&
        addresses.every(({ address }) => loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4'))
      );
    }),
  );
  return !local.includes(false);
}
