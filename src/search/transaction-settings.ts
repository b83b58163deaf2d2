import type { LocalSettings } from '../database/transaction.ts';
import { limits } from '../input/limits.ts';
import type { SearchOptions } from './options.ts';

// More than pgvector's own 40: a missing match costs the client more than the extra time.
const DEFAULT_EF_SEARCH = 100;

// After how many rows an index scan gives up, and the exact search completes it. A filter is tried on the index only if it leaves
// at least one row in twenty (`sql/nearest.ts`), so the wanted rows are among twenty times as many.
const LEAST_SCAN_TUPLES = 5000;
const SCAN_TUPLES_PER_ROW = 20;
const MOST_SCAN_TUPLES = 2_147_483_647; // the most that PostgreSQL accepts

/**
 * The settings of a search's transaction.
 * @param wanted how many of the nearest rows the index scan has to find.
 * @param indexed whether the search may use the vector index.
 */
export function transactionSettings(
  { efSearch = DEFAULT_EF_SEARCH }: Partial<Pick<SearchOptions, 'efSearch'>>,
  wanted: number,
  indexed: boolean,
): LocalSettings {
  return {
    'hnsw.ef_search': Math.min(Math.max(efSearch, wanted), limits.efSearch),
    // The statement sorts the rows after the scan; strict_order would drop rows that the scan meets late.
    'hnsw.iterative_scan': 'relaxed_order',
    'hnsw.max_scan_tuples': Math.min(
      Math.max(LEAST_SCAN_TUPLES, wanted * SCAN_TUPLES_PER_ROW),
      MOST_SCAN_TUPLES,
    ),
    // A generic plan knows neither how many rows a filter leaves nor k.
    plan_cache_mode: 'force_custom_plan',
    // Compiling a plan with distances takes longer than running it.
    jit: 'off',
    // PostgreSQL would start parallel workers for the exact branch before it knows whether it needs that branch. Starting them takes
    // longer than the whole search by the index.
    ...(indexed && { max_parallel_workers_per_gather: 0 }),
  };
}
