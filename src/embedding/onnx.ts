import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';

const schema = protobuf.parse(readFileSync(new URL('./onnx.proto', import.meta.url), 'utf8'), {
  keepCase: true,
}).root;
const modelType = schema.lookupType('onnx.ModelProto');

/** ONNX's numbers for element types (TensorProto.DataType). */
const elementTypes = { float32: 1, int64: 7 } as const;
/** ONNX's numbers for the kinds of attributes (AttributeProto.AttributeType). */
const attributeTypes = { float: 1, int: 2, ints: 7 } as const;

export type ElementType = keyof typeof elementTypes;

/** An attribute of an operator. ONNX has types for whole numbers and floats, which JavaScript numbers do not tell. */
export type Attribute = { float: number } | { int: number } | { ints: readonly number[] };

/** Operator set of the written models; 17 is the first with LayerNormalization. */
const opset = 17;
/** Version of the file format that belongs to operator set 17. */
const irVersion = 8;

/**
 * Builds an ONNX model node by node. `add` and `constant` return the name of the value that they make, which other nodes take
 * as an input. Add a node after the nodes that make its inputs.
 */
export class OnnxGraph {
  private readonly nodes: object[] = [];
  private readonly initializers: object[] = [];
  private readonly inputs: object[] = [];
  private readonly outputs: object[] = [];

  constructor(private readonly name: string) {}

  /** Declares an input. A string in `shape` names a dimension that is known only at run time. */
  input(name: string, type: ElementType, shape: readonly (number | string)[]): string {
    this.inputs.push(valueInfo(name, type, shape));
    return name;
  }

  /** Declares the value `name` as an output. */
  output(name: string, type: ElementType, shape: readonly (number | string)[]): void {
    this.outputs.push(valueInfo(name, type, shape));
  }

  /** Stores a tensor in the model. `data` is row-major, and must not change before `encode`. */
  constant(name: string, shape: readonly number[], data: Float32Array | BigInt64Array): string {
    const type: ElementType = data instanceof Float32Array ? 'float32' : 'int64';
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.initializers.push({ name, dims: shape, data_type: elementTypes[type], raw_data: bytes });
    return name;
  }

  /** Adds a node with one output. Returns the name of the output, which is also the name of the node. */
  add(operator: string, name: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}) {
    this.nodes.push({
      name,
      op_type: operator,
      input: inputs,
      output: [name],
      attribute: Object.entries(attributes).map(([key, value]) => encodeAttribute(key, value)),
    });
    return name;
  }

  /** Returns the bytes of the model as a `.onnx` file, which names `producer`. */
  encode(producer: { name: string; version: string }): Uint8Array {
    const model = modelType.fromObject({
      ir_version: irVersion,
      producer_name: producer.name,
      producer_version: producer.version,
      opset_import: [{ domain: '', version: opset }],
      graph: {
        name: this.name,
        node: this.nodes,
        initializer: this.initializers,
        input: this.inputs,
        output: this.outputs,
      },
    });
    return modelType.encode(model).finish();
  }
}

function encodeAttribute(name: string, value: Attribute): object {
  if ('float' in value) return { name, type: attributeTypes.float, f: value.float };
  if ('int' in value) return { name, type: attributeTypes.int, i: value.int };
  return { name, type: attributeTypes.ints, ints: value.ints };
}

function valueInfo(name: string, type: ElementType, shape: readonly (number | string)[]): object {
  const dim = shape.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size }));
  return { name, type: { tensor_type: { elem_type: elementTypes[type], shape: { dim } } } };
}
