import { startEmbeddedDatabase } from '../../src/database/embedded/embedded-database.ts';
import { openPool } from '../../src/database/pool.ts';
import type { EmbedOptions } from '../../src/embedding/embedder.ts';
import { reembed } from '../../src/store/reembed.ts';
import { OppositeEmbedder } from '../../testkit/opposite-embedder.ts';

// Changes the embeddings to the model of `OppositeEmbedder` in a process of its own, so that a test can kill it.
// The arguments: the URL of a database or a data folder, and how many batches it embeds before it stands still for ever.

/** Stands still after some batches, and says so. */
class HeldEmbedder extends OppositeEmbedder {
  constructor(private left: number) {
    super();
  }

  override async embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]> {
    if (this.left-- === 0) {
      process.send?.('held');
      await new Promise(() => {});
    }
    return super.embed(texts, options);
  }
}

const [where = '', batches = 'Infinity'] = process.argv.slice(2);
const engine = where.includes('://') ? undefined : await startEmbeddedDatabase({ dataDir: where });
const pool = openPool({ database: engine ?? where, poolSize: 1 });
process.send?.(await reembed(pool, new HeldEmbedder(Number(batches))));
await pool.close();
await engine?.close();
process.disconnect?.();
