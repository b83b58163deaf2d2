import { wholeCharacters } from '../input/characters.ts';

/** A segment of a text: `text.slice(start, end)`. */
export interface Segment {
  start: number;
  end: number;
  /** Only for words: the segment has letters or digits, so it is neither punctuation nor white space. */
  isWordLike: boolean;
  /** The segment continues the previous one, which was longer than a window. */
  continued: boolean;
}

/**
 * Longest text that is passed to Intl.Segmenter. In V8, each step takes time in proportion to the whole text (about 1 ms for
 * 500,000 characters), so only short texts are segmented in linear time.
 */
const windowLength = 512;

const lineBreak = /[\n\v\f\r\u0085\u2028\u2029]/g;

/**
 * The sentences, words or graphemes (Unicode Standard Annex 29) of `text.slice(start, end)`, in order and without gaps.
 * A line break counts as a space, because otherwise each line of a hard-wrapped text would be a sentence. A segment of more
 * than 512 UTF-16 units comes in parts. A surrogate pair is never cut.
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
    // The end of the window may have cut the last segment, so the next window begins with that segment.
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
