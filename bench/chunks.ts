import '../src/production.ts';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { and, eq } from 'drizzle-orm';
import { documentChunks } from '../schema/index.ts';
import { startBackend } from '../src/composition.ts';
import { loadConfig } from '../src/config.ts';
import { transaction } from '../src/database/transaction.ts';
import { formatOf } from '../src/ingest/formats.ts';
import { ingestDocument } from '../src/ingest/ingest.ts';
import { createLoaders } from '../src/loaders.ts';
import { createLogger } from '../src/log.ts';
import { searchNear } from '../src/search/similar.ts';
import type { Services } from '../src/services.ts';
import { chunkText } from '../src/store/embedded-text.ts';
import type { Viewer } from '../src/viewer.ts';
import { dataFolder } from './support/data-folder.ts';
import { openBenchDatabase } from './support/database.ts';
import { run } from './support/run.ts';
import { mean, table } from './support/statistics.ts';

// Measures how well searches find the section of npm's documentation that answers a question, with and without the headings above a
// chunk in what is embedded and indexed. Run: FUNES_BENCH_DATA=<folder with docs/> npm run bench:chunks

const pagesFolder = 'docs/npm-md';
const modes = ['SEMANTIC', 'KEYWORD', 'HYBRID'] as const;
/** How many chunks each question asks for. A section that is not among them counts as not found. */
const k = 50;

interface Question {
  question: string;
  /** The path of the page that answers it. */
  page: string;
  /** The heading of the section that answers it, without marks. */
  section: string;
}

/** A part of a page: the text of a section without the sections under it. */
interface Section {
  page: string;
  heading: string;
  start: number;
  end: number;
}

const questionsFile = new URL('./questions/npm-docs.json', import.meta.url);

/** Stores the pages as documents of the viewer. Returns the sections of all pages. */
async function storePages(services: Services, viewer: Viewer, folder: string): Promise<Section[]> {
  const paths = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('.md')).sort();
  const sections: Section[] = [];
  for (const page of paths) {
    const bytes = await readFile(join(folder, page));
    await ingestDocument(services, viewer, { filename: page, contentBase64: bytes.toString('base64') });
    const { text, parts } = await services.extractor.extract(page, formatOf(page), bytes);
    for (const { start, end, metadata } of parts) {
      const heading = (metadata.headings?.at(-1) ?? '').replace(/[`*]/g, '');
      sections.push({ page, heading, start, end: start + text.slice(start, end).trimEnd().length });
    }
  }
  return sections;
}

/** Makes the headings of each chunk part of its table's header, which is embedded and indexed. */
async function addHeadings({ database, embedder }: Services, viewer: Viewer): Promise<void> {
  const own = eq(documentChunks.userId, viewer.userId);
  const { id, content, metadata } = documentChunks;
  const rows = await transaction(database, viewer, { access: 'read' }, (tx) =>
    tx.select({ id, content, metadata }).from(documentChunks).where(own),
  );
  const headed = rows.map((row) => {
    const { headings, tableHeader } = row.metadata as { headings?: string[]; tableHeader?: string };
    const header = tableHeader === undefined || row.content.includes(tableHeader) ? [] : [tableHeader];
    const context = [...(headings ? [headings.join(' > ')] : []), ...header].join('\n');
    return { ...row, metadata: { ...row.metadata, ...(context !== '' && { tableHeader: context }) } };
  });
  const vectors = await embedder.embed(headed.map(chunkText));
  await transaction(database, viewer, { access: 'write' }, async (tx) => {
    for (const [i, row] of headed.entries()) {
      const values = { metadata: row.metadata, embedding: vectors[i] ?? null };
      await tx
        .update(documentChunks)
        .set(values)
        .where(and(own, eq(id, row.id)));
    }
  });
}

/** Returns the rank of the first chunk with text of the section that answers each question; infinity if there is none. */
async function ranks(
  services: Services,
  viewer: Viewer,
  questions: readonly Question[],
  sections: readonly Section[],
  mode: (typeof modes)[number],
): Promise<number[]> {
  const found: number[] = [];
  for (const { question, page, section } of questions) {
    const right = sections.filter((one) => one.page === page && one.heading === section);
    if (right.length === 0) throw new Error(`The page ${page} has no section ${JSON.stringify(section)}.`);
    const loaders = createLoaders(services, viewer);
    const matches = await searchNear(loaders.similarChunks, { text: question }, { k, options: { mode } });
    const documents = await loaders.documents.loadMany(matches.map(({ row }) => row.documentId));
    const index = matches.findIndex(({ row }, i) => {
      const document = documents[i];
      if (!document || document instanceof Error || document.filename !== page) return false;
      return right.some(({ start, end }) => row.startOffset < end && row.endOffset > start);
    });
    found.push(index < 0 ? Number.POSITIVE_INFINITY : index + 1);
  }
  return found;
}

await run(async () => {
  const folder = join(dataFolder([pagesFolder]), pagesFolder);
  const questions: Question[] = JSON.parse(await readFile(questionsFile, 'utf8'));
  const database = await openBenchDatabase('chunks', false);
  const config = { ...loadConfig(), databaseUrl: database.url, dataDir: database.dataDir };
  const { services, close } = await startBackend(config, createLogger({ level: 'warn' }));
  try {
    const rows = [['', 'headings', 'hit@1', 'hit@5', 'MRR']];
    const viewers: Record<'without' | 'with', Viewer> = {
      without: { userId: 'without', role: 'user' },
      with: { userId: 'with', role: 'user' },
    };
    const sections = await storePages(services, viewers.without, folder);
    await storePages(services, viewers.with, folder);
    await addHeadings(services, viewers.with);
    for (const mode of modes) {
      for (const [headings, viewer] of Object.entries(viewers)) {
        const all = await ranks(services, viewer, questions, sections, mode);
        const hits = (most: number) => mean(all.map((rank) => (rank <= most ? 1 : 0))).toFixed(3);
        rows.push([mode, headings, hits(1), hits(5), mean(all.map((rank) => 1 / rank)).toFixed(3)]);
      }
    }
    console.log(table(rows));
    console.log(`Questions: ${questions.length}.`);
  } finally {
    await close();
    await database.close();
  }
});
