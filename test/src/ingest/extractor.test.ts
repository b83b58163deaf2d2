import { afterAll, describe, expect, test } from 'vitest';
import { Extractor } from '../../../src/ingest/extractor.ts';
import { formatOf } from '../../../src/ingest/formats.ts';
import { readTestFile } from './extract/files.ts';

const extractor = new Extractor();
afterAll(() => extractor.close());

const extract = (name: string, bytes: Uint8Array, by = extractor) => by.extract(name, formatOf(name), bytes);

/** A PDF whose only page draws a form 20 times, which draws another one 20 times, and so on. */
const endless = nestedForms(20, 20);

function nestedForms(levels: number, times: number): Buffer {
  const stream = (dictionary: string, content: string) =>
    `<< ${dictionary} /Length ${content.length} >>\nstream\n${content}\nendstream`;
  const font = '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>';
  const form = (index: number) =>
    stream(
      `/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /Font << /T ${font} >> /XObject << /F ${index + 5} 0 R >> >>`,
      index === levels ? 'BT /T 9 Tf (a) Tj ET' : '/F Do '.repeat(times),
    );
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /XObject << /F 5 0 R >> >> >>',
    stream('', '/F Do'),
    ...Array.from({ length: levels }, (_, index) => form(index + 1)),
  ];
  const body = objects.map((object, index) => `${index + 1} 0 obj\n${object}\nendobj\n`).join('');
  return Buffer.from(`%PDF-1.7\n${body}trailer\n<< /Root 1 0 R >>\nstartxref\n0\n%%EOF\n`);
}

test('a file is read in another thread', async () => {
  const { text, parts, structure } = await extract('manual.pdf', readTestFile('manual.pdf'));
  expect(text).toContain('The lamp of the lighthouse burns from sunset to sunrise.');
  expect(parts).toHaveLength(3);
  expect(structure).toBe('text');
});

test.each([
  ['photo.txt', Buffer.of(0x89, 0x50, 0x4e, 0x47), 'The file "photo.txt" is no text but a PNG image. '],
  ['secret.pdf', readTestFile('encrypted.pdf'), 'The file "secret.pdf" is encrypted. '],
  ['empty.pdf', Buffer.alloc(0), 'The file "empty.pdf" is empty. '],
  ['old.docx', readTestFile('report.doc'), 'The file "old.docx" has an old office format '],
])('an error names the file: %s', async (name, bytes, message) => {
  await expect(extract(name, bytes)).rejects.toMatchObject({
    name: 'FunesError',
    code: 'BAD_USER_INPUT',
    message: expect.stringContaining(message),
  });
});

test('a bomb is refused, and names the file', async () => {
  await expect(extract('bomb.docx', readTestFile('bomb.docx'))).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
    message: expect.stringContaining('The file "bomb.docx" is too much to unpack'),
  });
});

describe('a file that takes too much ends its thread, and the next file is read', () => {
  test('of time', async () => {
    const impatient = new Extractor({ milliseconds: 6000 });
    const [slow, next] = await Promise.allSettled([
      extract('slow.pdf', endless, impatient),
      extract('next.txt', Buffer.from('next'), impatient),
    ]);
    expect(slow).toMatchObject({
      reason: {
        code: 'LIMIT_EXCEEDED',
        message:
          'The file "slow.pdf" takes more than 6 seconds to read. Divide it, or save it as txt or md, and send that.',
      },
    });
    expect(next).toMatchObject({ value: { text: 'next' } });
    await impatient.close();
  });

  test('of memory', async () => {
    const small = new Extractor({ heapMegabytes: 48 });
    const rows = Buffer.from('a,b,c,d,e,f,g\n'.repeat(400_000));
    const [large, next] = await Promise.allSettled([
      extract('large.csv', rows, small),
      extract('next.txt', Buffer.from('next'), small),
    ]);
    expect(large).toMatchObject({
      reason: {
        code: 'LIMIT_EXCEEDED',
        message: expect.stringContaining('The file "large.csv" takes more than 48 MB of memory to read.'),
      },
    });
    expect(next).toMatchObject({ value: { text: 'next' } });
    await small.close();
  });

  test('of memory that is not in the heap', async () => {
    const small = new Extractor({ processMegabytes: 1 });
    await expect(extract('slow.pdf', endless, small)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringContaining('The file "slow.pdf" takes more than 1 MB of memory to read.'),
    });
    await small.close();
  });
});

test('files are refused after close, and a file that was begun is read', async () => {
  const closing = new Extractor();
  const begun = extract('a.txt', Buffer.from('begun'), closing);
  const closed = closing.close();
  await expect(begun).resolves.toMatchObject({ text: 'begun' });
  await closed;
  await expect(extract('a.txt', Buffer.from('late'), closing)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
