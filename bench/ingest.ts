import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { withConnection } from '../src/database/connection.ts';
import { migrate } from '../src/database/migrate.ts';
import { openPool, type Pool } from '../src/database/pool.ts';
import { Chunker } from '../src/ingest/chunker.ts';
import { Extractor } from '../src/ingest/extractor.ts';
import { ingestFiles } from '../src/ingest/ingest-files.ts';
import { createLogger } from '../src/log.ts';
import { chunkText, type EmbeddedChunk } from '../src/store/embedded-text.ts';
import { commandLineViewer } from '../src/viewer.ts';
import { dataFolder } from './support/data-folder.ts';
import { keptFolder, openBenchDatabase, startIfEmbedded } from './support/database.ts';
import { startBundledEmbedder } from './support/embedder.ts';
import { run } from './support/run.ts';
import { table } from './support/statistics.ts';

// How far `funes ingest` keeps the embedder busy, and what files cost that have not changed.
// Run it: FUNES_BENCH_DATA=<folder with docs/> npm run bench:ingest

const names = ['docs/npm-md', 'docs/debian-pdf-text/fhs-3.0.pdf'];
/** The share of the embedder's own rate that is kept on PostgreSQL. For the embedded engine it is told. */
const leastShare = 0.9;
const rounds = 2;

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/** The texts that were embedded for a user. */
async function readTexts(pool: Pool, userId: string): Promise<string[]> {
  const rows = await withConnection(pool, async (connection) =>
    connection.unsafe<(EmbeddedChunk & { embedded: boolean })[]>(
      'select content, metadata, embedding is not null as embedded from document_chunks where user_id = $1 order by id',
      [userId],
    ),
  );
  if (rows.length === 0 || rows.some(({ embedded }) => !embedded))
    throw new Error('A chunk has no embedding.');
  return rows.map(chunkText);
}

await run(async () => {
  const folder = dataFolder(names);
  const database = await openBenchDatabase('ingest', false);
  const engine = await startIfEmbedded(database);
  const pool = openPool({ database: database.url ?? (engine as NonNullable<typeof engine>) });
  const embedder = await startBundledEmbedder();
  const [extractor, chunker] = [new Extractor(), new Chunker({ cacheDir: join(keptFolder, 'models') })];
  const services = { database: pool, embedder, extractor, chunker, log: createLogger({ level: 'silent' }) };
  const ingest = (userId: string, paths = names) =>
    ingestFiles({ database: pool, start: async () => services }, commandLineViewer, {
      userId,
      paths: paths.map((name) => join(folder, name)),
      deleteGone: false,
      dryRun: false,
    });
  try {
    await migrate(pool);
    const onServer = database.url !== undefined;
    console.log(`Engine: ${onServer ? 'PostgreSQL' : 'embedded'}`);
    await ingest('warm', ['docs/npm-md/using-npm']);
    const ingesting: number[] = [];
    const alone: number[] = [];
    let texts: string[] = [];
    let files = 0;
    for (let round = 0; round < rounds; round++) {
      const userId = `round ${round}`;
      ingesting.push(
        await seconds(async () => {
          files = (await ingest(userId)).files;
        }),
      );
      texts = await readTexts(pool, userId);
      alone.push(await seconds(() => embedder.embed(texts)));
    }
    const again = await seconds(() => ingest('round 0'));
    const [own, best] = [Math.min(...alone), Math.min(...ingesting)];
    const rowOf = (label: string, s: number) => [
      label,
      s.toFixed(1),
      (texts.length / s).toFixed(1),
      (own / s).toFixed(2),
    ];
    console.log(
      table([
        [`${files} files, ${texts.length} chunks`, 's', 'texts/s', 'of the embedder'],
        ...alone.map((s) => rowOf('embedder alone', s)),
        ...ingesting.map((s) => rowOf('funes ingest', s)),
      ]),
    );
    console.log(`Unchanged: ${((again * 1000) / files).toFixed(1)} ms a file`);
    console.log(`Resident: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB at most`);
    if (onServer && own / best < leastShare) {
      console.error(`Below the bar of ${leastShare}.`);
      process.exitCode = 1;
    }
  } finally {
    await Promise.all([extractor.close(), chunker.close(), embedder.close()]);
    await pool.close();
    await engine?.close();
    await database.close();
  }
});
