/** A run of text on a page, as a PDF draws it. Coordinates are in points, from the bottom left corner. */
export interface PdfRun {
  text: string;
  x: number;
  /** The baseline. */
  y: number;
  width: number;
  /** The font size. */
  size: number;
  /** The direction of the text in degrees; 0 for upright text. */
  angle: number;
}

/** The runs of a page, in the order in which the file draws them. */
export interface PdfPage {
  height: number;
  runs: PdfRun[];
}

interface Line {
  text: string;
  x: number;
  right: number;
  y: number;
  size: number;
  angle: number;
}

interface Page {
  height: number;
  lines: Line[];
}

/**
 * Puts the runs of a document's pages together to one text a page: lines, paragraphs with a blank line between them, words that
 * were hyphenated at the end of a line. Leaves out page numbers, running heads and feet, and the dots of tables of contents.
 * A page's text ends with the white space that separates it from the next page.
 */
export function layOutPages(pages: readonly PdfPage[]): string[] {
  const read = pages.map(({ height, runs }): Page => ({ height, lines: inReadingOrder(toLines(runs)) }));
  dropRunningLines(read, (line) => line.y);
  dropRunningLines(read, (line, { height }) => height - line.y);
  for (const line of read.flatMap(({ lines }) => lines)) line.text = withoutLeader(line.text);
  return toTexts(read);
}

/** Joins runs that stand on one baseline. */
function toLines(runs: readonly PdfRun[]): Line[] {
  const lines: Line[] = [];
  let line: Line | undefined;
  for (const run of runs) {
    if (run.text.trim() === '') {
      if (line && run.text !== '' && continues(line, run)) line.text += ' ';
      continue;
    }
    if (line && continues(line, run)) {
      line.text += joint(line, run) + run.text;
      line.right = Math.max(line.right, run.x + run.width);
      if (run.size > line.size) Object.assign(line, { size: run.size, y: run.y });
    } else {
      line = {
        text: run.text,
        x: run.x,
        right: run.x + run.width,
        y: run.y,
        size: run.size,
        angle: run.angle,
      };
      lines.push(line);
    }
  }
  for (const one of lines) one.text = clean(one.text);
  return lines.filter((one) => one.text !== '');
}

/** Whether a run stands on the line's baseline, or is raised or lowered a little, and is not left of the line's end. */
function continues(line: Line, run: PdfRun): boolean {
  const size = Math.max(line.size, run.size);
  return (
    run.angle === line.angle &&
    (run.angle !== 0 || (Math.abs(run.y - line.y) < size * 0.5 && run.x > line.right - size * 1.5))
  );
}

/** What stands between a line and the next run of it: a space if there is a gap, or before the number of a note. */
function joint(line: Line, run: PdfRun): string {
  if (/\s$/.test(line.text) || /^\s/.test(run.text)) return '';
  if (run.angle === 0 && run.x - line.right > run.size * 0.2) return ' ';
  const isNote = run.size < line.size * 0.85 && run.y > line.y + 1 && /^\d+$/.test(run.text);
  return isNote && /\p{L}$/u.test(line.text) ? ' ' : '';
}

const ligatures = /[\uFB00-\uFB06]/g;

function clean(text: string): string {
  return text
    .replace(ligatures, (ligature) => ligature.normalize('NFKC'))
    .replace(/[\0\u200B\uFEFF]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/**
 * Files draw their text in reading order, except a few that draw it font by font. There, the lines of a page jump upwards all
 * the time; in a page of columns, only once a column.
 */
function inReadingOrder(lines: Line[]): Line[] {
  let jumps = 0;
  for (const [index, line] of lines.entries()) {
    const before = lines[index - 1];
    if (before && line.y > before.y + before.size) jumps += 1;
  }
  if (jumps <= Math.max(4, lines.length * 0.2)) return lines;
  return [...lines].sort((a, b) => (Math.abs(a.y - b.y) < a.size * 0.3 ? a.x - b.x : b.y - a.y));
}

/** The least share of the pages that have a running line. */
const runningShare = 0.4;
const mostRunningLines = 3;

/**
 * Removes the outermost line of the pages if it is a running one: it stands at the same height on many pages, and most of these
 * lines say the same as another page's, apart from numbers.
 * @param distance of a line from the edge of the page, in points.
 */
function dropRunningLines(pages: Page[], distance: (line: Line, page: Page) => number): void {
  const largest = usualSize(pages) * 1.15;
  for (let round = 0; round < mostRunningLines; round += 1) {
    const heights = new Map<number, { page: Page; line: Line }[]>();
    for (const page of pages) {
      const line = outermost(page, distance);
      // The titles of slides stand at one height too, but are larger than the text.
      if (!line || distance(line, page) > page.height * 0.15 || line.size > largest) continue;
      const height = Math.round(distance(line, page));
      heights.set(height, [...(heights.get(height) ?? []), { page, line }]);
    }
    let dropped = false;
    for (const [height] of heights) {
      const near = [height - 1, height, height + 1].flatMap((one) => heights.get(one) ?? []);
      if (near.length < Math.max(2, pages.length * runningShare) || !isRunning(near.map(({ line }) => line)))
        continue;
      for (const { page, line } of heights.get(height) ?? []) {
        page.lines = page.lines.filter((one) => one !== line && !isBeside(one, line));
        dropped = true;
      }
    }
    if (!dropped) return;
  }
}

/** The font size of most of the text. */
function usualSize(pages: readonly Page[]): number {
  const lengths = new Map<number, number>();
  for (const { size, text } of pages.flatMap(({ lines }) => lines)) {
    const rounded = Math.round(size * 2) / 2;
    lengths.set(rounded, (lengths.get(rounded) ?? 0) + text.length);
  }
  return [...lengths].reduce((best, one) => (one[1] > best[1] ? one : best), [0, 0])[0];
}

function outermost(page: Page, distance: (line: Line, page: Page) => number): Line | undefined {
  let best: Line | undefined;
  for (const line of page.lines) {
    if (line.angle === 0 && (!best || distance(line, page) < distance(best, page))) best = line;
  }
  return best;
}

const isBeside = (one: Line, line: Line) => one.angle === 0 && Math.abs(one.y - line.y) < 1;

function isRunning(lines: Line[]): boolean {
  const counts = new Map<string, number>();
  const keys = lines.map(({ text }) => text.replace(/\d+|^[ivxlc]+$/gi, '#'));
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return keys.filter((key) => (counts.get(key) ?? 0) > 1).length >= lines.length / 2;
}

/** Removes the dots of a table of contents and the page number after them. */
function withoutLeader(text: string): string {
  return text.replace(/\s*(?:\. ?|\u2026 ?|\u00B7 ?){4,}\s*(?:\d+|[ivxlc]+)?$/i, '');
}

/** Joins the lines of all pages. */
function toTexts(pages: Page[]): string[] {
  const words = new WordCounts(pages);
  const leading = usualLeading(pages);
  const texts: string[] = [];
  let previous: Line | undefined;
  for (const { lines } of pages) {
    let text = '';
    for (const [index, next] of lines.entries()) {
      const line = { ...next };
      if (previous) {
        const between = index === 0 ? betweenPages(previous, line) : betweenLines(previous, line, leading);
        const joined = between === '\n' ? words.join(previous.text, line.text) : undefined;
        if (joined) {
          const before = index === 0 ? (texts.pop() ?? '') : text;
          const rest = line.text.slice(joined.taken).trimStart();
          const whole =
            before.slice(0, before.length - joined.dropped) + joined.word + (rest === '' ? '' : '\n');
          if (index === 0) texts.push(whole);
          else text = whole;
          // A line that was taken whole leaves the joint to the next line.
          if (rest === '') {
            previous = { ...line, text: previous.text.slice(0, -joined.dropped || undefined) + joined.word };
            continue;
          }
          line.text = rest;
        } else if (index === 0) texts.push((texts.pop() ?? '') + between);
        else text += between;
      }
      text += line.text;
      previous = line;
    }
    texts.push(text);
  }
  return texts;
}

/** How far apart the baselines of most neighbouring lines are, by font size. */
function usualLeading(pages: readonly Page[]): (size: number) => number {
  const counts = new Map<number, Map<number, number>>();
  for (const { lines } of pages) {
    for (const [index, line] of lines.entries()) {
      const gap = Math.round(((lines[index - 1]?.y ?? line.y) - line.y) * 2) / 2;
      if (gap < line.size * 0.8 || gap > line.size * 2) continue;
      const size = Math.round(line.size);
      const gaps = counts.get(size) ?? new Map<number, number>();
      counts.set(size, gaps.set(gap, (gaps.get(gap) ?? 0) + 1));
    }
  }
  return (size) => {
    const gaps = [...(counts.get(Math.round(size)) ?? [])].filter(([, count]) => count > 3);
    return gaps.sort((a, b) => b[1] - a[1])[0]?.[0] ?? size * 1.2;
  };
}

function betweenLines(before: Line, line: Line, leading: (size: number) => number): string {
  const gap = before.y - line.y;
  const sameSize = Math.abs(before.size - line.size) < Math.max(before.size, line.size) * 0.1;
  const isNear = gap > -line.size * 0.5 && gap < leading(Math.max(before.size, line.size)) * 1.25;
  return sameSize && isNear ? '\n' : '\n\n';
}

function betweenPages(before: Line, line: Line): string {
  return /[\p{L}\p{N},;-]$/u.test(before.text) && /^\p{Ll}/u.test(line.text) ? '\n' : '\n\n';
}

/** What joins a line that ends with a hyphen to the next one. */
interface Joint {
  /** Characters at the end of the first line that are left out. */
  dropped: number;
  /** What takes their place: the hyphen or nothing, and the beginning of the next line. */
  word: string;
  /** Characters at the beginning of the next line that `word` has. */
  taken: number;
}

/** The words of a document, by which it is decided whether a hyphen at the end of a line belongs to the word. */
class WordCounts {
  private readonly whole = new Set<string>();
  private readonly parts = new Set<string>();

  constructor(pages: readonly Page[]) {
    for (const { text } of pages.flatMap(({ lines }) => lines)) {
      for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)*(?!-$)/gu)) {
        this.whole.add(word);
        for (const part of word.split('-')) this.parts.add(part);
      }
    }
  }

  /** Returns how a word goes on in the next line, or undefined if the line does not end in the middle of a word. */
  join(line: string, next: string): Joint | undefined {
    const left = /([\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)*)[-\u2010\u00AD]$/u.exec(line)?.[1];
    const right = /^[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)*/u.exec(next)?.[0];
    const tail = /^\S+/.exec(next)?.[0];
    if (!left || !right || !tail) return undefined;
    const isSoft = line.endsWith('\u00AD');
    const keepsHyphen = !isSoft && this.hasHyphen(left.toLowerCase(), right.toLowerCase(), right);
    return { dropped: 1, word: (keepsHyphen ? '-' : '') + tail, taken: tail.length };
  }

  private hasHyphen(left: string, right: string, written: string): boolean {
    if (this.whole.has(`${left}-${right}`)) return true;
    if (this.whole.has(left + right)) return false;
    if (!/^\p{Ll}/u.test(written)) return true;
    const first = left.slice(left.lastIndexOf('-') + 1);
    const second = right.split('-')[0] ?? right;
    if (this.parts.has(first + second)) return false;
    return this.parts.has(first) && this.whole.has(second);
  }
}
