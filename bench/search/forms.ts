import type { MemoryFilters } from '../../src/filters/filters.ts';

/** One form of search that is measured. `storeVectors` puts the rows into 1,000 buckets of equal size. */
export interface Form {
  name: string;
  /** Rows whose bucket is below this number pass the filter. Undefined: there is no filter. */
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

/** How many rows every search asks for. */
export const k = 10;

/** The query of a client. Its answer is what a page of results shows. */
export const query = `query BenchSearch($vector: [Float!], $k: Int!, $filters: MemoryFilters, $options: SearchOptions) {
  similarMemories(vector: $vector, k: $k, filters: $filters, options: $options) { memory { id content } distance }
}`;

export interface Answer {
  similarMemories: { memory: { id: string; content: string }; distance: number }[];
}
