import DataLoader from 'dataloader';
import { createSearchLoader } from './search/loader.ts';
import type { SearchReport } from './search/report.ts';
import { chunkSearch, documentSearch, memorySearch, recallSearch, toolSearch } from './search/searches.ts';
import { chunkTable, memoryTable, toolTable } from './search/tables.ts';
import type { Services } from './services.ts';
import {
  type ChunkAddress,
  chunkAddressKey,
  type DocumentChunksRequest,
  type DocumentTextRequest,
  readChunkPages,
  readChunksAt,
  readDocumentTexts,
} from './store/chunks.ts';
import { readDocuments } from './store/documents.ts';
import { readDocumentStatuses } from './store/embedding-counts.ts';
import { type EmbeddedTable, readEmbeddings } from './store/embeddings.ts';
import type { DocumentRow } from './store/rows.ts';
import type { Viewer } from './viewer.ts';

/**
 * Makes the loaders of one request. Each loader collects the keys that fields ask for at one moment, and reads them in one
 * statement. Every request has its own loaders, because they read what its viewer may see.
 * @param reports receives the reports of the searches that ask for one.
 * @param signal says that the client left.
 */
export function createLoaders(
  services: Services,
  viewer: Viewer,
  reports: SearchReport[] = [],
  signal?: AbortSignal,
) {
  const { database } = services;
  const embeddings = (source: EmbeddedTable) =>
    momentLoader((ids: readonly string[]) => readEmbeddings(database, viewer, source, ids));
  return {
    similarMemories: createSearchLoader(services, viewer, memorySearch, reports, signal),
    similarDocuments: createSearchLoader(services, viewer, documentSearch, reports, signal),
    similarChunks: createSearchLoader(services, viewer, chunkSearch, reports, signal),
    similarTools: createSearchLoader(services, viewer, toolSearch, reports, signal),
    recall: createSearchLoader(services, viewer, recallSearch, reports, signal),
    memoryEmbeddings: embeddings(memoryTable),
    chunkEmbeddings: embeddings(chunkTable),
    toolEmbeddings: embeddings(toolTable),
    documents: momentLoader(async (ids: readonly string[]): Promise<(DocumentRow | null)[]> => {
      const found = new Map((await readDocuments(database, viewer, ids)).map((row) => [row.id, row]));
      return ids.map((id) => found.get(id) ?? null);
    }),
    documentStatuses: momentLoader((ids: readonly string[]) => readDocumentStatuses(database, viewer, ids)),
    chunksAt: momentLoader(
      (addresses: readonly ChunkAddress[]) => readChunksAt(database, viewer, addresses),
      chunkAddressKey,
    ),
    chunkPages: new DataLoader(
      (requests: readonly DocumentChunksRequest[]) => readChunkPages(database, viewer, requests),
      { cache: false },
    ),
    documentTexts: new DataLoader(
      (requests: readonly DocumentTextRequest[]) => readDocumentTexts(database, viewer, requests),
      { cache: false },
    ),
  };
}

export type Loaders = ReturnType<typeof createLoaders>;

/**
 * Makes a loader that reads equal keys of one moment once, and keeps no value after that. The mutations of one request
 * run one after the other, and a later one must read what an earlier one has changed.
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
