import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FinishedCommand } from '../support/command.ts';
import { type Installation, install } from './installation.ts';
import { documentWrites, memoryWrites, type Send, sender, startWriters, type WriteKind } from './writers.ts';

// Kills the server with SIGKILL at random moments, and looks whether all is there that it had acknowledged. The server starts again
// by the command that started it, without a repair. `npm run test:crash [kills]` kills it more often.

const kills = Number(process.env.CRASH_KILLS ?? 1);
const minutes = 60_000;
/** Enough memories to be killed in the middle of them, and few where the server is killed once. */
const memoriesOfCommands = kills > 1 ? 200 : 80;
let installation: Installation;

beforeAll(async () => {
  installation = await install();
});
afterAll(() => installation.close());

/** Waits until nothing waits for its embedding, and returns how many rows have one. */
async function whenEmbedded(url: string): Promise<number> {
  interface Count {
    status: string;
    count: number;
  }
  for (;;) {
    const { embeddings } = await sender(url)<{ embeddings: Count[] }>('{ embeddings { status count } }');
    if (embeddings.every(({ status }) => status === 'READY'))
      return embeddings.reduce((sum, { count }) => sum + count, 0);
    await delay(200);
  }
}

describe.each<[string, WriteKind<unknown>]>([
  ['createMemory', memoryWrites],
  ['ingestDocument', documentWrites],
])('a server that is killed during %s', (name, kind) => {
  test(
    `has all that it acknowledged, ${kills} times`,
    async () => {
      const acknowledged = new Map<string, unknown>();
      for (let done = 0; done < kills; ) {
        const server = installation.start();
        const url = await server.url;
        const before = acknowledged.size;
        const writers = startWriters(url, kind, acknowledged);
        // Something to lose, and then any moment.
        while (acknowledged.size === before) await delay(20);
        const lifeMs = randomInt(1500);
        await delay(lifeMs);
        const inFlight = writers.inFlight();
        server.signal('SIGKILL');
        const interrupted = await writers.ended;
        await server.ended;
        console.log(
          `${name}: killed after ${lifeMs} ms with ${inFlight} writes in flight; ${interrupted} were interrupted, ` +
            `${acknowledged.size - before} acknowledged`,
        );
        // A kill counts if it came between a write and its answer.
        if (interrupted > 0) done += 1;

        const next = installation.start();
        const found = await kind.readAll(sender(await next.url));
        for (const [id, written] of acknowledged) expect(found.get(id), `${name} ${id}`).toEqual(written);
        if (done === kills)
          expect(await whenEmbedded(await next.url)).toBeGreaterThanOrEqual(acknowledged.size);
        next.signal('SIGKILL');
        await next.ended;
      }
    },
    2 * minutes * Math.max(1, kills),
  );
});

test(
  `a server that is killed or stopped while it starts does not keep the next one from starting, ${3 * kills} times`,
  async () => {
    const first = installation.start();
    const began = performance.now();
    await first.url;
    const startMs = Math.ceil(performance.now() - began);
    first.signal('SIGKILL');
    await first.ended;
    for (let i = 0; i < kills; i++) {
      for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
        const server = installation.start();
        const lifeMs = randomInt(startMs);
        await delay(lifeMs);
        server.signal(signal);
        const status = await server.ended;
        console.log(`start: ${signal} after ${lifeMs} of ${startMs} ms, status ${status}`);
        // Null is the end by the signal itself. Another status would be a crash.
        expect(signal === 'SIGKILL' ? [null] : [null, 0], server.errorOutput()).toContain(status);
        const next = installation.start();
        expect(await sender(await next.url)('{ __typename }')).toEqual({ __typename: 'Query' });
        next.signal('SIGKILL');
        await next.ended;
      }
    }
  },
  2 * minutes * Math.max(1, kills),
);

/** Runs a command beside its server, and kills both at a random moment after the command has begun to embed. Returns its end if that came before. */
async function killDuring(from: Installation, ...args: string[]): Promise<number | FinishedCommand> {
  const server = from.start();
  const url = await server.url;
  const command = from.command(...args);
  const embeds = async () => {
    // A process of its own loads the model when it has something to embed. The server of an embedded database has it loaded.
    if (from.engine === 'postgres') return command.errorOutput().includes('Embedding model loaded');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    return /^funes_embedding_batch_texts_count\{lane="background"\} [1-9]/m.test(metrics);
  };
  let ended: FinishedCommand | undefined;
  void command.ended.then((finished) => {
    ended = finished;
  });
  while (ended === undefined && !(await embeds())) await delay(20);
  const lifeMs = randomInt(2000);
  await Promise.race([command.ended, delay(lifeMs)]);
  const before = ended;
  command.signal('SIGKILL');
  server.signal('SIGKILL');
  await Promise.all([command.ended, server.ended]);
  if (before === undefined) console.log(`${args[0]}: killed ${lifeMs} ms after it had begun to embed`);
  return before ?? lifeMs;
}

/** Runs a command beside its server to its end. */
async function completeWith(from: Installation, ...args: string[]): Promise<FinishedCommand> {
  const server = from.start();
  await server.url;
  const ended = await from.command(...args).ended;
  server.signal('SIGKILL');
  await server.ended;
  return ended;
}

interface Counts {
  embeddings: { status: string; model: string | null; count: number }[];
}

test(
  `a change of the model goes on after the server and the command are killed, ${kills} times`,
  async () => {
    const memories = new Map<string, unknown>();
    const first = installation.start();
    const send = sender(await first.url);
    // Enough to be killed in the middle of it.
    const writers = Array.from({ length: 8 }, async () => {
      for (let i = 0; i < memoriesOfCommands / 8; i++) {
        const { id, written } = await memoryWrites.write(send);
        memories.set(id, written);
      }
    });
    await Promise.all(writers);
    first.signal('SIGKILL');
    await first.ended;

    const models = [installation.otherModel, ''];
    for (let done = 0; done < kills; ) {
      installation.settings = { FUNES_EMBEDDING_MODEL: models[0] ?? '' };
      const ended = await killDuring(installation, 'reembed', '--json');
      if (typeof ended !== 'number') {
        // It was complete before the kill: the next one changes to the other model.
        expect(ended).toMatchObject({ status: 0 });
        models.reverse();
        continue;
      }
      done += 1;

      const next = installation.start();
      const nextSend = sender(await next.url);
      const found = await memoryWrites.readAll(nextSend);
      for (const [id, written] of memories) expect(found.get(id)).toEqual(written);
      const { similarMemories } = await nextSend<{
        similarMemories: { memory: { embeddingModel: string } }[];
      }>('{ similarMemories(text: "the tide at the harbour", k: 50) { memory { embeddingModel } } }');
      expect(similarMemories).toHaveLength(50);
      expect(new Set(similarMemories.map(({ memory }) => memory.embeddingModel)).size).toBe(1);
      next.signal('SIGKILL');
      await next.ended;
    }

    const last = installation.start();
    const lastUrl = await last.url;
    expect(await installation.command('reembed', '--json').ended).toMatchObject({ status: 0 });
    const { embeddings } = await sender(lastUrl)<Counts>('{ embeddings { status model count } }');
    const model = models[0] === '' ? 'all-MiniLM-L6-v2' : 'another-model';
    expect(new Set(embeddings.map((one) => `${one.status} ${one.model}`))).toEqual(
      new Set([`READY ${model}`]),
    );
    last.signal('SIGKILL');
    await last.ended;
  },
  4 * minutes * Math.max(1, kills),
);

test(
  `an import goes on after the server and the command are killed, ${kills} times`,
  async () => {
    installation.settings = {};
    const source = installation.start();
    const send = sender(await source.url);
    while ((await memoryWrites.readAll(send)).size < memoriesOfCommands) await memoryWrites.write(send);
    while ((await documentWrites.readAll(send)).size < 10) await documentWrites.write(send);
    const read = async (from: Send) => {
      const rows = [
        ...(await memoryWrites.readAll(from)).values(),
        ...(await documentWrites.readAll(from)).values(),
      ];
      return rows.map((row) => JSON.stringify(row)).sort();
    };
    const wanted = await read(send);
    const file = join(installation.folder, 'export.jsonl');
    // Without vectors, an import takes long enough to be killed.
    expect(await installation.command('export', file, '--no-vectors').ended).toMatchObject({ status: 0 });
    source.signal('SIGKILL');
    await source.ended;

    for (let done = 0; done < kills; ) {
      const target = await install();
      try {
        let before: string[] = [];
        for (let complete = false; !complete; ) {
          const ended =
            done < kills
              ? await killDuring(target, 'import', file, '--json')
              : await completeWith(target, 'import', file, '--json');
          complete = typeof ended !== 'number';
          if (complete) expect(ended).toMatchObject({ status: 0 });

          const next = target.start();
          const found = await read(sender(await next.url));
          if (!complete) {
            done += 1;
            console.log(`import: ${found.length} of ${wanted.length} rows are there`);
          }
          for (const row of before) expect(found).toContain(row);
          expect(complete ? found : found.filter((row) => wanted.includes(row))).toEqual(
            complete ? wanted : found,
          );
          expect(new Set(found).size).toBe(found.length);
          before = found;
          next.signal('SIGKILL');
          await next.ended;
        }
      } finally {
        await target.close();
      }
    }
  },
  4 * minutes * Math.max(1, kills),
);
