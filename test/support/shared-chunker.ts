import { Chunker } from '../../src/ingest/chunker.ts';
import { testModelCache } from './real-embedder.ts';

/** A chunker that the test files of a worker share, as its thread takes a second to start. It ends with the worker. */
export const sharedChunker = new Chunker({ cacheDir: testModelCache });
