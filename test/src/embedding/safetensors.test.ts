import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSafetensors } from '../../../src/embedding/safetensors.ts';
import { encodeSafetensors } from '../../support/tiny-bert.ts';

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'funes-safetensors-'));
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

function file(header: object, body: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, body]);
}

async function read(bytes: Buffer) {
  const path = join(scratch, 'weights.safetensors');
  await writeFile(path, bytes);
  return readSafetensors(path);
}

test('half floats are widened to the values IEEE 754 gives them', async () => {
  const halves = [0x0000, 0x3c00, 0xc000, 0x3555, 0x0001, 0x03ff, 0x7bff, 0x7c00, 0xfc00];
  const body = Buffer.alloc(halves.length * 2);
  halves.forEach((half, i) => {
    body.writeUInt16LE(half, i * 2);
  });
  const tensors = await read(file({ w: { dtype: 'F16', shape: [3, 3], data_offsets: [0, 18] } }, body));
  expect(tensors.get('w')?.shape).toEqual([3, 3]);
  const expected = [0, 1, -2, 0.333251953125, 2 ** -24, 1023 * 2 ** -24, 65504, Infinity, -Infinity];
  expect([...(tensors.get('w')?.data ?? [])]).toEqual(expected);
});

test('32-bit floats are read as they are, and other types are left out', async () => {
  const data = Float32Array.of(1.5, -2.25);
  const tensors = await read(encodeSafetensors(new Map([['w', { shape: [2], data }]])));
  expect([...tensors]).toEqual([['w', { shape: [2], data }]]);
  const ids = await read(file({ ids: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }, Buffer.alloc(8)));
  expect(ids.size).toBe(0);
});

test('a file that is cut off is refused by name', async () => {
  const whole = encodeSafetensors(new Map([['w', { shape: [2], data: Float32Array.of(1, 2) }]]));
  await expect(read(whole.subarray(0, whole.length - 1))).rejects.toThrow(
    /weights\.safetensors .* tensor w is cut/,
  );
  await expect(read(whole.subarray(0, 20))).rejects.toThrow(/header is cut off/);
  await expect(read(whole.subarray(0, 4))).rejects.toThrow(/4 bytes/);
});
