import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadTokenizer, type TextTokenizer } from '../../../src/embedding/tokenizer.ts';
import { Chunker, defaultChunkSizes } from '../../../src/ingest/chunker.ts';
import { expectSoundChunks } from './chunk-expectations.ts';

let tokenizer: TextTokenizer;
const chunker = new Chunker();

beforeAll(async () => {
  tokenizer = await loadTokenizer();
});
afterAll(() => chunker.close());

const chunkText = async (text: string, chunkSize: number, overlap: number) => {
  const chunks = await chunker.chunk(text, { format: 'text', chunkSize, overlap });
  expectSoundChunks(text, chunks, tokenizer, { chunkSize, overlap });
  return chunks;
};
const contents = async (text: string, chunkSize: number, overlap = 0) =>
  (await chunkText(text, chunkSize, overlap)).map((chunk) => chunk.content);

const paragraph = (subject: string) =>
  `${subject} is described here.\nThe description takes two sentences,\nof which this is the second one.\n`;

describe('plain text', () => {
  test('is cut between paragraphs, and each keeps the blank lines after it', async () => {
    const text = ['Ferns', 'Mosses', 'Lichens'].map(paragraph).join('\n');
    expect(await contents(text, 30)).toEqual([
      `${paragraph('Ferns')}\n`,
      `${paragraph('Mosses')}\n`,
      paragraph('Lichens'),
    ]);
  });

  test('is rather cut where two blank lines begin a section', async () => {
    const text = `${paragraph('Ferns')}\n\nSpores\n\n${paragraph('Mosses')}`;
    const [first, second] = await contents(text, 32);
    expect([first, second]).toEqual([`${paragraph('Ferns')}\n\n`, `Spores\n\n${paragraph('Mosses')}`]);
  });

  test('is cut between sentences, not lines, where a paragraph is too long', async () => {
    const text = 'The ferns are\ndescribed here. Their description\ntakes two sentences. '.repeat(30);
    for (const chunk of await contents(text, 40)) expect(chunk).toMatch(/^The.*\. $/s);
  });

  test('is not cut between a number and the sentence it numbers', async () => {
    const text = Array.from({ length: 40 }, (_, index) => `${index}. The ferns are described here. `).join(
      '',
    );
    for (const chunk of await contents(text, 43)) expect(chunk).toMatch(/^\d+\. The .*here\. $/s);
  });

  test('has full chunks where one sentence goes on and on', async () => {
    const chunks = await chunkText(`${'word '.repeat(1000)}.`, 30, 0);
    for (const chunk of chunks.slice(0, -1)) expect(chunk.tokens).toBe(30);
  });

  test('is not cut into scraps at a strong boundary soon after the last', async () => {
    const text = `Ferns.\n\n${'The ferns are described here. '.repeat(20)}`;
    const [first] = await contents(text, 40);
    expect(first).toMatch(/^Ferns\.\n\nThe .* here\. $/s);
  });

  test('is not cut inside a character of several code points', async () => {
    const chunks = await contents(`a${'👩‍👩‍👧'.repeat(800)}e${'\u0301'.repeat(5)}`, 20);
    expect(chunks.length).toBeGreaterThan(20);
    for (const chunk of chunks) expect(chunk).toMatch(/^a?(👩‍👩‍👧)+(e\u0301{5})?$/u);
    for (const chunk of await contents(`a${'𝒳'.repeat(2000)}`, 16)) expect(chunk).toMatch(/^a?𝒳+$/u);
  });

  test('overlaps by whole sentences when they fit, else by words', async () => {
    const sentence = 'One two three four five six seven eight nine ten. ';
    const bySentence = await chunkText(sentence.repeat(10), 48, 12);
    expect(bySentence.slice(1).map((chunk) => chunk.overlapTokens)).toEqual(
      bySentence.slice(1).map(() => 11),
    );
    const byWord = await chunkText(sentence.repeat(10), 48, 5);
    for (const chunk of byWord.slice(1)) expect(chunk.content).toMatch(/^seven eight nine ten\. One/);
  });

  test('keeps an indented line together with its indentation', async () => {
    for (const chunk of await contents('    some text on a line\n'.repeat(40), 20)) {
      expect(chunk).toMatch(/^ {4}some .*\n$/s);
    }
  });

  test('without spaces is cut between sentences and words by the rules of its script', async () => {
    const sentence = '昨日は友達と一緒に美術館へ行きました。';
    for (const chunk of await contents(sentence.repeat(20), 60)) expect(chunk).toMatch(/^昨日.*。$/);
  });

  test('takes a 1 MB word apart', async () => {
    const chunks = await chunkText('a'.repeat(1_000_000), 200, 40);
    expect(chunks.length).toBeGreaterThan(1000);
  }, 60_000);

  test('has one chunk when only white space separates its few words', async () => {
    const text = `\n\n  first${' \n'.repeat(200_000)}last\t\n`;
    expect(await contents(text, 200, 40)).toEqual([text]);
  });

  test('has no chunks when it has no words', async () => {
    for (const text of ['', ' \t\r\n\u00a0\u3000', '\u200b\u200d\ufeff', '\u0085']) {
      expect(await chunker.chunk(text, { format: 'text' })).toEqual([]);
      expect(await chunker.chunk(text, { format: 'markdown' })).toEqual([]);
    }
  });
});

describe('real documents', () => {
  test.each(['fast-check', 'fastify', 'pino', 'dataloader', 'piscina', 'zod', 'graphql', 'postgres'])(
    'the README of %s is cut soundly with the default sizes',
    async (name) => {
      const text = readFileSync(`node_modules/${name}/README.md`, 'utf8');
      for (const format of ['text', 'markdown'] as const) {
        const chunks = await chunker.chunk(text, { format });
        expectSoundChunks(text, chunks, tokenizer, defaultChunkSizes);
        const total = chunks.reduce((sum, chunk) => sum + chunk.tokens, 0);
        expect(total / chunks.length).toBeGreaterThan(defaultChunkSizes.chunkSize / 3);
      }
    },
  );
});

describe('the chunker', () => {
  test('leaves the event loop free while it works', async () => {
    const text = paragraph('Ferns').repeat(2000);
    let turns = 0;
    let done = false;
    const working = chunker.chunk(text, { format: 'text' }).finally(() => {
      done = true;
    });
    while (!done) {
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
    }
    expect((await working).length).toBeGreaterThan(100);
    expect(turns).toBeGreaterThan(100);
  });

  test('finishes what it was given before it closes', async () => {
    const other = new Chunker();
    const working = other.chunk('Some words.', { format: 'text' });
    await other.close();
    expect(await working).toMatchObject([{ content: 'Some words.', tokens: 3 }]);
    await expect(other.chunk('More words.', { format: 'text' })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  test('shrinks the default overlap with a smaller chunk size', async () => {
    const chunks = await chunker.chunk(paragraph('Ferns').repeat(5), { format: 'text', chunkSize: 20 });
    expect(Math.max(...chunks.map((chunk) => chunk.overlapTokens))).toBeLessThanOrEqual(4);
  });

  test.each([
    [{ chunkSize: 7 }, /chunkSize is 7/],
    [{ chunkSize: 20.5 }, /chunkSize is 20\.5/],
    [{ chunkSize: Number.NaN }, /chunkSize is NaN/],
    [{ overlap: -1 }, /overlap is -1/],
    [{ chunkSize: 50, overlap: 26 }, /overlap is 26.*from 0 to 25/],
  ])('refuses %o', async (sizes, message) => {
    const chunking = chunker.chunk('Some words.', { format: 'text', ...sizes });
    await expect(chunking).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringMatching(message),
    });
  });

  test('refuses a model that does not exist', () => {
    expect(() => new Chunker({ model: 'no such model' })).toThrow(/FUNES_EMBEDDING_MODEL/);
  });
});
