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
import { ask, type Post, type Question, questions } from './questions.ts';

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

/** The user who asks, beside an administrator. */
const user = 'ana';

/** A question that a user can ask, and as an administrator asks it about the rows of that user. */
function aboutOneUser(question: Question): { question: Question; ofUser: Question }[] {
  const { query, variables = {} } = question;
  // Tools belong to nobody, and a user may not name examples of others.
  const isAboutRows = /\$filters: (Memory|Document|Chunk)Filters/.test(query) && !('like' in variables);
  if (!isAboutRows) return [];
  const filters = { and: [{ userId: { eq: user } }, ...(variables.filters ? [variables.filters] : [])] };
  return [{ question, ofUser: { ...question, variables: { ...variables, filters } } }];
}

describe.each(dumpNames())('a database of %s', (name) => {
  const migrations = committedMigrations();
  const answers = JSON.parse(readFileSync(answersFile(name), 'utf8')) as Record<string, unknown>;
  let server: TestServer;
  let applied: string[];
  let changedColumns: string[];
  const post: Post = (query, variables) => server.raw(query, variables);
  const postAs =
    (name: string): Post =>
    (query, variables) =>
      server.raw(query, variables, { 'x-funes-user': name });
  let usersRows = 0;

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

  // The policies and functions of a user were made by migrations, for rows that are older.
  test.each(questions.flatMap(aboutOneUser))(
    'answers a user as an administrator who asks for that user: $question.name',
    async ({ question, ofUser }) => {
      const answer = await ask(postAs(user), question);
      expect(answer).not.toHaveProperty('errors');
      const expected = await ask(post, ofUser);
      expect(settled(answer, expected)).toEqual(expected);
      usersRows += JSON.stringify(answer).match(/"id"/g)?.length ?? 0;
    },
  );

  test('has rows of that user', () => {
    expect(usersRows).toBeGreaterThan(200);
  });

  // The last ones write, so one that is run alone with -t may need those before it.
  test.each(questions)('answers as before: $name', async (question) => {
    const answer = await ask(post, question);
    const expected = answers[question.name];
    expect(settled(answer, expected)).toEqual(expected);
  });
});
