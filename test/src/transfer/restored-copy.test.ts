import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { asOwner } from '../../../testkit/owner.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { exportText, importText, rowsOf } from './exchange.ts';

// A copy of a database has its name. Rows that are written to the copy, and rows that are written to the original, get the same ids.

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
beforeEach(() => run('truncate memories, memories_archive, documents, document_chunks'));
afterAll(() => database.close());

const run = (statement: string) =>
  asOwner(database.pool, async (tx) => void (await tx.execute(sql.raw(statement))));

const hash = (letter: string) => letter.repeat(64);
const contents = async () =>
  rowsOf(await exportText(database.pool))
    .map(({ row }) => row.content ?? row.filename)
    .sort();

test('rows that another row has the id of are imported, and those that are there are known', async () => {
  await run(`insert into memories (content, created_at) values ('before the backup', '2026-01-01T00:00:00Z');
    insert into memories (content, created_at) values ('lost', '2026-01-02T00:00:00Z');
    insert into documents (filename, content_hash, created_at) values ('lost.md', '${hash('a')}', '2026-01-02T00:00:00Z')`);
  const text = await exportText(database.pool);

  // The backup is restored, and other rows get the ids of those that it lacks.
  await run(`update memories set content = 'written since', created_at = '2026-01-03T00:00:00Z' where content = 'lost';
    update documents set filename = 'since.md', content_hash = '${hash('b')}', created_at = '2026-01-03T00:00:00Z'`);
  expect(await importText(database.pool, text)).toMatchObject({
    memories: 1,
    documents: 1,
    known: 1,
    faults: [],
  });
  expect(await contents()).toEqual(['before the backup', 'lost', 'lost.md', 'since.md', 'written since']);
  expect(await importText(database.pool, text)).toMatchObject({ memories: 0, documents: 0, known: 3 });
});

test('a row that was changed since the export is known by its id', async () => {
  await run(`insert into memories (content, created_at) values ('as it was', '2026-01-01T00:00:00.123456Z');
    insert into documents (filename, content_hash) values ('f', '${hash('a')}')`);
  const text = await exportText(database.pool);
  await run(`update memories set content = 'as it is'; update documents set content_hash = '${hash('b')}'`);
  expect(await importText(database.pool, text)).toMatchObject({
    memories: 0,
    documents: 0,
    known: 2,
    embedded: [],
  });
  await run(`with moved as (delete from memories returning *)
    insert into memories_archive (id, user_id, content, created_at) select id, user_id, content, created_at from moved`);
  expect(await importText(database.pool, text)).toMatchObject({ memories: 0, documents: 0, known: 2 });
});
