import { extname } from 'node:path';
import { FunesError, quote } from '../errors.ts';
import type { TextStructure } from './chunker-outline.ts';

/** A file format of documents. */
export interface DocumentFormat {
  /** The usual extension without the dot. It is stored as the file type of a document. */
  name: string;
  /** Other extensions, and media types, in lower case. */
  aliases: readonly string[];
  /** How the chunker finds headings and blocks in the text. */
  structure: TextStructure;
  /** Returns the text of a file. @throws FunesError BAD_USER_INPUT for bytes that do not have this format. */
  decode(bytes: Uint8Array): string | Promise<string>;
}

/** All formats that can be ingested. A new format needs only an entry here. */
export const documentFormats: readonly DocumentFormat[] = [
  { name: 'txt', aliases: ['text', 'text/plain'], structure: 'text', decode: decodeText },
  {
    name: 'md',
    aliases: ['markdown', 'text/markdown', 'text/x-markdown'],
    structure: 'markdown',
    decode: decodeText,
  },
];

/**
 * Finds the format of a document by `fileType` (an extension or a media type, in upper or lower case). Without a `fileType`,
 * the extension of `filename` decides; a name without an extension means plain text.
 *
 * @throws FunesError BAD_USER_INPUT that names the supported formats, for any other format.
 */
export function formatOf(filename: string, fileType?: string | null): DocumentFormat {
  const said = fileType?.trim() || extname(filename) || 'txt';
  const name = said.replace(/^\./, '').replace(/;.*$/s, '').trim().toLowerCase();
  const format = documentFormats.find((one) => one.name === name || one.aliases.includes(name));
  if (format) return format;
  const source = fileType?.trim() ? 'fileType is' : `The file ${quote(filename)} has the extension`;
  throw new FunesError(
    'BAD_USER_INPUT',
    `${source} ${quote(said)}, which cannot be ingested. Supported are ` +
      `${documentFormats.map((one) => [one.name, ...one.aliases].join(' or ')).join('; ')}: ` +
      'convert the file, or say with fileType which of these it is.',
  );
}

/**
 * Decodes a text file in UTF-8, or in UTF-16 with a byte order mark. A byte order mark is not part of the text. All other
 * characters stay as they are, including line endings.
 *
 * @throws FunesError BAD_USER_INPUT for bytes that are not text in these encodings.
 */
export function decodeText(bytes: Uint8Array): string {
  const encoding = encodingOf(bytes);
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    const where = encoding === 'utf-8' ? ` (byte ${firstInvalidByte(bytes)} is wrong)` : '';
    throw new FunesError(
      'BAD_USER_INPUT',
      `The file is not valid ${encoding.toUpperCase()}${where}. Save it as UTF-8 and send it again.`,
      { cause: error },
    );
  }
  if (text.includes('\0')) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `The file contains a NUL character (at character ${text.indexOf('\0')}): it is binary, or text in another ` +
        'encoding. Save it as UTF-8 and send it again.',
    );
  }
  return text;
}

/**
 * Decodes base64 (RFC 4648, standard or URL-safe alphabet, white space allowed, padding optional).
 * @param name the input path of the value, for the error.
 * @throws FunesError BAD_USER_INPUT for anything else.
 */
export function decodeBase64(value: string, name: string): Uint8Array {
  const digits = value.replace(/\s+/g, '').replace(/={1,2}$/, '');
  const wrong = /[^A-Za-z0-9+/_-]/u.exec(digits);
  if (wrong || digits.length % 4 === 1) {
    const reason = wrong ? `has the character ${quote(wrong[0])}` : 'was cut off';
    throw new FunesError(
      'BAD_USER_INPUT',
      `${name} is not base64: it ${reason}. Encode the file's bytes again.`,
    );
  }
  return Buffer.from(digits, 'base64');
}

function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

/** The offset of the first byte that is not valid UTF-8. */
function firstInvalidByte(bytes: Uint8Array): number {
  const replacement = Buffer.from('\uFFFD');
  let offset = 0;
  for (const valid of new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).split('\uFFFD')) {
    offset += Buffer.byteLength(valid);
    // If the file itself has a replacement character, the search goes on behind it.
    if (!replacement.equals(bytes.subarray(offset, offset + replacement.length))) break;
    offset += replacement.length;
  }
  return offset;
}
