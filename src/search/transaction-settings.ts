import type { LocalSettings } from '../database/transaction.ts';
import { limits } from '../input/limits.ts';
import type { SearchOptions } from './options.ts';

// More than pgvector's own 40: an answer that is missing costs more than the time it takes.
const DEFAULT_EF_SEARCH = 100;

// Where an index scan gives up, to be completed exactly: a filter that is tried on the index leaves at least one row in
// twenty (`sql/nearest.ts`), so that what is wanted is found within twenty times as many.
const LEAST_SCAN_TUPLES = 5000;
const SCAN_TUPLES_PER_ROW = 20;
const MOST_SCAN_TUPLES = 2_147_483_647; // that PostgreSQL takes

/** The settings of a transaction that searches for the `wanted` nearest. */
export function transactionSettings(
  { efSearch = DEFAULT_EF_SEARCH }: SearchOptions,
  wanted: number,
  indexed: boolean,
): LocalSettings {
  return {
    'hnsw.ef_search': Math.min(Math.max(efSearch, wanted), limits.efSearch),
    // The order is put right outside the scan; strict_order would drop what it meets late.
    'hnsw.iterative_scan': 'relaxed_order',
    'hnsw.max_scan_tuples': Math.min(
      Math.max(LEAST_SCAN_TUPLES, wanted * SCAN_TUPLES_PER_ROW),
      MOST_SCAN_TUPLES,
    ),
    // A plan made for no value in particular cannot know how many rows a filter leaves, nor k.
    plan_cache_mode: 'force_custom_plan',
    // Compiling a plan of distances takes longer than running it.
    jit: 'off',
    // Parallel workers for the exact branch would be started before it is known whether the branch is needed, which takes
    // longer than the whole search by the index.
    ...(indexed && { max_parallel_workers_per_gather: 0 }),
  };
}
