import { type DefaultTreeAdapterTypes, parse } from 'parse5';
import { decodeHtml } from './encoding.ts';
import { type Extraction, TextBuilder, UnreadableFile } from './extraction.ts';
import { HeadingPath } from './headings.ts';
import { isLeftOut, mainContent } from './html-content.ts';
import { escapeCell, escapeLine, fenced, markdownTable } from './markdown-syntax.ts';

type Node = DefaultTreeAdapterTypes.ChildNode;
type Element = DefaultTreeAdapterTypes.Element;

/** Extracts the text of an HTML page as Markdown, with a part for each section. Leaves out navigation, scripts and styles. */
export async function extractHtml(bytes: Uint8Array): Promise<Extraction> {
  return htmlToMarkdown(decodeHtml(bytes));
}

/** Writes HTML as Markdown, with a part for each section. */
export function htmlToMarkdown(html: string): Extraction {
  try {
    const document = parse(html);
    const root = document.childNodes.find((node): node is Element => node.nodeName === 'html');
    return toExtraction(root ? blocksOf(mainContent(root).childNodes) : []);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UnreadableFile(
      'has elements that are nested too deeply. Save its text as txt or md, and send that.',
    );
  }
}

/** A block of Markdown. Blank lines separate blocks. */
interface Block {
  text: string;
  /** The level of a heading, 1 to 6. */
  level?: number;
  /** The text of a heading. */
  title?: string;
}

function toExtraction(blocks: readonly Block[]): Extraction {
  const builder = new TextBuilder();
  const path = new HeadingPath();
  for (const [index, block] of blocks.entries()) {
    if (index > 0) builder.add('\n\n');
    if (block.level && block.title) builder.begin({ headings: path.enter(block.level, block.title) });
    builder.add(block.text);
  }
  builder.add('\n');
  return builder.finish('markdown');
}

const blockTags = new Set(
  (
    'address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form ' +
    'header hgroup legend li main ol optgroup option p section summary table tbody td tfoot th thead tr ul caption'
  ).split(' '),
);

/** The blocks of some nodes. Text and inline elements that stand between blocks are paragraphs. */
function blocksOf(nodes: readonly Node[]): Block[] {
  const blocks: Block[] = [];
  let inline = '';
  const endParagraph = () => {
    const text = paragraph(inline);
    if (text !== '') blocks.push({ text });
    inline = '';
  };
  for (const node of nodes) {
    if (node.nodeName === '#text') {
      inline += (node as DefaultTreeAdapterTypes.TextNode).value.replace(/[^\S\u00A0]+/g, ' ');
      continue;
    }
    const element = asContent(node);
    if (!element) continue;
    if (isBlock(element)) {
      endParagraph();
      for (const block of blocksOfElement(element)) blocks.push(block);
    } else {
      inline += inlineText(element);
    }
  }
  endParagraph();
  return blocks;
}

function asContent(node: Node): Element | undefined {
  return 'tagName' in node && !isLeftOut(node) ? node : undefined;
}

const blockness = new WeakMap<Element, boolean>();

/** Whether an element is a block or has one in it. */
function isBlock(element: Element): boolean {
  const known = blockness.get(element);
  if (known !== undefined) return known;
  const is =
    blockTags.has(element.tagName) ||
    /^(?:pre|hr|h[1-6])$/.test(element.tagName) ||
    element.childNodes.some((child) => 'tagName' in child && isBlock(child));
  blockness.set(element, is);
  return is;
}

function blocksOfElement(element: Element): Block[] {
  const { tagName } = element;
  if (/^h[1-6]$/.test(tagName)) return headingBlock(element, Number(tagName.slice(1)));
  if (isRemark(element))
    return blocksOf(element.childNodes).map(({ title, text }) => ({ text: title ?? text }));
  switch (tagName) {
    case 'pre':
      return preformatted(element);
    case 'ul':
    case 'ol':
    case 'menu':
      return listBlock(element);
    case 'blockquote':
      return wrapped(blocksOf(element.childNodes), '> ');
    case 'table':
      return tableBlocks(element);
    default:
      return blocksOf(element.childNodes);
  }
}

function headingBlock(element: Element, level: number): Block[] {
  const title = collapse(inlineOf(element.childNodes))
    .replace(/\s*[¶#§🔗]$/u, '')
    .trim();
  if (title === '') return [];
  return [{ text: `${'#'.repeat(level)} ${title}`, level, title: plain(title) }];
}

/** A heading without the marks of code. */
const plain = (title: string) => title.replaceAll('`', '');

/** A remark's heading ("Note") says what it is, and is not above the text that follows. */
function isRemark(element: Element): boolean {
  const names = attribute(element, 'class')?.split(/\s+/) ?? [];
  return names.some((name) =>
    /^(?:note|tip|warning|caution|important|admonition|callout|alert)$/i.test(name),
  );
}

function preformatted(element: Element): Block[] {
  const text = rawText(element).replace(/^\n/, '').trimEnd();
  return text.trim() === '' ? [] : [{ text: fenced(text) }];
}

function rawText(node: Node): string {
  if (node.nodeName === '#text') return (node as DefaultTreeAdapterTypes.TextNode).value;
  if (node.nodeName === 'br') return '\n';
  return asContent(node)?.childNodes.map(rawText).join('') ?? '';
}

function listBlock(list: Element): Block[] {
  let number = Number(attribute(list, 'start') ?? 1) || 1;
  const items: string[] = [];
  for (const child of list.childNodes) {
    const element = asContent(child);
    const blocks = element ? blocksOf(element.tagName === 'li' ? element.childNodes : [element]) : [];
    if (blocks.length === 0) continue;
    const isNested = element?.tagName === 'ul' || element?.tagName === 'ol';
    const mark = list.tagName === 'ol' ? `${number}. ` : '- ';
    if (!isNested) number += 1;
    const text = joinItem(blocks);
    // A list that stands directly in a list, as some pages have it, belongs to the item before it.
    const indent = ' '.repeat(mark.length);
    items.push(isNested ? indentLines(text, indent) : mark + indentLines(text, indent).trimStart());
  }
  const isLoose = items.some((item) => item.includes('\n\n'));
  return items.length === 0 ? [] : [{ text: items.join(isLoose ? '\n\n' : '\n') }];
}

/** A list that is the last block of an item follows its text directly. */
function joinItem(blocks: readonly Block[]): string {
  return blocks
    .map(({ text }, index) => (index === 0 ? '' : /^(?:-|\d+\.) /.test(text) ? '\n' : '\n\n') + text)
    .join('');
}

function wrapped(blocks: readonly Block[], prefix: string): Block[] {
  if (blocks.length === 0) return [];
  const text = blocks.map((block) => block.text).join('\n\n');
  return [{ text: text.replace(/^/gm, prefix).replace(/[^\S\n]+$/gm, '') }];
}

const indentLines = (text: string, indent: string) => text.replace(/^(?=.)/gm, indent);

/** A table of data is a table in Markdown. One that has blocks in its cells, or one column, is there for its layout. */
function tableBlocks(table: Element): Block[] {
  const captions = childElements(table, 'caption').flatMap((caption) => blocksOf(caption.childNodes));
  const rows = rowsOf(table).map((row) => childElements(row, 'td', 'th'));
  const cells = rows.map((row) => row.map((cell) => blocksOf(cell.childNodes)));
  const isData =
    rows.some((row) => row.length > 1) &&
    cells
      .flat()
      .every((blocks) => blocks.every(({ text, level }) => !level && !/^(?:```|~~~|\|)/m.test(text)));
  if (!isData) return [...captions, ...cells.flat(2)];
  const texts = rows.map((row, index) =>
    row.flatMap((cell, at) => {
      const text = (cells[index]?.[at] ?? []).map((block) => block.text.replace(/\s*\n\s*/g, ' ')).join(' ');
      const span = Math.min(Math.max(Number(attribute(cell, 'colspan') ?? 1) || 1, 1), 100);
      return [escapeCell(text), ...Array<string>(span - 1).fill('')];
    }),
  );
  const filled = texts.filter((row) => row.some((cell) => cell !== ''));
  if (filled.length === 0) return captions;
  return [...captions, { text: markdownTable(filled) }];
}

function rowsOf(table: Element): Element[] {
  return childElements(table, 'thead', 'tbody', 'tfoot', 'tr').flatMap((element) =>
    element.tagName === 'tr' ? [element] : childElements(element, 'tr'),
  );
}

function childElements(element: Element, ...tags: string[]): Element[] {
  return element.childNodes
    .map(asContent)
    .filter((child): child is Element => child !== undefined && tags.includes(child.tagName));
}

function inlineOf(nodes: readonly Node[]): string {
  return nodes
    .map((node) => {
      if (node.nodeName === '#text')
        return (node as DefaultTreeAdapterTypes.TextNode).value.replace(/[^\S\u00A0]+/g, ' ');
      const element = asContent(node);
      return element ? inlineText(element) : '';
    })
    .join('');
}

/** A line break of the page; white space around it is left out. */
const lineBreak = '\n';

function inlineText(element: Element): string {
  switch (element.tagName) {
    case 'br':
      return lineBreak;
    case 'img':
      return attribute(element, 'alt') ?? '';
    case 'code':
    case 'kbd':
    case 'samp':
    case 'tt': {
      const text = inlineOf(element.childNodes);
      const isPlain = text.trim() !== '' && !/[`\n]/.test(text);
      return isPlain ? text.replace(/^(\s*)(.*?)(\s*)$/s, '$1`$2`$3') : text;
    }
    case 'q':
      return `“${inlineOf(element.childNodes)}”`;
    default:
      return inlineOf(element.childNodes);
  }
}

const collapse = (text: string) => text.replace(/[^\S\u00A0]+/g, ' ').trim();

function paragraph(inline: string): string {
  return inline
    .split(lineBreak)
    .map((line) => escapeLine(collapse(line)))
    .filter((line) => line !== '')
    .join('\n');
}

function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((one) => one.name === name)?.value;
}
