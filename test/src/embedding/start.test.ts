import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEmbedder } from '../../../src/embedding/embedder.ts';
import { resolveModel } from '../../../src/embedding/model.ts';
import { convertedModelFolder } from '../../../src/embedding/model-cache.ts';
import { cosine, loadRealEmbedder, testModelCache } from '../../support/real-embedder.ts';
import { writeTinyModel } from '../../support/tiny-bert.ts';

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'funes-embedder-'));
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

describe('FUNES_EMBEDDING_MODEL', () => {
  test('unset, blank or all-MiniLM-L6-v2 is the bundled model', () => {
    for (const value of [undefined, '', '  ', 'all-MiniLM-L6-v2']) {
      expect(resolveModel(value)).toEqual({ kind: 'bundled', name: 'all-MiniLM-L6-v2' });
    }
  });

  test('owner/name is a model on the hub', () => {
    const id = 'Xenova/bge-small-en-v1.5';
    expect(resolveModel(id)).toEqual({ kind: 'hub', name: id, id });
  });

  test('that names neither a model folder nor an id is refused with what is allowed', () => {
    for (const value of [scratch, './no/such/folder', 'bge-small', 'https://example.org/model']) {
      expect(() => resolveModel(value)).toThrow(
        /FUNES_EMBEDDING_MODEL is ".*"; it must be a folder .*\. Unset it/,
      );
    }
  });

  test('may be a folder with a model of 384 dimensions', async () => {
    const folder = await convertedModelFolder(testModelCache);
    const [embedder, bundled] = [await loadRealEmbedder({ model: folder }), await loadRealEmbedder()];
    try {
      expect(embedder.model).toBe(basename(folder));
      const [fromFolder] = await embedder.embed(['A man is playing a guitar.']);
      const [fromPackage] = await bundled.embed(['A man is playing a guitar.']);
      expect(cosine(fromFolder ?? [], fromPackage ?? [])).toBeCloseTo(1, 6);
    } finally {
      await Promise.all([embedder.close(), bundled.close()]);
    }
  });

  test('of another dimension is refused with what to do', async () => {
    const folder = join(scratch, 'tiny-bert');
    await writeTinyModel(folder);
    await expect(startEmbedder({ model: folder, cacheDir: scratch })).rejects.toMatchObject({
      name: 'FunesError',
      code: 'BAD_USER_INPUT',
      message: expect.stringMatching(/tiny-bert makes vectors of 32 dimensions.*384.*FUNES_EMBEDDING_MODEL/),
    });
  });

  test('that is a folder without a model is refused with the files it needs', async () => {
    const folder = join(scratch, 'empty');
    await mkdir(folder);
    await writeFile(join(folder, 'config.json'), '{"model_type":"bert"}');
    await expect(startEmbedder({ model: folder, cacheDir: scratch })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/empty cannot be loaded.*onnx\/model\.onnx/),
    });
  });
});

describe('a thread that dies', () => {
  test('fails what it was computing with UNAVAILABLE, and the next call works', async () => {
    const workers: Worker[] = [];
    const note = (worker: Worker) => workers.push(worker);
    process.on('worker', note);
    const embedder = await loadRealEmbedder();
    try {
      const lost = embedder.embed(['a long text '.repeat(5_000)]);
      const failure = expect(lost).rejects.toMatchObject({ name: 'FunesError', code: 'UNAVAILABLE' });
      const query = embedder.embedQuery('cached only when it was computed', 'ana');
      await query;
      await workers[0]?.terminate();
      await failure;
      const [vector] = await embedder.embed(['This is an example sentence']);
      expect(vector?.[0]).toBeCloseTo(0.0676553, 5);
      expect(workers).toHaveLength(2);
    } finally {
      process.off('worker', note);
      await embedder.close();
    }
  });
});

describe('closing', () => {
  test('rejects what waits and what comes after', async () => {
    const embedder = await loadRealEmbedder();
    const waiting = embedder.embed(['a long text '.repeat(5_000)]);
    const failure = expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await embedder.close();
    await failure;
    await expect(embedder.embed(['late'])).rejects.toThrow(/shutting down/);
    await expect(embedder.embedQuery('late', 'ana')).rejects.toThrow(/shutting down/);
  });

  test('ends the thread', async () => {
    const workers: Worker[] = [];
    const note = (worker: Worker) => workers.push(worker);
    process.on('worker', note);
    try {
      const embedder = await loadRealEmbedder();
      expect(workers.map((worker) => worker.threadId > 0)).toEqual([true]);
      await embedder.close();
      expect(workers.map((worker) => worker.threadId)).toEqual([-1]);
    } finally {
      process.off('worker', note);
    }
  });

  test('lets a process that runs by tsx end by itself', async () => {
    const script = join(import.meta.dirname, '../../support/embed-once.ts');
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script], {
      timeout: 60_000,
    });
    expect(stdout).toBe('0.067655\n');
  });
});
