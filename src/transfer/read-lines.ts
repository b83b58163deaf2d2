import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { quote } from '../errors.ts';
import { unreadable } from './incoming.ts';

/** A line of a file. */
export interface TextLine {
  /** From 1. */
  number: number;
  /** Undefined if its bytes are no UTF-8. */
  text: string | undefined;
  /** Bytes of the file up to the end of the line. */
  bytes: number;
  /** Whether the file ends in the line, without a line end. */
  isCut: boolean;
}

/** The longest line, in bytes. A chunk with its vector has some 10 kB. */
const longestLine = 64 * 1024 * 1024;
const bytesLookedAt = 8192;

/**
 * Opens a file of text, and returns its bytes and its size.
 * @param name how messages name it.
 * @throws FunesError BAD_USER_INPUT for a file that is not there, is empty, or is no text.
 */
export async function openText(
  path: string,
  name: string,
): Promise<{ size: number; parts(): AsyncIterable<Buffer> }> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw unreadable(`${name} is not there.`);
    throw unreadable(`${name} cannot be read (${error.code}).`);
  });
  if (found.isDirectory()) throw unreadable(`${name} is a folder. Name a file.`);
  if (found.isFile() && found.size === 0) throw unreadable(`${name} is empty.`);
  return { size: found.size, parts: () => readParts(path, name) };
}

async function* readParts(path: string, name: string): AsyncGenerator<Buffer> {
  let isFirst = true;
  const stream: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 256 * 1024 });
  try {
    for await (const part of stream) {
      if (isFirst && part.subarray(0, bytesLookedAt).includes(0))
        throw unreadable(`${name} is a binary file, not text.`);
      isFirst = false;
      yield part;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof Error && typeof code === 'string' && /^E[A-Z]+$/.test(code))
      throw unreadable(`${name} cannot be read (${code}).`);
    throw error;
  }
}

/** Cuts bytes into lines. A blank line is none, but counts. @throws FunesError BAD_USER_INPUT for a line that is too long. */
export async function* readTextLines(parts: AsyncIterable<Buffer>): AsyncGenerator<TextLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true }); // it drops a byte order mark
  let number = 0;
  let bytes = 0;
  let begun: Buffer[] = [];
  let length = 0;

  function lineOf(isCut: boolean): TextLine {
    const whole = begun.length === 1 ? (begun[0] as Buffer) : Buffer.concat(begun, length);
    begun = [];
    length = 0;
    return { number, text: decode(decoder, whole), bytes, isCut };
  }

  for await (const part of parts) {
    let start = 0;
    for (let end = part.indexOf(10); end !== -1; end = part.indexOf(10, start)) {
      begun.push(part.subarray(start, end));
      length += end - start;
      bytes += end - start + 1;
      start = end + 1;
      number += 1;
      const line = lineOf(false);
      if (line.text?.trim() !== '') yield line;
    }
    if (start === part.length) continue;
    // A copy, because the line may go on for long, and the part is much larger.
    begun.push(Buffer.from(part.subarray(start)));
    length += part.length - start;
    bytes += part.length - start;
    if (length > longestLine)
      throw unreadable(
        `Line ${number + 1} has more than ${longestLine} bytes. Is it ${quote('JSON Lines')}?`,
      );
  }
  if (length === 0) return;
  number += 1;
  const line = lineOf(true);
  if (line.text?.trim() !== '') yield line;
}

function decode(decoder: TextDecoder, bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
