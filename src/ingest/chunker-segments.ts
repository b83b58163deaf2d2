/** A segment of a text: `text.slice(start, end)`. */
export interface Segment {
  start: number;
  end: number;
  /** Of words: it has letters or digits, so that it is neither punctuation nor white space. */
  isWordLike: boolean;
  /** It continues the segment before it, which was longer than a window. */
  continued: boolean;
}

/**
 * Longest stretch that is handed to Intl.Segmenter. In V8 each step over a text costs time in proportion to the whole
 * text (a step over 500,000 characters takes about 1 ms), so that only short texts are segmented in linear time.
 */
const windowLength = 512;

const lineBreak = /[\n\v\f\r\u0085\u2028\u2029]/g;

/**
 * The sentences, words or graphemes (Unicode Standard Annex 29) of `text.slice(start, end)`, in order and without gaps.
 * A line break counts as a space, for hard-wrapped lines would each be a sentence otherwise. A segment longer than
 * 512 UTF-16 units comes in parts, never cut inside a surrogate pair.
 */
export function* segmentsOf(
  segmenter: Intl.Segmenter,
  text: string,
  start: number,
  end: number,
): Generator<Segment> {
  let from = start;
  let continued = false;
  while (from < end) {
    const to = Math.min(end, wholeCharacters(text, from + windowLength));
    const parts = [...segmenter.segment(text.slice(from, to).replace(lineBreak, ' '))];
    // What the window's end cut off is segmented again from its beginning.
    const last = to < end && parts.length > 1 ? parts.pop() : undefined;
    for (const part of parts) {
      const at = from + part.index;
      yield { start: at, end: at + part.segment.length, isWordLike: part.isWordLike === true, continued };
      continued = false;
    }
    continued = last === undefined;
    from = last === undefined ? to : from + last.index;
  }
}

/** `offset`, moved to the beginning of the surrogate pair that it would cut. */
export function wholeCharacters(text: string, offset: number): number {
  return (text.codePointAt(offset - 1) ?? 0) > 0xffff ? offset - 1 : offset;
}
