import { threadId } from 'node:worker_threads';
import { env, LogLevel, pipeline } from '@xenova/transformers';
import { workerData } from 'piscina';
import type { ModelSource } from './model.ts';
import { convertedModelFolder } from './model-cache.ts';
import { loadTokenizer, type TextTokenizer, type TokenSpan } from './tokenizer.ts';

// Import this module only in the inference thread. Elsewhere, it would compute on the importer's thread.

/** The settings that the main thread passes to the inference thread. */
export interface InferenceSetup {
  source: ModelSource;
  cacheDir: string;
  /** Threads with which ONNX Runtime computes one batch. */
  threads: number;
}

/** Facts about a loaded model. */
export interface LoadedModel {
  /** How many numbers its vectors have. */
  dimensions: number;
  /** The id of the worker thread. */
  threadId: number;
}

/** The vectors of a batch one after another, `texts x dimensions`. */
export type FlatVectors = Float32Array;

interface Model {
  tokenizer: TextTokenizer;
  embed(texts: string[]): Promise<{ dimensions: number; vectors: FlatVectors }>;
}

let model: Promise<Model> | undefined;

async function loadModel({ source, cacheDir, threads }: InferenceSetup): Promise<Model> {
  env.logLevel = LogLevel.ERROR;
  env.cacheDir = cacheDir;
  env.allowRemoteModels = source.kind === 'hub';
  const location =
    source.kind === 'hub'
      ? source.id
      : source.kind === 'folder'
        ? source.folder
        : await convertedModelFolder(cacheDir);
  const extractor = await pipeline('feature-extraction', location, {
    dtype: 'fp32',
    session_options: {
      intraOpNumThreads: threads,
      // Threads that spin while they wait would take CPU time from the event loop and the database.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    },
  });
  const tokenizer = await loadTokenizer({
    model: source.kind === 'bundled' ? undefined : location,
    cacheDir,
  });
  return {
    tokenizer,
    async embed(texts) {
      const output = await extractor(texts, { pooling: 'mean', normalize: true });
      const vectors = Float32Array.from(output.data as Float32Array);
      output.dispose();
      return { dimensions: output.dims.at(-1) ?? 0, vectors };
    },
  };
}

function loadedModel(): Promise<Model> {
  model ??= loadModel(workerData as InferenceSetup).catch((error: unknown) => {
    // Forget the failed load: it may succeed when the next task comes.
    model = undefined;
    throw error;
  });
  return model;
}

/** Loads the model and uses it once, because the first inference takes longer than the next ones. */
export async function load(): Promise<LoadedModel> {
  const { embed } = await loadedModel();
  const { dimensions, vectors } = await embed(['Funes remembers.']);
  if (!vectors.every(Number.isFinite)) throw new Error('it gives vectors with values that are not numbers');
  return { dimensions, threadId };
}

/** Cuts each text into windows that fit the model. */
export async function cut(texts: string[]): Promise<TokenSpan[][]> {
  const { tokenizer } = await loadedModel();
  return texts.map((text) => tokenizer.windows(text));
}

/** Computes the vectors of each batch. No text may be longer than the model's window. */
export async function infer(batches: string[][]): Promise<FlatVectors[]> {
  const { embed } = await loadedModel();
  const results: FlatVectors[] = [];
  for (const batch of batches) results.push((await embed(batch)).vectors);
  return results;
}
