import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import Assembler from 'stream-json/assembler.js';
import parser from 'stream-json/parser.js';
import { lossOf } from '../input/exact-numbers.ts';
import { unreadable } from './incoming.ts';

/** An element of a list. */
export interface Element {
  /** From 1. */
  number: number;
  value: unknown;
  /** What becomes of a number that JavaScript would round. Undefined if all numbers stay as they are. */
  loss: string | undefined;
  /** Bytes that were read by then. */
  bytes: number;
}

/** Notices numbers that it cannot keep. */
class ExactAssembler extends Assembler {
  loss: string | undefined;

  override numberValue(text: string): void {
    this.loss ??= lossOf(text);
    super.numberValue(text);
  }
}

/** Bytes of one element. All of it is in memory, and takes a few times as much there. */
export const largestElement = 64 * 1024 * 1024;

interface Token {
  name: string;
  value?: unknown;
}

/**
 * Reads the elements of a large list in JSON, one by one.
 * @param options.key where the list may be if the file has an object: the name of the field.
 * @param options.lines whether the file may also be one object, or JSON Lines of objects, which are then the elements.
 * @throws FunesError BAD_USER_INPUT for a file that is no such JSON.
 */
export async function* readJsonList(
  parts: AsyncIterable<Buffer>,
  { name, key, lines = false }: { name: string; key?: string | undefined; lines?: boolean },
): AsyncGenerator<Element> {
  let number = 0;
  let bytes = 0;
  /** The bytes that had been read before the element that is not complete yet. */
  let before = 0;
  async function* counted() {
    for await (const part of decodeParts(parts, name)) {
      bytes += Buffer.byteLength(part);
      if (bytes - before > largestElement)
        throw unreadable(
          `${name} has more than ${largestElement} bytes in the one entry after entry ${number}.`,
        );
      yield part;
    }
  }
  const tokens = parser.asStream({ streamValues: false, jsonStreaming: lines });
  const reading = pipeline(Readable.from(counted()), tokens);
  reading.catch(() => {}); // the iteration below throws the error, too
  /** The depth of the list in the file, once it has begun. */
  let list: number | undefined;
  let depth = 0;
  let isKey = false;
  let found = false;
  let assembler: ExactAssembler | undefined;
  try {
    for await (const token of tokens as AsyncIterable<Token>) {
      if (assembler === undefined) before = bytes;
      const opens = token.name === 'startArray' || token.name === 'startObject';
      const closes = token.name === 'endArray' || token.name === 'endObject';
      if (lines && list === undefined && depth === 0 && token.name === 'startObject') {
        list = 0;
        found = true;
      }
      if (list === undefined) {
        const begins = token.name === 'startArray' && (depth === 0 || (depth === 1 && isKey));
        if (opens) depth += 1;
        if (closes) depth -= 1;
        if (begins) {
          list = depth;
          found = true;
        }
        if (depth <= 1) isKey = token.name === 'keyValue' && token.value === key;
        continue;
      }
      if (closes && depth === list && assembler === undefined) {
        list = undefined;
        depth -= 1;
        continue;
      }
      assembler ??= new ExactAssembler();
      assembler.consume(token as Parameters<Assembler['consume']>[0]);
      if (!assembler.done) continue;
      number += 1;
      yield { number, value: assembler.current, loss: assembler.loss, bytes };
      assembler = undefined;
      if (list === 0) list = undefined;
    }
    await reading;
  } catch (error) {
    if (error instanceof Error && /^Parser /.test(error.message))
      throw unreadable(`${name} is not valid JSON: it is broken or cut after entry ${number}.`);
    throw error;
  }
  if (!found) {
    const where = key === undefined ? '' : `, or an object with a list ${JSON.stringify(key)}`;
    throw unreadable(`${name} is not a list in JSON${where}.`);
  }
}

/** Decodes UTF-8, and refuses bytes that are none instead of replacing them. */
export async function* decodeParts(parts: AsyncIterable<Buffer>, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (part?: Buffer) => {
    try {
      return decoder.decode(part, { stream: part !== undefined });
    } catch {
      throw unreadable(`${name} is not UTF-8. Convert it first.`);
    }
  };
  for await (const part of parts) yield decode(part);
  yield decode();
}
