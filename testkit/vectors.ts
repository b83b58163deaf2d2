import { sql } from 'drizzle-orm';
import { DEFAULT_USER } from '../schema/columns/common.ts';
import { EMBEDDING_DIMENSIONS } from '../schema/columns/vector.ts';
import type { Database } from '../src/database/transaction.ts';
import { hashModel } from './hash-embedder.ts';
import { asOwner } from './owner.ts';

/** A generator of numbers in [0, 1) that gives the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Unit vectors in clusters, as embeddings of texts on a limited number of subjects lie: uniform random ones would all be
 * equally far from each other, which nothing that is searched for is.
 */
export function clusteredVectors(
  count: number,
  { clusters = 200, spread = 0.7, seed = 1 } = {},
): Float32Array[] {
  const random = seededRandom(seed);
  // Sum of twelve uniform numbers: normal enough, and without logarithms the same on every platform.
  const normal = () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random();
    return sum;
  };
  const centres = Array.from({ length: clusters }, () =>
    Float32Array.from({ length: EMBEDDING_DIMENSIONS }, normal),
  );
  return Array.from({ length: count }, () => {
    const centre = centres[Math.floor(random() * clusters)] as Float32Array;
    const vector = centre.map((x) => x + normal() * spread);
    const length = Math.hypot(...vector);
    return vector.map((x) => x / length);
  });
}

/**
 * Stores one memory a vector, with content "memory N" and metadata { n: N, bucket: N mod 1000 }, and builds the vector
 * index afterwards, which takes a fraction of the time of keeping it up to date.
 *
 * @param userIds the owners of the memories, each of an equal share. Memory N belongs to number (N + N / 1000) of them, so
 *   that each bucket has memories of ten owners, and each page of the table too. They are not escaped.
 * @param model the model of the embeddings; by default that of `HashEmbedder`.
 */
export async function storeVectors(
  database: Database,
  vectors: readonly Float32Array[],
  { userIds = [DEFAULT_USER], model = hashModel }: { userIds?: readonly string[]; model?: string } = {},
): Promise<void> {
  const run = (statement: ReturnType<typeof sql>) =>
    asOwner(database, async (tx) => {
      await tx.execute(sql`set local maintenance_work_mem = '256MB'`);
      await tx.execute(statement);
    });
  await run(sql`drop index idx_memories_embedding_hnsw`);
  for (let start = 0; start < vectors.length; start += 1000) {
    const literals = vectors
      .slice(start, start + 1000)
      .map((v) => `"[${Array.from(v, (x) => x.toFixed(5)).join(',')}]"`);
    await run(sql`insert into memories (user_id, content, embedding, embedding_model, metadata)
      select (${`{${userIds.join(',')}}`}::text[])[1 + (number + number / 1000) % ${userIds.length}::int],
        'memory ' || number, vector, ${model}, jsonb_build_object('n', number, 'bucket', number % 1000)
      from unnest(${`{${literals.join(',')}}`}::vector[]) with ordinality as given (vector, place),
        lateral (select ${start}::int + place::int - 1 as number) numbered`);
  }
  await run(sql`create index idx_memories_embedding_hnsw on memories
    using hnsw (embedding vector_cosine_ops) with (m = 16, ef_construction = 64)`);
  await run(sql`analyze memories`);
}
