import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compile } from '../../../src/database/compiled.ts';
import { transaction } from '../../../src/database/transaction.ts';
import { localViewer } from '../../../src/viewer.ts';
import { recordStatements } from '../../../testkit/statements.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

const word = sql.placeholder('word');
const statement = compile((builder) =>
  builder
    .select({ twice: sql<string>`${word}::text || ${word}::text`, one: sql`${'1'}::int`.mapWith(String) })
    .from(sql`(values (1)) as anything`)
    .where(sql`${word}::text <> ${sql.placeholder('other')}::text`),
);

test('a compiled query runs in any transaction with its own values, which travel once, and gives what Drizzle would', async () => {
  const { database, statements } = recordStatements(db.pool);
  const ask = (values: Record<string, unknown>) =>
    transaction(database, localViewer, { access: 'read', single: true }, (tx) => statement(tx, values));
  const answers = await Promise.all(['a', 'b', 'c'].map((word) => ask({ word, other: 'b' })));
  expect(answers).toEqual([[{ twice: 'aa', one: '1' }], [], [{ twice: 'cc', one: '1' }]]);
  expect(statements.map(({ parameters }) => parameters)).toEqual(
    ['a', 'b', 'c'].map((word) => [word, '1', 'b']),
  );
  await expect(ask({ word: 'a' })).rejects.toThrow('"other"');
});
