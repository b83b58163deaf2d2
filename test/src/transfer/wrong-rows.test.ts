import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { maintenance } from '../../../src/database/maintenance.ts';
import { limits } from '../../../src/input/limits.ts';
import { checkDepth, checkRow } from '../../../src/transfer/check-row.ts';
import { fieldsOf } from '../../../src/transfer/format.ts';
import { asOwner } from '../../../testkit/owner.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { exportText, importText, rowsOf } from './exchange.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
beforeEach(() =>
  asOwner(
    database.pool,
    async (tx) =>
      void (await tx.execute(
        sql`truncate memories, memories_archive, documents, document_chunks, tool_embeddings`,
      )),
  ),
);
afterAll(() => database.close());

const header = '{"funes":"export","version":1,"databaseId":"11111111-1111-1111-1111-111111111111"}\n';
const end = '{"kind":"end","rows":1}\n';
const memory = (fields: object = {}) =>
  `${JSON.stringify({ kind: 'memory', row: { id: '2', userId: 'ada', content: 'second', ...fields } })}\n`;
const tool = (fields: object) =>
  `${JSON.stringify({ kind: 'tool', row: { id: '1', toolName: 'hammer', toolDescription: 'hits nails', ...fields } })}\n`;
const chunk = (fields: object) =>
  `${JSON.stringify({ kind: 'document', row: { id: '5', userId: 'ada', filename: 'f', contentHash: 'a'.repeat(64), totalChunks: 1 } })}\n` +
  `${JSON.stringify({ kind: 'chunk', row: { documentId: '5', chunkIndex: 0, content: 'text', chunkSize: 1, startOffset: 0, endOffset: 4, ...fields } })}\n`;

const first = memory({ id: '1', content: 'first' });
const last = memory({ id: '3', content: 'third' });
const lists = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

/** A line whose metadata is this text of JSON. */
const withMetadata = (metadata: string) => memory().replace('"userId"', `"metadata":${metadata},"userId"`);

describe('a value that no row may have is a fault of its line, and the lines around it are imported', () => {
  test.each<[string, string, string]>([
    [
      'an infinite time',
      memory({ createdAt: 'infinity' }),
      'line 3: createdAt is "infinity", not a time with a zone',
    ],
    [
      'a time relative to today',
      memory({ updatedAt: 'tomorrow' }),
      'line 3: updatedAt is "tomorrow", not a time',
    ],
    [
      'a day that no month has',
      memory({ createdAt: '2023-02-29T00:00:00Z' }),
      'line 3: createdAt is "2023-02-29T00:00:00Z", not a time',
    ],
    [
      'a time without a zone',
      memory({ createdAt: '2020-01-01T00:00:00' }),
      'line 3: createdAt is "2020-01-01T00:00:00", not',
    ],
    [
      'an archive time that is none',
      memory({ archivedAt: 'infinity' }),
      'line 3: archivedAt is "infinity", not a time',
    ],
    ['metadata that are a list', memory({ metadata: [1] }), 'line 3: metadata is [1], not an object'],
    ['metadata that are a text', memory({ metadata: 'x' }), 'line 3: metadata is "x", not an object'],
    ['metadata of a chunk', chunk({ metadata: 5 }), 'line 4: metadata is 5, not an object'],
    ['parameters of a tool', tool({ toolParameters: 5 }), 'line 3: toolParameters is 5, not an object'],
    [
      'a number in quotes',
      memory({ importanceScore: '0.5' }),
      'line 3: importanceScore is "0.5", not a number',
    ],
    [
      'a summary that is an object',
      memory({ contentSummary: { a: 1 } }),
      'line 3: contentSummary is {"a":1}, not a text',
    ],
    ['a NUL in an origin', memory({ origin: 'k\0' }), 'line 3: origin contains a NUL character (U+0000)'],
    [
      'a NUL in a key',
      memory({ idempotencyKey: 'k\0' }),
      'line 3: idempotencyKey contains a NUL character (U+0000)',
    ],
    ['a NUL in an id', memory({ id: 'k\0' }), 'line 3: id contains a NUL character (U+0000)'],
    [
      'half of a surrogate pair in a key',
      memory({ idempotencyKey: '\ud800' }),
      'line 3: idempotencyKey contains half of a surrogate',
    ],
    ['a NUL in a chunk', chunk({ content: 'a\0b' }), 'line 4: content contains a NUL character (U+0000)'],
    [
      'metadata that are nested too deep',
      withMetadata(`{"a":${lists(limits.jsonDepth)}}`),
      'line 3: the line is nested too deep',
    ],
    [
      'a field that comes twice, once too deep',
      withMetadata(`{"a":${lists(20_000)}},"metadata":{}`),
      'line 3: the line is nested too deep',
    ],
  ])('%s', async (_, lines, fault) => {
    const report = await importText(database.pool, header + first + lines + last + end, { rowsOfBatch: 10 });
    expect(report.faults).toEqual([expect.stringContaining(fault)]);
    expect(report).toMatchObject({ memories: 2, documents: 0, tools: 0, failed: 1 });
  });

  test('a content of more words than the index of words can hold', async () => {
    const words = Array.from({ length: 150_000 }, (_, i) => `word${i}`).join(' ');
    const report = await importText(database.pool, header + first + memory({ content: words }) + last + end, {
      rowsOfBatch: 10,
    });
    expect(report.faults).toEqual(['line 3: a text is too long for the database to index']);
    expect(report).toMatchObject({ memories: 2, failed: 1 });
  });
});

test('values at the edge of what a row may have are imported as they are', async () => {
  const deep = JSON.parse(`{"a":${lists(limits.jsonDepth - 1)}}`);
  const fields = {
    metadata: deep,
    createdAt: '0001-01-01T00:00:00.000001+00:00',
    updatedAt: '9999-12-31T23:59:59.999999+00:00',
  };
  const report = await importText(database.pool, header + memory(fields) + end);
  expect(report).toMatchObject({ memories: 1, faults: [] });
  expect(rowsOf(await exportText(database.pool))[0]?.row).toMatchObject(fields);
});

test('PostgreSQL reads each time that is accepted', async () => {
  const [field] = fieldsOf.memory.filter(({ name }) => name === 'createdAt');
  const accepts = (createdAt: string) => {
    try {
      checkRow(field ? [field] : [], { createdAt });
      return true;
    } catch {
      return false;
    }
  };
  const reads = (createdAt: string) =>
    maintenance(database.pool, { access: 'read' }, (tx) =>
      tx.execute(sql`select ${createdAt}::timestamptz`),
    ).then(
      () => true,
      () => false,
    );
  const part = (most: number) => fc.integer({ min: 0, max: most }).map((n) => String(n).padStart(2, '0'));
  const times = fc.record({
    year: fc.constantFrom(
      '0000',
      '0001',
      '0004',
      '1900',
      '2000',
      '2023',
      '2024',
      '4712',
      '4713',
      '12000',
      '294275',
      '999999',
    ),
    month: part(13),
    day: part(32),
    hour: part(25),
    minute: part(61),
    zone: fc.constantFrom('Z', '+00', '+00:00', '-0330', '+14:00', '+1'),
    era: fc.constantFrom('', '', ' BC'),
  });
  await fc.assert(
    fc.asyncProperty(times, async ({ year, month, day, hour, minute, zone, era }) => {
      const text = `${year}-${month}-${day}T${hour}:${minute}:00.000001${zone}${era}`;
      if (accepts(text)) expect(await reads(text)).toBe(true);
    }),
    { numRuns: 500 },
  );
  expect(accepts('2024-02-29T23:59:59.999999+00:00')).toBe(true);
  expect(accepts('0001-02-29T00:00:00+00:00 BC')).toBe(true);
});

test('an id that is larger than any is not looked up', async () => {
  const [row] = await maintenance(database.pool, { access: 'read' }, (tx) =>
    tx.execute<{ id: string }>(sql`select database_id as id from installation`),
  );
  const own = header.replace('11111111-1111-1111-1111-111111111111', row?.id ?? '');
  const report = await importText(database.pool, own + memory({ id: '9999999999999999999' }) + end);
  expect(report).toMatchObject({ memories: 1, faults: [] });
});

test('brackets in texts are no levels', () => {
  const brackets = JSON.stringify({ a: `"\\${'['.repeat(1000)}`, b: '{'.repeat(1000) });
  expect(() => checkDepth(brackets)).not.toThrow();
  const objects = Array.from({ length: 1000 }, () => ({ a: [] }));
  expect(() => checkDepth(JSON.stringify(objects))).not.toThrow();
});
