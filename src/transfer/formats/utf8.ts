import { badFile } from './records.ts';

/**
 * Passes a file on as UTF-8 without a byte order mark. UTF-16 is recognized by its mark. Throws for every other encoding, and for
 * files that are no text, because their characters would be stored as others.
 */
export async function* utf8Of(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let decoder: TextDecoder | undefined;
  let isUtf8 = true;
  let offset = 0;
  for await (const part of withWholeMark(bytes)) {
    if (decoder === undefined) {
      refuseOtherFiles(part);
      const encoding = encodingOf(part);
      isUtf8 = encoding === 'utf-8';
      decoder = new TextDecoder(encoding, { fatal: true });
    }
    const text = decode(decoder, part, offset);
    // Bytes that are UTF-8 are passed on as they are. A character may be cut by the end of a part.
    const passed = isUtf8 ? (offset === 0 ? withoutMark(part) : part) : Buffer.from(text);
    if (passed.includes(0)) throw badFile(`The file is no text: there is a zero byte behind byte ${offset}.`);
    if (passed.length > 0) yield passed;
    offset += part.length;
  }
  if (decoder === undefined) throw badFile('The file is empty.');
  decode(decoder, undefined, offset);
}

/** Joins the first parts of a file until a byte order mark would be whole. */
async function* withWholeMark(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | undefined = new Uint8Array();
  for await (const part of bytes) {
    if (head === undefined) yield part;
    else {
      head = Buffer.concat([head, part]);
      if (head.length < 4) continue;
      yield head;
      head = undefined;
    }
  }
  if (head !== undefined && head.length > 0) yield head;
}

function encodingOf(head: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

function withoutMark(head: Uint8Array): Uint8Array {
  const hasMark = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
  return hasMark ? head.subarray(3) : head;
}

function refuseOtherFiles(head: Uint8Array): void {
  if (head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4)
    throw badFile(
      'The file is a zip archive. Unpack it, and import the file in it, such as conversations.json.',
    );
  if (head[0] === 0x1f && head[1] === 0x8b)
    throw badFile('The file is compressed with gzip. Unpack it first, for instance with gunzip.');
}

function decode(decoder: TextDecoder, part: Uint8Array | undefined, offset: number): string {
  try {
    return part === undefined ? decoder.decode() : decoder.decode(part, { stream: true });
  } catch {
    throw badFile(
      `The file is not ${decoder.encoding.toUpperCase()} text: some of its bytes behind byte ${offset} are no characters. Save it ` +
        'as UTF-8.',
    );
  }
}
