import MarkdownIt from 'markdown-it';
import { segmentsOf } from './chunker-segments.ts';

/** How a text shows its structure: blank lines only, or CommonMark with tables. */
export type TextStructure = 'text' | 'markdown';

/**
 * How good a place is for a cut; the greater the better. `piece` is inside a word or inside what should stay whole,
 * `segment` is between the parts of a long word (a URL, a sentence in Chinese).
 */
export const strength = {
  piece: 0,
  segment: 1,
  word: 2,
  line: 3,
  sentence: 4,
  item: 5,
  block: 6,
  section: 7,
  /** Of a sixth-level heading; the first level has `heading + 5`. */
  heading: 8,
} as const;

/** A place where a text may be cut. */
export interface Boundary {
  /** Offset in UTF-16 units of the first character after the cut. */
  offset: number;
  strength: number;
}

/** `text.slice(start, end)`. */
export interface Span {
  start: number;
  end: number;
}

/** What is known of a text's structure. */
export interface Outline {
  /** In ascending order of offset, one an offset. */
  boundaries: Boundary[];
  /** What should not be cut when it fits into one chunk: code blocks, tables, a heading and the next block's start. */
  kept: Span[];
}

/** Finds the headings, blocks and sentences of a text. */
export function outlineText(text: string, structure: TextStructure): Outline {
  const blocks = structure === 'markdown' ? markdownBlocks(text) : textBlocks(text);
  const sentences = blocks.prose.flatMap((span) => sentenceStarts(text, span));
  const boundaries: Boundary[] = [];
  for (const boundary of [...blocks.boundaries, ...sentences].sort((a, b) => a.offset - b.offset)) {
    const last = boundaries.at(-1);
    if (last?.offset === boundary.offset) last.strength = Math.max(last.strength, boundary.strength);
    else boundaries.push({ ...boundary });
  }
  return { boundaries, kept: blocks.kept };
}

interface Blocks {
  boundaries: Boundary[];
  kept: Span[];
  /** Where sentences are looked for. */
  prose: Span[];
}

/** Paragraphs are set apart by a blank line; two blank lines or more begin a section. */
function textBlocks(text: string): Blocks {
  const boundaries: Boundary[] = [];
  const starts = lineStarts(text);
  let blankLines = 0;
  for (const [line, start] of starts.entries()) {
    if (!/\S/.test(text.slice(start, starts[line + 1]))) {
      blankLines += 1;
      continue;
    }
    if (blankLines > 0) {
      boundaries.push({ offset: start, strength: blankLines > 1 ? strength.section : strength.block });
    }
    blankLines = 0;
  }
  return { boundaries, kept: [], prose: spansBetween(boundaries, text.length) };
}

// Only the block structure is needed; parsing emphasis and links would take most of the time.
const markdown = new MarkdownIt({ html: true });
markdown.core.ruler.enableOnly(['normalize', 'block']);

const verbatimTypes = new Set(['fence', 'code_block', 'table_open']);

function markdownBlocks(text: string): Blocks {
  const boundaries: Boundary[] = [];
  const kept: Span[] = [];
  /** Where the lines of code blocks and tables begin. */
  const verbatim = new Set<number>();
  const lines = lineStarts(text);
  const offsetOf = (line: number) => lines[line] ?? text.length;
  let verbatimEnd = 0;
  let headingStart: number | undefined;
  for (const token of markdown.parse(text, {})) {
    if (token.map === null || token.nesting < 0 || token.type === 'inline') continue;
    const start = offsetOf(token.map[0]);
    if (start < verbatimEnd) continue;
    const isHeading = token.type === 'heading_open';
    const blockStrength = token.level === 0 ? strength.block : strength.item;
    boundaries.push({
      offset: start,
      strength: isHeading && token.level === 0 ? headingStrength(token.tag) : blockStrength,
    });
    if (isHeading) {
      headingStart ??= start;
      continue;
    }
    if (headingStart !== undefined) kept.push({ start: headingStart, end: start + 1 });
    if (verbatimTypes.has(token.type)) {
      verbatimEnd = offsetOf(token.map[1]);
      // To a program or a table, a line is what a sentence is to prose.
      for (let line = token.map[0] + 1; line < token.map[1]; line += 1) {
        boundaries.push({ offset: offsetOf(line), strength: strength.sentence });
        verbatim.add(offsetOf(line));
      }
      boundaries.push({ offset: verbatimEnd, strength: blockStrength });
      kept.push({ start: headingStart ?? start, end: verbatimEnd });
      verbatim.add(start);
    }
    headingStart = undefined;
  }
  return {
    boundaries,
    kept,
    prose: spansBetween(boundaries, text.length).filter((span) => !verbatim.has(span.start)),
  };
}

/** `tag` is h1 to h6. */
function headingStrength(tag: string): number {
  return strength.heading + 6 - Number(tag.slice(1));
}

function spansBetween(boundaries: Boundary[], end: number): Span[] {
  return [0, ...boundaries.map((boundary) => boundary.offset)]
    .map((start, index) => ({ start, end: boundaries[index]?.offset ?? end }))
    .filter((span) => span.start < span.end);
}

/** Line breaks as CommonMark has them, so that the parser's line numbers are indexes of this list. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n?|\n/g)) starts.push(match.index + match[0].length);
  return starts;
}

const sentenceSegmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** Where the second and later sentences of a paragraph begin. */
function sentenceStarts(text: string, paragraph: Span): Boundary[] {
  const starts: Boundary[] = [];
  if (!/\p{Sentence_Terminal}/u.test(text.slice(paragraph.start, paragraph.end))) return starts;
  let hasLetters = false;
  for (const sentence of segmentsOf(sentenceSegmenter, text, paragraph.start, paragraph.end)) {
    // "3." and "***" are taken for sentences: what follows them belongs to them.
    if (hasLetters && !sentence.continued) {
      starts.push({ offset: sentence.start, strength: strength.sentence });
    }
    hasLetters = /\p{L}/u.test(text.slice(sentence.start, sentence.end));
  }
  return starts;
}
