import { lossOf } from '../../input/exact-numbers.ts';
import { isJsonObject } from '../../input/json-object.ts';
import type { Read } from '../incoming.ts';
import { type PlainOptions, toIncoming } from '../plain-memory.ts';
import { readTextLines, type TextLine } from '../read-lines.ts';
import { memoryOf } from './fields.ts';

/** Reads lines that are objects with fields of memories. */
export async function* readJsonLines(
  parts: AsyncIterable<Buffer>,
  options: PlainOptions,
): AsyncGenerator<Read> {
  for await (const line of readTextLines(parts)) {
    const row = parse(line);
    const { number, bytes } = line;
    if (typeof row === 'string') yield { kind: 'fault', line: number, reason: row, bytes };
    else yield { ...toIncoming(memoryOf(row, options.map), number, options), bytes };
  }
}

/** Returns the object of a line, or what is wrong with it. */
function parse({ text, isCut }: TextLine): Record<string, unknown> | string {
  if (text === undefined) return 'the line is not UTF-8';
  try {
    const value: unknown = JSON.parse(text);
    if (!isJsonObject(value)) return 'the line is not a JSON object';
    const loss = lossIn(text);
    return loss === undefined ? value : `the line has ${loss.replace(/\.$/, '')}`;
  } catch {
    return isCut ? 'the file ends in the middle of this line' : 'the line is not JSON';
  }
}

const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** Says what becomes of a number in a text of JSON that JavaScript would round. */
export function lossIn(text: string): string | undefined {
  if (!/\d{16}/.test(text)) return undefined;
  for (const [token] of text.matchAll(stringOrNumber)) {
    const loss = token.startsWith('"') ? undefined : lossOf(token);
    if (loss !== undefined) return loss;
  }
  return undefined;
}
