import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { extract, partsOf, problemOf, readTestFile } from './files.ts';

const manual = readTestFile('manual.pdf');

test('a PDF has a part for each page, without running heads and page numbers', async () => {
  const parts = partsOf(await extract('pdf', manual));
  expect(parts.map(([metadata]) => metadata)).toEqual([{ page: 1 }, { page: 2 }, { page: 3 }]);
  expect(parts.map(([, text]) => text.split('\n')[0])).toEqual(['1. The lamp', '2. The horn', '3. The boat']);
  expect(parts[1]?.[1]).toBe(
    '2. The horn\n\nIn fog, the horn sounds for three seconds every half minute. The compressor needs an overhaul after\n' +
      'eight hundred hours of operation.',
  );
});

test('words that the page hyphenates are whole, and ligatures are letters', async () => {
  const { text } = await extract('pdf', manual);
  expect(text).toContain('An extraordinary consumption\nis investigated immediately');
  expect(text).toContain('insufficient ventilation blackens the glass. fiThe flow of air');
});

test.each([
  ['is encrypted', readTestFile('encrypted.pdf'), /^is encrypted\. Save it without a password/],
  ['was cut in half', manual.subarray(0, manual.length / 2), /^is cut off: .*Copy or download it again\.$/],
  ['has no text layer', readTestFile('drawing.pdf'), /^has no text layer.*ocrmypdf/],
  [
    'is another file',
    Buffer.from('<p>not a PDF'),
    /^is not a PDF\. Send it with the fileType that it has\.$/,
  ],
  ['has nothing between its ends', Buffer.from('%PDF-1.7\nxyz\nstartxref\n9\n%%EOF'), /^is a broken PDF \(/],
])('a PDF that %s is refused with what to do', async (_, bytes, problem) => {
  expect(await problemOf(extract('pdf', bytes))).toEqual({
    code: 'BAD_USER_INPUT',
    problem: expect.stringMatching(problem),
  });
});

test.each([
  ['once', '/FlateDecode', (bytes: Buffer) => deflateSync(bytes)],
  ['twice', '[/FlateDecode /FlateDecode]', (bytes: Buffer) => deflateSync(deflateSync(bytes))],
])('a PDF whose stream is packed %s and holds too much is refused', async (_, filter, pack) => {
  const stream = pack(Buffer.alloc(20_000_000));
  const pdf = Buffer.concat([
    Buffer.from(`%PDF-1.7\n1 0 obj\n<< /Length ${stream.length} /Filter ${filter} >>\nstream\n`),
    stream,
    Buffer.from('\nendstream\nendobj\nstartxref\n9\n%%EOF'),
  ]);
  expect(await problemOf(extract('pdf', pdf))).toEqual({
    code: 'LIMIT_EXCEEDED',
    problem: expect.stringContaining('is too much to unpack: its streams hold more than'),
  });
});
