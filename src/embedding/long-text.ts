/** Characters of text that are cut into windows at a time: about 10 ms of tokenizing. */
export const segmentLength = 16_384;

/**
 * Cuts a text into consecutive segments of at most `segmentLength` characters, at white space where there is any
 * near the end and never inside a surrogate pair. Most texts are one segment.
 */
export function segments(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  while (text.length - start > segmentLength) {
    const end = segmentEnd(text, start + segmentLength);
    parts.push(text.slice(start, end));
    start = end;
  }
  parts.push(text.slice(start));
  return parts;
}

function segmentEnd(text: string, limit: number): number {
  for (let end = limit; end > limit - segmentLength / 8; end--) {
    if (/\s/.test(text.charAt(end))) return end;
  }
  return (text.codePointAt(limit - 1) ?? 0) > 0xffff ? limit - 1 : limit;
}

/** The vector of a window and how many tokens it stands for. */
export interface WindowVector {
  tokens: number;
  vector: Float32Array;
}

/**
 * The vector of a text from those of its windows: their mean, weighted by tokens, scaled to length 1. Every part of
 * the text has its share, in proportion to its length, as every token has in the model's own mean pooling. The only
 * window of a short text is returned as it is; windows without a token (white space) count only when all are such.
 */
export function meanOfWindows(windows: readonly WindowVector[]): Float32Array {
  const first = windows[0];
  if (first === undefined) throw new RangeError('A text has at least one window.');
  const worded = windows.filter((window) => window.tokens > 0);
  if (worded.length <= 1) return (worded[0] ?? first).vector;
  const mean = new Float64Array(first.vector.length);
  for (const { tokens, vector } of worded) {
    vector.forEach((value, i) => {
      mean[i] = (mean[i] as number) + tokens * value;
    });
  }
  const norm = Math.hypot(...mean);
  return Float32Array.from(mean, (value) => (norm === 0 ? 0 : value / norm));
}
