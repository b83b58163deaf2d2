import type { Readable } from 'node:stream';
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl';
import { UnreadableFile } from './extraction.ts';

/** What an office file may hold when it is unpacked. The files of people have ratios up to 50. */
export const zipLimits = {
  entries: 10_000,
  /** Bytes of all entries. */
  bytes: 256 * 1024 * 1024,
  /** Bytes of all entries for each byte of the file; counts from `freeBytes` on. */
  ratio: 200,
  freeBytes: 8 * 1024 * 1024,
} as const;

/**
 * Unpacks an office file, and counts while it does. All entries are unpacked, so that a library that reads the file after this
 * finds no more than was counted.
 * @param kept says which entries are returned.
 * @throws UnreadableFile for a file that is no ZIP archive or is broken, and LIMIT_EXCEEDED for one that holds too much.
 */
export async function unzip(
  bytes: Uint8Array,
  kept: (name: string) => boolean,
): Promise<Map<string, Buffer>> {
  refuseCompoundFile(bytes);
  const most = Math.min(zipLimits.bytes, Math.max(zipLimits.freeBytes, bytes.length * zipLimits.ratio));
  const entries = new Map<string, Buffer>();
  let total = 0;
  try {
    const archive = await fromBufferPromise(Buffer.from(bytes), {
      lazyEntries: true,
      strictFileNames: false,
    });
    if (archive.entryCount > zipLimits.entries) throw tooMuch(`${archive.entryCount} files are`);
    for await (const entry of archive.eachEntry()) {
      const content: Buffer[] = [];
      for await (const piece of await openEntry(archive, entry)) {
        total += piece.length;
        if (total > most) throw tooMuch(`more than ${most} bytes are`);
        if (kept(entry.fileName)) content.push(piece);
      }
      if (kept(entry.fileName)) entries.set(entry.fileName, Buffer.concat(content));
    }
  } catch (error) {
    if (error instanceof UnreadableFile) throw error;
    throw brokenOfficeFile();
  }
  return entries;
}

/** Returns the error for an office file that cannot be read. */
export function brokenOfficeFile(): UnreadableFile {
  return new UnreadableFile(
    'is broken, or is no docx, pptx or xlsx file. Open it in an office program, save it anew, and send that.',
  );
}

const openEntry = (archive: ZipFile, entry: Entry): Promise<Readable> => archive.openReadStreamPromise(entry);

function tooMuch(found: string): UnreadableFile {
  return new UnreadableFile(
    `is too much to unpack: ${found} packed in it. At most ${zipLimits.bytes} bytes may be, ${zipLimits.ratio} for each byte ` +
      `of the file, in ${zipLimits.entries} files. Divide the document.`,
    'LIMIT_EXCEEDED',
  );
}

/** Old office files, and new ones with a password, are compound files. */
function refuseCompoundFile(bytes: Uint8Array): void {
  if (!Buffer.from(bytes.subarray(0, 4)).equals(Buffer.from([0xd0, 0xcf, 0x11, 0xe0]))) return;
  if (Buffer.from(bytes).includes(Buffer.from('EncryptedPackage', 'utf16le'))) {
    throw new UnreadableFile('is encrypted. Save it without a password, and send that.');
  }
  throw new UnreadableFile(
    'has an old office format (doc, xls or ppt). Open it in an office program, save it as docx, xlsx or pptx, and send that.',
  );
}
