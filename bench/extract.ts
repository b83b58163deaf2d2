import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import MarkdownIt from 'markdown-it';
import { type DefaultTreeAdapterTypes, parseFragment } from 'parse5';
import { Extractor } from '../src/ingest/extractor.ts';
import { formatOf } from '../src/ingest/formats.ts';
import { dataFolder } from './support/data-folder.ts';
import { run } from './support/run.ts';
import { table } from './support/statistics.ts';
import { type Agreement, agreement } from './support/word-overlap.ts';

// Compares the text that funes extracts with the text version of the same document, and measures how long it takes. Fails
// if all documents of a kind together are below the bar. Run: FUNES_BENCH_DATA=<folder with docs/> npm run bench:extract

const bars: Record<string, Agreement> = {
  pdf: { words: 0.98, pairs: 0.97 },
  html: { words: 0.99, pairs: 0.99 },
};

const debian = 'docs/debian-pdf-text';
const npmPages = 'docs/npm-html';
const npmSources = 'docs/npm-md';

interface Sample {
  name: string;
  kind: string;
  /** Paths of the files to extract, in the data folder. */
  files: string[];
  /** What the text of each file should be. */
  expected: string[];
}

function samples(folder: string): Sample[] {
  const read = (path: string) => readFileSync(join(folder, path), 'utf8');
  const pages = readdirSync(join(folder, npmSources), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .sort();
  const one = (kind: string, name: string): Sample => ({
    name: `${name}.${kind}`,
    kind,
    files: [`${debian}/${name}.${kind}`],
    expected: [read(`${debian}/${name}.txt`)],
  });
  return [
    one('pdf', 'debian-policy'),
    one('pdf', 'developers-reference'),
    one('pdf', 'fhs-3.0'),
    one('html', 'developers-reference'),
    one('html', 'fhs-3.0'),
    {
      name: `${pages.length} pages of npm`,
      kind: 'html',
      files: pages.map((path) => join(npmPages, path.replace(/md$/, 'html'))),
      expected: pages.map((path) => renderedText(read(join(npmSources, path)))),
    },
  ];
}

const markdown = new MarkdownIt({ html: true });

/** The text of a Markdown file as its page shows it. Of the front matter, the page shows the title and the description. */
function renderedText(source: string): string {
  const [front = '', body = source] = /^---\n(.*?)\n---\n(.*)$/s.exec(source)?.slice(1) ?? [];
  const shown = [...front.matchAll(/^(?:title|description): (.*)$/gm)].map(([, value]) => value);
  return `${shown.join('\n')}\n${textUnder(parseFragment(markdown.render(body)).childNodes)}`;
}

function textUnder(nodes: readonly DefaultTreeAdapterTypes.ChildNode[]): string {
  return nodes
    .map((node) => {
      if ('value' in node) return node.value;
      const isInline = 'tagName' in node && /^(?:a|b|code|em|i|strong|span)$/.test(node.tagName);
      const text = 'childNodes' in node ? textUnder(node.childNodes) : '';
      return isInline ? text : `${text}\n`;
    })
    .join('');
}

await run(async () => {
  const folder = dataFolder([`${debian}/debian-policy.pdf`, npmPages, npmSources]);
  const extractor = new Extractor();
  const rows = [['document', 'words', 'pairs in order', 'seconds a MB']];
  const texts = new Map<string, { extracted: string[]; expected: string[] }>();
  for (const { name, kind, files, expected } of samples(folder)) {
    const inputs = files.map((path) => ({ path, bytes: readFileSync(join(folder, path)) }));
    const [first] = inputs;
    // The first file of a format loads its library.
    if (first && !texts.has(kind)) await extractor.extract(first.path, formatOf(first.path), first.bytes);
    const extracted: string[] = [];
    const start = performance.now();
    for (const { path, bytes } of inputs) {
      extracted.push((await extractor.extract(path, formatOf(path), bytes)).text);
    }
    const seconds = (performance.now() - start) / 1000;
    const megabytes = inputs.reduce((sum, { bytes }) => sum + bytes.length, 0) / 2 ** 20;
    rows.push(row(name, agreement(extracted.join('\n'), expected.join('\n')), seconds / megabytes));
    const all = texts.get(kind) ?? { extracted: [], expected: [] };
    texts.set(kind, {
      extracted: [...all.extracted, ...extracted],
      expected: [...all.expected, ...expected],
    });
  }
  await extractor.close();
  const below: string[] = [];
  for (const [kind, { extracted, expected }] of texts) {
    const all = agreement(extracted.join('\n'), expected.join('\n'));
    const bar = bars[kind];
    rows.push(row(`all of ${kind}`, all));
    if (bar && (all.words < bar.words || all.pairs < bar.pairs)) below.push(kind);
  }
  console.log(table(rows));
  if (below.length > 0) {
    console.error(`Below the bar: ${below.join(', ')}.`);
    process.exitCode = 1;
  }
});

function row(name: string, { words, pairs }: Agreement, secondsOfMegabyte?: number): string[] {
  return [name, words.toFixed(4), pairs.toFixed(4), secondsOfMegabyte?.toFixed(2) ?? ''];
}
