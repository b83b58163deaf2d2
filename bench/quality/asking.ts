import { performance } from 'node:perf_hooks';
import type { Embedder } from '../../src/embedding/embedder.ts';
import type { Client } from '../support/client.ts';
import type { Collection, DataSet, Question } from './data-set.ts';
import { isRefusal, type Mode, type SearchField, searchField } from './modes.ts';
import { plainRanking } from './plain.ts';
import { readVectors, store } from './storage.ts';

/** The result of one mode of searching on one set. */
export interface Outcome {
  /** The name of the mode. */
  name: string;
  /** For each measure of the set, its value for each question. */
  measured: number[][];
  /** Milliseconds for each question. Empty if the questions were not asked over HTTP. */
  times: number[];
  /** Why there are no values, if there are none. */
  note?: string;
}

export interface AskingOptions {
  modes: readonly Mode[];
  /** Embeds the questions for the plain ranking. Undefined if there is to be no plain ranking. */
  embedder: Embedder | undefined;
  /** About how many questions of the set are asked. Undefined: all questions. */
  questions: number | undefined;
  clients: number;
  onProgress(text: string): void;
}

/** Stores the items of a set, and asks its questions in every mode that the server knows. */
export async function ask(
  set: DataSet,
  folder: string,
  client: Client,
  options: AskingOptions,
): Promise<Outcome[]> {
  const field = await searchField(client, set.kind);
  const outcomes = options.modes.map((mode) => {
    const missing = field.missing(mode);
    return { mode, ...emptyOutcome(set, mode.name, missing && `the schema has no ${missing}`) };
  });
  // A document has no vector, because a search matches its best chunk. So it has no plain ranking.
  const plain = options.embedder && set.kind !== 'document' ? emptyOutcome(set, 'plain') : undefined;
  for (const collection of sampled(await set.read(folder), options.questions)) {
    const { user, items } = collection;
    const keys = await store(client, set.kind, collection, (written) =>
      options.onProgress(`${user}: ${written} of ${items.length} stored`),
    );
    await askCollection(set, collection, field, client, keys, outcomes, options);
    if (plain && options.embedder) {
      const vectors = await readVectors(client, set.kind, user);
      for (const question of collection.questions) {
        const vector = await options.embedder.embedQuery(question.text, user);
        note(set, plain, question, plainRanking(collection, vectors, vector, set.k));
      }
    }
  }
  return plain ? [plain, ...outcomes] : outcomes;
}

function emptyOutcome(set: DataSet, name: string, note?: string): Outcome {
  return { name, measured: set.measures.map(() => []), times: [], ...(note !== undefined && { note }) };
}

/**
 * Asks each question in all modes before the next question, so that a machine that is busy for a while slows down all
 * modes.
 */
async function askCollection(
  set: DataSet,
  { user, questions }: Collection,
  { query }: SearchField,
  client: Client,
  keys: ReadonlyMap<string, string>,
  outcomes: readonly (Outcome & { mode: Mode })[],
  { clients, onProgress }: AskingOptions,
): Promise<void> {
  const filters = set.kind === 'tool' ? undefined : { userId: { eq: user } };
  const search = async (question: Question, k: number, options?: object) => {
    const { matches } = await client<{ matches: { row: { id: string } }[] }>(query, {
      text: question.text,
      k,
      filters,
      options,
    });
    return matches.map(({ row }) => keys.get(row.id) ?? '');
  };
  const waiting = questions.entries();
  const work = async () => {
    for (const [i, question] of waiting) {
      if (i % 10 === 0) onProgress(`${user}: ${i} of ${questions.length} questions`);
      // The server keeps the vectors of recent texts. Without this search, the first mode alone would pay for the model.
      await search(question, 1);
      // The modes take turns in being first, which may have to read the pages of the tables from disk.
      const turn = i % outcomes.length;
      for (const outcome of [...outcomes.slice(turn), ...outcomes.slice(0, turn)]) {
        if (outcome.note !== undefined) continue;
        try {
          const began = performance.now();
          const ranking = await search(question, set.k, outcome.mode.options);
          outcome.times.push(performance.now() - began);
          note(set, outcome, question, ranking);
        } catch (error) {
          if (!isRefusal(error)) throw error;
          outcome.note = `refused: ${error.message}`;
        }
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, work));
}

function note(set: DataSet, outcome: Outcome, { relevant }: Question, ranking: readonly string[]): void {
  set.measures.forEach((measure, i) => {
    outcome.measured[i]?.push(measure.of(ranking, relevant));
  });
}

/** Returns the collections with about `wanted` questions in all: every n-th question. */
function sampled(collections: readonly Collection[], wanted: number | undefined): Collection[] {
  const all = collections.reduce((sum, { questions }) => sum + questions.length, 0);
  const step = wanted === undefined ? 1 : Math.max(1, Math.floor(all / wanted));
  return collections.map((collection) => ({
    ...collection,
    questions: collection.questions.filter((_, i) => i % step === 0),
  }));
}
