import { expect, test } from 'vitest';
import { chunkMetadata } from '../../../src/ingest/chunk-metadata.ts';

const text = 'aaaa bbbbbbbb cc';
const parts = [
  { start: 0, end: 5, metadata: { page: 1, headings: ['A'] } },
  { start: 5, end: 14, metadata: { page: 2, headings: ['A', 'B'] } },
  { start: 14, end: 16, metadata: { page: 3 } },
];

test.each([
  ['of one page', 0, 4, { page: 1, headings: ['A'] }],
  ['that touches the next page with white space alone', 5, 14, { page: 2, headings: ['A', 'B'] }],
  [
    'of several pages has the headings of most of its text',
    2,
    14,
    { page: 1, pages: [1, 2], headings: ['A', 'B'] },
  ],
  ['that has most of its text in a part without headings', 13, 16, { page: 3 }],
])('a chunk %s', (_, startOffset, endOffset, expected) => {
  expect(chunkMetadata(text, { startOffset, endOffset }, parts)).toEqual(expected);
});

test('slides and sheets are told likewise, and a text without parts has no metadata', () => {
  const span = { startOffset: 0, endOffset: 16 };
  const slides = [1, 2].map((slide) => ({ start: slide * 5, end: slide * 5 + 5, metadata: { slide } }));
  expect(chunkMetadata(text, span, slides)).toEqual({ slide: 1, slides: [1, 2] });
  const sheets = ['X', 'Y'].map((sheet, index) => ({
    start: index * 5,
    end: index * 5 + 5,
    metadata: { sheet },
  }));
  expect(chunkMetadata(text, span, sheets)).toEqual({ sheet: 'X', sheets: ['X', 'Y'] });
  expect(chunkMetadata(text, span, [])).toEqual({});
});
