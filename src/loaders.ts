import DataLoader from 'dataloader';
import { createSearchLoader } from './search/loader.ts';
import { recallSearch } from './search/recall.ts';
import type { SearchReport } from './search/report.ts';
import { chunkSearch, documentSearch, memorySearch, toolSearch } from './search/searches.ts';
import { chunkTable, memoryTable, toolTable } from './search/tables.ts';
import type { Services } from './services.ts';
import {
  type ChunkAddress,
  chunkAddressKey,
  type DocumentChunksRequest,
  readChunkPages,
  readChunksAt,
} from './store/chunks.ts';
import { readDocuments } from './store/documents.ts';
import { type EmbeddedTable, readEmbeddings } from './store/embeddings.ts';
import type { DocumentRow } from './store/rows.ts';
import type { Viewer } from './viewer.ts';

/**
 * What fields of one request read together: each loader turns the keys of a moment into one statement. Made for every
 * request anew, because what they read is what this viewer may see.
 * @param reports gets the reports of searches that want one.
 */
export function createLoaders(services: Services, viewer: Viewer, reports: SearchReport[] = []) {
  const { database } = services;
  const embeddings = (source: EmbeddedTable) =>
    momentLoader((ids: readonly string[]) => readEmbeddings(database, viewer, source, ids));
  return {
    similarMemories: createSearchLoader(services, viewer, memorySearch, reports),
    similarDocuments: createSearchLoader(services, viewer, documentSearch, reports),
    similarChunks: createSearchLoader(services, viewer, chunkSearch, reports),
    similarTools: createSearchLoader(services, viewer, toolSearch, reports),
    recall: createSearchLoader(services, viewer, recallSearch, reports),
    memoryEmbeddings: embeddings(memoryTable),
    chunkEmbeddings: embeddings(chunkTable),
    toolEmbeddings: embeddings(toolTable),
    documents: momentLoader(async (ids: readonly string[]): Promise<(DocumentRow | null)[]> => {
      const found = new Map((await readDocuments(database, viewer, ids)).map((row) => [row.id, row]));
      return ids.map((id) => found.get(id) ?? null);
    }),
    chunksAt: momentLoader(
      (addresses: readonly ChunkAddress[]) => readChunksAt(database, viewer, addresses),
      chunkAddressKey,
    ),
    chunkPages: new DataLoader(
      (requests: readonly DocumentChunksRequest[]) => readChunkPages(database, viewer, requests),
      { cache: false },
    ),
  };
}

export type Loaders = ReturnType<typeof createLoaders>;

/**
 * A loader that asks once for keys that are equal, and keeps nothing beyond that: mutations of one request run one after
 * the other, and what a later one reads must not be what an earlier one left.
 */
function momentLoader<Key, Value>(
  read: (keys: readonly Key[]) => Promise<Value[]>,
  cacheKeyFn?: (key: Key) => string,
): DataLoader<Key, Value, Key | string> {
  const loader: DataLoader<Key, Value, Key | string> = new DataLoader((keys) => {
    loader.clearAll();
    return read(keys);
  }, cacheKeyFn && { cacheKeyFn });
  return loader;
}
