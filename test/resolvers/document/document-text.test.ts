import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  DocumentTextDocument,
  IngestDocumentDocument,
  TextsOfDocumentsDocument,
  UpdateDocumentDocument,
} from '../../generated/operations.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

async function ingest(content: string, filename = 'a.md', sizes = { chunkSize: 16, overlap: 6 }) {
  const { ingestDocument } = await server.request(IngestDocumentDocument, {
    input: { filename, content, ...sizes },
  });
  return ingestDocument.document;
}

const textOf = async (id: string, part: { offset?: number; limit?: number } = {}) =>
  (await server.request(DocumentTextDocument, { id, ...part })).document?.text;

const story = (name: string, sentences: number) =>
  Array.from({ length: sentences }, (_, i) => `${name} walks to harbour ${i} 🚢 and back.`).join(' ');

describe('the text of a document', () => {
  test.each([
    ['prose with overlaps', story('Ada', 40)],
    [
      'a table and code',
      `# T\n\n| a | b |\n|---|---|\n${'| one | two |\n'.repeat(30)}\n\`\`\`\n${'x = f(y)\n'.repeat(30)}\`\`\`\n`,
    ],
    [
      'every line break, and blanks at both ends',
      ` \r\n\r\n One.\rTwo.\n\n\n${story('Bo', 5)}\r\n \u2028 Three. \n\n`,
    ],
    ['emoji without a blank', '👩‍👩‍👧🚢😀'.repeat(60)],
    ['letters without a blank', '这是一个很长的句子没有空格'.repeat(40)],
  ])('is what was cut: %s', async (_, content) => {
    const { id, totalChunks } = await ingest(content);
    expect(totalChunks).toBeGreaterThan(3);
    expect(await textOf(id)).toBe(content);
  });

  test('is what was extracted, for a format with markup', async () => {
    const { id } = await ingest('Name,Rank\nÍsa,Boatswain\n', 'crew.csv');
    expect(await textOf(id)).toBe('| Name | Rank |\n| --- | --- |\n| Ísa | Boatswain |');
  });

  test('comes in parts that join to the text, and cuts no surrogate pair', async () => {
    const content = `${story('Cy', 12)} 😀😀😀😀😀😀 ${story('Di', 3)}`;
    const { id } = await ingest(content);
    for (const limit of [7, 64, 100]) {
      let joined = '';
      for (let offset = 0; offset < content.length; offset += limit) {
        const part = (await textOf(id, { offset, limit })) ?? '';
        expect(part).not.toMatch(/\p{Surrogate}/u);
        joined += part;
      }
      expect(joined).toBe(content);
    }
    const ship = content.indexOf('🚢');
    expect(await textOf(id, { offset: ship, limit: 2 })).toBe('🚢');
    expect(await textOf(id, { offset: ship + 1, limit: 2 })).toBe('🚢 ');
    expect(await textOf(id, { offset: ship - 1, limit: 2 })).toBe(' ');
  });

  test('is empty behind its end, and for a limit of 0', async () => {
    const content = story('Ed', 9);
    const { id } = await ingest(content);
    expect(await textOf(id, { offset: content.length })).toBe('');
    expect(await textOf(id, { offset: 2 ** 31 - 1, limit: 100_000 })).toBe('');
    expect(await textOf(id, { offset: 20, limit: 0 })).toBe('');
    expect(await textOf(id, { offset: content.length - 3, limit: 9 })).toBe(content.slice(-3));
  });

  test.each([
    ['offset', { offset: -1 }, 'BAD_USER_INPUT', 'offset must be within 0 and 2147483647, not -1.'],
    ['limit', { limit: -1 }, 'BAD_USER_INPUT', 'limit must be within 0 and 100000, not -1.'],
    ['limit', { limit: 100_001 }, 'LIMIT_EXCEEDED', 'limit must be within 0 and 100000, not 100001.'],
  ])('refuses a wrong %s: %o', async (_, part, code, message) => {
    const { id } = await ingest('One. Two.');
    await expect(textOf(id, part)).rejects.toMatchObject({ code, message });
  });

  test('is the new one after an update', async () => {
    const { id } = await ingest(story('Flo', 20));
    await server.request(UpdateDocumentDocument, { id, input: { content: 'Short.' } });
    expect(await textOf(id)).toBe('Short.');
  });

  test('reads the parts of all documents of a list in one statement, and only the chunks that have them', async () => {
    const contents = ['Gus', 'Hal', 'Ida'].map((name) => story(name, 60));
    const ids = await Promise.all(contents.map(async (content) => (await ingest(content)).id));
    const offset = 1000;
    let answer: { id: string; text: string; beginning: string }[] = [];
    const statements = await server.statementsOf(async () => {
      const { documents } = await server.request(TextsOfDocumentsDocument, { ids, offset, limit: 30 });
      answer = documents.edges.map(({ node }) => node);
    });
    expect(answer).toHaveLength(3);
    for (const { id, text, beginning } of answer) {
      const content = contents[ids.indexOf(id)] ?? '';
      expect(text).toBe(content.slice(offset, offset + 30));
      expect(beginning).toBe(content.slice(0, 5));
    }
    const reads = statements.filter(({ text }) => text.includes('part_start'));
    expect(reads).toHaveLength(1);
    expect(statements).toHaveLength(2);
    const [read] = reads;
    const rows = await server.sql<{ start_offset: number }>(
      `select * from (${read?.text.replace(/select .*? from unnest/s, 'select part.start_offset from unnest') ?? ''}) as rows`,
      (read?.parameters ?? []) as string[],
    );
    // 60 chunks and more are in each document; a part of 30 characters is in one to four chunks that overlap.
    expect(rows.length).toBeGreaterThanOrEqual(6);
    expect(rows.length).toBeLessThanOrEqual(15);
  });
});
