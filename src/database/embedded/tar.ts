import type { FileHandle } from 'node:fs/promises';

// The form "ustar", as far as a backup needs it: plain files and folders, with names of up to 100 bytes and sizes below 8 GB. Any
// tar program reads it.

const blockBytes = 512;
const checksumAt = 148;
const checksumBytes = 8;

/** A file or a folder in an archive. */
export interface TarEntry {
  name: string;
  isFolder: boolean;
  bytes: number;
}

/** The block that stands before the bytes of an entry. */
export function tarHeader({ name, isFolder, bytes }: TarEntry, modifiedAt: Date): Buffer {
  const block = Buffer.alloc(blockBytes);
  if (Buffer.byteLength(name) > 100) throw new Error(`The name ${name} is too long for an archive.`);
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  block.write(name, 0);
  octal(isFolder ? 0o700 : 0o600, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes, 124, 12);
  octal(Math.floor(modifiedAt.getTime() / 1000), 136, 12);
  block.write(isFolder ? '5' : '0', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, checksumAt, 'latin1');
  return block;
}

/** The zeros that fill the last block of an entry. */
export const tarPadding = (bytes: number): Buffer => Buffer.alloc(-bytes & (blockBytes - 1));

/** The end of an archive. */
export const tarEnd: Buffer = Buffer.alloc(2 * blockBytes);

/** An entry, and where its bytes begin in the file. */
export interface FoundEntry extends TarEntry {
  start: number;
}

/**
 * Reads what an archive has, without the bytes of its entries.
 * @throws Error that says in a few words what is wrong.
 */
export async function* readTar(file: FileHandle): AsyncGenerator<FoundEntry> {
  const { size } = await file.stat();
  const block = Buffer.alloc(blockBytes);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(block, 0, blockBytes, at);
    if (bytesRead < blockBytes) throw new Error('it ends too early');
    if (block.every((byte) => byte === 0)) return;
    const entry = parseHeader(block);
    if (entry === undefined) throw new Error('it is no archive that funes has written');
    const start = at + blockBytes;
    at = start + entry.bytes + tarPadding(entry.bytes).length;
    if (at > size) throw new Error('it ends too early');
    yield { ...entry, start };
  }
}

function parseHeader(block: Buffer): TarEntry | undefined {
  const text = (at: number, length: number) =>
    block
      .toString('utf8', at, at + length)
      .replace(/\0.*$/s, '')
      .trim();
  const number = (at: number, length: number) => Number.parseInt(text(at, length), 8);
  const [kind, bytes] = [text(156, 1), number(124, 12)];
  const isOurs = text(257, 6) === 'ustar' && (kind === '0' || kind === '5') && bytes >= 0;
  if (!isOurs || number(checksumAt, checksumBytes) !== checksum(block)) return undefined;
  return { name: text(0, 100), isFolder: kind === '5', bytes };
}

/** The sum of all bytes, with spaces in the place of the sum itself. */
function checksum(block: Buffer): number {
  let sum = checksumBytes * 0x20;
  for (const [at, byte] of block.entries())
    if (at < checksumAt || at >= checksumAt + checksumBytes) sum += byte;
  return sum;
}
