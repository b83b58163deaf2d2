/** A value as a client wrote it. */
export interface WrittenValue {
  /** Undefined for a variable. */
  value: unknown;
  /** In the syntax of GraphQL; `...` for a long value. */
  text: string;
}

/** Longer values would hide what a message says. */
const longestText = 80;
/** Deeper values, as wide ones, have more than the longest text. */
const deepestText = 8;

/** A text of the query as a part of a hint. */
export function shortText(text: string): string {
  return text.length > longestText || text.includes('\n') ? '...' : text;
}

/** A value of a variable as a part of a hint. */
export function writtenValue(value: unknown): WrittenValue {
  return { value, text: shortText(literalOf(value)) };
}

/**
 * Writes a value of JSON in the syntax of GraphQL, which has no quotes around names. Leaves out what is deep, and ends soon after
 * the longest text.
 */
export function literalOf(value: unknown, depth = 0): string {
  if (typeof value === 'string')
    return value.length <= 2 * longestText
      ? JSON.stringify(value)
      : `${JSON.stringify(value.slice(0, longestText)).slice(0, -1)}..."`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '...';
  if (depth === deepestText) return '...';
  const parts: string[] = [];
  let length = 0;
  for (const name in value) {
    if (length > longestText) {
      parts.push('...');
      break;
    }
    const inner = literalOf((value as Record<string, unknown>)[name], depth + 1);
    parts.push(Array.isArray(value) ? inner : `${name.slice(0, longestText)}: ${inner}`);
    length += (parts.at(-1) ?? '').length;
  }
  return Array.isArray(value) ? `[${parts.join(', ')}]` : `{ ${parts.join(', ')} }`;
}
