import { z } from 'zod';
import { OnnxGraph } from './onnx.ts';
import type { FloatTensor } from './safetensors.ts';

/** The parts of a BERT model's `config.json` that the converter needs. It refuses other kinds of models. */
export const bertConfigSchema = z.object({
  model_type: z.literal('bert'),
  hidden_act: z.literal('gelu'),
  hidden_size: z.int().positive(),
  num_attention_heads: z.int().positive(),
  num_hidden_layers: z.int().positive(),
  layer_norm_eps: z.number().positive(),
});

export type BertConfig = z.infer<typeof bertConfigSchema>;

/** Raise it whenever the graph changes, so that cached models are made anew. */
export const bertGraphVersion = 1;

/**
 * Writes a BERT encoder (Devlin et al. 2019, with the erf form of GELU) as an ONNX model in 32-bit floats.
 * Inputs `input_ids`, `attention_mask`, `token_type_ids`, int64 of batch x sequence; output `last_hidden_state`,
 * float32 of batch x sequence x hidden size.
 *
 * @throws Error if a weight is missing.
 */
export function bertToOnnx(config: BertConfig, weights: ReadonlyMap<string, FloatTensor>): Uint8Array {
  return new BertGraph(config, weights).build();
}

const embeddingsPrefix = 'embeddings';

class BertGraph {
  private readonly graph = new OnnxGraph('bert');

  constructor(
    private readonly config: BertConfig,
    private readonly weights: ReadonlyMap<string, FloatTensor>,
  ) {}

  build(): Uint8Array {
    const { graph, config } = this;
    for (const input of ['input_ids', 'attention_mask', 'token_type_ids']) {
      graph.input(input, 'int64', ['batch', 'sequence']);
    }
    const mask = this.attentionMask();
    let hidden = this.embeddings();
    for (let layer = 0; layer < config.num_hidden_layers; layer++) {
      const prefix = `encoder.layer.${layer}`;
      const attended = this.selfAttention(`${prefix}.attention`, hidden, mask);
      hidden = this.feedForward(prefix, attended);
    }
    graph.add('Identity', 'last_hidden_state', [hidden]);
    graph.output('last_hidden_state', 'float32', ['batch', 'sequence', config.hidden_size]);
    return graph.encode({ name: 'funes', version: String(bertGraphVersion) });
  }

  /** 0 for a real token and the lowest float for padding. It is added to the attention scores before the softmax. */
  private attentionMask(): string {
    const { graph } = this;
    const wide = graph.add('Unsqueeze', 'mask.wide', ['attention_mask', this.ints('mask.axes', [1, 2])]);
    const real = graph.add('Cast', 'mask.float', [wide], { to: { int: 1 } });
    const padding = graph.add('Sub', 'mask.padding', [this.scalar('mask.one', 1), real]);
    return graph.add('Mul', 'mask', [padding, this.scalar('mask.lowest', -3.4028234663852886e38)]);
  }

  private embeddings(): string {
    const { graph } = this;
    const table = (kind: string) => this.weight(`${embeddingsPrefix}.${kind}_embeddings.weight`);
    const words = graph.add('Gather', 'embeddings.words', [table('word'), 'input_ids']);
    const types = graph.add('Gather', 'embeddings.types', [table('token_type'), 'token_type_ids']);
    const shape = graph.add('Shape', 'embeddings.shape', ['input_ids']);
    const length = graph.add('Gather', 'embeddings.length', [shape, this.ints('embeddings.length.at', [1])]);
    const first = this.ints('embeddings.first', [0]);
    const positions = graph.add('Slice', 'embeddings.positions', [table('position'), first, length, first]);
    const typed = graph.add('Add', 'embeddings.typed', [words, types]);
    const sum = graph.add('Add', 'embeddings.sum', [typed, positions]);
    return this.layerNorm(`${embeddingsPrefix}.LayerNorm`, sum);
  }

  private selfAttention(prefix: string, hidden: string, mask: string): string {
    const { graph, config } = this;
    const headSize = config.hidden_size / config.num_attention_heads;
    const split = this.ints(`${prefix}.split`, [0, 0, config.num_attention_heads, headSize]);
    const merge = this.ints(`${prefix}.merge`, [0, 0, config.hidden_size]);
    const heads = (kind: string, permutation: number[]) => {
      const projected = this.linear(`${prefix}.self.${kind}`, hidden);
      const shaped = graph.add('Reshape', `${prefix}.self.${kind}.heads`, [projected, split]);
      return graph.add('Transpose', `${prefix}.self.${kind}.turned`, [shaped], {
        perm: { ints: permutation },
      });
    };
    const query = heads('query', [0, 2, 1, 3]);
    const key = heads('key', [0, 2, 3, 1]);
    const value = heads('value', [0, 2, 1, 3]);
    const products = graph.add('MatMul', `${prefix}.products`, [query, key]);
    const root = this.scalar(`${prefix}.root`, Math.sqrt(headSize));
    const scaled = graph.add('Div', `${prefix}.scaled`, [products, root]);
    const masked = graph.add('Add', `${prefix}.masked`, [scaled, mask]);
    const shares = graph.add('Softmax', `${prefix}.shares`, [masked], { axis: { int: -1 } });
    const context = graph.add('MatMul', `${prefix}.context`, [shares, value]);
    const turned = graph.add('Transpose', `${prefix}.context.turned`, [context], {
      perm: { ints: [0, 2, 1, 3] },
    });
    const joined = graph.add('Reshape', `${prefix}.context.joined`, [turned, merge]);
    const output = this.linear(`${prefix}.output.dense`, joined);
    const residual = graph.add('Add', `${prefix}.residual`, [output, hidden]);
    return this.layerNorm(`${prefix}.output.LayerNorm`, residual);
  }

  private feedForward(prefix: string, hidden: string): string {
    const inner = this.gelu(`${prefix}.gelu`, this.linear(`${prefix}.intermediate.dense`, hidden));
    const output = this.linear(`${prefix}.output.dense`, inner);
    const residual = this.graph.add('Add', `${prefix}.residual`, [output, hidden]);
    return this.layerNorm(`${prefix}.output.LayerNorm`, residual);
  }

  /** x * (1 + erf(x / sqrt 2)) / 2 (Hendrycks and Gimpel 2016). */
  private gelu(name: string, x: string): string {
    const { graph } = this;
    const scaled = graph.add('Div', `${name}.scaled`, [x, this.scalar(`${name}.root2`, Math.SQRT2)]);
    const erf = graph.add('Erf', `${name}.erf`, [scaled]);
    const shifted = graph.add('Add', `${name}.shifted`, [erf, this.scalar(`${name}.one`, 1)]);
    const product = graph.add('Mul', `${name}.product`, [x, shifted]);
    return graph.add('Mul', name, [product, this.scalar(`${name}.half`, 0.5)]);
  }

  /** x W^T + b. MatMul needs W^T, and the weights have W as outputs x inputs. */
  private linear(prefix: string, x: string): string {
    const weight = this.transposedWeight(`${prefix}.weight`);
    const product = this.graph.add('MatMul', `${prefix}.product`, [x, weight]);
    return this.graph.add('Add', `${prefix}.sum`, [product, this.weight(`${prefix}.bias`)]);
  }

  private layerNorm(prefix: string, x: string): string {
    const inputs = [x, this.weight(`${prefix}.weight`), this.weight(`${prefix}.bias`)];
    return this.graph.add('LayerNormalization', `${prefix}.norm`, inputs, {
      axis: { int: -1 },
      epsilon: { float: this.config.layer_norm_eps },
    });
  }

  private weight(name: string): string {
    const { shape, data } = this.tensor(name);
    return this.graph.constant(name, shape, data);
  }

  private transposedWeight(name: string): string {
    const { shape, data } = this.tensor(name);
    const [rows = 0, columns = 0] = shape;
    const transposed = new Float32Array(data.length);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        transposed[column * rows + row] = data[row * columns + column] as number;
      }
    }
    return this.graph.constant(name, [columns, rows], transposed);
  }

  private tensor(name: string): FloatTensor {
    const tensor = this.weights.get(name);
    if (tensor === undefined) throw new Error(`The model's weights have no tensor ${name}.`);
    return tensor;
  }

  private scalar(name: string, value: number): string {
    return this.graph.constant(name, [], Float32Array.of(value));
  }

  private ints(name: string, values: readonly number[]): string {
    return this.graph.constant(name, [values.length], BigInt64Array.from(values, BigInt));
  }
}
