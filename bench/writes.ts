import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, graphqlClient } from './support/client.ts';
import { dataFolder } from './support/data-folder.ts';
import { openBenchDatabase } from './support/database.ts';
import { startBundledEmbedder } from './support/embedder.ts';
import { run } from './support/run.ts';
import { startServer } from './support/server.ts';
import { percentile, table } from './support/statistics.ts';

// How long others wait while a document is ingested, and how far writes keep the embedder busy.
// Run it: FUNES_BENCH_DATA=<folder with docs/> npm run bench:writes

const files = ['debian-policy.txt', 'developers-reference.txt'].map((name) => `docs/debian-pdf-text/${name}`);
/** Characters of the document that is ingested beside other requests. */
const documentLength = 235_000;
const pauseMs = 40;
/** Longer than a pool of threads keeps one that does nothing, if it ends such threads at all. */
const pauseSeconds = 90;
/** The bars: milliseconds at p99 beside the document, and the share of the embedder's own rate. The share is told for the embedded engine. */
const bars = { typename: 50, search: 500, createMemory: 500, share: 0.9 };

const ingest = `mutation ($input: IngestDocumentInput!) { ingestDocument(input: $input) { document { id totalChunks } } }`;
const createMemories =
  'mutation ($inputs: [CreateMemoryInput!]!) { createMemories(inputs: $inputs) { embeddingStatus } }';
const readChunks =
  'query ($id: ID!, $after: String) { document(id: $id) { chunks(first: 200, after: $after) { pageInfo { hasNextPage endCursor } edges { node { content } } } } }';

interface Ingested {
  ingestDocument: { document: { id: string; totalChunks: number } };
}
interface ChunkPage {
  document: {
    chunks: {
      pageInfo: { hasNextPage: boolean; endCursor: string };
      edges: { node: { content: string } }[];
    };
  };
}

async function ingestText(send: Client, userId: string, content: string) {
  const input = { userId, filename: `${userId}.txt`, content };
  return (await send<Ingested>(ingest, { input })).ingestDocument.document;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/** Sends a request again and again, with a pause after each, until `over` says so. Returns how long each took, in milliseconds. */
async function sendUntil(over: () => boolean, send: (i: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; !over(); i++) {
    times.push(1000 * (await seconds(() => send(i))));
    await delay(pauseMs);
  }
  return times;
}

/** Measures three kinds of request, each by a client of its own, while `beside` runs. */
async function latencies(send: Client, label: string, beside: () => Promise<unknown>) {
  let over = false;
  const until = () => over;
  const search = 'query ($text: String!) { similarMemories(text: $text, k: 10) { score } }';
  const create = 'mutation ($input: CreateMemoryInput!) { createMemory(input: $input) { embeddingStatus } }';
  const clients = Promise.all([
    sendUntil(until, () => send('{ __typename }')),
    sendUntil(until, (i) =>
      send(search, { text: `${label}: which package needs a maintainer, number ${i}?` }),
    ),
    sendUntil(until, (i) =>
      send(create, { input: { content: `${label}: note ${i} about the maintainer of a package.` } }),
    ),
  ]);
  const took = await seconds(beside);
  over = true;
  const [typename, searches, creates] = await clients;
  return { label, took, typename, search: searches, createMemory: creates };
}

async function readTexts(send: Client, id: string): Promise<string[]> {
  const texts: string[] = [];
  for (let after: string | undefined; ; ) {
    const { chunks } = (await send<ChunkPage>(readChunks, { id, after })).document;
    texts.push(...chunks.edges.map(({ node }) => node.content));
    if (!chunks.pageInfo.hasNextPage) return texts;
    after = chunks.pageInfo.endCursor;
  }
}

/** Stores the texts as memories, two batches at a time. */
async function storeAll(send: Client, userId: string, texts: readonly string[]): Promise<void> {
  const batches: string[][] = [];
  for (let i = 0; i < texts.length; i += 64) batches.push(texts.slice(i, i + 64));
  const sendBatches = async () => {
    for (let batch = batches.shift(); batch; batch = batches.shift())
      await send(createMemories, { inputs: batch.map((content) => ({ content, userId })) });
  };
  await Promise.all([sendBatches(), sendBatches()]);
}

await run(async () => {
  const folder = dataFolder(files);
  const [policy = '', reference = ''] = await Promise.all(
    files.map((file) => readFile(join(folder, file), 'utf8')),
  );
  const database = await openBenchDatabase('writes', false);
  const server = await startServer(database, tmpdir());
  const embedder = await startBundledEmbedder();
  const send = graphqlClient(server.url);
  try {
    const onServer = database.url !== undefined;
    console.log(`Engine: ${onServer ? 'PostgreSQL' : 'embedded'}`);
    const small = (n: number) =>
      seconds(() => ingestText(send, `small-${n}`, `A small document, number ${n}.`));
    console.log(`The first small document: ${(1000 * (await small(1))).toFixed(0)} ms`);
    await delay(pauseSeconds * 1000);
    const [afterPause, next] = [await small(2), await small(3)];
    console.log(
      `After a pause of ${pauseSeconds} s: ${(1000 * afterPause).toFixed(0)} ms, the next ${(1000 * next).toFixed(0)} ms`,
    );

    const idle = await latencies(send, 'nothing', () => delay(5000));
    const busy = await latencies(send, 'a document of 235 kB', () =>
      ingestText(send, 'beside', policy.slice(0, documentLength)),
    );
    const kinds = ['typename', 'search', 'createMemory'] as const;
    const ms = (times: readonly number[], p: number) => percentile(times, p).toFixed(0);
    console.log(
      table([
        ['beside', 's', 'request', 'sent', 'p50 ms', 'p99 ms', 'bar'],
        ...[idle, busy].flatMap((one) =>
          kinds.map((kind) => [
            one.label,
            one.took.toFixed(1),
            kind,
            String(one[kind].length),
            ms(one[kind], 0.5),
            ms(one[kind], 0.99),
            String(bars[kind]),
          ]),
        ),
      ]),
    );

    const document = await ingestText(send, 'warm', reference.slice(0, 20_000));
    await embedder.embed(await readTexts(send, document.id));
    let id = '';
    const ingesting = await seconds(async () => {
      id = (await ingestText(send, 'ingest', reference)).id;
    });
    const texts = await readTexts(send, id);
    const own = [await seconds(() => embedder.embed(texts))];
    const storing = await seconds(() => storeAll(send, 'memories', texts));
    own.push(await seconds(() => embedder.embed(texts)));
    const ownSeconds = Math.min(...own);
    const rate = (s: number) => [s.toFixed(1), (texts.length / s).toFixed(1), (ownSeconds / s).toFixed(2)];
    console.log(
      table([
        [`${texts.length} chunks`, 's', 'texts/s', 'of the embedder'],
        ...own.map((s) => ['embedder alone', ...rate(s)]),
        ['ingestDocument', ...rate(ingesting)],
        ['createMemories', ...rate(storing)],
      ]),
    );
    const tooSlow: string[] = kinds.filter((kind) => percentile(busy[kind], 0.99) > bars[kind]);
    if (onServer && ownSeconds / ingesting < bars.share) tooSlow.push('ingestDocument');
    if (onServer && ownSeconds / storing < bars.share) tooSlow.push('createMemories');
    if (tooSlow.length > 0) {
      console.error(`Below the bars: ${tooSlow.join(', ')}`);
      process.exitCode = 1;
    }
  } finally {
    await embedder.close();
    await server.close();
    await database.close();
  }
});
