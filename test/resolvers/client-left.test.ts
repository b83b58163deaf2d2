import { request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { HashEmbedder } from '../../testkit/hash-embedder.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

/** An embedder that computes nothing until the test lets it, and tells what it was asked for. */
class HeldEmbedder extends HashEmbedder {
  readonly asked: { text: string; signal: AbortSignal | undefined }[] = [];
  release: () => void = () => {};
  private readonly held = new Promise<void>((resolve) => {
    this.release = resolve;
  });
  heard: () => void = () => {};

  override async embedQuery(text: string, _userId?: string, signal?: AbortSignal): Promise<Float32Array> {
    this.asked.push({ text, signal });
    this.heard();
    await new Promise<void>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
      void this.held.then(resolve);
    });
    return super.embedQuery(text);
  }

  override async embed(texts: readonly string[]): Promise<Float32Array[]> {
    this.asked.push({ text: String(texts), signal: undefined });
    this.heard();
    await this.held;
    return super.embed(texts);
  }
}

let server: TestServer | undefined;
afterEach(() => server?.close());

/** Sends an operation, and leaves when the embedder has its text. */
async function leaveWhileEmbedding(embedder: HeldEmbedder, query: string): Promise<void> {
  const heard = new Promise<void>((resolve) => {
    embedder.heard = resolve;
  });
  const { port } = new URL(server?.url ?? '');
  const headers = { 'content-type': 'application/json' };
  const sent = request({ port, method: 'POST', path: '/graphql', headers }).on('error', () => {});
  sent.end(JSON.stringify({ query }));
  await heard;
  sent.destroy();
}

/** Waits for something that the server does by itself. */
async function until(isTrue: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setImmediate(resolve));
}

test('a search whose client left is told to the embedder, and its log line says so', async () => {
  const embedder = new HeldEmbedder();
  server = await startTestServer({ embedder });
  await leaveWhileEmbedding(embedder, '{ similarMemories(text: "rare") { score } }');
  await until(() => embedder.asked[0]?.signal?.aborted === true);
  await until(() => server?.log.some(({ msg }) => msg === 'request') ?? false);
  expect(server.log.filter(({ msg }) => msg === 'request')).toEqual([
    expect.objectContaining({ method: 'POST', path: '/graphql', status: null, clientLeft: true }),
  ]);
});

test('a write whose client left is done', async () => {
  const embedder = new HeldEmbedder();
  server = await startTestServer({ embedder });
  await leaveWhileEmbedding(embedder, 'mutation { createMemory(input: { content: "kept" }) { id } }');
  await until(() => server?.log.some(({ clientLeft }) => clientLeft === true) ?? false);
  embedder.release();
  await until(async () => (await server?.sql('select 1 from memories'))?.length === 1);
  expect(await server.sql('select content from memories')).toEqual([{ content: 'kept' }]);
});
