import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FunesError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { bertConfigSchema, bertGraphVersion, bertToOnnx } from './bert-graph.ts';
import { bundledModelFiles, bundledModelName } from './model.ts';
import { readSafetensors } from './safetensors.ts';
import { bundledTokenizerConfig } from './tokenizer.ts';

/** An unfinished folder of this age belongs to a process that died, because a conversion takes seconds. */
const abandonedAfterMs = 60 * 60 * 1000;
const unfinishedPrefix = '.unfinished-';

/** The input files of a conversion. */
export interface ModelFiles {
  weightsPath: string;
  tokenizerPath: string;
  configPath: string;
}

/**
 * Returns the folder below `cacheDir` with the bundled model in the form that transformers.js reads: `onnx/model.onnx` (90
 * MB), tokenizer and config. The first call converts the model. The name of the folder has a hash of the converter's version
 * and of the packaged files, so if one of them changes, the model is converted again. A finished folder is renamed to its
 * name: after a crash there is no folder of this name, and if several processes convert at the same time, the first one wins.
 *
 * @throws FunesError UNAVAILABLE if `cacheDir` cannot be written.
 */
export async function convertedModelFolder(
  cacheDir: string,
  files: ModelFiles = bundledModelFiles,
): Promise<string> {
  const folder = join(cacheDir, `${bundledModelName}-${await fingerprint(files)}`);
  if (await exists(folder)) return folder;
  const unfinished = join(cacheDir, `${unfinishedPrefix}${randomUUID()}`);
  try {
    await makeFolder(join(unfinished, 'onnx'));
    await convert(files, unfinished);
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true }).catch(() => undefined);
    // The rename fails if another process has finished the folder meanwhile. Use that folder.
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
    // The bytes must reach the disk before the rename does. Otherwise a power failure could leave an empty model.
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
