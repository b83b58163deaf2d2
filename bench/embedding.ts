import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import type { Embedder } from '../src/embedding/embedder.ts';
import { loadTokenizer } from '../src/embedding/tokenizer.ts';
import { dataFolder } from './support/data-folder.ts';
import { startBundledEmbedder } from './support/embedder.ts';
import { run } from './support/run.ts';
import { dot, median } from './support/statistics.ts';

// Measures the embedding layer: quality on STS-B, texts per second, how long a search waits, and how long the event
// loop pauses meanwhile. Run it: FUNES_BENCH_DATA=<folder with stsb/> npx tsx bench/embedding.ts

/** Spearman x 100 that sentence-transformers publishes for all-MiniLM-L6-v2. */
const published = { test: 82.03, dev: 86.72 };
const tokenLengths = [8, 32, 128, 256];
const secondsPerLength = 5;
const textsPerCall = 64;

interface Pair {
  score: number;
  sentences: [string, string];
}

type Split = keyof typeof published;

const fileOf = (split: Split) => `stsb/sts-${split}.csv`;

async function readPairs(folder: string, split: Split): Promise<Pair[]> {
  const lines = (await readFile(join(folder, fileOf(split)), 'utf8')).split('\n');
  return lines
    .map((line) => line.split('\t'))
    .filter((fields) => fields.length >= 7)
    .map((fields) => ({ score: Number(fields[4]), sentences: [fields[5] ?? '', fields[6] ?? ''] }));
}

/** Returns the ranks of the values, from 1. Equal values share the mean of their ranks. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const result = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && order[end]?.value === order[start]?.value) end++;
    for (const { index } of order.slice(start, end)) result[index] = (start + 1 + end) / 2;
    start = end;
  }
  return result;
}

/** Returns Spearman's rank correlation, which is Pearson's correlation of the ranks. */
function spearman(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [ranks(a), ranks(b)];
  const mean = (a.length + 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  x.forEach((rank, i) => {
    const [dx, dy] = [rank - mean, (y[i] ?? mean) - mean];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  });
  return xy / Math.sqrt(xx * yy);
}

async function quality(embedder: Embedder, folder: string, split: Split): Promise<void> {
  const pairs = await readPairs(folder, split);
  const vectors = await embedder.embed(pairs.flatMap(({ sentences }) => sentences));
  const cosines = pairs.map((_, i) => {
    const [a, b] = [vectors[2 * i], vectors[2 * i + 1]];
    return a && b ? dot(a, b) : Number.NaN;
  });
  const score = spearman(
    cosines,
    pairs.map((pair) => pair.score),
  );
  const difference = 100 * score - published[split];
  console.log(
    `STS-B ${split.padEnd(4)}  Spearman x100 ${(100 * score).toFixed(2)}  (published ${published[split]}, ` +
      `difference ${difference.toFixed(2)}; ${pairs.length} pairs)`,
  );
}

/** Runs `work`. Returns its result and the longest pause of the event loop in milliseconds. */
async function watched<T>(work: () => Promise<T>): Promise<{ result: T; pause: number }> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const result = await work();
  delays.disable();
  return { result, pause: delays.max / 1e6 };
}

/** Embeds 64 texts a call, two calls at a time as an ingest does, until the time is up. Returns texts per second. */
async function throughput(embedder: Embedder, texts: readonly string[]): Promise<number> {
  let [next, done] = [0, 0];
  const start = performance.now();
  const caller = async () => {
    while (performance.now() - start < secondsPerLength * 1000) {
      const call = Array.from({ length: textsPerCall }, () => texts[next++ % texts.length] ?? '');
      done += (await embedder.embed(call)).length;
    }
  };
  await Promise.all([caller(), caller()]);
  return done / ((performance.now() - start) / 1000);
}

async function queryLatencies(embedder: Embedder, queries: readonly string[]): Promise<string> {
  const times: number[] = [];
  for (const query of queries) {
    // Searches must come at any moment of the embedding, and not right after another search.
    await setTimeout(20);
    const start = performance.now();
    await embedder.embedQuery(query, 'bench');
    times.push(performance.now() - start);
  }
  return `median ${median(times).toFixed(0)} ms, longest ${Math.max(...times).toFixed(0)} ms`;
}

async function main(folder: string): Promise<void> {
  const start = performance.now();
  const embedder = await startBundledEmbedder();
  console.log(`Started in ${(performance.now() - start).toFixed(0)} ms on ${availableParallelism()} cores.`);
  await quality(embedder, folder, 'test');
  await quality(embedder, folder, 'dev');

  const tokenizer = await loadTokenizer();
  const sentences = (await readPairs(folder, 'dev')).flatMap((pair) => pair.sentences);
  const corpus = sentences.join(' ').slice(0, 100_000);
  const queries = sentences.slice(0, 60).map((sentence) => `About ${sentence}`);
  for (const length of tokenLengths) {
    const texts = tokenizer
      .windows(corpus, length - 2)
      .map(({ start: from, end }) => corpus.slice(from, end));
    const { result, pause } = await watched(() => throughput(embedder, texts));
    console.log(
      `${String(length).padStart(4)} tokens  ${result.toFixed(1).padStart(6)} texts/s  ` +
        `${(result * length).toFixed(0).padStart(5)} tokens/s  longest event-loop pause ${pause.toFixed(1)} ms`,
    );
  }

  console.log(`A search text, idle: ${await queryLatencies(embedder, queries.slice(0, 30))}`);
  const book = embedder.embed(Array.from({ length: 3 }, () => corpus).concat(corpus));
  let embedding = true;
  const during = watched(() => queryLatencies(embedder, queries.slice(30)));
  void book
    .catch(() => undefined)
    .finally(() => {
      embedding = false;
    });
  const { result, pause } = await during;
  console.log(
    `A search text while ${(4 * corpus.length) / 1000} kB are embedded${embedding ? '' : ' (they ended first)'}: ` +
      `${result}; longest event-loop pause ${pause.toFixed(1)} ms`,
  );
  await embedder.close();
}

await run(() => main(dataFolder([fileOf('test'), fileOf('dev')])));
