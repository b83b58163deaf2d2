import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { withConnection } from '../../../src/database/connection.ts';
import { openPool, type Pool } from '../../../src/database/pool.ts';
import { awaitDatabase } from '../../../src/database/readiness.ts';
import { onServer } from '../../../testkit/server-database.ts';
import { canStartServer, type Server, startServer } from '../../support/postgres-server.ts';

const run = promisify(execFile);
const where = 'things on db.example:5432';

// A server of its own, because TLS is a setting of the whole server.
describe.skipIf(inject('databaseTemplate').engine === 'embedded' || !canStartServer)(
  'a server with TLS',
  () => {
    let server: Server;
    let folder: string;
    const pools: Pool[] = [];
    const file = (name: string) => join(folder, name);

    async function authority(name: string): Promise<void> {
      await run('openssl', [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`],
        ...['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)],
      ]);
    }

    async function certificate(name: string, subject: string, ...more: string[]): Promise<void> {
      const request = file(`${name}.csr`);
      await run('openssl', [
        ...['req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${subject}`, ...more],
        ...['-keyout', file(`${name}.key`), '-out', request],
      ]);
      await run('openssl', [
        ...['x509', '-req', '-in', request, '-days', '2', '-CA', file('own.crt'), '-CAkey', file('own.key')],
        ...['-CAcreateserial', '-copy_extensions', 'copy', '-out', file(`${name}.crt`)],
      ]);
    }

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'funes-tls-'));
      await chmod(folder, 0o755);
      await authority('own');
      await authority('other');
      await certificate('server', 'localhost', '-addext', 'subjectAltName=DNS:localhost');
      await certificate('client', 'someone');
      server = await startServer();
      await chmod(file('server.key'), 0o600);
      if (process.getuid?.() === 0) await run('chown', ['postgres', file('server.key')]);
      for (const statement of [
        `alter system set ssl_cert_file = '${file('server.crt')}'`,
        `alter system set ssl_key_file = '${file('server.key')}'`,
        `alter system set ssl_ca_file = '${file('own.crt')}'`,
        'alter system set ssl = on',
        'select pg_reload_conf()',
      ]) {
        await onServer(server.url, statement);
      }
      // The server reads its settings again a moment later.
      const refused = () =>
        withConnection(open('127.0.0.1', { sslmode: 'require' }), async () => false).catch(() => true);
      while (await refused()) await delay(20);
    });
    afterAll(async () => {
      await Promise.all(pools.map((pool) => pool.close()));
      await server?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    /** A pool that reaches the server by the name `localhost` or by its address. */
    function open(host: string, parameters: Record<string, string>) {
      const url = new URL(server.url);
      url.hostname = host;
      for (const [name, value] of Object.entries(parameters)) {
        url.searchParams.set(
          name,
          value.replace(/^(\w+)\.(crt|key)$/, (whole) => file(whole)),
        );
      }
      const pool = openPool({ database: url.href, poolSize: 1 });
      pools.push(pool);
      return pool;
    }

    const encryption = 'select ssl, client_dn from pg_stat_ssl where pid = pg_backend_pid()';

    test.each([
      ['127.0.0.1', {}, false],
      ['127.0.0.1', { sslmode: 'disable' }, false],
      ['127.0.0.1', { sslmode: 'allow' }, true],
      ['127.0.0.1', { sslmode: 'prefer', channel_binding: 'prefer' }, true],
      ['127.0.0.1', { sslmode: 'require', channel_binding: 'require' }, true],
      ['127.0.0.1', { sslmode: 'require', sslrootcert: 'own.crt' }, true],
      ['127.0.0.1', { sslmode: 'verify-ca', sslrootcert: 'own.crt' }, true],
      ['localhost', { sslmode: 'verify-full', sslrootcert: 'own.crt' }, true],
      [
        'localhost',
        { sslmode: 'verify-full', sslrootcert: 'own.crt', ssl_min_protocol_version: 'TLSv1.3' },
        true,
      ],
    ])('is reached as %s with %j, encrypted: %s', async (host, parameters, encrypted) => {
      const rows = await withConnection(open(host, parameters as Record<string, string>), (connection) =>
        connection.unsafe(encryption),
      );
      expect(rows).toMatchObject([{ ssl: encrypted }]);
    });

    test('learns who the client is by its certificate', async () => {
      const pool = open('localhost', {
        ...{ sslmode: 'verify-full', sslrootcert: 'own.crt', sslcert: 'client.crt', sslkey: 'client.key' },
      });
      expect(await withConnection(pool, (connection) => connection.unsafe(encryption))).toMatchObject([
        { ssl: true, client_dn: '/CN=someone' },
      ]);
    });

    test.each([
      ['127.0.0.1', { sslmode: 'verify-full', sslrootcert: 'own.crt' }, /does not match|IP: 127\.0\.0\.1/],
      ['localhost', { sslmode: 'verify-full', sslrootcert: 'other.crt' }, /verify|certificate/],
      ['localhost', { sslmode: 'verify-ca', sslrootcert: 'other.crt' }, /verify|certificate/],
      ['localhost', { sslmode: 'require', sslrootcert: 'other.crt' }, /verify|certificate/],
      ['localhost', { sslmode: 'verify-ca' }, /verify|certificate/],
      ['localhost', { sslrootcert: 'system' }, /verify|certificate/],
    ])('is refused at once as %s with %j', async (host, parameters, reason) => {
      const refused = awaitDatabase(open(host, parameters as Record<string, string>), {
        where,
        withinMs: 600_000,
      });
      const error = (await refused.catch((caught) => caught)) as Error;
      expect(error.message).toMatch(/^TLS with things on db\.example:5432 failed: .*Correct DATABASE_URL/);
      expect(error.message).toMatch(reason);
    });
  },
);
