import { analyse } from 'chardet';
import { quote } from '../../errors.ts';
import { UnreadableFile } from './extraction.ts';

/**
 * Decodes a text file: UTF-8, UTF-16, or another encoding if the bytes leave no doubt about it. A byte order mark is not part of
 * the text. All other characters stay as they are, including line endings.
 *
 * @throws UnreadableFile for bytes that are not text, or whose encoding is not certain.
 */
export function decodeText(bytes: Uint8Array): string {
  refuseKnownBinary(bytes);
  return withoutNul(
    decodeMarked(bytes) ??
      decodeIso2022(bytes) ??
      decodeUtf8(bytes) ??
      decodeUnmarkedUtf16(bytes) ??
      decodeDetected(bytes),
  );
}

/**
 * Decodes an HTML page: by its byte order mark, as UTF-8 if it is, by the encoding that the page declares, or as `decodeText`.
 * A page that is valid UTF-8 is UTF-8 whatever it declares, because hardly any text of another encoding is.
 *
 * @throws UnreadableFile as `decodeText`, and for a declared encoding that is unknown or that the bytes do not have.
 */
export function decodeHtml(bytes: Uint8Array): string {
  refuseKnownBinary(bytes);
  const declared = declaredEncoding(bytes);
  const text = decodeMarked(bytes) ?? decodeIso2022(bytes) ?? decodeUtf8(bytes) ?? decodeUnmarkedUtf16(bytes);
  return withoutNul(text ?? (declared ? decodeDeclared(bytes, declared) : decodeDetected(bytes)));
}

const signatures: readonly { name: string; advice: string; bytes: readonly number[] }[] = [
  { name: 'a PDF', advice: 'Send it with fileType "pdf".', bytes: [0x25, 0x50, 0x44, 0x46, 0x2d] },
  {
    name: 'a ZIP archive or an office document',
    advice: 'Send a docx, pptx or xlsx with its fileType, and other files one by one.',
    bytes: [0x50, 0x4b, 0x03, 0x04],
  },
  {
    name: 'an old office document (doc, xls or ppt)',
    advice: 'Save it as docx, xlsx or pptx.',
    bytes: [0xd0, 0xcf, 0x11, 0xe0],
  },
  { name: 'a PNG image', advice: 'Send the text that it shows.', bytes: [0x89, 0x50, 0x4e, 0x47] },
  { name: 'a JPEG image', advice: 'Send the text that it shows.', bytes: [0xff, 0xd8, 0xff] },
  { name: 'a gzip archive', advice: 'Unpack it, and send what is in it.', bytes: [0x1f, 0x8b] },
];

function refuseKnownBinary(bytes: Uint8Array): void {
  const found = signatures.find((one) => one.bytes.every((byte, index) => bytes[index] === byte));
  if (found) {
    throw new UnreadableFile(`is no text but ${found.name}. ${found.advice}`);
  }
}

function decodeMarked(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decodeStrictly(bytes, 'utf-16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decodeStrictly(bytes, 'utf-16be');
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return decodeStrictly(bytes, 'utf-8');
  return undefined;
}

function decodeStrictly(bytes: Uint8Array, encoding: string): string {
  try {
    return decodeAs(bytes, encoding);
  } catch {
    const where = encoding === 'utf-8' ? ` (byte ${firstInvalidByte(bytes)} is wrong)` : '';
    throw new UnreadableFile(
      `is not valid ${encoding.toUpperCase()}${where}. Save it as UTF-8 and send it again.`,
    );
  }
}

/** ISO-2022-JP has ASCII bytes only, so it is valid UTF-8 too. Its escape sequences tell it apart. */
function decodeIso2022(bytes: Uint8Array): string | undefined {
  const file = Buffer.from(bytes);
  if (!file.includes('\u001B$B') && !file.includes('\u001B$@')) return undefined;
  return tryDecode(bytes, 'iso-2022-jp');
}

/** The characters of the bytes 0x80 to 0x9F in windows-1252. */
const windows1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8DŽ\x8F\x90‘’“”•–—˜™š›œ\x9DžŸ';

/** @throws RangeError for an unknown encoding, TypeError for bytes that do not have it. */
function decodeAs(bytes: Uint8Array, encoding: string): string {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const text = decoder.decode(bytes);
  if (decoder.encoding !== 'windows-1252') return text;
  // Node 20 decodes these bytes as ISO-8859-1.
  return text.replace(/[\x80-\x9F]/g, (control) => windows1252[control.charCodeAt(0) - 0x80] ?? control);
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** UTF-16 without a mark: in most languages, half of its bytes are 0, and all of these on the same side. */
function decodeUnmarkedUtf16(bytes: Uint8Array): string | undefined {
  if (bytes.length < 4 || bytes.length % 2 === 1) return undefined;
  const zeros = [0, 0];
  for (const [index, byte] of bytes.entries()) if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  if (Math.max(even, odd) * 2 < bytes.length * 0.4 || Math.min(even, odd) > 0) return undefined;
  return decodeStrictly(bytes, odd > even ? 'utf-16le' : 'utf-16be');
}

function withoutNul(text: string): string {
  if (text.includes('\0')) {
    throw new UnreadableFile(
      `contains a NUL character (at character ${text.indexOf('\0')}): it is binary, or text in another ` +
        'encoding. Save it as UTF-8 and send it again.',
    );
  }
  return text;
}

/** A guess of the detector that is below this is none. Its unit is percent. */
const leastConfidence = 50;
/** How much less confident the detector is of each other encoding that would make another text of the bytes. */
const leastLead = 15;
/** The detector counts letters; a longer sample changes nothing and takes longer. */
const sampleLength = 200_000;

/** Control characters that no text has, whatever its encoding. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const controls = /[\x00-\x08\x0E-\x1A\x1C-\x1F\x7F]/;

function decodeDetected(bytes: Uint8Array): string {
  const offset = firstInvalidByte(bytes);
  const isBinary = controls.test(Buffer.from(bytes).toString('latin1'));
  const decoded = isBinary ? undefined : certainText(bytes);
  if (decoded !== undefined) return decoded;
  throw new UnreadableFile(
    `is not valid UTF-8 (byte ${offset} is wrong), and ` +
      (isBinary ? 'it is binary, not text. ' : 'which other encoding it has is not certain. ') +
      'Save it as UTF-8 and send it again.',
  );
}

function certainText(bytes: Uint8Array): string | undefined {
  if (isDamagedUtf8(bytes)) return undefined;
  const guesses: { text: string; confidence: number }[] = [];
  for (const { name, confidence } of analyse(bytes.subarray(0, sampleLength))) {
    const text = /^UTF-(?:16|32)/.test(name) ? undefined : tryDecode(bytes, name);
    if (text !== undefined) guesses.push({ text, confidence });
  }
  const [best] = guesses;
  if (!best || best.confidence < leastConfidence) return undefined;
  const rival = guesses.find((guess) => guess.text !== best.text);
  return !rival || best.confidence - rival.confidence >= leastLead ? best.text : undefined;
}

/**
 * Whether more characters beyond ASCII are valid UTF-8 than are not, or halves of surrogate pairs are written as in UTF-8. Both
 * are hardly so in another encoding.
 */
function isDamagedUtf8(bytes: Uint8Array): boolean {
  if (/\xED[\xA0-\xBF][\x80-\xBF]/.test(Buffer.from(bytes).toString('latin1'))) return true;
  const pieces = new TextDecoder('utf-8').decode(bytes).split('\uFFFD');
  const valid = pieces.reduce((sum, piece) => sum + (piece.match(/[\u0080-\u{10FFFF}]/gu)?.length ?? 0), 0);
  const written = Buffer.from(bytes).toString('latin1').split('\xEF\xBF\xBD').length - 1;
  return valid + written >= pieces.length - 1 - written;
}

/** Characters that a wrong encoding makes of letters: unassigned ones and controls. */
const implausible = /[\u0080-\u009F\uFFFD\p{Cn}\p{Co}]/u;
/** Capitals and signs beyond ASCII in the middle of a word, apart from hyphens and apostrophes. */
const implausibleInWord =
  /\p{Ll}(?![A-Z])\p{Lu}|[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}](?![\0-\x7F\u00AD\u00B7\u2010-\u2015\u2018\u2019])[\p{P}\p{S}]\p{L}/u;

function tryDecode(bytes: Uint8Array, encoding: string): string | undefined {
  try {
    const text = decodeAs(bytes, encoding);
    return implausible.test(text) || implausibleInWord.test(text) || mixesScripts(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

const scripts = [
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu,
  /\p{Script=Hangul}/gu,
  /\p{Script=Cyrillic}/gu,
  /\p{Script=Greek}/gu,
  /\p{Script=Hebrew}/gu,
  /\p{Script=Arabic}/gu,
  /\p{Script=Thai}/gu,
];

/** A wrong encoding makes letters of several scripts. A text has one beside Latin, but for a few letters. */
function mixesScripts(text: string): boolean {
  const counts = scripts.map((script) => text.match(script)?.length ?? 0);
  const all = counts.reduce((sum, count) => sum + count, 0);
  return Math.max(...counts) < all * 0.95;
}

/** The encoding that an HTML page or an XML declaration names in its first bytes. */
function declaredEncoding(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 2048))
    .toString('latin1')
    .replace(/<!--.*?-->/gs, '');
  const meta = /<meta\s[^>]*?charset\s*=\s*["']?\s*([\w.:-]+)/i.exec(head);
  return meta?.[1] ?? /^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)/i.exec(head)?.[1];
}

function decodeDeclared(bytes: Uint8Array, declared: string): string {
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(declared, { fatal: true });
  } catch {
    throw new UnreadableFile(
      `declares the encoding ${quote(declared)}, which is unknown. Save it as UTF-8 and send it again.`,
    );
  }
  return decodeStrictly(bytes, decoder.encoding);
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
