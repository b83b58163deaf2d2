import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from '../../../src/database/pool.ts';
import type { Embedder } from '../../../src/embedding/embedder.ts';
import { createLogger } from '../../../src/log.ts';
import { exportRows } from '../../../src/transfer/export.ts';
import { type ImportReport, importRows } from '../../../src/transfer/import.ts';
import { type ReadOptions, readFile } from '../../../src/transfer/read-file.ts';
import { commandLineViewer } from '../../../src/viewer.ts';
import { HashEmbedder } from '../../../testkit/hash-embedder.ts';

export type Line = { kind: string; row: Record<string, unknown> };

/** Exports to a text. */
export async function exportText(
  pool: Pool,
  { userId, vectors = true }: { userId?: string; vectors?: boolean } = {},
): Promise<string> {
  let text = '';
  const write = async (part: string) => {
    text += part;
  };
  await exportRows(pool, commandLineViewer, { userId, vectors, schema: null }, { write, progress: () => {} });
  return text;
}

/** The rows of an export, without the header and the end. */
export function rowsOf(text: string): Line[] {
  return text
    .trimEnd()
    .split('\n')
    .slice(1, -1)
    .map((line) => JSON.parse(line));
}

export interface Imported extends ImportReport {
  faults: string[];
  /** The texts that were embedded. */
  embedded: string[];
}

/** Imports a text or bytes, as a file. */
export async function importText(
  pool: Pool,
  content: string | Uint8Array,
  options: Partial<ReadOptions> & { rowsOfBatch?: number; embedder?: Embedder } = {},
): Promise<Imported> {
  const { rowsOfBatch = 3, embedder = new HashEmbedder(), ...rest } = options;
  const folder = await mkdtemp(join(tmpdir(), 'funes-import-'));
  const path = join(folder, 'file');
  const faults: string[] = [];
  const embedded: string[] = [];
  const recording: Embedder = Object.create(embedder, {
    embed: {
      value: (texts: string[], how: object) => {
        embedded.push(...texts);
        return embedder.embed(texts, how);
      },
    },
  });
  try {
    await writeFile(path, content);
    const { rows } = await readFile(path, {
      name: 'The file',
      user: undefined,
      defaultUser: 'default_user',
      from: undefined,
      map: undefined,
      ...rest,
    });
    const report = await importRows(
      {
        database: pool,
        start: async () => ({ embedder: recording, log: createLogger({ level: 'silent' }) }),
        quota: undefined,
        rowsOfBatch,
        onFault: (line, reason) => faults.push(`line ${line}: ${reason}`),
        onProgress: () => {},
      },
      commandLineViewer,
      rows,
    );
    return { ...report, faults, embedded };
  } finally {
    await rm(folder, { recursive: true });
  }
}
