import { decodeCursor } from '../../src/input/cursor-text.ts';
import type { RawAnswer } from './leaks.ts';

/** As the API and as PostgreSQL write it. */
const time = /^\d{4}-\d\d-\d\d[T ][\d:.]+(Z|[+-]\d\d(:\d\d)?)$/;
const dayMs = 86_400_000;

/** Answers to one request at two moments differ in the times of what was just written, and in scores that depend on the time. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number')
    return Math.abs(a - b) <= 1e-3 * Math.max(1, Math.abs(a), Math.abs(b));
  if (typeof a === 'string' && typeof b === 'string')
    return a === b || (isNow(a) && isNow(b)) || isSameCursor(a, b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const [left, right] = [entriesOf(a), entriesOf(b)];
  return left.size === right.size && [...left].every(([name, value]) => isSame(value, right.get(name)));
}

const isNow = (text: string): boolean => time.test(text) && Math.abs(Date.now() - Date.parse(text)) < dayMs;

function isSameCursor(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => (text.length > 20 ? decodeCursor(text) : undefined));
  return typeof left === 'object' && left !== null && isSame(left, right);
}

/** How long a search took is another number each time. */
const entriesOf = (value: object): Map<string, unknown> =>
  new Map(Object.entries(value).filter(([name]) => name !== 'tookMs'));

/** Returns how two answers to one request differ; undefined if they say the same. */
export function differenceOf(a: RawAnswer, b: RawAnswer): string | undefined {
  for (const part of ['status', 'data', 'errors', 'extensions'] as const)
    if (!isSame(a[part], b[part]))
      return `${part}: ${JSON.stringify(a[part])}\nand: ${JSON.stringify(b[part])}`;
  return undefined;
}
