import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { maintenance } from '../../../src/database/maintenance.ts';
import type { Pool } from '../../../src/database/pool.ts';
import { hashVector } from '../../../testkit/hash-embedder.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { exportText, importText, rowsOf } from './exchange.ts';

let from: TestDatabase;
let to: TestDatabase;

beforeAll(async () => {
  [from, to] = await Promise.all([openTestDatabase(), openTestDatabase()]);
});
beforeEach(async () => {
  for (const { pool } of [from, to])
    for (const table of ['memories', 'memories_archive', 'documents', 'tool_embeddings'])
      await run(pool, `delete from ${table}`);
});
afterAll(async () => {
  await Promise.all([from.close(), to.close()]);
});

function run<Row extends Record<string, unknown>>(pool: Pool, statement: string): Promise<Row[]> {
  return maintenance(pool, { access: 'write' }, async (tx) => [
    ...(await tx.execute(sql.raw(statement))),
  ]) as Promise<Row[]>;
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
const vectorOf = (text: string) => `'[${hashVector(text).join(',')}]'`;

/** The rows of an export as another database writes them: without ids, and without where they come from. */
function withoutIds(text: string): string[] {
  const numbers = /"(id|documentId)" : "\d+"/g;
  const lines = text.trimEnd().split('\n').slice(1, -1);
  return lines.map((line) => line.replace(numbers, '').replace(/"origin" : (null|"[^"]*")/, ''));
}

const word = fc.stringMatching(/^[a-zé"\\{}\n🌲]{1,12}$/u).filter((text) => text.trim() !== '');
const time = fc
  .tuple(fc.integer({ min: 0, max: 900_000_000 }), fc.integer({ min: 0, max: 999_999 }))
  .map(
    ([seconds, micros]) =>
      `(timestamptz '1999-01-01 00:00:00Z' + interval '${seconds} seconds ${micros} microseconds')`,
  );
const metadata = fc.oneof(
  fc.constant('{}'),
  fc.constant(
    '{"big": 1234567890123456789, "exact": 0.1000, "tiny": 1e-400, "deep": [{"a": null, "b": [true]}]}',
  ),
  fc.dictionary(word, fc.oneof(word, fc.integer(), fc.boolean())).map((object) => JSON.stringify(object)),
);
const embedding = fc.oneof(
  word.map((text) => `${vectorOf(text)}, 'model-a', 'FUNES', null`),
  word.map((text) => `${vectorOf(text)}, 'model-b', 'CLIENT', null`),
  fc.constant("null, null, 'FUNES', 'the model refuses it'"),
);
const embeddingNames = 'embedding, embedding_model, embedding_source, embedding_error';
const orNull = (one: fc.Arbitrary<string>) => fc.option(one, { nil: 'null' });

const memory = fc
  .record({
    user: fc.constantFrom("'ada'", "'grace'"),
    content: word.map(quoted),
    summary: orNull(word.map(quoted)),
    session: orNull(word.map(quoted)),
    importance: fc.double({ min: 0, max: 1, noNaN: true }),
    metadata: metadata.map(quoted),
    created: time,
    updated: time,
    embedding,
    archived: orNull(time),
  })
  .map((m) => (index: number) => {
    const key = index % 2 === 0 ? `'key-${index}', '{"content":"abc"}'` : 'null, null';
    const names = `user_id, content, content_summary, session_id, importance_score, metadata, created_at, updated_at, source,
      idempotency_key, idempotency_fields, ${embeddingNames}`;
    const values = `${m.user}, ${m.content}, ${m.summary}, ${m.session}, ${m.importance}, ${m.metadata}, ${m.created}, ${m.updated},
      'mail', ${key}, ${m.embedding}`;
    return m.archived === 'null'
      ? `insert into memories (${names}) values (${values})`
      : `insert into memories_archive (id, archived_at, ${names}) values (${1_000_000 + index}, ${m.archived}, ${values})`;
  });

const document = fc
  .record({
    user: fc.constantFrom("'ada'", "'grace'"),
    filename: word.map(quoted),
    path: orNull(word.map(quoted)),
    metadata: metadata.map(quoted),
    times: fc.tuple(time, time, time),
    chunks: fc.array(fc.record({ content: word, metadata: metadata.map(quoted), created: time, embedding }), {
      maxLength: 6,
    }),
  })
  .map((d) => (index: number) => {
    const chunks = d.chunks.map(
      (
        c,
        i,
      ) => `insert into document_chunks (user_id, document_id, chunk_index, total_chunks, content, chunk_size, overlap_size,
        start_offset, end_offset, metadata, created_at, ${embeddingNames})
        select user_id, id, ${i}, total_chunks, ${quoted(c.content)}, ${i + 1}, ${i % 2}, ${i * 5}, ${i * 5 + 7}, ${c.metadata},
          ${c.created}, ${c.embedding} from documents where content_hash = '${hash(index)}'`,
    );
    return [
      `insert into documents (user_id, filename, file_path, file_type, file_size, content_hash, total_chunks, metadata, created_at,
        processed_at, updated_at) values (${d.user}, ${d.filename}, ${d.path}, 'text', 9007199254740993, '${hash(index)}',
        ${chunks.length}, ${d.metadata}, ${d.times.join(', ')})`,
      ...chunks,
    ].join(';');
  });
const hash = (index: number) => String(index).padStart(64, 'a');

const tool = fc
  .record({
    description: word.map(quoted),
    parameters: orNull(metadata.map(quoted)),
    used: orNull(time),
    times: fc.tuple(time, time),
    embedding,
  })
  .map(
    (t) => (index: number) =>
      `insert into tool_embeddings (tool_name, tool_description, tool_parameters, usage_count, last_used,
      created_at, updated_at, ${embeddingNames}) values ('tool-${index}', ${t.description}, ${t.parameters}, ${index}, ${t.used},
      ${t.times.join(', ')}, ${t.embedding})`,
  );

test('what was exported and imported is exported again as it was', async () => {
  const rows = fc.array(fc.oneof({ weight: 3, arbitrary: memory }, document, tool), {
    minLength: 1,
    maxLength: 12,
  });
  await fc.assert(
    fc
      .asyncProperty(rows, async (all) => {
        await run(from.pool, all.map((row, index) => row(index)).join(';'));
        const first = await exportText(from.pool);
        expect(await importText(to.pool, first)).toMatchObject({ faults: [], known: 0, embedded: [] });
        const second = await exportText(to.pool);
        // The archived memories of the first database have ids of their own; their order among the live ones is that of the ids.
        expect(withoutIds(second)).toEqual(withoutIds(first));
        // The third export knows where the rows come from, so it is the second but for its header.
        expect(await importText(to.pool, second)).toMatchObject({
          faults: [],
          memories: 0,
          documents: 0,
          tools: 0,
        });
        expect(await importText(from.pool, second)).toMatchObject({
          faults: [],
          memories: 0,
          documents: 0,
          tools: 0,
        });
        expect(withoutIds(await exportText(from.pool))).toEqual(withoutIds(first));
      })
      .afterEach(async () => {
        for (const { pool } of [from, to])
          for (const table of ['memories', 'memories_archive', 'documents', 'tool_embeddings'])
            await run(pool, `delete from ${table}`);
      }),
    { numRuns: 20 },
  );
}, 120_000);

test('numbers and times lose nothing', async () => {
  await run(
    from.pool,
    `insert into memories (content, metadata, created_at, embedding, embedding_model) values ('a', '{"n": 1234567890123456789}',
      '2020-02-29 12:00:00.123456Z', ${vectorOf('a')}, 'm')`,
  );
  await importText(to.pool, await exportText(from.pool));
  const [row] = await run(
    to.pool,
    `select metadata::text as metadata, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as created,
      embedding = ${vectorOf('a')}::vector as same from memories`,
  );
  expect(row).toEqual({
    metadata: '{"n": 1234567890123456789}',
    created: '2020-02-29 12:00:00.123456',
    same: true,
  });
});

test('without vectors, an import embeds the texts, and embeds nothing the second time', async () => {
  await run(
    from.pool,
    `insert into memories (content, embedding, embedding_model, embedding_source) values ('one', ${vectorOf('x')}, 'm', 'CLIENT');
      insert into documents (filename, content_hash, total_chunks) values ('f', '${hash(1)}', 1);
      insert into document_chunks (document_id, user_id, chunk_index, total_chunks, content, chunk_size, start_offset, end_offset, metadata)
        select id, user_id, 0, 1, '| a | b |', 3, 0, 9, '{"tableHeader": "| x | y |"}' from documents;
      insert into tool_embeddings (tool_name, tool_description) values ('hammer', 'hits nails')`,
  );
  const text = await exportText(from.pool, { vectors: false });
  expect(text).not.toContain('"embedding"');
  const first = await importText(to.pool, text);
  expect(first).toMatchObject({ memories: 1, documents: 1, chunks: 1, tools: 1, pending: 0 });
  expect(first.embedded.sort()).toEqual(['hammer: hits nails', 'one', '| x | y |\n| a | b |']);
  expect(await importText(to.pool, text)).toMatchObject({ memories: 0, known: 3, embedded: [] });
  const [row] = await run(
    to.pool,
    `select embedding_model as model, embedding_source as source, embedding = '[${hashVector('one').join(',')}]' as same from memories`,
  );
  expect(row).toEqual({ model: 'hash-embedder', source: 'FUNES', same: true });
});

test('the order of the file is the order of the ids, and two equal texts stay two', async () => {
  const contents = ['b', 'a', 'a', 'c', 'b', 'd', 'e', 'f', 'g'];
  for (const content of contents)
    await run(from.pool, `insert into memories (content) values ('${content}')`);
  await importText(to.pool, await exportText(from.pool));
  const stored = await run<{ content: string }>(to.pool, 'select content from memories order by id');
  expect(stored.map(({ content }) => content)).toEqual(contents);
});

test('an import that was stopped goes on', async () => {
  await run(
    from.pool,
    "insert into memories (content) select 'memory ' || n from generate_series(1, 20) as n",
  );
  const text = await exportText(from.pool);
  const half = `${text.split('\n').slice(0, 11).join('\n')}\n`;
  expect(await importText(to.pool, half)).toMatchObject({ memories: 10, failed: 1 });
  const rest = await importText(to.pool, text);
  expect(rest).toMatchObject({ memories: 10, known: 10, failed: 0 });
  expect(rest.embedded).toHaveLength(10);
});

test('a memory that was archived since the export is known, and so is one with its idempotency key', async () => {
  await run(from.pool, "insert into memories (content, idempotency_key) values ('a', 'k'), ('b', null)");
  const text = await exportText(from.pool);
  await importText(to.pool, text);
  await run(
    to.pool,
    `with moved as (delete from memories returning *)
      insert into memories_archive (id, user_id, content, idempotency_key, origin) select id, user_id, content, idempotency_key,
        case when idempotency_key is null then origin end from moved`,
  );
  expect(await importText(to.pool, text)).toMatchObject({ memories: 0, known: 2 });
});

test('what is twice in a file, and archived, is imported once', async () => {
  await run(
    from.pool,
    `insert into memories_archive (id, content, idempotency_key, archived_at)
      select n, 'memory ' || n, case when n > 2 then 'key ' || n end, now() from generate_series(1, 4) as n`,
  );
  const text = await exportText(from.pool);
  // All rows are looked for before the first is written.
  const report = await importText(to.pool, text + text, { rowsOfBatch: 4 });
  expect(report).toMatchObject({ memories: 4, known: 4, failed: 0, faults: [] });
  expect(await run(to.pool, 'select from memories')).toEqual([]);
  expect(await run(to.pool, 'select from memories_archive')).toHaveLength(4);
});

test('--user exports the rows of a user, and imports for one', async () => {
  await run(
    from.pool,
    `insert into memories (user_id, content) values ('ada', 'hers'), ('grace', 'not hers');
      insert into tool_embeddings (tool_name, tool_description) values ('hammer', 'hits nails')`,
  );
  const text = await exportText(from.pool, { userId: 'ada' });
  expect(rowsOf(text).map(({ row }) => row.content)).toEqual(['hers']);
  await importText(to.pool, text, { user: 'linus' });
  await importText(to.pool, text);
  const users = await run(to.pool, 'select user_id as "userId" from memories order by 1');
  expect(users).toEqual([{ userId: 'ada' }, { userId: 'linus' }]);
  expect(await run(from.pool, "select user_id from audit where action = 'USER_EXPORTED'")).toEqual([
    { user_id: 'ada' },
  ]);
});
