import type { MemoryFilters } from '../../src/filters/filters.ts';

/** One form of the search that is measured. `storeVectors` gives every thousandth row the same `bucket`. */
export interface Form {
  name: string;
  /** Rows whose bucket is below this pass the filter; undefined: there is no filter. */
  bucketsBelow: number | undefined;
  filters: MemoryFilters | undefined;
  options?: { efSearch: number };
}

const filtered = (name: string, bucketsBelow: number): Form => ({
  name,
  bucketsBelow,
  filters: { metadata: { at: [{ path: ['bucket'], number: { lt: bucketsBelow } }] } },
});

export const forms: readonly Form[] = [
  { name: 'plain', bucketsBelow: undefined, filters: undefined },
  filtered('10 %', 100),
  filtered('1 %', 10),
  filtered('0.1 %', 1),
];

/** Rows that every search asks for. */
export const k = 10;

/** What a client of the API sends; the answer is what a page of results shows. */
export const query = `query BenchSearch($vector: [Float!], $k: Int!, $filters: MemoryFilters, $options: SearchOptions) {
  similarMemories(vector: $vector, k: $k, filters: $filters, options: $options) { memory { id content } distance }
}`;

export interface Answer {
  similarMemories: { memory: { id: string; content: string }; distance: number }[];
}
