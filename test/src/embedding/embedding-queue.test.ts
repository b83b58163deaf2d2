import { expect, test } from 'vitest';
import { EmbeddingQueue } from '../../../src/embedding/embedding-queue.ts';

/** The tokens of a window with its two special tokens, so that a round has two windows. */
const windowTokens = 254;

/**
 * A thread whose windows have one character, and that computes a round when the test says so. A window's vector is of one number,
 * its character's code.
 */
class SteppedThread {
  readonly rounds: string[] = [];
  private waiting: (() => void)[] = [];
  private arrived: (() => void) | undefined;

  async cut(texts: readonly string[]) {
    return texts.map((text) =>
      Array.from(text, (_, start) => ({ start, end: start + 1, tokens: windowTokens })),
    );
  }

  async infer(batches: readonly (readonly string[])[]): Promise<Float32Array[]> {
    this.rounds.push(batches.flat().join(''));
    await new Promise<void>((resolve) => {
      this.waiting.push(resolve);
      this.arrived?.();
    });
    return batches.map((batch) => Float32Array.from(batch, (text) => text.charCodeAt(0)));
  }

  /** Waits for the next round, and computes it. */
  async step(): Promise<void> {
    if (this.waiting.length === 0)
      await new Promise<void>((resolve) => {
        this.arrived = resolve;
      });
    this.waiting.shift()?.();
  }

  async stepUntil(done: Promise<unknown>): Promise<void> {
    let isDone = false;
    const finished = done.finally(() => {
      isDone = true;
    });
    while (!isDone) await Promise.race([finished, this.step()]);
  }
}

function start() {
  const thread = new SteppedThread();
  return { thread, queue: new EmbeddingQueue(thread as never, 1, {}) };
}

const long = (letter: string) => letter.repeat(100);
const at = (rounds: readonly string[], letter: string) => rounds.findIndex((round) => round.includes(letter));

test('a user with one short text waits for two rounds at most behind the long texts of another user', async () => {
  const { thread, queue } = start();
  const texts = Array.from({ length: 40 }, () => queue.embed([long('a')], 'query', { user: 'ana' }));
  for (let i = 0; i < 5; i++) await thread.step();
  const before = thread.rounds.length;
  await thread.stepUntil(queue.embed(['b'], 'query', { user: 'bob' }));
  expect(at(thread.rounds, 'b') - before).toBeLessThanOrEqual(2);
  void Promise.allSettled(texts);
});

test('a short text of a user comes between the windows of a long one of the same user', async () => {
  const { thread, queue } = start();
  const text = queue.embed([long('a')], 'query', { user: 'ana' });
  await thread.step();
  await thread.stepUntil(queue.embed(['b'], 'query', { user: 'ana' }));
  void text;
  // The windows that are cut already stand before.
  expect(thread.rounds.join('').length).toBeLessThan(105);
});

test('users with long texts are served in turn', async () => {
  const { thread, queue } = start();
  const texts = ['a', 'b'].flatMap((user) => [0, 1].map(() => queue.embed([long(user)], 'query', { user })));
  await thread.stepUntil(Promise.all(texts));
  const done = thread.rounds.join('');
  const firsts = done.slice(0, 200);
  expect([...firsts].filter((letter) => letter === 'a').length).toBe(100);
});

test('a text that is dropped has no more windows computed, and the others go on', async () => {
  const { thread, queue } = start();
  const left = new AbortController();
  const dropped = queue.embed([long('a')], 'query', { user: 'ana', signal: left.signal });
  const failed = expect(dropped).rejects.toThrow('left');
  const kept = queue.embed([long('c')], 'query', { user: 'ana' });
  await thread.step();
  left.abort(new Error('left'));
  await failed;
  const before = thread.rounds.length;
  await thread.stepUntil(kept);
  // The round that was under way may still have had windows of the text.
  expect(thread.rounds.slice(before).join('')).not.toContain('a');
  expect(thread.rounds.join('').match(/c/g)).toHaveLength(100);
});

test('nothing of a text is computed whose client left before it was queued', async () => {
  const { thread, queue } = start();
  const signal = AbortSignal.abort(new Error('left'));
  await expect(queue.embed(['a'], 'query', { user: 'ana', signal })).rejects.toThrow('left');
  expect(thread.rounds).toEqual([]);
});
