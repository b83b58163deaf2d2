import { subscribe } from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';
import { startApi, startBackend } from '../src/composition.ts';
import { loadConfig } from '../src/config.ts';
import { FunesError } from '../src/errors.ts';
import { limits } from '../src/input/limits.ts';
import { createLogger } from '../src/log.ts';
import { openBenchDatabase } from './support/database.ts';
import { run } from './support/run.ts';
import { percentile, table } from './support/statistics.ts';

// What a refusal costs the server, from the parsed body to the answer: the time in which nobody else is served. Each request
// has a text of its own, so that nothing that the server keeps of earlier texts helps. Run: npm run bench:limits

const mostMs = 5;
const warmUps = 20;
const measured = 200;

interface Case {
  name: string;
  query: string;
  variables?: object;
}

const times = (count: number, make: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i)).join(' ');

const similar =
  'query ($text: String, $k: Int!, $like: [ID!]) { similarMemories(text: $text, k: $k, like: $like) { score } }';
const create = 'mutation ($inputs: [CreateMemoryInput!]!) { createMemories(inputs: $inputs) { id } }';
const ingest =
  'mutation ($input: IngestDocumentInput!) { ingestDocument(input: $input) { document { id } } }';
const filtered = 'query ($filters: MemoryFilters) { memories(filters: $filters) { totalCount } }';

const cases: Case[] = [
  {
    name: '1,000 aliases of memories(first: 200)',
    query: `{ ${times(1000, (i) => `a${i}: memories(first: 200) { edges { node { content } } }`)} }`,
  },
  {
    name: 'aliases',
    query: `{ ${times(limits.aliases + 1, (i) => `a${i}: memories(first: 200) { edges { node { content } } }`)} }`,
  },
  {
    name: 'depth 60',
    query: `{ memories { edges { node { ${'similar(k: 1) { memory { '.repeat(28)}id${' } }'.repeat(28)} } } } }`,
  },
  { name: 'depth 3,000', query: `{ memories ${'{ x '.repeat(3000)}${'}'.repeat(3000)} }` },
  { name: 'directives', query: `{ ${times(201, (i) => `a${i}: __typename @skip(if: false)`)} }` },
  { name: 'one field 700 times', query: `{ ${times(700, () => 'memories { pageInfo { hasNextPage } }')} }` },
  {
    name: 'fragments that double',
    query: `{ ...F0 } ${times(30, (i) => `fragment F${i} on Query { a${i}: __typename ... @include(if: true) { ...F${i + 1} } ... @include(if: true) { ...F${i + 1} } }`)} fragment F30 on Query { __typename }`,
  },
  { name: 'tokens', query: `{ ${times(limits.operationLength / 2 - 100, () => 'a')} }` },
  { name: 'characters', query: `{ memory(id: "${'7'.repeat(limits.operationLength)}") { id } }` },
  {
    name: 'similar within similar, 200 each',
    query:
      '{ memories(first: 200) { edges { node { similar(k: 200) { memory { similar(k: 200) { score } } } } } } }',
  },
  {
    name: 'documents > chunks > previous > document > chunks',
    query:
      '{ documents(first: 200) { edges { node { chunks(first: 200) { edges { node { previous { document { chunks(first: 200) { edges { node { content } } } } } } } } } } } }',
  },
  {
    name: 'a document in 400,000 chunks',
    query: ingest,
    variables: { input: { filename: 'x', content: 'x'.repeat(5_000_000), chunkSize: 8, overlap: 4 } },
  },
  { name: 'k', query: similar, variables: { text: 'x', k: limits.k + 1 } },
  { name: 'first', query: `{ memories(first: ${limits.pageSize + 1}) { totalCount } }` },
  { name: 'text of a search', query: similar, variables: { text: 'x'.repeat(limits.queryLength + 1), k: 1 } },
  {
    name: 'examples',
    query: similar,
    variables: { like: Array.from({ length: limits.examples + 1 }, (_, i) => String(i + 1)), k: 1 },
  },
  {
    name: 'batch',
    query: create,
    variables: {
      inputs: Array.from({ length: limits.batchSize + 1 }, (_, i) => ({ content: `memory ${i}` })),
    },
  },
  {
    name: 'content of a memory',
    query: create,
    variables: { inputs: [{ content: 'x'.repeat(limits.contentLength + 1) }] },
  },
  {
    name: 'metadata of 1 MB',
    query: create,
    variables: { inputs: [{ content: 'x', metadata: { notes: Array(100_000).fill('notes') } }] },
  },
  {
    name: 'text of a document',
    query: ingest,
    variables: { input: { filename: 'x', content: 'x'.repeat(limits.documentLength + 1) } },
  },
  {
    name: 'conditions of a filter',
    query: filtered,
    variables: { filters: { or: Array.from({ length: 101 }, () => ({ source: { eq: 'chat' } })) } },
  },
  {
    name: 'list in a filter',
    query: filtered,
    variables: { filters: { id: { in: Array.from({ length: 1001 }, (_, i) => String(i + 1)) } } },
  },
];

/** Times of requests from the parsed body to the answer, in milliseconds, as Fastify reports its handlers. */
function recordHandlers(): number[] {
  const began = new WeakMap<object, number>();
  const durations: number[] = [];
  subscribe('tracing:fastify.request.handler:start', (event) =>
    began.set(event as object, performance.now()),
  );
  subscribe('tracing:fastify.request.handler:asyncEnd', (event) => {
    const start = began.get(event as object);
    if (start !== undefined) durations.push(performance.now() - start);
  });
  return durations;
}

async function measure({ name, query, variables = {} }: Case, url: string, durations: number[]) {
  let message = '';
  for (let i = 0; i < warmUps + measured; i++) {
    if (i === warmUps) durations.length = 0;
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: `${query} # ${i}`, variables }),
    });
    const { errors } = (await response.json()) as {
      errors?: { message: string; extensions: { code: string } }[];
    };
    if (errors?.[0]?.extensions.code !== 'LIMIT_EXCEEDED')
      throw new FunesError('CONFLICT', `${name} is not refused for a limit: ${JSON.stringify(errors)}`);
    message = errors[0].message;
  }
  return { name, message, median: percentile(durations, 0.5), high: percentile(durations, 0.95) };
}

await run(async () => {
  const database = await openBenchDatabase('limits', false);
  const config = loadConfig({
    env: { PORT: '0', DATABASE_URL: database.url ?? '', FUNES_DATA_DIR: database.dataDir },
    envFile: '/nowhere/.env',
  });
  const backend = await startBackend(config, createLogger({ level: 'error' }));
  const http = await startApi(config, backend.services);
  try {
    const durations = recordHandlers();
    const results: Awaited<ReturnType<typeof measure>>[] = [];
    for (const one of cases) results.push(await measure(one, http.url, durations));
    console.log(
      table([
        ['refused', 'median ms', '95 % ms'],
        ...results.map(({ name, median, high }) => [name, median.toFixed(2), high.toFixed(2)]),
      ]),
    );
    const slow = results.filter(({ median }) => median >= mostMs);
    for (const { name, message } of slow) console.error(`${name} takes ${mostMs} ms or more: ${message}`);
    if (slow.length > 0) process.exitCode = 1;
  } finally {
    await http.close({ graceMs: 0 });
    await backend.close();
    await database.close();
  }
});
