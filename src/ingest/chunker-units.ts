import { wholeCharacters } from '../input/characters.ts';
import { type Boundary, type Outline, type Span, strength } from './chunker-outline.ts';
import { segmentsOf } from './chunker-segments.ts';

/**
 * The smallest part of a text that is moved between chunks, usually a word with the white space after it. A unit begins at
 * `start` and ends at the start of the next one. All units together are the whole text.
 */
export interface Unit {
  start: number;
  /** At least 1: text without tokens (white space, zero-width characters) belongs to a neighbouring unit. */
  tokens: number;
  /** The strength of the boundary at its beginning. */
  strength: number;
}

/** Returns the number of tokens of a text, without special ones. */
export type TokenCounter = (text: string) => number;

// A longer word is probably a URL, data, or text in a script without spaces. Boundaries inside it are kept for overlaps.
const longestPlainWord = 32;
/** WordPiece takes a run of more than 100 letters for one unknown token of any length, so longer words are split first. */
const longestMeasuredWord = 64;
const shortestPiece = 8;

const wordSegmenter = new Intl.Segmenter('en', { granularity: 'word' });
const graphemeSegmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** How long units, and spans that stay whole, may be. */
export interface UnitLimits {
  /** Most tokens of a unit. */
  unitTokens: number;
  /** Returns the most tokens of a chunk that begins at an offset. */
  chunkTokens(offset: number): number;
}

/**
 * Cuts a text into units of at most `unitTokens` tokens. A character with more tokens stays one unit. A text without tokens has
 * no units.
 */
export function measureUnits(
  text: string,
  outline: Outline,
  countTokens: TokenCounter,
  { unitTokens, chunkTokens }: UnitLimits,
): Unit[] {
  const units = new UnitList(text, countTokens, unitTokens);
  let next = 0;
  let gapStart = 0;
  for (const { 0: word, index: wordStart } of text.matchAll(/\S+/g)) {
    const gap = text.slice(gapStart, wordStart);
    const wordEnd = wordStart + word.length;
    const inner: Boundary[] = [];
    let cutStrength = gapStrength(gap);
    for (; (outline.boundaries[next]?.offset ?? Number.POSITIVE_INFINITY) < wordEnd; next += 1) {
      const boundary = outline.boundaries[next] as Boundary;
      if (boundary.offset > wordStart) inner.push(boundary);
      else cutStrength = Math.max(cutStrength, boundary.strength);
    }
    units.begin(gapStart + indentationStart(gap), cutStrength);
    units.addParts(wordStart, wordEnd, inner);
    gapStart = wordEnd;
  }
  units.keepWhole(outline.kept, chunkTokens);
  const [first] = units.list;
  if (first) first.start = 0;
  return units.list;
}

/** Indentation belongs to its line; other white space belongs to the word before it. */
function indentationStart(gap: string): number {
  const lineBreak = Math.max(gap.lastIndexOf('\n'), gap.lastIndexOf('\r'));
  return lineBreak < 0 ? gap.length : lineBreak + 1;
}

function gapStrength(gap: string): number {
  if (gap.length < 2 && gap !== '\n' && gap !== '\r') return strength.word;
  const lines = gap.match(/\r\n?|\n/g)?.length ?? 0;
  if (lines === 0) return strength.word;
  return lines === 1 ? strength.line : strength.item;
}

class UnitList {
  readonly list: Unit[] = [];
  /** The beginning of the next unit, until text with tokens comes. */
  private next: { start: number; strength: number } | undefined;

  constructor(
    private readonly text: string,
    private readonly countTokens: TokenCounter,
    private readonly maxTokens: number,
  ) {}

  /** Begins the next unit, unless text without tokens has already begun it. */
  begin(start: number, cutStrength: number): void {
    this.next ??= { start, strength: cutStrength };
  }

  /** Adds the word `text.slice(start, end)`, cut at the boundaries inside it. */
  addParts(start: number, end: number, inner: Boundary[]): void {
    let partStart = start;
    for (const boundary of inner) {
      this.addWord(partStart, boundary.offset);
      partStart = boundary.offset;
      this.begin(partStart, boundary.strength);
    }
    this.addWord(partStart, end);
  }

  /** Weakens the boundaries inside each span that fits in a chunk. Spans may overlap. */
  keepWhole(spans: Span[], chunkTokens: (offset: number) => number): void {
    const tokensBefore = cumulativeTokens(this.list);
    for (const span of spans) {
      const from = this.firstFrom(span.start);
      const to = this.firstFrom(span.end);
      if ((tokensBefore[to] ?? 0) - (tokensBefore[from] ?? 0) > chunkTokens(span.start)) continue;
      for (const unit of this.list.slice(from + 1, to)) unit.strength = strength.piece;
    }
  }

  private addWord(start: number, end: number): void {
    if (end - start <= longestPlainWord && this.addIfSmall(start, end)) return;
    for (const segment of segmentsOf(wordSegmenter, this.text, start, end)) {
      const isWord = segment.isWordLike && !segment.continued;
      this.begin(segment.start, isWord ? strength.segment : strength.piece);
      this.addSegment(segment);
    }
  }

  private addSegment({ start, end }: Span): void {
    if (end - start <= longestMeasuredWord && this.addIfSmall(start, end)) return;
    let pieceStart = start;
    for (const grapheme of segmentsOf(graphemeSegmenter, this.text, start, end)) {
      if (grapheme.end - pieceStart < shortestPiece && grapheme.end < end) continue;
      this.addPiece(pieceStart, grapheme.end);
      pieceStart = grapheme.end;
    }
  }

  private addPiece(start: number, end: number): void {
    this.begin(start, strength.piece);
    const middle = wholeCharacters(this.text, start + Math.ceil((end - start) / 2));
    if (this.addIfSmall(start, end)) return;
    if (middle <= start || middle >= end) {
      this.add(start, this.countTokens(this.text.slice(start, end)));
    } else {
      this.addPiece(start, middle);
      this.addPiece(middle, end);
    }
  }

  private addIfSmall(start: number, end: number): boolean {
    const tokens = this.countTokens(this.text.slice(start, end));
    if (tokens > this.maxTokens) return false;
    this.add(start, tokens);
    return true;
  }

  private add(start: number, tokens: number): void {
    if (tokens === 0) return;
    this.list.push({ ...(this.next ?? { start, strength: strength.piece }), tokens });
    this.next = undefined;
  }

  /** Index of the first unit that begins at `offset` or later. */
  private firstFrom(offset: number): number {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.list[middle]?.start ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Element `i` is the number of tokens before unit `i`; the last element is the number of all tokens. */
export function cumulativeTokens(units: Unit[]): number[] {
  const sums = [0];
  let sum = 0;
  for (const unit of units) {
    sum += unit.tokens;
    sums.push(sum);
  }
  return sums;
}
