import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BertConfig, bertToOnnx } from '../../src/embedding/bert-graph.ts';
import { bundledModelFiles } from '../../src/embedding/model.ts';
import type { ModelFiles } from '../../src/embedding/model-cache.ts';
import type { FloatTensor } from '../../src/embedding/safetensors.ts';
import { bundledTokenizerConfig } from '../../src/embedding/tokenizer.ts';

/** A BERT of two layers and 32 dimensions, for what needs a real model but no meaning. */
export const tinyConfig: BertConfig = {
  model_type: 'bert',
  hidden_act: 'gelu',
  hidden_size: 32,
  num_attention_heads: 4,
  num_hidden_layers: 2,
  layer_norm_eps: 1e-12,
};

const vocabulary = 30_522;
const inner = 64;

/** Its weights: every tensor a BERT encoder has, with numbers that look random and are the same for a seed. */
export function tinyWeights(seed = 1): Map<string, FloatTensor> {
  const size = tinyConfig.hidden_size;
  const tensors = new Map<string, FloatTensor>();
  let state = seed;
  const add = (name: string, ...shape: number[]) => {
    const length = shape.reduce((product, n) => product * n, 1);
    const data = Float32Array.from({ length }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32 - 0.5;
    });
    tensors.set(name, { shape, data });
  };
  const addLinear = (name: string, outputs: number, inputs: number) => {
    add(`${name}.weight`, outputs, inputs);
    add(`${name}.bias`, outputs);
  };
  const addNorm = (name: string) => {
    add(`${name}.weight`, size);
    add(`${name}.bias`, size);
  };
  add('embeddings.word_embeddings.weight', vocabulary, size);
  add('embeddings.position_embeddings.weight', 512, size);
  add('embeddings.token_type_embeddings.weight', 2, size);
  addNorm('embeddings.LayerNorm');
  for (let layer = 0; layer < tinyConfig.num_hidden_layers; layer++) {
    const prefix = `encoder.layer.${layer}`;
    for (const part of ['query', 'key', 'value']) addLinear(`${prefix}.attention.self.${part}`, size, size);
    addLinear(`${prefix}.attention.output.dense`, size, size);
    addNorm(`${prefix}.attention.output.LayerNorm`);
    addLinear(`${prefix}.intermediate.dense`, inner, size);
    addLinear(`${prefix}.output.dense`, size, inner);
    addNorm(`${prefix}.output.LayerNorm`);
  }
  return tensors;
}

/** The bytes of a safetensors file with these tensors, all F32. */
export function encodeSafetensors(tensors: ReadonlyMap<string, FloatTensor>): Buffer {
  const header: Record<string, object> = { __metadata__: { format: 'pt' } };
  const bodies: Buffer[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    bodies.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...bodies]);
}

/** Writes the model as the converter's input: safetensors, config, and the real model's tokenizer. */
export async function writeTinySource(folder: string, seed = 1): Promise<ModelFiles> {
  const weightsPath = join(folder, 'model.safetensors');
  const configPath = join(folder, 'config.json');
  await writeFile(weightsPath, encodeSafetensors(tinyWeights(seed)));
  await writeFile(configPath, JSON.stringify(tinyConfig));
  return { weightsPath, configPath, tokenizerPath: bundledModelFiles.tokenizerPath };
}

/** Writes the model as transformers.js reads it from a folder. */
export async function writeTinyModel(folder: string): Promise<void> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await writeFile(join(folder, 'onnx', 'model.onnx'), bertToOnnx(tinyConfig, tinyWeights()));
  await writeFile(join(folder, 'config.json'), JSON.stringify(tinyConfig));
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(bundledTokenizerConfig));
  await copyFile(bundledModelFiles.tokenizerPath, join(folder, 'tokenizer.json'));
}
