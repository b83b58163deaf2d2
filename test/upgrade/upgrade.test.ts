import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate } from '../../src/database/migrate.ts';
import { openTestDatabase } from '../support/database.ts';
import { startRealEmbedder } from '../support/real-embedder.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import {
  answersFile,
  committedMigrations,
  contentsOfColumns,
  dumpNames,
  loadDump,
  storedColumns,
  withConnection,
} from './dump.ts';
import { ask, type Post, questions } from './questions.ts';

// A database that an earlier version has made is migrated, and answers as it did.

/** How far a number may be from the committed one: another processor rounds otherwise. */
const tolerance = 1e-4;

/** The answer with each fractional number that is as good as the expected one replaced by it. */
function settled(given: unknown, expected: unknown): unknown {
  if (typeof given === 'number' && typeof expected === 'number') {
    const near = Math.abs(given - expected) <= tolerance * Math.max(1, Math.abs(expected));
    return near && !(Number.isInteger(given) && Number.isInteger(expected)) ? expected : given;
  }
  if (typeof given !== 'object' || given === null || typeof expected !== 'object' || expected === null)
    return given;
  if (Array.isArray(given)) return given.map((item, i) => settled(item, (expected as unknown[])[i]));
  const entries = Object.entries(given);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, settled(value, (expected as Record<string, unknown>)[key])]),
  );
}

describe.each(dumpNames())('a database of %s', (name) => {
  const migrations = committedMigrations();
  const answers = JSON.parse(readFileSync(answersFile(name), 'utf8')) as Record<string, unknown>;
  let server: TestServer;
  let applied: string[];
  let changedColumns: string[];
  const post: Post = (query, variables) => server.raw(query, variables);

  beforeAll(async () => {
    const database = await openTestDatabase({ empty: true });
    await loadDump(database.pool, name);
    const contents = () =>
      withConnection(database.pool, async (connection) =>
        contentsOfColumns(connection, await storedColumns(connection)),
      );
    const before = await contents();
    applied = await migrate(database.pool);
    const after = await contents();
    changedColumns = Object.keys(before).filter(
      (column) => column in after && after[column] !== before[column],
    );
    server = await startTestServer({ embedder: await startRealEmbedder(), database });
  });
  afterAll(() => server?.close());

  test('was made by migrations that have not been edited since', async () => {
    const made = await server.sql<{ hash: string }>(
      'select hash from drizzle.__drizzle_migrations order by created_at',
    );
    expect(made.map(({ hash }) => hash)).toEqual(migrations.map(({ hash }) => hash));
  });

  test('gets the migrations that are newer, once', async () => {
    const tags = migrations.map(({ tag }) => tag);
    expect(applied).toEqual(tags.slice(tags.indexOf(name) + 1));
    expect(await migrate(server.database.pool)).toEqual([]);
  });

  test('keeps what is stored in it', () => {
    expect(changedColumns).toEqual([]);
  });

  test('has an answer to each question', () => {
    expect(questions.map((question) => question.name)).toEqual(Object.keys(answers));
  });

  // The last ones write, so one that is run alone with -t may need those before it.
  test.each(questions)('answers as before: $name', async (question) => {
    const answer = await ask(post, question);
    const expected = answers[question.name];
    expect(settled(answer, expected)).toEqual(expected);
  });
});
