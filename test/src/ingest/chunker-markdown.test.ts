import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadTokenizer, type TextTokenizer } from '../../../src/embedding/tokenizer.ts';
import { Chunker } from '../../../src/ingest/chunker.ts';
import { expectSoundChunks } from './chunk-expectations.ts';

let tokenizer: TextTokenizer;
const chunker = new Chunker();

beforeAll(async () => {
  tokenizer = await loadTokenizer();
});
afterAll(() => chunker.close());

const chunkMarkdown = async (text: string, chunkSize: number, overlap = 0) => {
  const chunks = await chunker.chunk(text, { format: 'markdown', chunkSize, overlap });
  expectSoundChunks(text, chunks, tokenizer, { chunkSize, overlap });
  return chunks.map((chunk) => chunk.content);
};

const sentence = 'The quick brown fox jumps over the lazy dog. ';

describe('Markdown', () => {
  test('is cut before a heading, which stays with the text that follows', async () => {
    const text = `# Title\n\n${sentence.repeat(3)}\n\n## Second\n\n${sentence.repeat(3)}\n\nThird\n-----\n\n${sentence.repeat(3)}`;
    const chunks = await chunkMarkdown(text, 50, 10);
    expect(chunks.map((chunk) => chunk.split('\n')[0])).toEqual(['# Title', '## Second', 'Third']);
  });

  test('has no chunk that is only headings, or that ends with one', async () => {
    const section = (name: string) => `# ${name}\n\n## Sub-section of ${name}\n\n${sentence.repeat(7)}\n\n`;
    const chunks = await chunkMarkdown(['A', 'B', 'C'].map(section).join(''), 48, 12);
    expect(chunks.length).toBeGreaterThan(3);
    expect(chunks.filter((chunk) => !chunk.includes('fox'))).toEqual([]);
    for (const chunk of chunks) expect(chunk.trimEnd().split('\n').at(-1)).not.toMatch(/^#/);
  });

  test('prefers a heading of a higher level to a later one of a lower', async () => {
    const text = `${sentence.repeat(2)}\n\n# High\n\n${sentence}\n\n### Low\n\n${sentence.repeat(3)}`;
    const [, second] = await chunkMarkdown(text, 50);
    expect(second).toMatch(/^# High/);
  });

  test('begins a chunk with a heading without the end of the section before', async () => {
    const text = `# One\n\n${sentence.repeat(4)}\n\n# Two\n\n${sentence.repeat(8)}`;
    const chunks = await chunker.chunk(text, { format: 'markdown', chunkSize: 50, overlap: 15 });
    expect(chunks.map((chunk) => [chunk.content.startsWith('#'), chunk.overlapTokens > 0])).toEqual([
      [true, false],
      [true, false],
      [false, true],
    ]);
  });

  test('is not cut at a # inside a fenced code block that fits', async () => {
    const code = '```sh\n# install it\nnpm ci\n\n# start it\nnpm start\n```\n';
    const text = `${sentence.repeat(3)}\n\n${code}\n${sentence.repeat(3)}`;
    const chunks = await chunkMarkdown(text, 50);
    expect(chunks.filter((chunk) => chunk.includes(code))).toHaveLength(1);
    expect(chunks.filter((chunk) => chunk.startsWith('# '))).toEqual([]);
  });

  test('keeps a code block whole that fits only without the overlap', async () => {
    const code = `\`\`\`\n${'alpha beta gamma\n'.repeat(13)}\`\`\`\n`;
    const chunks = await chunkMarkdown(`${sentence.repeat(3)}\n\n${code}`, 50, 20);
    expect(chunks.at(-1)).toBe(code);
  });

  test('cuts a code block that is too long between its lines', async () => {
    const code = `\`\`\`\n${'const value = compute(input); // Call it. Keep it.\n'.repeat(40)}\`\`\`\n`;
    const chunks = await chunkMarkdown(code, 50, 20);
    expect(chunks.length).toBeGreaterThan(5);
    for (const chunk of chunks.slice(1)) expect(chunk).toMatch(/^const/);
  });

  test('keeps a heading and the code block under it together', async () => {
    const code = `## Usage\n\n\`\`\`\n${'alpha beta gamma\n'.repeat(10)}\`\`\`\n`;
    const chunks = await chunkMarkdown(`${sentence.repeat(2)}\n\n${code}\n${sentence.repeat(3)}`, 50);
    expect(chunks.filter((chunk) => chunk.includes(code.trimEnd()))).toHaveLength(1);
  });

  test('leaves no heading alone for a code block that fits only without it', async () => {
    const code = `\`\`\`\n${'alpha beta gamma\n'.repeat(13)}\`\`\`\n`;
    const [first] = await chunkMarkdown(`## A heading of a good few words\n\n${code}`, 50);
    expect(first).toMatch(/^## A heading.*alpha beta gamma\n$/s);
  });

  test('keeps a code block whole after a text that is too short for a chunk otherwise', async () => {
    const code = `\`\`\`\n${'alpha beta gamma\n'.repeat(13)}\`\`\`\n`;
    expect(await chunkMarkdown(`A short text of a few words.\n\n${code}`, 50)).toEqual([
      'A short text of a few words.\n\n',
      code,
    ]);
  });

  test('keeps a table whole that fits, and cuts a longer one between its rows', async () => {
    const table = (rows: number) =>
      `| key | value |\n|---|---|\n${'| some key | some value |\n'.repeat(rows)}`;
    const short = await chunkMarkdown(`${sentence.repeat(3)}\n\n${table(3)}\n${sentence.repeat(3)}`, 50);
    expect(short.filter((chunk) => chunk.includes(table(3)))).toHaveLength(1);
    const long = await chunkMarkdown(table(40), 50);
    for (const chunk of long) expect(chunk).toMatch(/^\|.*\|\n$/s);
  });

  test('does not cut a line of a table after a short one to fill a chunk', async () => {
    const row = `| ${'some words of a long row '.repeat(7)}|\n`;
    const table = `| key |\n|---|\n| short |\n${row}${row}`;
    const chunks = await chunkMarkdown(table, 50);
    expect(chunks).toEqual(['| key |\n|---|\n| short |\n', row, row]);
  });

  test('does not begin an overlap within a line of code', async () => {
    const line = `call(${'alpha, beta, gamma, '.repeat(3)}omega)\n`;
    const chunks = await chunkMarkdown(`\`\`\`\n${line.repeat(12)}\`\`\`\n`, 60, 12);
    expect(chunks.length).toBeGreaterThan(3);
    for (const chunk of chunks.slice(1)) expect(chunk).toMatch(/^call/);
  });

  test('tells the header of a table to each chunk with rows of it, and to no other', async () => {
    const rows = '| some key | some value |\n'.repeat(20);
    const quoted = `> | Land | Hauptstadt |\n> |:--|--:|\n${'> | Peru | Lima |\n'.repeat(20)}`;
    const text = `${sentence.repeat(4)}\n\n| Name | Price |\n|---|---|\n${rows}\n${sentence.repeat(4)}\n\n${quoted}`;
    for (const lineBreak of ['\n', '\r\n', '\r']) {
      const chunks = await chunker.chunk(text.replaceAll('\n', lineBreak), {
        format: 'markdown',
        chunkSize: 50,
      });
      const headerFor = (content: string) => {
        if (/some key|Price/.test(content)) return '| Name | Price |';
        return /Peru|Land/.test(content) ? '| Land | Hauptstadt |' : undefined;
      };
      expect(chunks.map(({ tableHeader }) => tableHeader)).toEqual(
        chunks.map(({ content }) => headerFor(content)),
      );
      expect(new Set(chunks.map(({ tableHeader }) => tableHeader)).size).toBe(3);
    }
  });

  test('leaves room in the window for the header of a table, and cuts off one that takes more than half of it', async () => {
    const columns = (count: number) =>
      `| ${Array.from({ length: count }, (_, i) => `name ${i}`).join(' | ')} |`;
    const table = (count: number) => {
      const cells = `| ${Array<string>(count).fill('x').join(' | ')} |\n`;
      return `${columns(count)}\n|${'---|'.repeat(count)}\n${cells.repeat(60)}`;
    };
    for (const count of [20, 70]) {
      const chunks = await chunker.chunk(table(count), { format: 'markdown', chunkSize: 254 });
      const [{ tableHeader = '' } = {}] = chunks;
      expect(columns(count).startsWith(tableHeader)).toBe(true);
      expect(tableHeader === columns(count)).toBe(count === 20);
      for (const { content, tokens, tableHeader: header } of chunks.slice(1)) {
        expect(header).toBe(tableHeader);
        expect(tokens + tokenizer.countTokens(tableHeader)).toBeLessThanOrEqual(254);
        // Of the wider table, the line of dashes alone is longer than a chunk.
        if (count === 20) expect(content).toMatch(/^(?:\| x |\|---)/);
      }
    }
  });

  test('cuts a list between its items', async () => {
    const item = '- The quick brown fox. It jumps over the lazy dog\n  and over another.\n';
    for (const chunk of await chunkMarkdown(item.repeat(20), 50, 0)) expect(chunk).toMatch(/^- The/);
  });

  test('is cut alike with every kind of line break', async () => {
    const text = `# Title\n\n${sentence.repeat(5)}\n\n\`\`\`\n# no heading\n\`\`\`\n\n## Second\n\n${sentence.repeat(5)}\n`;
    const expected = await chunkMarkdown(text, 40, 10);
    for (const lineBreak of ['\r\n', '\r']) {
      const chunks = await chunkMarkdown(text.replaceAll('\n', lineBreak), 40, 10);
      expect(chunks.map((chunk) => chunk.replaceAll(lineBreak, '\n'))).toEqual(expected);
    }
  });
});
