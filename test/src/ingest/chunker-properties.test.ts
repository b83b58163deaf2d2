import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadTokenizer, type TextTokenizer } from '../../../src/embedding/tokenizer.ts';
import { Chunker } from '../../../src/ingest/chunker.ts';
import { chunkText } from '../../../src/store/embedded-text.ts';
import { expectSoundChunks } from './chunk-expectations.ts';

let tokenizer: TextTokenizer;
const chunker = new Chunker();

beforeAll(async () => {
  tokenizer = await loadTokenizer();
});
afterAll(() => chunker.close());

const word = fc.stringMatching(/^[a-z]{1,12}$/);
const blanks = fc.stringMatching(/^[ \t\u00a0\u3000]{0,5}$/);
const lineBreak = fc.constantFrom('\n', '\r\n', '\r', '\n\n', '\r\n\r\n', '\n \t\n\n', '\u2028', '\f');
const punctuation = fc.constantFrom('. ', '! ', '? ', ', ', '." ', '; ', '。', '...', '—', ' 3. ', ' e.g. ');
const script = fc.constantFrom(
  'Überraschung',
  'naïve',
  '这是一个很长的句子没有空格',
  '東京都に行きました。',
  '한국어문장입니다',
  'ภาษาไทยเป็นภาษาที่มีระดับเสียง',
  'مرحبا بالعالم',
  'ΣΊΣΥΦΟΣ',
  'ﷺ',
);
const symbol = fc.constantFrom(
  '😀',
  '👩‍👩‍👧',
  '🇩🇪',
  '\u0301',
  '\u200b',
  '\ufeff',
  '\u0007',
  '\u0085',
  '[SEP]',
  '[MASK]',
  '\ud83d',
  '\ude00',
);
const longWord = fc.oneof(
  fc.integer({ min: 33, max: 700 }).map((length) => 'x'.repeat(length)),
  fc.integer({ min: 20, max: 200 }).map((length) => '👩‍👩‍👧'.repeat(length)),
  fc.integer({ min: 250, max: 700 }).map((length) => `a${'𝒳'.repeat(length)}`),
  fc.integer({ min: 20, max: 300 }).map((length) => `e${'\u0301'.repeat(length)}`),
  fc.array(word, { minLength: 5, maxLength: 40 }).map((words) => `https://${words.join('/')}`),
);
const markup = fc.constantFrom(
  '\n# ',
  '\n\n## Heading\n',
  '\n```js\n',
  '\n```\n',
  '\n~~~\n',
  '\n- ',
  '\n  1. ',
  '\n> ',
  '\n| a | b |\n|---|---|\n| c | d |\n',
  '\n> | a | b |\n> |---|---|\n> | c | d |\n',
  '\n\n| c | d |\r\n| :-- | --: |\r\n| 👩‍👩‍👧 | ﷺ |\r\n',
  '\n    indented',
  '\n---\n',
  '\n<div>\n',
  '\n[ref]: target "title"\n',
);

/** Texts that are made of everything that is hard for a chunker. */
const anyText = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.tuple(word, blanks).map(([letters, space]) => letters + (space || ' ')) },
      { weight: 3, arbitrary: punctuation },
      { weight: 2, arbitrary: lineBreak },
      { weight: 2, arbitrary: markup },
      { weight: 1, arbitrary: script },
      { weight: 1, arbitrary: symbol },
      { weight: 1, arbitrary: blanks },
      { weight: 1, arbitrary: longWord },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
    ),
    { maxLength: 150, size: 'max' },
  )
  .map((parts) => parts.join(''));

const sizes = fc
  .oneof(fc.integer({ min: 8, max: 40 }), fc.integer({ min: 41, max: 254 }))
  .chain((chunkSize) =>
    fc.record({ chunkSize: fc.constant(chunkSize), overlap: fc.integer({ min: 0, max: chunkSize >> 1 }) }),
  );

const cell = fc.oneof(
  fc.array(word, { maxLength: 6 }).map((words) => words.join(' ')),
  script,
  fc.constantFrom('😀', '👩‍👩‍👧', '', '\\|', '3.14', '`code`'),
  fc.integer({ min: 1, max: 300 }).map((length) => '漢'.repeat(length)),
);

/** Tables and code blocks with prose between them, in every kind of line break. */
const blocksText = fc
  .tuple(
    fc.array(
      fc.oneof(
        fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 30 })).chain(([columns, rows]) =>
          fc
            .array(fc.array(cell, { minLength: columns, maxLength: columns }), {
              minLength: rows + 1,
              maxLength: rows + 1,
              size: 'max',
            })
            .map(([header = [], ...body]) =>
              [header, header.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n'),
            ),
        ),
        fc
          .array(fc.array(fc.oneof(word, script), { maxLength: 12 }), { maxLength: 30, size: 'max' })
          .map(
            (lines) =>
              `\`\`\`\n${lines.map((words) => `${' '.repeat(words.length)}${words.join('( ')}`).join('\n')}\n\`\`\``,
          ),
        fc.array(word, { maxLength: 60, size: 'max' }).map((words) => words.join(' ')),
        longWord,
        fc.constant('## Heading'),
      ),
      { maxLength: 8, size: 'max' },
    ),
    fc.constantFrom('\n', '\r\n', '\r'),
  )
  .map(([blocks, ending]) => blocks.join('\n\n').replaceAll('\n', ending));

const format = fc.constantFrom('text' as const, 'markdown' as const);

/** The lines of the tables and code blocks of a text made by `blocksText`. */
function verbatimLines(text: string): { start: number; end: number }[] {
  const lines: { start: number; end: number }[] = [];
  let isCode = false;
  for (const { 0: line, index } of text.matchAll(/[^\r\n]*(?:\r\n|\r|\n|$)/g)) {
    if (line.startsWith('```')) isCode = !isCode;
    // The chunker counts the parts of a long word, which together may have more tokens than the word.
    else if ((isCode || line.startsWith('| ')) && /\S/.test(line) && !/\S{33}/.test(line))
      lines.push({ start: index, end: index + line.trimEnd().length });
  }
  return lines;
}

describe('the chunks of any text', () => {
  test('join up to the text, fit the model, overlap as allowed and are never blank', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, format, sizes, async (text, as, size) => {
        expectSoundChunks(text, await chunker.chunk(text, { format: as, ...size }), tokenizer, size);
      }),
      { numRuns: 400, seed: 20 },
    );
  }, 120_000);

  test('join up where there are tables and code, and fit the model behind the header of their table', async () => {
    await fc.assert(
      fc.asyncProperty(blocksText, sizes, async (text, size) => {
        const chunks = await chunker.chunk(text, { format: 'markdown', ...size });
        expectSoundChunks(text, chunks, tokenizer, size);
        for (const { content, tableHeader } of chunks) {
          const embedded = chunkText({ content, metadata: { tableHeader } });
          expect(tokenizer.countTokens(embedded)).toBeLessThanOrEqual(tokenizer.windowTokens);
          if (tableHeader !== undefined) expect(embedded).toContain(tableHeader);
        }
      }),
      { numRuns: 100, seed: 23 },
    );
  }, 120_000);

  test('never end within a line of a table or of code that fits', async () => {
    let checked = 0;
    await fc.assert(
      fc.asyncProperty(blocksText, sizes, async (text, size) => {
        const chunks = await chunker.chunk(text, { format: 'markdown', ...size });
        const lines = verbatimLines(text).filter(({ start, end }) => {
          const [within] = chunks.filter(({ startOffset }) => startOffset > start && startOffset < end);
          const header = within?.tableHeader;
          const taken = header === undefined ? 0 : tokenizer.countTokens(header);
          const most = Math.min(size.chunkSize, tokenizer.windowTokens - taken);
          return tokenizer.countTokens(text.slice(start, end)) <= most;
        });
        checked += chunks.length > 1 ? lines.length : 0;
        for (const { start, end } of lines)
          for (const { startOffset, endOffset } of chunks) {
            expect([startOffset > start && startOffset < end, endOffset > start && endOffset < end]).toEqual([
              false,
              false,
            ]);
          }
      }),
      { numRuns: 150, seed: 24 },
    );
    expect(checked).toBeGreaterThan(1000);
  }, 120_000);

  test('are the same when it is cut again', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, format, sizes, async (text, as, size) => {
        const options = { format: as, ...size };
        expect(await chunker.chunk(text, options)).toEqual(await chunker.chunk(text, options));
      }),
      { numRuns: 20, seed: 21 },
    );
  }, 60_000);

  test('end and begin between words where every word fits into a chunk', async () => {
    const words = fc.array(fc.tuple(word, fc.oneof(blanks, lineBreak)), { maxLength: 200, size: 'max' });
    const text = words.map((parts) => parts.map(([letters, space]) => letters + (space || ' ')).join(''));
    await fc.assert(
      fc.asyncProperty(text, format, fc.integer({ min: 16, max: 60 }), async (prose, as, chunkSize) => {
        for (const chunk of await chunker.chunk(prose, { format: as, chunkSize })) {
          expect(prose.slice(0, chunk.startOffset)).toMatch(/(^|\s)$/);
          expect(prose.slice(0, chunk.endOffset)).toMatch(/\s$/);
        }
      }),
      { numRuns: 100, seed: 22 },
    );
  }, 60_000);
});
