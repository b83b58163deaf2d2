import { join } from 'node:path';
import { type Embedder, startEmbedder } from '../../src/embedding/embedder.ts';
import { keptFolder } from './database.ts';

/** Starts an embedder of the bundled model, in this process. */
export function startBundledEmbedder(): Promise<Embedder> {
  return startEmbedder({ model: undefined, cacheDir: join(keptFolder, 'models') });
}
