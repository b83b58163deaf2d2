import MarkdownIt from 'markdown-it';
import { lineStarts } from '../chunker-outline.ts';
import { decodeText } from './encoding.ts';
import type { Extraction, TextPart } from './extraction.ts';
import { HeadingPath } from './headings.ts';

/** Extracts a Markdown file: its text as it is, with a part for each section. */
export async function extractMarkdown(bytes: Uint8Array): Promise<Extraction> {
  const text = decodeText(bytes);
  return { text, structure: 'markdown', parts: sectionsOf(text) };
}

const blocks = new MarkdownIt({ html: true });
blocks.core.ruler.enableOnly(['normalize', 'block']);
const inlines = new MarkdownIt();

function sectionsOf(text: string): TextPart[] {
  const path = new HeadingPath();
  const starts = lineStarts(text);
  const parts: TextPart[] = [];
  const tokens = blocks.parse(withoutFrontMatter(text), {});
  for (const [index, token] of tokens.entries()) {
    if (token.type !== 'heading_open' || token.level > 0 || token.map === null) continue;
    const title = plainText(tokens[index + 1]?.content ?? '');
    if (title === '') continue;
    const start = starts[token.map[0]] ?? text.length;
    const last = parts.at(-1);
    if (last) last.end = start;
    const headings = path.enter(Number(token.tag.slice(1)), title);
    parts.push({ start, end: text.length, metadata: { headings } });
  }
  return parts;
}

/**
 * The text with blanks in place of its front matter. Markdown takes front matter for a heading, because a line of dashes is under
 * it, and then every section of the page would stand under that heading.
 */
function withoutFrontMatter(text: string): string {
  return text.replace(/^---[ \t]*(?:\r\n?|\n)[\w-]+:.*?(?:\r\n?|\n)---[ \t]*(?=[\r\n]|$)/s, (front) =>
    front.replace(/[^\r\n]/g, ' '),
  );
}

/** The text of a heading without its marks: no emphasis, and of a link its text. */
function plainText(heading: string): string {
  const tokens = inlines.parseInline(heading, {}).flatMap(({ children }) => children ?? []);
  return tokens
    .map(({ type, content }) => (type === 'softbreak' || type === 'hardbreak' ? ' ' : content))
    .join('')
    .trim();
}
