import { posix } from 'node:path';
import sax from 'sax';
import { type Extraction, TextBuilder } from './extraction.ts';
import { escapeLine, sheetTable } from './markdown-syntax.ts';
import { brokenOfficeFile, unzip } from './zip.ts';

/**
 * Extracts a presentation as Markdown, with a part for each slide: its title as a heading, its texts and tables, the texts of its
 * diagrams, and the speaker's notes.
 */
export async function extractPptx(bytes: Uint8Array): Promise<Extraction> {
  const files = await unzip(bytes, (name) => name.startsWith('ppt/') && /\.(?:xml|rels)$/.test(name));
  const slides = slidesOf(files);
  if (slides.length === 0) throw brokenOfficeFile();
  const builder = new TextBuilder();
  for (const [index, path] of slides.entries()) {
    const slide = readSlide(files, path);
    const title = slide.title.join(' ').replace(/\s+/g, ' ').trim();
    builder.begin({ slide: index + 1, ...(title !== '' && { headings: [title] }) });
    const blocks = [
      ...(title === '' ? [] : [`# ${title}`]),
      ...slide.blocks,
      ...(slide.notes.length === 0 ? [] : [`Notes: ${slide.notes.join('\n\n')}`]),
    ];
    if (blocks.length > 0) builder.add(`${blocks.join('\n\n')}\n\n`);
  }
  return builder.finish('markdown');
}

type Files = ReadonlyMap<string, Buffer>;

interface Relation {
  id: string;
  type: string;
  path: string;
}

/** The paths of the slides, in the order of the presentation. */
function slidesOf(files: Files): string[] {
  const presentation = 'ppt/presentation.xml';
  const relations = relationsOf(files, presentation);
  const ids: string[] = [];
  parseXml(files, presentation, {
    open: (name, attributes) => {
      if (name === 'sldId') ids.push(attributes['r:id'] ?? '');
    },
  });
  return ids
    .map((wanted) => relations.find(({ id }) => id === wanted)?.path ?? '')
    .filter((path) => files.has(path));
}

function relationsOf(files: Files, path: string): Relation[] {
  const relations: Relation[] = [];
  const name = posix.join(posix.dirname(path), '_rels', `${posix.basename(path)}.rels`);
  if (!files.has(name)) return [];
  parseXml(files, name, {
    open: (element, { Id = '', Type = '', Target = '' }) => {
      if (element !== 'Relationship') return;
      const target = Target.startsWith('/') ? Target.slice(1) : posix.join(posix.dirname(path), Target);
      relations.push({ id: Id, type: Type.slice(Type.lastIndexOf('/') + 1), path: target });
    },
  });
  return relations;
}

interface Slide {
  title: string[];
  blocks: string[];
  notes: string[];
}

function readSlide(files: Files, path: string): Slide {
  const shapes = shapesOf(files, path);
  const relations = relationsOf(files, path);
  const related = (type: string) =>
    relations
      .filter((one) => one.type === type && files.has(one.path))
      .map((one) => shapesOf(files, one.path));
  const titles = shapes.filter(({ role }) => role === 'title' || role === 'ctrTitle');
  const texts = shapes.filter((shape) => !titles.includes(shape) && !fieldRoles.has(shape.role));
  return {
    title: titles.flatMap(({ paragraphs }) => paragraphs),
    blocks: [...texts, ...related('diagramData').flat()].flatMap(blocksOf),
    notes: related('notesSlide')
      .flat()
      .filter(({ role }) => role === 'body')
      .flatMap(blocksOf),
  };
}

/** What stands on each slide: its number, its date, the foot. */
const fieldRoles = new Set(['sldNum', 'dt', 'ftr', 'hdr', 'sldImg']);

interface Shape {
  /** What the slide's layout has the shape for, such as `title`; empty if it is none of the layout's. */
  role: string;
  paragraphs: string[];
  rows: string[][];
}

function blocksOf({ paragraphs, rows }: Shape): string[] {
  const texts = paragraphs.map((text) => text.split('\n').map(escapeLine).join('\n'));
  const table = sheetTable(rows);
  return table === '' ? texts : [...texts, table];
}

/** The texts of a slide, of its notes, or of a diagram. */
function shapesOf(files: Files, path: string): Shape[] {
  const shapes: Shape[] = [];
  let shape: Shape | undefined;
  let cell: string[] | undefined;
  let paragraph: string | undefined;
  let isText = false;
  const start = (): Shape => {
    const started = { role: '', paragraphs: [], rows: [] };
    shapes.push(started);
    return started;
  };
  parseXml(files, path, {
    open: (name, attributes) => {
      if (name === 'sp' || name === 'graphicFrame' || name === 'pt') shape = start();
      else if (name === 'ph' && shape) shape.role = attributes.type ?? 'body';
      else if (name === 'tr') shape?.rows.push([]);
      else if (name === 'tc') cell = [];
      else if (name === 'p') paragraph = '';
      else if (name === 'br' && paragraph !== undefined) paragraph += '\n';
      else if (name === 't') isText = true;
    },
    text: (text) => {
      if (isText && paragraph !== undefined) paragraph += text;
    },
    close: (name) => {
      if (name === 't') isText = false;
      else if (name === 'p' && paragraph !== undefined) {
        const text = paragraph.replace(/[^\S\n]+/g, ' ').trim();
        shape ??= start();
        if (text !== '') (cell ?? shape.paragraphs).push(text);
        paragraph = undefined;
      } else if (name === 'tc') {
        shape?.rows.at(-1)?.push(cell?.join(' ') ?? '');
        cell = undefined;
      }
    },
  });
  return shapes;
}

interface XmlHandler {
  /** Names have no prefix, those of attributes have it. */
  open?(name: string, attributes: Record<string, string>): void;
  text?(text: string): void;
  close?(name: string): void;
}

/** Parses an XML file. Entities that the file itself declares are not expanded. */
function parseXml(files: Files, path: string, handler: XmlHandler): void {
  const xml = files.get(path);
  if (!xml) throw brokenOfficeFile();
  const parser = sax.parser(true, {});
  const local = (name: string) => name.slice(name.indexOf(':') + 1);
  parser.onopentag = ({ name, attributes }) =>
    handler.open?.(local(name), attributes as Record<string, string>);
  parser.ontext = (text) => handler.text?.(text);
  parser.oncdata = (text) => handler.text?.(text);
  parser.onclosetag = (name) => handler.close?.(local(name));
  parser.onerror = () => {
    throw brokenOfficeFile();
  };
  parser.write(xml.toString('utf8')).close();
}
