import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { convertedModelFolder } from '../../src/embedding/model-cache.ts';
import { testModelCache } from '../support/real-embedder.ts';
import { type LaunchedProcess, launch } from '../support/served-process.ts';

let dataDir: string;
const launched: LaunchedProcess[] = [];

function start(): LaunchedProcess {
  const started = launch(dataDir);
  launched.push(started);
  return started;
}

beforeAll(async () => {
  await convertedModelFolder(testModelCache);
  dataDir = await mkdtemp(join(tmpdir(), 'funes-killed-'));
  await symlink(testModelCache, join(dataDir, 'models'), 'junction');
});
afterAll(async () => {
  for (const { signal, ended } of launched) {
    signal('SIGTERM');
    await ended;
  }
  await rm(dataDir, { recursive: true, force: true });
});

interface Count {
  kind: string;
  status: string;
  count: number;
}

async function send(server: LaunchedProcess, query: string, variables: object = {}) {
  const response = await fetch(`${await server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  return ((await response.json()) as { data: { embeddings: Count[] } }).data;
}

const counts = async (server: LaunchedProcess) =>
  (await send(server, '{ embeddings { kind status count } }')).embeddings;

test('what was acknowledged before the server was killed is embedded after its next start', async () => {
  const first = start();
  const inputs = Array.from({ length: 40 }, (_, i) => ({
    content: `Memory ${i}. ${'The tide table of the harbour is on the door of the office. '.repeat(20)}`,
  }));
  await send(
    first,
    'mutation ($inputs: [CreateMemoryInput!]!) { createMemories(inputs: $inputs, wait: false) { id } }',
    { inputs },
  );
  await send(
    first,
    'mutation ($input: IngestDocumentInput!) { ingestDocument(input: $input, wait: false) { chunkCount } }',
    { input: { filename: 'tides.txt', content: 'High water is at noon. '.repeat(100), chunkSize: 50 } },
  );
  const stored = (await counts(first)).reduce((sum, { count }) => sum + count, 0);
  expect(stored).toBeGreaterThan(48);
  first.signal('SIGKILL');
  await first.ended;

  const second = start();
  let left: Count[];
  do left = await counts(second);
  while (left.some(({ status }) => status === 'PENDING'));
  expect(left).toEqual([
    { kind: 'MEMORY', status: 'READY', count: 40 },
    { kind: 'CHUNK', status: 'READY', count: stored - 40 },
  ]);
});
