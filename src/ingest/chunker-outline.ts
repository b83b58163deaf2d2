import MarkdownIt from 'markdown-it';
import { segmentsOf } from './chunker-segments.ts';

/** How a text shows its structure: by blank lines only, or by CommonMark with tables. */
export type TextStructure = 'text' | 'markdown';

/**
 * The strength of a boundary: the greater, the better is a cut there. `piece` is inside a word, or inside a span that should
 * stay whole. `segment` is between the parts of a long word (a URL, a sentence in Chinese).
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
  /** A sixth-level heading. The first level has `heading + 5`. */
  heading: 8,
} as const;

/** A boundary at which a text may be cut. */
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

/** A table. Its first row is the header. */
export interface Table extends Span {
  /** The first row, from its first cell on. */
  header: Span;
}

/** The structure of a text. */
export interface Outline {
  /** In ascending order of offset, at most one for each offset. */
  boundaries: Boundary[];
  /**
   * Spans that should stay whole if they fit in a chunk: code blocks, tables and their lines, a heading with the start of the next
   * block.
   */
  kept: Span[];
  /** In ascending order. */
  tables: Table[];
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
  return { boundaries, kept: blocks.kept, tables: blocks.tables };
}

interface Blocks {
  boundaries: Boundary[];
  kept: Span[];
  tables: Table[];
  /** Spans in which sentences are found. */
  prose: Span[];
}

/** A blank line ends a paragraph. Two or more blank lines begin a section. */
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
  return { boundaries, kept: [], tables: [], prose: spansBetween(boundaries, text.length) };
}

// Parses only the block structure, because emphasis and links would take most of the time.
const markdown = new MarkdownIt({ html: true });
markdown.core.ruler.enableOnly(['normalize', 'block']);

const verbatimTypes = new Set(['fence', 'code_block', 'table_open']);

function markdownBlocks(text: string): Blocks {
  const boundaries: Boundary[] = [];
  const kept: Span[] = [];
  const tables: Table[] = [];
  /** Offsets at which the lines of code blocks and tables begin. */
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
    const isVerbatim = verbatimTypes.has(token.type);
    // A heading stays with the next word, or with the next line of code or of a table.
    const heldEnd = isVerbatim ? offsetOf(token.map[0] + 1) : start + 1;
    if (headingStart !== undefined) kept.push({ start: headingStart, end: heldEnd });
    if (isVerbatim) {
      verbatimEnd = offsetOf(token.map[1]);
      // A line of a program or a table is like a sentence of prose.
      for (let line = token.map[0]; line < token.map[1]; line += 1) {
        kept.push({ start: offsetOf(line), end: offsetOf(line + 1) });
        if (line === token.map[0]) continue;
        boundaries.push({ offset: offsetOf(line), strength: strength.sentence });
        verbatim.add(offsetOf(line));
      }
      if (token.type === 'table_open') {
        tables.push({ start, end: verbatimEnd, header: headerRow(text, start, offsetOf(token.map[0] + 1)) });
        // The header, the line of dashes under it, and the first row.
        kept.push({ start: headingStart ?? start, end: offsetOf(Math.min(token.map[0] + 3, token.map[1])) });
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
    tables,
    prose: spansBetween(boundaries, text.length).filter((span) => !verbatim.has(span.start)),
  };
}

/** The row in the line `text.slice(start, end)`, without white space around it and the marks of a quote before it. */
function headerRow(text: string, start: number, end: number): Span {
  const [before = ''] = /^[\s>]*/.exec(text.slice(start, end)) ?? [];
  const row = text.slice(start + before.length, end).trimEnd();
  return { start: start + before.length, end: start + before.length + row.length };
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

/** The offset of each line. Line breaks are those of CommonMark, so the line numbers of the parser are indexes in this list. */
export function lineStarts(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n?|\n/g)) starts.push(match.index + match[0].length);
  return starts;
}

const sentenceSegmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** The boundaries before the second and later sentences of a paragraph. */
function sentenceStarts(text: string, paragraph: Span): Boundary[] {
  const starts: Boundary[] = [];
  if (!/\p{Sentence_Terminal}/u.test(text.slice(paragraph.start, paragraph.end))) return starts;
  let hasLetters = false;
  for (const sentence of segmentsOf(sentenceSegmenter, text, paragraph.start, paragraph.end)) {
    // The segmenter takes "3." and "***" for sentences. They belong to the text after them.
    if (hasLetters && !sentence.continued) {
      starts.push({ offset: sentence.start, strength: strength.sentence });
    }
    hasLetters = /\p{L}/u.test(text.slice(sentence.start, sentence.end));
  }
  return starts;
}
