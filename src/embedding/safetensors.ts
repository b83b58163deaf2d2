import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** A tensor in 32-bit floats, row-major. */
export interface FloatTensor {
  shape: readonly number[];
  data: Float32Array;
}

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const headerSchema = z.record(z.string(), z.unknown());

/**
 * Reads the floating-point tensors (F16 and F32) of a safetensors file as 32-bit floats. Tensors of other types are left out.
 * The format: 8 bytes with the length of the header (little-endian), a JSON header, then the bytes of the tensors.
 *
 * @throws Error that names the file if the header and the bytes do not agree.
 */
export async function readSafetensors(path: string): Promise<Map<string, FloatTensor>> {
  const file = await readFile(path);
  const broken = (what: string) => new Error(`${path} is not a readable safetensors file: ${what}.`);
  if (file.length < 8) throw broken(`it has ${file.length} bytes`);
  const bodyStart = 8 + Number(file.readBigUInt64LE(0));
  if (bodyStart > file.length) throw broken('its header is cut off');
  const header = headerSchema.parse(JSON.parse(file.toString('utf8', 8, bodyStart)));
  const tensors = new Map<string, FloatTensor>();
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: offsets } = entrySchema.parse(value);
    const width = dtype === 'F16' ? 2 : dtype === 'F32' ? 4 : 0;
    if (width === 0) continue;
    const length = shape.reduce((product, size) => product * size, 1);
    const [start, end] = [bodyStart + offsets[0], bodyStart + offsets[1]];
    if (end - start !== length * width || end > file.length) throw broken(`tensor ${name} is cut off`);
    // A copy, because typed arrays must start at an aligned offset and tensors in the file do not.
    const bytes = new Uint8Array(file.subarray(start, end)).buffer;
    tensors.set(name, { shape, data: width === 4 ? new Float32Array(bytes) : widen(new Uint16Array(bytes)) });
  }
  return tensors;
}

function widen(halves: Uint16Array): Float32Array {
  const table = halfValues();
  const floats = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) floats[i] = table[halves[i] as number] as number;
  return floats;
}

let cachedHalfValues: Float32Array | undefined;

/** The values of the 65,536 bit patterns of IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
function halfValues(): Float32Array {
  cachedHalfValues ??= Float32Array.from({ length: 0x10000 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  return cachedHalfValues;
}
