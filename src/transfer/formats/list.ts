import { isJsonObject } from '../../input/json-object.ts';
import type { Read } from '../incoming.ts';
import { type Element, readJsonList } from '../json-list.ts';
import { type PlainMemory, type PlainOptions, toIncoming } from '../plain-memory.ts';

/** Stands for a message that is left out, because the person did not see it or it has no text. */
export const leftOut = Symbol('left out');

/** A message of an entry, if it becomes a memory. */
export type Message = PlainMemory | typeof leftOut;

/** Turns an entry into memories. Returns undefined for what is no entry of the format. */
export type MemoriesOf = (entry: Record<string, unknown>) => Message[] | undefined;

/** Fields by which an entry of each format is known. */
const marks = {
  chatgpt: ['mapping'],
  claude: ['chat_messages'],
  mem0: ['memory'],
  langchain: ['page_content', 'pageContent', 'lc'],
} as const;

/** Says which other program an entry looks like. Returns nothing if it looks like none. */
function otherProgram(entry: unknown): string {
  if (!isJsonObject(entry)) return '';
  const found = Object.entries(marks).find(([, fields]) =>
    fields.some((field) => Object.hasOwn(entry, field)),
  );
  return found === undefined ? '' : `; it looks like one that --from ${found[0]} reads`;
}

/**
 * Reads a format whose files have one list.
 * @param what names an entry, for messages.
 * @param where the key of the list in an object, or that the file may also be JSON Lines.
 */
export function listFormat(
  what: string,
  memoriesOf: MemoriesOf,
  where: { key?: string; lines?: boolean } = {},
) {
  return async function* read(parts: AsyncIterable<Buffer>, options: PlainOptions): AsyncGenerator<Read> {
    for await (const element of readJsonList(parts, { name: options.name, ...where }))
      yield* readElement(element, what, memoriesOf, options);
  };
}

function* readElement(
  { number, value, loss, bytes }: Element,
  what: string,
  memoriesOf: MemoriesOf,
  options: PlainOptions,
): Generator<Read> {
  const faulty = (reason: string): Read => ({ kind: 'fault', line: number, reason, bytes });
  if (loss !== undefined) {
    yield faulty(`it has ${loss.replace(/\.$/, '')}`);
    return;
  }
  const memories = isJsonObject(value) ? memoriesOf(value) : undefined;
  if (memories === undefined) {
    yield faulty(`it is no ${what}${otherProgram(value)}`);
    return;
  }
  for (const memory of memories)
    yield memory === leftOut ? { kind: 'leftOut', bytes } : { ...toIncoming(memory, number, options), bytes };
}

/** Leaves out fields without a value. */
export function given(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null));
}
