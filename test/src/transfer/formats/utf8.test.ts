import { expect, test } from 'vitest';
import { utf8Of } from '../../../../src/transfer/formats/utf8.ts';
import { partsOf } from './read.ts';

const text = 'Grüße 🥖, and more';

async function decoded(file: Uint8Array, partLength: number): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of utf8Of(partsOf(file, partLength))) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le');

test.each([
  ['UTF-8', Buffer.from(text)],
  ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`)],
  ['UTF-16 of Windows', utf16],
  ['UTF-16 with the other order', Buffer.from(utf16).swap16()],
])('%s is read, whatever its parts', async (_, file) => {
  for (const partLength of [1, 2, 3, 5, 1000]) expect(await decoded(file, partLength)).toBe(text);
});

test.each([
  ['nothing', Buffer.alloc(0), 'The file is empty.'],
  [
    'Latin-1',
    Buffer.from('Grüße', 'latin1'),
    /^The file is not UTF-8 text: some of its bytes behind byte 0 /,
  ],
  ['a cut character', Buffer.from('Grü').subarray(0, 3), /^The file is not UTF-8 text/],
  ['a zip archive', Buffer.from('PK\x03\x04...'), /^The file is a zip archive/],
  ['gzip', Buffer.from([0x1f, 0x8b, 8, 0, 0]), /^The file is compressed with gzip/],
  ['zeros', Buffer.from('ab\0cd'), 'The file is no text: there is a zero byte behind byte 0.'],
])('%s is refused', async (_, file, message) => {
  await expect(decoded(file, 1000)).rejects.toThrow(message);
});
