import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hashVector } from '../../../testkit/hash-embedder.ts';
import { asOwner } from '../../../testkit/owner.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { importText } from './exchange.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
beforeEach(() =>
  asOwner(
    database.pool,
    async (tx) => void (await tx.execute(sql`truncate memories, documents, document_chunks`)),
  ),
);
afterAll(() => database.close());

const header = '{"funes":"export","version":1,"databaseId":"11111111-1111-1111-1111-111111111111"}\n';
const end = '{"kind":"end","rows":1}\n';
const memory = (id: number, fields: object = {}) =>
  `${JSON.stringify({ kind: 'memory', row: { id: String(id), userId: 'ada', content: `memory ${id}`, ...fields } })}\n`;
const vector = (change: (numbers: unknown[]) => unknown[]) => ({
  embedding: change([...hashVector('x')]),
  embeddingModel: 'm',
});
const chunk = (index: number, fields: object = {}) =>
  `${JSON.stringify({ kind: 'chunk', row: { documentId: '5', chunkIndex: index, content: 'text', chunkSize: 1, startOffset: 0, endOffset: 4, ...fields } })}\n`;
const document = (totalChunks: number) =>
  `${JSON.stringify({ kind: 'document', row: { id: '5', userId: 'ada', filename: 'f', contentHash: 'a'.repeat(64), totalChunks } })}\n`;

describe('a line that is wrong is named, and the others are imported', () => {
  test.each<[string, string, string]>([
    ['no JSON', '{"kind":\n', 'the line is not JSON'],
    ['no object', '[1]\n', 'the line is not a JSON object'],
    [
      'an unknown kind',
      '{"kind":"relation","row":{}}\n',
      'the kind "relation" is unknown to this version of funes',
    ],
    [
      'a field of another version',
      memory(2, { mood: 'x' }),
      'the memory has the field "mood", which this version of funes does not know',
    ],
    [
      'a vector of another dimension',
      memory(
        2,
        vector((v) => v.slice(1)),
      ),
      'embedding must have 384 numbers, like the stored embeddings, not 383',
    ],
    [
      'a vector of zeros',
      memory(
        2,
        vector((v) => v.map(() => 0)),
      ),
      'embedding has only zeros',
    ],
    [
      'a vector with null',
      memory(
        2,
        vector((v) => [null, ...v.slice(1)]),
      ),
      'embedding[0] is null, not a number',
    ],
    [
      'a vector with NaN',
      memory(
        2,
        vector((v) => ['nan', ...v.slice(1)]),
      ).replace('"nan"', 'NaN'),
      'the line has NaN, which is no number of JSON',
    ],
    [
      'a vector without a model',
      memory(2, { ...vector((v) => v), embeddingModel: null }),
      'embedding has no embeddingModel',
    ],
    ['a number that is out of range', memory(2, { importanceScore: 2 }), 'importanceScore'],
    [
      'a time that is none',
      memory(2, { createdAt: 'yesterday or so' }),
      'createdAt is "yesterday or so", not a time with a zone',
    ],
    ['a NUL', memory(2, { content: 'a\u0000b' }), 'content contains a NUL character (U+0000)'],
    ['no content', memory(2, { content: ' ' }), 'content'],
    ['a chunk without its document', chunk(0), 'the chunk does not follow its document'],
  ])('%s', async (_, line, reason) => {
    const report = await importText(database.pool, header + memory(1) + line + memory(3) + end);
    expect(report.faults).toEqual([expect.stringContaining(`line 3: `)]);
    expect(report.faults[0]?.toLowerCase()).toContain(
      reason.toLowerCase().replace('importancescore', 'importance'),
    );
    expect(report).toMatchObject({ memories: 2, failed: 1 });
  });
});

describe('a document is stored with all its chunks or not at all', () => {
  test.each<[string, string, string]>([
    [
      'a chunk is missing at the end',
      document(2) + chunk(0),
      'line 2: the document has 2 chunks, and the file has 1 of them',
    ],
    [
      'a chunk is missing in the middle',
      document(2) + chunk(1),
      'line 3: the chunk 0 of the document is missing',
    ],
    ['a chunk is wrong', document(2) + chunk(0, { content: '' }) + chunk(1), 'line 3: '],
  ])('%s', async (_, lines, fault) => {
    const report = await importText(database.pool, header + lines + memory(1) + end);
    expect(report.faults).toEqual([expect.stringContaining(fault)]);
    expect(report).toMatchObject({ memories: 1, documents: 0, chunks: 0, failed: 1 });
  });
});

describe('a file that is cut says so', () => {
  const whole = header + memory(1) + memory(2) + end;
  test('in a line', async () => {
    const report = await importText(database.pool, whole.slice(0, (header + memory(1)).length + 20));
    expect(report.faults).toEqual(['line 3: the file ends in the middle of this line']);
    expect(report).toMatchObject({ memories: 1, failed: 1 });
  });
  test('between two lines', async () => {
    const report = await importText(database.pool, header + memory(1) + memory(2));
    expect(report.faults).toEqual([expect.stringMatching(/^line 3: the file ends here without the line/)]);
    expect(report).toMatchObject({ memories: 2, failed: 1 });
  });
});

describe('a file that cannot be imported', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['is empty', '', 'The file is empty.'],
    ['has blank lines alone', '\n\n', 'The file is no export of funes'],
    ['is binary', Buffer.from([80, 75, 3, 4, 0, 0]), 'The file is a binary file, not text.'],
    ['is other text', 'Dear diary,\n', 'The file is no export of funes'],
    ['is JSON of something else', '{"a":1}\n', 'The file is no export of funes'],
    [
      'has another version',
      header.replace('"version":1', '"version":2'),
      'Line 1: the export has the version 2 of the format, and this funes reads version 1.',
    ],
  ])('%s', async (_, content, message) => {
    await expect(importText(database.pool, content)).rejects.toThrow(message);
  });

  test('has another version from a line on: what comes before is imported', async () => {
    const other = header.replace('"version":1', '"version":7');
    await expect(importText(database.pool, header + memory(1) + end + other + memory(2))).rejects.toThrow(
      'Line 4: the export has the version 7',
    );
    expect(await importText(database.pool, header + memory(1) + end)).toMatchObject({ known: 1 });
  });
});
