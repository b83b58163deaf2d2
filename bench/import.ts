import { spawn } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { EMBEDDING_DIMENSIONS } from '../schema/columns/vector.ts';
import { type BenchDatabase, openBenchDatabase } from './support/database.ts';
import { startBundledEmbedder } from './support/embedder.ts';
import { run } from './support/run.ts';

// How much memory `funes import` takes for a large file with vectors, how many rows a second it stores, and how busy it keeps the
// embedder with a file without vectors. It runs the command in a process of its own. Run: npm run bench:import

const mostMegabytes = 600;
const leastShare = 0.9;
const pollMs = 50;

const words = 'the ship sailed over a calm green sea while old stories of storms were told below deck'.split(
  ' ',
);
/** Texts of so many words, of which each number has another one. */
function text(n: number, length: number): string {
  const cycle = words.map((_, i) => words[(n * 7 + i * (1 + (n % 5))) % words.length]).join(' ');
  return `${n} ${`${cycle} `.repeat(Math.ceil(length / words.length))}`.split(' ', length).join(' ');
}

/** A vector of length 1 for each number. It has no meaning: what counts here is its size. */
function vectorOf(n: number): number[] {
  const numbers = Array.from({ length: EMBEDDING_DIMENSIONS }, (_, i) => Math.sin((n + 1) * (i + 1) * 0.7));
  const length = Math.hypot(...numbers);
  return numbers.map((x) => Math.fround(x / length));
}

const header = {
  funes: 'export',
  version: 1,
  databaseId: 'bench',
  schema: null,
  vectors: true,
  exportedAt: '',
};

function* lines(name: string, rows: number, wordsOfRow: number, vectors: boolean): Generator<string> {
  yield `${JSON.stringify({ ...header, databaseId: name })}\n`;
  for (let n = 1; n <= rows; n++) {
    const content = text(n, wordsOfRow);
    const row = { id: String(n), userId: 'bench', content, metadata: { n } };
    const embedded = vectors ? { ...row, embedding: vectorOf(n), embeddingModel: 'bench' } : row;
    yield `${JSON.stringify({ kind: 'memory', row: embedded })}\n`;
  }
  yield `${JSON.stringify({ kind: 'end', rows })}\n`;
}

interface Outcome {
  seconds: number;
  /** The most that the processes of the command were resident at one time. */
  megabytes: number;
}

/** The resident memory of a process and of its children, in kB. */
function resident(pid: number): number {
  try {
    const own = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return (
      own +
      children
        .split(' ')
        .filter(Boolean)
        .reduce((sum, child) => sum + resident(Number(child)), 0)
    );
  } catch {
    return 0; // it has ended
  }
}

async function funes(args: string[], { url, dataDir }: BenchDatabase): Promise<Outcome> {
  const began = performance.now();
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', resolve(import.meta.dirname, '../src/main.ts'), ...args],
    {
      env: { ...process.env, DATABASE_URL: url ?? '', FUNES_DATA_DIR: dataDir },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, resident(child.pid ?? 0));
  }, pollMs);
  const status = await new Promise((done, fail) => child.on('error', fail).on('close', done));
  clearInterval(timer);
  if (status !== 0) throw new Error(`funes ${args.join(' ')} ended with ${status}.`);
  return { seconds: (performance.now() - began) / 1000, megabytes: most / 1024 };
}

/** Rows a second of the embedder alone, in the batches in which it is asked at its best. */
async function embedderRate(texts: readonly string[]): Promise<number> {
  const embedder = await startBundledEmbedder();
  try {
    await embedder.embed(texts.slice(0, 50));
    const began = performance.now();
    await embedder.embed(texts);
    return texts.length / ((performance.now() - began) / 1000);
  } finally {
    await embedder.close();
  }
}

await run(async () => {
  const { values } = parseArgs({
    options: {
      megabytes: { type: 'string', default: '50' },
      rows: { type: 'string', default: '2000' },
      words: { type: 'string', default: '60' },
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'funes-bench-import-'));
  const database = await openBenchDatabase('import', false);
  try {
    await funes(['migrate'], database);
    const wordsOfRow = 60;
    const failures: string[] = [];

    const rows = Number(values.rows);
    if (rows > 0) {
      const texts = Array.from({ length: rows }, (_, n) => text(n + 1, wordsOfRow));
      const plain = join(folder, 'plain.jsonl');
      await pipeline(Readable.from(lines('plain', rows, wordsOfRow, false)), createWriteStream(plain));
      const one = join(folder, 'one.jsonl');
      await pipeline(Readable.from(lines('one', 1, wordsOfRow, false)), createWriteStream(one));
      const before = await embedderRate(texts);
      const start = await funes(['import', one, '--user', 'start'], database);
      const without = await funes(['import', plain], database);
      const after = await embedderRate(texts);
      // Starting the process and its model is no part of the rate.
      const rate = (rows - 1) / (without.seconds - start.seconds);
      const share = rate / ((before + after) / 2);
      console.log(
        `without vectors: ${rows} rows, ${rate.toFixed(0)} rows/s; the embedder alone ${before.toFixed(0)} and ${after.toFixed(0)} ` +
          `rows/s; share ${share.toFixed(2)}; at most ${without.megabytes.toFixed(0)} MB resident`,
      );
      if (share < leastShare && database.url !== undefined) failures.push(`the share is below ${leastShare}`);
    }

    const wanted = Number(values.megabytes);
    if (wanted > 0) {
      const wordsOfLarge = Number(values.words);
      const bytesOfRow = Buffer.byteLength([...lines('one', 1, wordsOfLarge, true)][1] ?? '');
      const count = Math.ceil((wanted * 1e6) / bytesOfRow);
      const large = join(folder, 'large.jsonl');
      await pipeline(Readable.from(lines('large', count, wordsOfLarge, true)), createWriteStream(large));
      const { size } = await stat(large);
      const outcome = await funes(['import', large], database);
      console.log(
        `with vectors: ${(size / 1e6).toFixed(0)} MB, ${count} rows, ${(count / outcome.seconds).toFixed(0)} rows/s; at most ` +
          `${outcome.megabytes.toFixed(0)} MB resident`,
      );
      if (outcome.megabytes > mostMegabytes) failures.push(`more than ${mostMegabytes} MB were resident`);
    }
    if (failures.length > 0) throw new Error(failures.join('; '));
  } finally {
    await database.close();
    await rm(folder, { recursive: true, force: true });
  }
});
