#!/usr/bin/env node
import { Presets, SingleBar } from 'cli-progress';
import { destination } from 'pino';
import { startFunes } from '../src/composition.ts';
import { type Config, clientKey, loadConfig } from '../src/config.ts';
import { commands } from '../src/distribution.ts';
import { FunesError } from '../src/errors.ts';
import { createLogger } from '../src/log.ts';
import { type Client, clientOf } from './client.ts';
import { conversations } from './conversations.ts';
import { readDocuments } from './documents.ts';
import { type Loaded, loadDocuments, loadMemories, loadTools } from './load.ts';
import { showQueries } from './report.ts';

// `npm run demo [-- URL]`, or `funes-demo [URL]` of the package, stores real text in the running server, by the key FUNES_API_KEY if the server wants one. If none is
// running, it starts one on the same data.

const write = (text: string) => void process.stdout.write(text);

async function main(): Promise<void> {
  const [address] = process.argv.slice(2);
  const config = loadConfig();
  const url = address ?? addressOf(config);
  const key = clientKey();
  const running = clientOf(url, key);
  if (await listens(running)) {
    write(`Using the server at ${url}\n`);
    await demonstrate(running);
    write(`\nOpen ${new URL('/', url).href} to ask questions of your own.\n`);
    return;
  }
  if (address !== undefined) throw new FunesError('UNAVAILABLE', `No server answers at ${url}.`);
  write(
    `No server listens at ${url}. To use another one: ${commands.demoOf} URL\nStarting a server for the demo, on the same data.\n`,
  );
  const server = await startFunes(
    { ...config, host: '127.0.0.1', port: 0 },
    createLogger({ level: 'warn', stream: destination(2) }),
  );
  try {
    write(`Database: ${server.database}\n`);
    await demonstrate(clientOf(`${server.url}/graphql`, key));
  } finally {
    await server.close();
  }
  write(
    `\nThe data stays. Run "${commands.serve}" and open the address that it prints to ask questions of your own.\n`,
  );
}

async function demonstrate(client: Client): Promise<void> {
  const began = performance.now();
  const documents = await readDocuments();
  write(
    `\nLoading ${conversations.length} conversations, some tools, and ${documents.length} documents of the installed packages\n`,
  );
  const memories = await loadMemories(client);
  const tools = await loadTools(client);
  const bar = new SingleBar(
    { format: ' {bar} {value}/{total} {filename}', hideCursor: true },
    Presets.shades_classic,
  );
  bar.start(documents.length, 0, { filename: '' });
  const loaded = await loadDocuments(client, documents, ({ filename }) =>
    bar.increment(1, { filename }),
  ).finally(() => bar.stop());
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  write(
    `${described(memories, 'memories')}, ${described(tools, 'tools')}, ` +
      `${described(loaded, 'documents')} in ${loaded.chunks} chunks, after ${seconds} s\n`,
  );
  await showQueries(client, write);
}

function described({ total, created }: Loaded, what: string): string {
  return `${total} ${what} (${created === 0 ? 'all stored before' : `${created} new`})`;
}

/** Returns the address at which this machine reaches a server with these settings. */
function addressOf({ host, port }: Config): string {
  const everywhere = host === '0.0.0.0' || host === '::';
  const name = everywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}/graphql`;
}

/** Returns whether a server answers. @throws FunesError if the server is no GraphQL API. */
async function listens(client: Client): Promise<boolean> {
  try {
    await client.send('query Ping { memories(first: 1) { pageInfo { hasNextPage } } }');
    return true;
  } catch (error) {
    if (error instanceof FunesError && error.code === 'UNAVAILABLE') return false;
    throw error;
  }
}

// The reader of the output may stop early, as in: npm run demo | head
process.stdout.on('error', () => process.exit(1));

main().catch((error: unknown) => {
  process.stderr.write(
    error instanceof FunesError ? `demo: ${error.message}\n` : `demo: ${(error as Error).stack}\n`,
  );
  process.exit(1);
});
