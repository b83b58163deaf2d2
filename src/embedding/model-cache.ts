import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FunesError } from '../errors.ts';
import { bertConfigSchema, bertGraphVersion, bertToOnnx } from './bert-graph.ts';
import { bundledModelFiles, bundledModelName } from './model.ts';
import { readSafetensors } from './safetensors.ts';
import { bundledTokenizerConfig } from './tokenizer.ts';

/** A half-made folder this old belongs to a process that died: a conversion takes seconds. */
const abandonedAfterMs = 60 * 60 * 1000;
const unfinishedPrefix = '.unfinished-';

/** The files a conversion starts from. */
export interface ModelFiles {
  weightsPath: string;
  tokenizerPath: string;
  configPath: string;
}

/**
 * The folder below `cacheDir` with the bundled model as transformers.js reads it (`onnx/model.onnx`, 90 MB, and its
 * tokenizer and config), converted on the first call. The folder's name carries a hash of the converter's version
 * and of the packaged files, so that a change of either converts again. It appears by a rename, complete or not at
 * all: a crash leaves a folder that nobody reads, and of processes that convert at once the first wins.
 *
 * Throws FunesError UNAVAILABLE when `cacheDir` cannot be written.
 */
export async function convertedModelFolder(
  cacheDir: string,
  files: ModelFiles = bundledModelFiles,
): Promise<string> {
  const folder = join(cacheDir, `${bundledModelName}-${await fingerprint(files)}`);
  if (await exists(folder)) return folder;
  const unfinished = join(cacheDir, `${unfinishedPrefix}${randomUUID()}`);
  try {
    await mkdir(join(unfinished, 'onnx'), { recursive: true });
    await convert(files, unfinished);
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true }).catch(() => undefined);
    // A rename onto a folder that another process has finished meanwhile fails, and its folder is as good.
    if (await exists(folder)) return folder;
    throw isFileSystemError(error)
      ? new FunesError(
          'UNAVAILABLE',
          `The embedding model cannot be stored in ${cacheDir} (${error.message}): it needs 95 MB there. ` +
            'Make room, make it writable, or point FUNES_DATA_DIR to another folder.',
          { cause: error },
        )
      : error;
  }
  await removeAbandoned(cacheDir);
  return folder;
}

async function convert(files: ModelFiles, folder: string): Promise<void> {
  const config = bertConfigSchema.parse(JSON.parse(await readFile(files.configPath, 'utf8')));
  const model = bertToOnnx(config, await readSafetensors(files.weightsPath));
  const file = await open(join(folder, 'onnx', 'model.onnx'), 'wx');
  try {
    await file.writeFile(model);
    // The rename must not reach the disk before the bytes do, or a power cut could leave a finished, empty model.
    await file.sync();
  } finally {
    await file.close();
  }
  await copyFile(files.configPath, join(folder, 'config.json'));
  await copyFile(files.tokenizerPath, join(folder, 'tokenizer.json'));
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(bundledTokenizerConfig, null, 2));
}

async function fingerprint(files: ModelFiles): Promise<string> {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([bertGraphVersion, bundledTokenizerConfig]));
  for (const path of [files.weightsPath, files.tokenizerPath, files.configPath]) {
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, { end: false });
  }
  return hash.digest('hex').slice(0, 16);
}

async function removeAbandoned(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith(unfinishedPrefix)) continue;
    const path = join(cacheDir, name);
    const info = await stat(path).catch(() => undefined);
    if (info !== undefined && Date.now() - info.mtimeMs > abandonedAfterMs) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function isFileSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
