import { limits } from '../../../src/input/limits.ts';

// Each form of search, as a field of a query. The search is the last statement that the query sends. The statement before
// reads the rows that have the field.

const vector = JSON.stringify(Array.from({ length: limits.dimensions }, (_, i) => (i === 0 ? 1 : 0)));
const filters = 'filters: { source: { eq: "chat" }, metadata: { contains: { lang: "en" } } }';
const memories = (search: string) => `similarMemories(${search}) { score }`;

/** The field that sends each form. */
export const forms: Record<string, string> = {
  nearest: memories('text: "violin", k: 5'),
  'nearest-to-vector': memories(`vector: ${vector}, k: 5`),
  'nearest-to-several': `a: ${memories('text: "violin", k: 5')} b: ${memories('text: "harbor", k: 5')}`,
  'nearest-to-rows': 'memories(first: 2) { edges { node { similar(k: 5) { score } } } }',
  'nearest-to-examples': memories('like: ["1"], unlike: ["2"], k: 5'),
  'nearest-filtered': memories(`text: "violin", k: 5, ${filters}`),
  'nearest-exact': memories('text: "violin", k: 5, options: { exact: true }'),
  'nearest-euclidean': memories('text: "violin", k: 5, options: { metric: EUCLIDEAN, maxDistance: 1 }'),
  'nearest-inner-product': memories('text: "violin", k: 5, options: { metric: INNER_PRODUCT }'),
  keyword: memories('text: "violin", k: 5, options: { mode: KEYWORD }'),
  'hybrid-with-context': memories('text: "violin", k: 5, options: { mode: HYBRID, context: 0.4 }'),
  'hybrid-by-rank': memories('text: "violin", k: 5, options: { mode: HYBRID, fusion: RANK }'),
  'percentile-and-weights': memories(
    'text: "violin", k: 5, options: { percentile: 0.5, weights: { recency: 1, importance: 1 } }',
  ),
  diversity: memories('text: "violin", k: 5, options: { diversity: 0.5 }'),
  'chunks-of-documents':
    'similarChunks(text: "violin", k: 5, filters: { document: { filename: { eq: "a.md" } } }) { score }',
  tools: 'similarTools(text: "violin", k: 5) { score }',
  'documents-by-best-chunk': 'similarDocuments(text: "violin", k: 5) { score }',
  'documents-by-best-chunk-hybrid':
    'similarDocuments(text: "violin", k: 5, options: { mode: HYBRID }) { score }',
  'documents-by-mean': 'documents(first: 2) { edges { node { similar(k: 5) { score } } } }',
  'documents-by-mean-percentile':
    'documents(first: 2) { edges { node { similar(k: 5, options: { percentile: 0.5 }) { score } } } }',
  'documents-by-their-words':
    'documents(first: 2) { edges { node { similar(k: 5, options: { mode: KEYWORD }) { score } } } }',
  'documents-by-mean-of-examples': 'similarDocuments(like: ["1"], k: 5) { score }',
  recall: 'recall(text: "violin", kinds: [MEMORY, CHUNK, DOCUMENT, TOOL]) { __typename }',
  'recall-hybrid':
    'recall(text: "violin", kinds: [MEMORY, CHUNK, DOCUMENT, TOOL], options: { mode: HYBRID }) { __typename }',
};

/** The second pages of the forms that have pages. AFTER stands for the cursor. */
export const secondPages: Record<string, string> = {
  'nearest-second-page': 'similarMemories(text: "violin", k: 1 AFTER) { cursor }',
  'nearest-filtered-second-page': `similarMemories(text: "violin", k: 1, ${filters} AFTER) { cursor }`,
  'hybrid-second-page':
    'similarMemories(text: "violin", k: 1, options: { mode: HYBRID, weights: { recency: 1 } } AFTER) { cursor }',
  'documents-second-page': 'similarDocuments(text: "violin", k: 1 AFTER) { cursor }',
  'recall-second-page':
    'recall(text: "violin", k: 1, kinds: [MEMORY, TOOL] AFTER) { ... on MemoryMatch { cursor } ... on ToolMatch { cursor } }',
  'recall-hybrid-second-page':
    'recall(text: "violin", k: 1, kinds: [MEMORY, TOOL], options: { mode: HYBRID } AFTER) { ... on MemoryMatch { cursor } ... on ToolMatch { cursor } }',
};

/** Forms that ask for a report. */
export const reported: Record<string, string> = {
  'nearest-reported': memories(`text: "violin", k: 5, ${filters}`),
};
