import { sql } from 'drizzle-orm';
import { PgDatabase, PgDialect } from 'drizzle-orm/pg-core';
import { PostgresJsSession } from 'drizzle-orm/postgres-js';
import type { ReservedSql, Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { constraintMessages } from '../../../src/database/constraint-messages.ts';
import { databaseError } from '../../../src/database/errors.ts';
import { FunesError } from '../../../src/errors.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let connection: ReservedSql;

beforeAll(async () => {
  database = await openTestDatabase();
  connection = await database.pool.reserve();
});
afterAll(async () => {
  connection.release();
  await database.close();
});

/** Returns the error that a statement causes, through Drizzle as in the server. */
async function refusal(statement: ReturnType<typeof sql>): Promise<FunesError | undefined> {
  const session = new PostgresJsSession(connection as unknown as Sql, new PgDialect(), undefined);
  const drizzle = new PgDatabase(new PgDialect(), session, undefined);
  const error: unknown = await drizzle.execute(statement).then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(String(error)).toMatch(/Failed query/); // This must not reach a client.
  const funesError = databaseError(error);
  expect(funesError?.message ?? '').not.toMatch(/secret|select|insert|\$1/i);
  return funesError;
}

const memory = (column: string, value: unknown) =>
  sql`insert into memories (content, ${sql.raw(column)}) values ('a secret', ${value})`;

describe('an error of the database', () => {
  test.each([
    [
      'a duplicate',
      sql`insert into tool_embeddings (tool_name, tool_description) values ('t', 'secret'), ('t', 'b')`,
      'CONFLICT',
      'A tool with this name exists already.',
    ],
    [
      'a failed check',
      memory('importance_score', 1.5),
      'BAD_USER_INPUT',
      'importanceScore must be between 0 and 1.',
    ],
    ['a missing value', memory('source', null), 'BAD_USER_INPUT', 'A value is missing for source.'],
    [
      'a text that is too long',
      memory('source', 'secret'.repeat(20)),
      'BAD_USER_INPUT',
      'A text is longer than its field allows.',
    ],
    ['a NUL character', memory('session_id', 'secret\0'), 'BAD_USER_INPUT', /NUL \(U\+0000\)/],
    [
      'a NUL character in JSON',
      memory('metadata', '{"secret": "\\u0000"}'),
      'BAD_USER_INPUT',
      /NUL \(U\+0000\)/,
    ],
    ['a number out of range', sql`select ${'99999999999'}::int`, 'BAD_USER_INPUT', /out of the range/],
    ['a date that is none', sql`select ${'secret'}::timestamptz`, 'BAD_USER_INPUT', /date/],
    ['a number that is none', sql`select ${'secret'}::int`, 'BAD_USER_INPUT', /form/],
    [
      'a vector of another dimension',
      sql`select ${'[1,2,3]'}::vector(3) <=> ${'[1,2]'}::vector(2)`,
      'BAD_USER_INPUT',
      'A vector is not valid: different vector dimensions 3 and 2.',
    ],
    [
      'a text with too many words',
      sql`select to_tsvector('simple', string_agg(md5(i::text), ' ')) from generate_series(1, ${60_000}::int) i`,
      'LIMIT_EXCEEDED',
      /too large/,
    ],
  ])('%s', async (_, statement, code, message) => {
    expect(await refusal(statement)).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('that is a mistake of ours is left to its caller', async () => {
    expect(await refusal(sql`select no_such_column from memories`)).toBeUndefined();
  });

  test('is found behind any chain of causes, and a FunesError there is kept', () => {
    const inner = Object.assign(new Error('terminating connection'), { code: '57P01' });
    const outer = new Error('outer', { cause: new Error('middle', { cause: inner }) });
    expect(databaseError(outer)).toMatchObject({ code: 'UNAVAILABLE', cause: inner });
    const funesError = new FunesError('LIMIT_EXCEEDED', 'k must be at most 200.');
    expect(databaseError(new Error('outer', { cause: funesError }))).toBe(funesError);
  });

  test('that causes itself is looked at once', () => {
    const error = new Error('loop');
    error.cause = error;
    expect(databaseError(error)).toBeUndefined();
  });
});

describe('a code', () => {
  const withCode = (code: string, more = {}) => Object.assign(new Error('secret'), { code, ...more });

  test.each([
    ...[
      'ECONNREFUSED',
      'ECONNRESET',
      'CONNECTION_CLOSED',
      'CONNECTION_ENDED',
      'CONNECT_TIMEOUT',
      '08006',
      '57P01',
    ],
    ...['57P03', '53300', '53100', '28P01', '3D000', '25P03', '25P04'],
  ])('%s means that the database is unavailable', (code) => {
    const error = databaseError(withCode(code));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('Try again') });
    expect(error?.message).not.toContain('secret');
  });

  test.each(['40001', '40P01', '55P03'])('%s means that another request was in the way', (code) =>
    expect(databaseError(withCode(code))?.code).toBe('CONFLICT'),
  );

  test.each(['25P01', '25P02'])('%s is a mistake of ours', (code) =>
    expect(databaseError(withCode(code))).toBeUndefined(),
  );

  test('57014 names the timeout', () => {
    expect(databaseError(withCode('57014'), 1500)).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringContaining('(statement timeout, 1.5 s)'),
    });
  });

  test('ENOENT is the database only when it was connected to', () => {
    expect(databaseError(withCode('ENOENT', { syscall: 'connect' }))?.code).toBe('UNAVAILABLE');
    expect(databaseError(withCode('ENOENT', { syscall: 'open' }))).toBeUndefined();
  });

  test.each([undefined, null, 'text', 42, new Error('plain')])('%s is no error of the database', (value) =>
    expect(databaseError(value)).toBeUndefined(),
  );
});

test('every message belongs to a constraint of the schema', async () => {
  const rows = await connection`
    select conname as name from pg_constraint where connamespace = 'public'::regnamespace`;
  const names = rows.map(({ name }) => name);
  expect(Object.keys(constraintMessages).filter((name) => !names.includes(name))).toEqual([]);
});
