import { describe, expect, test } from 'vitest';
import { FunesError } from '../../../src/errors.ts';
import { decodeBase64, documentFormats, formatOf } from '../../../src/ingest/formats.ts';

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
    ['page.HTM', undefined, 'html'],
    ['sheet', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'xlsx'],
    ['data.tsv', undefined, 'csv'],
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

describe('an old office file', () => {
  test.each([
    ['letter.doc', undefined, /Save it as docx in an office program\.$/],
    ['budget.XLS', undefined, /Save it as xlsx in an office program\.$/],
    ['slides', 'application/vnd.ms-powerpoint', /Save it as pptx in an office program\.$/],
  ])(
    'such as %o with the file type %o is refused with the format to save it in',
    (filename, fileType, advice) => {
      expect(messageOf(() => formatOf(filename, fileType))).toMatch(advice);
    },
  );
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
