/** Characters that are cut into windows at a time. Tokenizing them takes about 10 ms. */
export const segmentLength = 16_384;

/**
 * Cuts a text into consecutive segments of at most `segmentLength` characters. Cuts at white space if there is some near the
 * end of the segment, and never inside a surrogate pair. Most texts are one segment.
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

/** The vector of a window, and how many tokens the window has. */
export interface WindowVector {
  tokens: number;
  vector: Float32Array;
}

/**
 * Computes the vector of a text from the vectors of its windows: their mean, weighted by tokens and scaled to length 1. Every
 * token has an equal share, as in the mean pooling of the model. If a text has one window, its vector is returned unchanged.
 * Windows without tokens (white space) count only if no window has tokens.
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
