import type { Read } from '../incoming.ts';
import { type Element, isObject, readJsonList } from '../json-list.ts';
import { type PlainMemory, type PlainOptions, toIncoming } from '../plain-memory.ts';

/** Turns an entry into memories. Returns undefined for what is no entry of the format. */
export type MemoriesOf = (entry: Record<string, unknown>) => PlainMemory[] | undefined;

/**
 * Reads a format whose files have one list.
 * @param what names an entry, for messages.
 * @param key where the list may be in an object.
 */
export function listFormat(what: string, memoriesOf: MemoriesOf, key?: string) {
  return async function* read(parts: AsyncIterable<Buffer>, options: PlainOptions): AsyncGenerator<Read> {
    for await (const element of readJsonList(parts, { name: options.name, key }))
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
  const memories = isObject(value) ? memoriesOf(value) : undefined;
  if (memories === undefined) yield faulty(`it is no ${what}`);
  else for (const memory of memories) yield { ...toIncoming(memory, number, options), bytes };
}

/** Leaves out fields without a value. */
export function given(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null));
}
