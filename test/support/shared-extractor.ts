import { Extractor } from '../../src/ingest/extractor.ts';

/** An extractor that the test files of a worker share, as its thread takes a moment to start. It ends with the worker. */
export const sharedExtractor = new Extractor();
