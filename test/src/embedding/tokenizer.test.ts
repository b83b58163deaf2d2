import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadTokenizer } from '../../../src/embedding/tokenizer.ts';

const tokenizer = await loadTokenizer();

describe('the bundled tokenizer', () => {
  test('counts word pieces without the special tokens', () => {
    expect(tokenizer.countTokens('This is an example sentence')).toBe(5);
    // The words become: don ' t, and em ##bed ##ding ##s, the classic example of word pieces.
    expect(tokenizer.countTokens("Don't")).toBe(3);
    expect(tokenizer.countTokens('embeddings')).toBe(4);
    expect(tokenizer.countTokens('')).toBe(0);
    expect(tokenizer.countTokens(' \n\t ')).toBe(0);
  });

  test('counts beyond the 128 tokens at which its tokenizer.json truncates', () => {
    expect(tokenizer.countTokens('memory '.repeat(1000))).toBe(1000);
  });

  test('leaves room for the two special tokens in a window of 256', () => {
    expect(tokenizer.windowTokens).toBe(254);
  });

  test('counts odd text without failing', () => {
    expect(tokenizer.countTokens('\u0000')).toBe(0);
    expect(tokenizer.countTokens('\ud800 abc')).toBe(1);
    expect(tokenizer.countTokens('a'.repeat(1_000_000))).toBe(1);
  });
});

describe('cutting into words', () => {
  test('gives spans that join up to the text and whose counts add up to its count', () => {
    const text = "  The café's naïve co-operation:\n\n- costs €3.50 (or 漢字)!  ";
    const words = tokenizer.words(text);
    expect(words.map((word) => text.slice(word.start, word.end)).join('')).toBe(text);
    expect(words[0]).toEqual({ start: 0, end: 5, tokens: 1 });
    expect(words.reduce((sum, word) => sum + word.tokens, 0)).toBe(tokenizer.countTokens(text));
  });

  test('halves a word that is longer than the limit', () => {
    const url = `https://example.org/${'a-b/'.repeat(100)}`;
    const words = tokenizer.words(url, 20);
    expect(words.length).toBeGreaterThan(10);
    expect(words.every((word) => word.tokens <= 20)).toBe(true);
    expect(words.map((word) => url.slice(word.start, word.end)).join('')).toBe(url);
  });
});

describe('cutting into windows', () => {
  test('keeps a text that fits as one window', () => {
    expect(tokenizer.windows('This is an example sentence')).toEqual([{ start: 0, end: 27, tokens: 5 }]);
    expect(tokenizer.windows('')).toEqual([{ start: 0, end: 0, tokens: 0 }]);
  });

  test('shares a long text evenly, so that the last window is no scrap', () => {
    const windows = tokenizer.windows('memory '.repeat(300));
    expect(windows.map((window) => window.tokens)).toEqual([150, 150]);
  });

  test('covers a real document without a gap, every window within the limit', async () => {
    const text = await readFile('node_modules/typescript/README.md', 'utf8');
    const windows = tokenizer.windows(text);
    expect(windows.length).toBeGreaterThan(2);
    for (const window of windows) {
      expect(tokenizer.countTokens(text.slice(window.start, window.end))).toBe(window.tokens);
      expect(window.tokens).toBeLessThanOrEqual(254);
      expect(window.tokens).toBeGreaterThan(100);
    }
    expect(windows.map((window) => text.slice(window.start, window.end)).join('')).toBe(text);
  });

  test('never loses, repeats or overfills, whatever the text', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(' ', '\n', '漢字', '👩‍👩‍👧', '\ud83d', 'word'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 1, max: 12 }), (pieces, limit) => {
        const text = pieces.join('');
        const windows = tokenizer.windows(text, limit);
        expect(windows.map((window) => text.slice(window.start, window.end)).join('')).toBe(text);
        for (const window of windows) {
          const content = text.slice(window.start, window.end);
          expect(window.tokens).toBe(tokenizer.countTokens(content));
          expect(window.tokens <= limit || [...content].length === 1).toBe(true);
          expect(
            /^[\udc00-\udfff]/.test(content) && /[\ud800-\udbff]$/.test(text.slice(0, window.start)),
          ).toBe(false);
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});
