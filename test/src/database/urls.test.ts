import { connect as connectTo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { withConnection } from '../../../src/database/connection.ts';
import { openPool } from '../../../src/database/pool.ts';
import { databaseUrl, onServer } from '../../../testkit/server-database.ts';
import { freePort } from '../../support/postgres-server.ts';

const template = inject('databaseTemplate');
const { serverUrl } = template as { serverUrl: string };
const hasIPv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

describe.skipIf(template.engine === 'embedded')('a server is reached by', () => {
  const server = new URL(template.engine === 'embedded' ? 'postgres://none' : serverUrl);
  const at = `${server.hostname}:${server.port || 5432}`;
  const login = `${server.username}${server.password && `:${server.password}`}`;

  /** The database and the settings that a connection by this URL has. */
  async function reached(url: string, shown = 'current_database()'): Promise<unknown> {
    const pool = openPool({ database: url, poolSize: 2 });
    try {
      const [row] = await withConnection(pool, (connection) => connection.unsafe(`select ${shown} as value`));
      return row?.value;
    } finally {
      await pool.close();
    }
  }

  test('the name of a database that is percent-encoded', async () => {
    const name = `Funes-Test ${process.pid} ${Date.now()} ä%"`;
    await onServer(serverUrl, `create database "${name.replaceAll('"', '""')}"`);
    onTestFinished(() => onServer(serverUrl, `drop database "${name.replaceAll('"', '""')}" with (force)`));
    expect(await reached(`postgres://${login}@${at}/${encodeURIComponent(name)}`)).toBe(name);
  });

  test('the second of two hosts, if nobody listens on the first', async () => {
    const nobody = await freePort();
    const url = `postgres://${login}@127.0.0.1:${nobody},${at}${server.pathname}?target_session_attrs=read-write`;
    expect(await reached(url)).toBe(server.pathname.slice(1));
  });

  test.skipIf(!hasIPv6)('an IPv6 address', async () => {
    const listener = createServer((client) => {
      const upstream = connectTo(Number(server.port || 5432), server.hostname);
      upstream.on('error', () => client.destroy());
      client.on('error', () => upstream.destroy());
      client.pipe(upstream).pipe(client);
    });
    await new Promise<void>((resolve) => listener.listen(0, '::1', resolve));
    onTestFinished(() => new Promise<void>((resolve) => void listener.close(() => resolve())));
    const { port } = listener.address() as { port: number };
    expect(await reached(`postgres://${login}@[::1]:${port}${server.pathname}`)).toBe(
      server.pathname.slice(1),
    );
  });

  test('a unix socket', async ({ skip }) => {
    const folders = String(await reached(serverUrl, "current_setting('unix_socket_directories')"));
    const [folder = ''] = folders.split(', ');
    const url = `postgres://${login}@/${server.pathname.slice(1)}?host=${encodeURIComponent(folder)}&port=${server.port || 5432}`;
    const found = await reached(url, 'inet_client_addr() is null').catch((error: Error) => error.message);
    // A server in a container has its socket there.
    if (typeof found === 'string') skip(`The folder ${folder} of the server is not on this machine.`);
    expect(found).toBe(true);
  });

  test('options, a setting, and what hosted databases write behind them', async () => {
    const url = `${databaseUrl(serverUrl, server.pathname.slice(1))}?sslmode=prefer&channel_binding=prefer&pgbouncer=false`;
    const more = `&options=-c%20work_mem%3D7MB&maintenance_work_mem=9MB&application_name=mine`;
    const shown =
      "current_setting('work_mem') || current_setting('maintenance_work_mem') || current_setting('application_name')";
    expect(await reached(url + more, shown)).toBe('7MB9MBmine');
  });
});
