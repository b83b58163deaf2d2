import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Installation, install } from './installation.ts';
import { documentWrites, memoryWrites, sender, startWriters, type WriteKind } from './writers.ts';

// Kills the server with SIGKILL at random moments, and looks whether all is there that it had acknowledged. The server starts again
// by the command that started it, without a repair. `npm run test:crash [kills]` kills it more often.

const kills = Number(process.env.CRASH_KILLS ?? 1);
const minutes = 60_000;
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
