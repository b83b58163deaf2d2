import { findServer, runTests } from './support/postgres-server.ts';

// `npm run test:postgres [arguments of vitest]` runs the suite of `npm test` on a PostgreSQL server instead of the embedded
// engine. TEST_DATABASE_URL names the server. Without it, a server is started for the run, and removed after it.

const server = await findServer();
if (server === undefined) {
  process.stderr.write(`No PostgreSQL server to test on. Set TEST_DATABASE_URL to one with pgvector 0.8 or newer whose user may create
databases, for instance:
  docker compose up --detach --wait database
  TEST_DATABASE_URL=postgres://funes:funes@127.0.0.1:5432/funes npm run test:postgres
`);
  process.exitCode = 2;
} else {
  try {
    process.exitCode = await runTests(process.argv.slice(2), { TEST_DATABASE_URL: server.url });
  } finally {
    await server.stop();
  }
}
