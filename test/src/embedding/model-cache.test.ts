import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { convertedModelFolder, type ModelFiles } from '../../../src/embedding/model-cache.ts';
import { writeTinySource } from '../../support/tiny-bert.ts';

let scratch: string;
let cacheDir: string;
let files: ModelFiles;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'funes-model-cache-'));
  cacheDir = join(scratch, 'data', 'models');
  files = await writeTinySource(scratch);
});

afterEach(() => rm(scratch, { recursive: true, force: true }));

describe('the converted model', () => {
  test('is a folder with all that transformers.js reads', async () => {
    const folder = await convertedModelFolder(cacheDir, files);
    const found = (await readdir(folder, { recursive: true })).sort();
    expect(found).toEqual([
      'config.json',
      'onnx',
      'onnx/model.onnx',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
  });

  test('is made once', async () => {
    const folder = await convertedModelFolder(cacheDir, files);
    const { mtimeMs } = await stat(cacheDir);
    expect(await convertedModelFolder(cacheDir, files)).toBe(folder);
    expect((await stat(cacheDir)).mtimeMs).toBe(mtimeMs);
  });

  test('is made anew when the weights change', async () => {
    const folder = await convertedModelFolder(cacheDir, files);
    const changed = await convertedModelFolder(cacheDir, await writeTinySource(scratch, 2));
    expect(changed).not.toBe(folder);
    expect((await readdir(cacheDir)).length).toBe(2);
  });

  test('is made by several starts at once without harm, and is one', async () => {
    const folders = await Promise.all([1, 2, 3].map(() => convertedModelFolder(cacheDir, files)));
    expect(new Set(folders).size).toBe(1);
    expect(await readdir(cacheDir)).toHaveLength(1);
    expect((await stat(join(folders[0] ?? '', 'onnx', 'model.onnx'))).size).toBeGreaterThan(3_900_000);
  });
});

describe('after a crash in the middle of a conversion', () => {
  const half = '.unfinished-11111111-2222-3333-4444-555555555555';

  beforeEach(async () => {
    await mkdir(join(cacheDir, half, 'onnx'), { recursive: true });
    await writeFile(join(cacheDir, half, 'onnx', 'model.onnx'), 'half a mod');
  });

  test('the half model is not used, and left alone while its maker may be alive', async () => {
    const folder = await convertedModelFolder(cacheDir, files);
    expect((await stat(join(folder, 'onnx', 'model.onnx'))).size).toBeGreaterThan(3_900_000);
    expect(await readdir(cacheDir)).toContain(half);
  });

  test('the half model is removed once it is old', async () => {
    const twoHoursAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
    await utimes(join(cacheDir, half), twoHoursAgo, twoHoursAgo);
    const folder = await convertedModelFolder(cacheDir, files);
    expect(await readdir(cacheDir)).toEqual([folder.slice(cacheDir.length + 1)]);
  });
});

describe('what goes wrong', () => {
  test('a folder that cannot be written is named, with what to do', async () => {
    await writeFile(join(scratch, 'data'), 'a file where the folder should be');
    await expect(convertedModelFolder(cacheDir, files)).rejects.toMatchObject({
      name: 'FunesError',
      code: 'UNAVAILABLE',
      message: expect.stringContaining(cacheDir),
    });
  });

  test('damaged weights are named, and nothing is left behind', async () => {
    await writeFile(files.weightsPath, 'not weights');
    await expect(convertedModelFolder(cacheDir, files)).rejects.toThrow(files.weightsPath);
    expect(await readdir(cacheDir)).toEqual([]);
  });

  test('a model that is no BERT is refused', async () => {
    await writeFile(files.configPath, JSON.stringify({ model_type: 'gpt2' }));
    await expect(convertedModelFolder(cacheDir, files)).rejects.toThrow(/model_type/);
  });
});
