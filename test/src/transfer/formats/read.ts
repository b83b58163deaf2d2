import type { FileRecord } from '../../../../src/transfer/formats/records.ts';

type Reader = (bytes: AsyncIterable<Uint8Array>) => AsyncGenerator<FileRecord>;

/** A file as a stream of parts, which cut values and characters where they end. */
export async function* partsOf(file: string | Uint8Array, partLength: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(file as string);
  for (let from = 0; from < bytes.length; from += partLength) yield bytes.subarray(from, from + partLength);
}

/** Reads all records of a file. */
export async function read(
  reader: Reader,
  file: string | Uint8Array,
  partLength = 1000,
): Promise<FileRecord[]> {
  const records: FileRecord[] = [];
  for await (const record of reader(partsOf(file, partLength))) records.push(record);
  return records;
}

/** The records that a file yields before it turns out to be wrong, and what is wrong. */
export async function readUntilError(reader: Reader, file: string | Uint8Array) {
  const records: FileRecord[] = [];
  try {
    for await (const record of reader(partsOf(file, 1000))) records.push(record);
  } catch (error) {
    return { records, message: (error as Error).message };
  }
  throw new Error('The file was read to its end.');
}

/** One line a record: what is imported, left out or wrong. */
export function summary(records: readonly FileRecord[]): string[] {
  return records.map((record) => {
    if (record.kind === 'memory') return record.content;
    if (record.kind === 'document') return record.filename;
    return `${record.kind} ${record.inputPath}: ${record.kind === 'failed' ? record.message : record.reason}`;
  });
}
