import { threadId, type Worker } from 'node:worker_threads';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { EMBEDDING_DIMENSIONS } from '../../../schema/columns/vector.ts';
import type { BatchReport } from '../../../src/embedding/embedding-queue.ts';
import { cosine, loadRealEmbedder } from '../../support/real-embedder.ts';

const ana = 'ana';
const workers: Worker[] = [];
const noteWorker = (worker: Worker) => workers.push(worker);
process.on('worker', noteWorker);
const messages: { fields: object; message: string }[] = [];
const note = (fields: object, message: string) => messages.push({ fields, message });

const batches: BatchReport[] = [];
let heardBatch: (() => void) | undefined;
const onBatch = (report: BatchReport) => {
  batches.push(report);
  heardBatch?.();
};
const embedder = await loadRealEmbedder({ onBatch, queryCacheSize: 3 }, { info: note, warn: note });

beforeEach(() => {
  batches.length = 0;
});

afterAll(async () => {
  process.off('worker', noteWorker);
  await embedder.close();
});

const filler =
  'The committee met on Tuesday to discuss the annual budget of the harbour and the repair of its northern pier. ';

describe('the bundled model', () => {
  test('says which model it is and how long its vectors are', () => {
    expect(embedder.model).toBe('all-MiniLM-L6-v2');
    expect(embedder.dimensions).toBe(EMBEDDING_DIMENSIONS);
  });

  test('gives the values published for all-MiniLM-L6-v2', async () => {
    // From the model card of sentence-transformers, and from the documentation of transformers.js for the ONNX export.
    const published: [string, number[]][] = [
      ['This is an example sentence', [0.0676553, 0.0635565, 0.0487346]],
      ['Each sentence is converted', [0.0864, 0.1028, 0.0054]],
      ['This is a simple test.', [0.0952822, -0.0247302]],
    ];
    const vectors = await embedder.embed(published.map(([text]) => text));
    published.forEach(([, values], i) => {
      values.forEach((value, j) => {
        expect(Math.abs((vectors[i]?.[j] ?? Number.NaN) - value)).toBeLessThan(2e-4);
      });
    });
    expect(vectors[0]?.[0]).toBeCloseTo(0.0676553, 6);
  });

  test('gives vectors of 384 components and length 1', async () => {
    for (const vector of await embedder.embed(['Funes', filler.repeat(50)])) {
      expect(vector).toHaveLength(EMBEDDING_DIMENSIONS);
      expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    }
  });

  test('puts texts of one meaning nearer than texts of another', async () => {
    const texts = [
      'How do I reset my password?',
      'I forgot my login credentials and need to change them.',
      'A man is playing a guitar.',
      'Someone strums a string instrument.',
      'The stock market fell sharply on Monday.',
      'Shares tumbled at the start of the week.',
    ];
    const vectors = await embedder.embed(texts);
    vectors.forEach((vector, i) => {
      const partner = i ^ 1;
      const others = vectors.filter((_, j) => j !== i && j !== partner);
      const nearest = Math.max(...others.map((other) => cosine(vector, other)));
      expect(cosine(vector, vectors[partner] ?? [])).toBeGreaterThan(nearest + 0.2);
    });
  });

  test('gives a search text the same vector as a stored one', async () => {
    const [stored] = await embedder.embed(['Where did we leave the keys?']);
    expect(cosine(await embedder.embedQuery('Where did we leave the keys?', ana), stored ?? [])).toBeCloseTo(
      1,
      5,
    );
  });
});

describe('where it computes', () => {
  test('is one other thread, and never the thread that asks', async () => {
    await embedder.embed(['a thought']);
    expect(workers).toHaveLength(1);
    expect(workers[0]?.threadId).not.toBe(threadId);
    const loaded = messages.find(({ message }) => message === 'Embedding model loaded');
    expect(loaded?.fields).toMatchObject({ model: 'all-MiniLM-L6-v2', threadId: workers[0]?.threadId });
  });
});

describe('batches', () => {
  test('merge what different callers ask at the same time', async () => {
    const words = ['apple', 'river', 'stone', 'cloud', 'tiger', 'candle', 'violin', 'harbour'];
    const vectors = await Promise.all(words.map((word) => embedder.embed([word])));
    expect(batches).toEqual([{ lane: 'write', texts: words.length, tokens: words.length * 3 }]);
    expect(new Set(vectors.map(([vector]) => vector?.[0])).size).toBe(words.length);
  });

  test('do not change a vector: neighbours and padding leave no trace', async () => {
    const texts = ['short', filler, filler.repeat(8), 'A man is playing a guitar.', 'short'];
    const together = await embedder.embed(texts);
    for (const [i, text] of texts.entries()) {
      const [alone] = await embedder.embed([text]);
      expect(cosine(together[i] ?? [], alone ?? [])).toBeGreaterThan(0.99999);
    }
  });

  test('keep the order of the texts although they are computed by length', async () => {
    const texts = [...Array(40).keys()].map((i) => `${'very '.repeat((i * 7) % 30)}number ${i}`);
    const vectors = await embedder.embed(texts);
    expect(vectors).toHaveLength(40);
    for (const i of [0, 13, 27, 39]) {
      const [alone] = await embedder.embed([texts[i] ?? '']);
      expect(cosine(vectors[i] ?? [], alone ?? [])).toBeGreaterThan(0.99999);
    }
  });

  test('of a search are computed before what a book has waiting', async () => {
    const order: string[] = [];
    const book = embedder.embed([...Array(30).keys()].map((i) => `${filler.repeat(8)} ${i}`));
    const query = embedder.embedQuery('harbour repairs', ana);
    await Promise.all([book.then(() => order.push('book')), query.then(() => order.push('query'))]);
    expect(order).toEqual(['query', 'book']);
    expect(batches[0]).toEqual({ lane: 'query', texts: 1, tokens: 4 });
  });

  test('of a search that comes later wait for one round of the book at most', async () => {
    const book = embedder.embed([...Array(30).keys()].map((i) => `${filler.repeat(8)} ${i}`));
    await new Promise<void>((resolve) => {
      heardBatch = resolve;
    });
    const before = batches.length;
    let bookDone = false;
    const done = book.then(() => {
      bookDone = true;
    });
    await embedder.embedQuery('a later question about the pier', ana);
    expect(bookDone).toBe(false);
    const query = batches.findIndex(({ lane }) => lane === 'query');
    expect(query - before).toBeLessThanOrEqual(2);
    await done;
  });

  test('serve a caller with one text before another caller’s book is done', async () => {
    const order: string[] = [];
    const book = embedder.embed([...Array(30).keys()].map((i) => `${filler.repeat(8)} ${i}`));
    const memory = embedder.embed(['The pier is closed until May.']);
    await Promise.all([book.then(() => order.push('book')), memory.then(() => order.push('memory'))]);
    expect(order).toEqual(['memory', 'book']);
  });

  test('of searches without end do not keep a write from being computed', async () => {
    const write = embedder.embed(['a memory']);
    for (let i = 0; i < 12; i++) await embedder.embedQuery(`search number ${i}`, ana);
    await write;
    const index = batches.findIndex(({ lane }) => lane === 'write');
    expect(index).toBeGreaterThan(0);
    expect(index).toBeLessThan(12);
  });

  test('of the background are computed after those of a write that comes later, and handed over one by one', async () => {
    const order: string[] = [];
    const given: number[] = [];
    const texts = [...Array(12).keys()].map((i) => `${filler.repeat(8)} ${i}`);
    const behind = embedder.embed(texts, { background: true, onVector: (index) => given.push(index) });
    const write = embedder.embed([...Array(6).keys()].map((i) => `${filler.repeat(8)} note ${i}`));
    await Promise.all([behind.then(() => order.push('behind')), write.then(() => order.push('write'))]);
    expect(order).toEqual(['write', 'behind']);
    expect(batches.at(-1)?.lane).toBe('background');
    expect(given.sort((a, b) => a - b)).toEqual([...texts.keys()]);
  });

  test('that nobody wants any more are dropped, and those of others are not', async () => {
    const giveUp = new AbortController();
    const dropped = embedder.embed(
      [...Array(30).keys()].map((i) => `${filler.repeat(8)} ${i}`),
      {
        signal: giveUp.signal,
      },
    );
    const kept = embedder.embed(['a note']);
    giveUp.abort(new Error('too late'));
    await expect(dropped).rejects.toThrow('too late');
    expect(await kept).toHaveLength(1);
    expect(batches).toEqual([{ lane: 'write', texts: 1, tokens: 4 }]);
  });

  test('are reported with the padding they cost', async () => {
    await embedder.embed(['one', 'one two three']);
    expect(batches).toEqual([{ lane: 'write', texts: 2, tokens: 2 * 5 }]);
  });

  test('are none for no texts', async () => {
    expect(await embedder.embed([])).toEqual([]);
    expect(batches).toEqual([]);
  });
});

describe('the cache of search texts', () => {
  test('computes equal texts once, also when they are asked for at the same time', async () => {
    const [first, second] = await Promise.all([
      embedder.embedQuery('same', ana),
      embedder.embedQuery('same', ana),
    ]);
    const third = await embedder.embedQuery('same', ana);
    expect(first).toEqual(second);
    expect(first).toEqual(third);
    expect(batches).toEqual([{ lane: 'query', texts: 1, tokens: 3 }]);
  });

  test('is one of each user: what another has just searched for is computed again', async () => {
    const ofAna = await embedder.embedQuery('a secret plan', ana);
    expect(await embedder.embedQuery('a secret plan', 'bob')).toEqual(ofAna);
    expect(batches).toHaveLength(2);
    for (const user of [ana, 'bob']) await embedder.embedQuery('a secret plan', user);
    expect(batches).toHaveLength(2);
  });

  test('forgets a user, and no other', async () => {
    const asked = 'where is the ferry';
    const waiting = embedder.embedQuery(asked, ana);
    embedder.forget(ana);
    await waiting;
    for (const user of [ana, 'bob', `bob${ana}`]) await embedder.embedQuery(asked, user);
    batches.length = 0;
    embedder.forget('bob');
    for (const user of [ana, `bob${ana}`]) await embedder.embedQuery(asked, user);
    expect(batches).toEqual([]);
    await embedder.embedQuery(asked, 'bob');
    expect(batches).toHaveLength(1);
  });

  test('is not spoilt by a caller who writes into its vector', async () => {
    const first = await embedder.embedQuery('precious', ana);
    const value = first[0];
    first.fill(0);
    expect((await embedder.embedQuery('precious', ana))[0]).toBe(value);
  });

  test('is bounded: the least recently used text is computed again', async () => {
    for (const text of ['one', 'two', 'three', 'four']) await embedder.embedQuery(text, ana);
    batches.length = 0;
    await embedder.embedQuery('four', ana);
    expect(batches).toHaveLength(0);
    await embedder.embedQuery('one', ana);
    expect(batches).toHaveLength(1);
  });

  test('is not used for writes', async () => {
    await embedder.embedQuery('stored twice', ana);
    await embedder.embed(['stored twice']);
    expect(batches.map(({ lane }) => lane)).toEqual(['query', 'write']);
  });
});

describe('a text longer than the window', () => {
  const needle = 'The lighthouse keeper’s cat is called Ireneo.';

  test('is found by its last sentence, as by its first and by one in the middle', async () => {
    const half = filler.repeat(10);
    const [without, ...withNeedle] = await embedder.embed([
      half + half,
      half + half + needle,
      `${needle} ${half}${half}`,
      `${half}${needle} ${half}`,
    ]);
    const query = await embedder.embedQuery('What is the name of the lighthouse keeper’s cat?', ana);
    for (const vector of withNeedle) {
      expect(cosine(query, vector)).toBeGreaterThan(cosine(query, without ?? []) + 0.05);
    }
  });

  test('is the mean of windows that cover it', async () => {
    batches.length = 0;
    await embedder.embed([filler.repeat(40)]);
    const windows = batches.reduce((sum, { texts }) => sum + texts, 0);
    const tokens = 40 * 20;
    expect(windows).toBe(Math.ceil(tokens / 254));
  });

  test('weighs each part by its length', async () => {
    const [music, pier] = await embedder.embed(['A man is playing a guitar. '.repeat(30), filler.repeat(10)]);
    const [mostlyMusic] = await embedder.embed([
      'A man is playing a guitar. '.repeat(150) + filler.repeat(10),
    ]);
    expect(cosine(mostlyMusic ?? [], music ?? [])).toBeGreaterThan(
      cosine(mostlyMusic ?? [], pier ?? []) + 0.3,
    );
  });
});

describe('odd text', () => {
  test.each([
    ['nothing', ''],
    ['white space', ' \n\t '.repeat(20_000)],
    ['one word of a million letters', 'a'.repeat(1_000_000)],
    ['emoji', '👩‍👩‍👧‍👦🏴‍☠️'.repeat(5_000)],
    ['a lone surrogate', 'half \ud83d of a pair'],
    ['NUL and control characters', '\u0000\u0001\u001b[31m\u007f'],
    ['special tokens of the model', '[CLS] [SEP] [PAD] [MASK] [UNK]'],
    ['Hangul, which the model spells letter by letter', '한국어문장'.repeat(200)],
  ])('gets a vector of length 1: %s', async (_, text) => {
    const [vector] = await embedder.embed([text]);
    expect(Math.hypot(...(vector ?? []))).toBeCloseTo(1, 5);
  });
});
