import type { Pool } from '../../../src/database/pool.ts';
import { clusteredVectors, storeVectors } from '../../../testkit/vectors.ts';
import type { Seed } from '../../support/database.ts';

/** How many memories `clusteredMemories` stores. */
export const ROWS = 20_000;

// A hundred shares.
const owners = { many: 50, some: 10, few: 1, others: 39 };
const userIds = Object.entries(owners).flatMap(([userId, shares]) => Array<string>(shares).fill(userId));

/** The vectors of the stored memories, and behind them `queries` more of the same clusters. */
export function vectorsWithQueries(queries: number): { stored: Float32Array[]; queries: Float32Array[] } {
  const vectors = clusteredVectors(ROWS + queries);
  return { stored: vectors.slice(0, ROWS), queries: vectors.slice(ROWS) };
}

/** 20,000 memories of four users: half of them of `many`, a tenth of `some`, and one in a hundred of `few`. */
export const clusteredMemories: Seed = {
  name: `clustered-memories-${ROWS}`,
  sources: ['testkit/vectors.ts', 'test/src/search/clustered-memories.ts'],
  store: (pool: Pool) => storeVectors(pool, vectorsWithQueries(0).stored, { userIds }),
};
