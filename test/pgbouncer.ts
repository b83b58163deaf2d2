import { startPgBouncer } from './support/pgbouncer.ts';
import { findServer, runTests } from './support/postgres-server.ts';

// `npm run test:pgbouncer [arguments of vitest]` runs the main ways of the API by way of a PgBouncer in transaction mode, which it
// starts before the server of TEST_DATABASE_URL, or before one of its own.

const files = [
  'test/src/database/odd-settings.test.ts',
  'test/resolvers/memory',
  'test/resolvers/document',
  'test/resolvers/recall',
  'test/resolvers/tool',
  'test/resolvers/person',
];

const server = await findServer();
if (server === undefined) {
  process.stderr.write(
    'No PostgreSQL server to test on. Set TEST_DATABASE_URL to one whose user may create databases.\n',
  );
  process.exitCode = 2;
} else {
  try {
    const pooler = await startPgBouncer(server.url);
    try {
      process.exitCode = await runTests([...files, ...process.argv.slice(2)], {
        TEST_DATABASE_URL: server.url,
        TEST_POOLER_URL: pooler.url,
      });
    } finally {
      await pooler.stop();
    }
  } finally {
    await server.stop();
  }
}
