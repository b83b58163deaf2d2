import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Collection, DataSet } from './data-set.ts';
import { ndcgAt, recallAt } from './measures.ts';

const files = ['cranfield/cran.all.1400', 'cranfield/cran.qry', 'cranfield/cranqrel'];

/** A record of the SMART format: its fields, by their letters. */
type SmartRecord = Record<string, string>;

/**
 * Abstracts of papers on aerodynamics, questions by researchers, and judgements of every abstract (Cleverdon, The
 * Cranfield tests on index language devices, Aslib Proceedings 19, 1967). Each abstract is a memory. So every mode of
 * searching memories can be compared on this set.
 */
export const cranfield: DataSet = cranfieldAs('cranfield', 'Cranfield', 'memory');

/** Cranfield with each abstract as a document, which is cut into chunks. */
export const cranfieldDocuments: DataSet = cranfieldAs(
  'cranfield-documents',
  'Cranfield as documents',
  'document',
);

function cranfieldAs(name: string, title: string, kind: 'memory' | 'document'): DataSet {
  return {
    name,
    title,
    kind,
    files,
    k: 100,
    measures: [ndcgAt(10), recallAt(100, 'recall@100')],
    read: async (folder) => [await readCranfield(folder, name)],
  };
}

async function readCranfield(folder: string, user: string): Promise<Collection> {
  const [texts = '', queries = '', judgements = ''] = await Promise.all(
    files.map((file) => readFile(join(folder, file), 'utf8')),
  );
  // The text begins with the title. Two records, 471 and 995, have none.
  const items = parseSmart(texts)
    .map((record) => ({ key: String(Number(record.I)), text: record.W ?? '' }))
    .filter(({ text }) => text !== '');
  const known = new Set(items.map(({ key }) => key));
  // A judgement names a query by its number in the file, counted from 1, and not by its .I.
  const questions = parseSmart(queries).map((record) => ({
    text: record.W ?? '',
    relevant: new Map<string, number>(),
  }));
  for (const line of judgements.split('\n')) {
    const [query, key = '', grade] = line.trim().split(/\s+/);
    const relevant = questions[Number(query) - 1]?.relevant;
    // Grades go from 1 (a complete answer) to 4 (of minimum interest).
    if (relevant && known.has(key) && Number(grade) > 0) relevant.set(key, 5 - Number(grade));
  }
  return { user, items, questions: questions.filter(({ relevant }) => relevant.size > 0) };
}

function parseSmart(text: string): SmartRecord[] {
  return text
    .split(/^\.I /m)
    .slice(1)
    .map((record) => {
      const [number = '', ...fields] = record.split(/^\.(?=[A-Z]$)/m);
      const byLetter: SmartRecord = { I: number.trim() };
      for (const field of fields) byLetter[field.charAt(0)] = field.slice(1).replace(/\s+/g, ' ').trim();
      return byLetter;
    });
}
