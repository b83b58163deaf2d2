import { describe, expect, test } from 'vitest';
import { decodeHtml, decodeText } from '../../../../src/ingest/extract/encoding.ts';
import { UnreadableFile } from '../../../../src/ingest/extract/extraction.ts';

const bytes = (...values: (number | string)[]) =>
  Buffer.concat(values.map((value) => (typeof value === 'string' ? Buffer.from(value) : Buffer.of(value))));

const problemOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof UnreadableFile && error.code === 'BAD_USER_INPUT') return error.problem;
    throw error;
  }
  throw new Error('nothing was refused');
};

/** The bytes of a text in an encoding of one byte a letter, found by decoding all bytes. */
const encodeSingle = (text: string, encoding: string) => {
  const letters = new TextDecoder(encoding).decode(Uint8Array.from({ length: 256 }, (_, byte) => byte));
  return Buffer.from([...text].map((letter) => letters.indexOf(letter)));
};

const german =
  'Die Katze schläft auf dem Sofa. Über den Dächern der Stadt weht ein kühler Wind, und die Bäume verlieren ihre Blätter. ' +
  'Das Gespräch über die Prüfung fällt morgen aus, weil der Prüfer krank ist. Schöne Grüße aus Köln.';
const russian =
  'Привет, как дела? Это длинный текст на русском языке, чтобы определить кодировку правильно. Москва является столицей России.';
const polish =
  'Zażółć gęślą jaźń. Książka leży na stole, a dzieci bawią się w ogrodzie. Dziękuję za wszystko, proszę przyjść później. ' +
  'Język polski jest piękny i trudny.';

describe('a text file', () => {
  test('is kept exactly, with its line endings and blanks', () => {
    const text = ' Zeile 1\r\n\tZeile\u00a02\r\u2028😀 \ufeff\n\n';
    expect(decodeText(Buffer.from(text))).toBe(text);
  });

  test('loses a byte order mark, and nothing else', () => {
    expect(decodeText(bytes(0xef, 0xbb, 0xbf, '# Größe'))).toBe('# Größe');
    const utf16 = Buffer.from('\ufeffGröße 😀\r\n', 'utf16le');
    expect(decodeText(utf16)).toBe('Größe 😀\r\n');
    expect(decodeText(Buffer.from(utf16).swap16())).toBe('Größe 😀\r\n');
  });

  test('is refused with the place of a byte that is not UTF-8', () => {
    expect(problemOf(() => decodeText(bytes('Gr', 0xf6, 0xdf, 'e')))).toMatch(
      /not valid UTF-8 \(byte 2 is wrong\)/,
    );
    expect(problemOf(() => decodeText(bytes('ä\ufffd', 0xe2, 0x82)))).toMatch(/byte 5 is wrong/);
    expect(problemOf(() => decodeText(bytes('half a pair: ', 0xed, 0xa0, 0x80)))).toMatch(/byte 13 is wrong/);
  });

  test('is refused when it is broken UTF-16', () => {
    expect(problemOf(() => decodeText(bytes(0xff, 0xfe, 0x41)))).toMatch(/not valid UTF-16LE/);
    expect(problemOf(() => decodeText(bytes(0xfe, 0xff, 0xd8, 0x00, 0x00, 0x41)))).toMatch(
      /not valid UTF-16BE/,
    );
  });

  test('is refused when it has NUL characters, as binary files have', () => {
    expect(problemOf(() => decodeText(bytes('abc', 0, 'd')))).toMatch(/NUL character \(at character 3\)/);
  });

  test('is read as UTF-16 without a mark when every other byte is 0', () => {
    const utf16 = Buffer.from('A text in UTF-16, naïve but clear.', 'utf16le');
    expect(decodeText(utf16)).toBe('A text in UTF-16, naïve but clear.');
    expect(decodeText(Buffer.from(utf16).swap16())).toBe('A text in UTF-16, naïve but clear.');
  });

  test.each([
    [german, 'windows-1252'],
    [russian, 'windows-1251'],
    [russian, 'koi8-r'],
    [polish, 'windows-1250'],
    [polish, 'iso-8859-2'],
  ])('%#: is read in another encoding when its letters leave no doubt', (text, encoding) => {
    expect(decodeText(encodeSingle(text, encoding))).toBe(text);
  });

  test('is read as ISO-2022-JP, whose bytes are ASCII', () => {
    expect(decodeText(bytes(0x1b, '$BF|K\\8l', 0x1b, '(B!'))).toBe('日本語!');
  });

  test('is refused when a sign would stand in the middle of a word', () => {
    const menu = (letter: number) =>
      bytes('The menu of the small caf', letter, 's at the corner has not changed for years.');
    expect(decodeText(menu(0xe9))).toContain('cafés at');
    expect(problemOf(() => decodeText(menu(0x82)))).toMatch(/not certain/);
    expect(problemOf(() => decodeText(menu(0x8e)))).toMatch(/not certain/);
  });

  test.each([
    ['café', 'windows-1252'],
    ['กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย', 'windows-874'],
    [russian, 'ibm866'],
  ])('%#: is refused when its encoding is in doubt', (text, encoding) => {
    expect(problemOf(() => decodeText(encodeSingle(text, encoding)))).toMatch(
      /is not valid UTF-8 \(byte \d+ is wrong\), and which other encoding it has is not certain\. Save it as UTF-8/,
    );
  });

  test.each([
    ['a PNG image', bytes(0x89, 'PNG\r\n', 0x1a, '\n')],
    ['a PDF', bytes('%PDF-1.7\n')],
    ['a ZIP archive', bytes('PK', 3, 4, 20, 0)],
    ['an old office document', bytes(0xd0, 0xcf, 0x11, 0xe0)],
  ])('is refused as what it is: %s', (name, content) => {
    expect(problemOf(() => decodeText(content))).toContain(`is no text but ${name}`);
  });

  test('is refused when it is binary of an unknown kind', () => {
    expect(problemOf(() => decodeText(bytes(1, 2, 0xfe, 0xc3, 0x28, 0x80, 5)))).toMatch(
      /it is binary, not text/,
    );
  });
});

describe('an HTML page', () => {
  const page = (charset: string, text: string) => `<meta charset="${charset}"><p>${text}</p>`;

  test('is read in the encoding that it declares', () => {
    const declaration = page('iso-8859-1', 'caf');
    expect(decodeHtml(bytes(declaration, 0xe9, 0x93, 0x80, 0x94))).toBe(`${declaration}é“€”`);
    const http = '<META content="text/html; CHARSET=koi8-r" http-equiv=content-type>Привет';
    expect(decodeHtml(encodeSingle(http, 'koi8-r'))).toBe(http);
    const xml = '<?xml version="1.0" encoding="windows-1251"?><html>Привет</html>';
    expect(decodeHtml(encodeSingle(xml, 'windows-1251'))).toBe(xml);
  });

  test('is read as UTF-8 if it is, whatever it declares', () => {
    const text = page('iso-8859-1', 'café 😀');
    expect(decodeHtml(Buffer.from(text))).toBe(text);
  });

  test('is refused when it does not have the encoding that it declares, or that is unknown', () => {
    expect(problemOf(() => decodeHtml(encodeSingle(page('utf-8', 'café'), 'windows-1252')))).toMatch(
      /is not valid UTF-8 \(byte \d+ is wrong\)/,
    );
    expect(problemOf(() => decodeHtml(encodeSingle(page('latin-99', 'café'), 'windows-1252')))).toMatch(
      /declares the encoding "latin-99", which is unknown/,
    );
  });
});
