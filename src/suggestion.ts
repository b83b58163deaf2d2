import { closest, distance } from 'fastest-levenshtein';

/** The end of a message that refuses a name: ` Did you mean PORT?` if a known name is close to `name`, otherwise nothing. */
export function suggestion(name: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const nearest = closest(name, known);
  const near = distance(name, nearest) <= Math.max(2, name.length * 0.35);
  return near ? ` Did you mean ${nearest}?` : '';
}
