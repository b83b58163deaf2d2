import { describe, expect, test } from 'vitest';
import { FunesError } from '../../../src/errors.ts';
import { decodeBase64, documentFormats, formatOf } from '../../../src/ingest/formats.ts';

const bytes = (...values: (number | string)[]) =>
  Buffer.concat(values.map((value) => (typeof value === 'string' ? Buffer.from(value) : Buffer.of(value))));

const messageOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof FunesError && error.code === 'BAD_USER_INPUT') return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('the format of a document', () => {
  test.each([
    ['notes.txt', undefined, 'txt'],
    ['README.md', undefined, 'md'],
    ['Guide.MARKDOWN', null, 'md'],
    ['/some/folder.d/LICENSE', '', 'txt'],
    ['page.html', 'md', 'md'],
    ['page', 'text/markdown; charset=utf-8', 'md'],
    ['page', '.TXT', 'txt'],
    ['page.md', 'text/plain', 'txt'],
  ])('of %o with the file type %o is %s', (filename, fileType, name) => {
    expect(formatOf(filename, fileType).name).toBe(name);
  });

  test.each([
    ['photo.jpeg', undefined, /photo\.jpeg.*"\.jpeg"/],
    ['notes.txt', 'application/zip', /fileType is "application\/zip"/],
    ['notes.', undefined, /"\."/],
  ])('of %o with the file type %o is refused with the supported ones', (filename, fileType, reason) => {
    const message = messageOf(() => formatOf(filename, fileType));
    expect(message).toMatch(reason);
    for (const format of documentFormats) expect(message).toContain(format.name);
  });
});

describe('a text file', () => {
  const read = (content: Uint8Array) => formatOf('a.txt').decode(content);

  test('is kept exactly, with its line endings and blanks', () => {
    const text = ' Zeile 1\r\n\tZeile\u00a02\r\u2028😀 \ufeff\n\n';
    expect(read(Buffer.from(text))).toBe(text);
  });

  test('loses a byte order mark, and nothing else', () => {
    expect(read(bytes(0xef, 0xbb, 0xbf, '# Größe'))).toBe('# Größe');
    const utf16 = Buffer.from('\ufeffGröße 😀\r\n', 'utf16le');
    expect(read(utf16)).toBe('Größe 😀\r\n');
    expect(read(Buffer.from(utf16).swap16())).toBe('Größe 😀\r\n');
  });

  test('is refused with the place of a byte that is not UTF-8', () => {
    expect(messageOf(() => read(bytes('Gr', 0xf6, 0xdf, 'e')))).toMatch(
      /not valid UTF-8 \(byte 2 is wrong\)/,
    );
    expect(messageOf(() => read(bytes('ä\ufffd', 0xe2, 0x82)))).toMatch(/byte 5 is wrong/);
    expect(messageOf(() => read(bytes('half a pair: ', 0xed, 0xa0, 0x80)))).toMatch(/byte 13 is wrong/);
  });

  test('is refused when it is broken UTF-16', () => {
    expect(messageOf(() => read(bytes(0xff, 0xfe, 0x41)))).toMatch(/not valid UTF-16LE/);
    expect(messageOf(() => read(bytes(0xfe, 0xff, 0xd8, 0x00, 0x00, 0x41)))).toMatch(/not valid UTF-16BE/);
  });

  test('is refused when it has NUL characters, as binary files and UTF-16 without a mark have', () => {
    expect(messageOf(() => read(bytes('abc', 0, 'd')))).toMatch(/NUL character \(at character 3\)/);
    expect(messageOf(() => read(Buffer.from('text', 'utf16le')))).toMatch(/NUL character/);
  });
});

describe('base64', () => {
  test('gives the bytes, in both alphabets, with and without padding and line breaks', () => {
    for (const value of ['++//AQ==', '--__AQ==', '++//AQ', '++\r\n//\nAQ==\n']) {
      expect([...decodeBase64(value, 'contentBase64')]).toEqual([0xfb, 0xef, 0xff, 1]);
    }
  });

  test('is refused with its first wrong character or when it was cut off', () => {
    expect(messageOf(() => decodeBase64('data:text', 'contentBase64'))).toMatch(/contentBase64 .*":"/);
    expect(messageOf(() => decodeBase64('AQ==AQ==', 'contentBase64'))).toMatch(/"="/);
    expect(messageOf(() => decodeBase64('AQIDB', 'contentBase64'))).toMatch(/cut off/);
  });
});
