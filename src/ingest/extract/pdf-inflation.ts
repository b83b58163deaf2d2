import { inflateSync } from 'node:zlib';
import { UnreadableFile } from './extraction.ts';

/** What the streams of a PDF may hold when they are unpacked, without pictures. */
export const pdfLimits = {
  /** Bytes of all streams. */
  bytes: 256 * 1024 * 1024,
  /** Bytes of all streams for each byte of the file; counts from `freeBytes` on. */
  ratio: 200,
  freeBytes: 8 * 1024 * 1024,
} as const;

/**
 * Unpacks the streams of a PDF and counts their bytes, because the library that reads the file has no limit. Pictures are left
 * out; the library does not unpack them for the text. A stream that is encrypted or broken counts as what could be unpacked.
 * @throws UnreadableFile LIMIT_EXCEEDED for a file that holds too much.
 */
export function refuseInflation(bytes: Uint8Array): void {
  const most = Math.min(pdfLimits.bytes, Math.max(pdfLimits.freeBytes, bytes.length * pdfLimits.ratio));
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let total = 0;
  for (const { dictionary, start, end } of streamsOf(file)) {
    if (/\/Subtype\s*\/Image\b/.test(dictionary)) continue;
    let content = file.subarray(start, end);
    const filters = dictionary.match(/\/(?:FlateDecode|Fl)\b/g)?.length ?? 0;
    for (let filter = 0; filter < filters && content.length > 0; filter += 1) {
      content = inflate(content, most - total);
      total += content.length;
    }
  }
}

/** Streams and the dictionaries before them. */
function* streamsOf(file: Buffer): Generator<{ dictionary: string; start: number; end: number }> {
  let at = 0;
  for (;;) {
    const keyword = file.indexOf('stream', at, 'latin1');
    if (keyword < 0) return;
    at = keyword + 6;
    const lineEnd = file[at] === 0x0d && file[at + 1] === 0x0a ? 2 : 1;
    if (file[at] !== 0x0a && file[at] !== 0x0d) continue;
    const before = file.toString('latin1', Math.max(0, keyword - 2000), keyword);
    const object = before.lastIndexOf(' obj');
    const start = at + lineEnd;
    const found = file.indexOf('endstream', start, 'latin1');
    const end = found < 0 ? file.length : found;
    yield { dictionary: before.slice(object < 0 ? 0 : object), start, end };
    at = end + 'endstream'.length;
  }
}

function inflate(content: Buffer, most: number): Buffer {
  try {
    return inflateSync(content, { maxOutputLength: Math.max(1, most), finishFlush: 2 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') return Buffer.alloc(0);
    throw new UnreadableFile(
      `is too much to unpack: its streams hold more than ${pdfLimits.bytes} bytes, or more than ${pdfLimits.ratio} for each byte ` +
        'of the file. Divide the document.',
      'LIMIT_EXCEEDED',
    );
  }
}
