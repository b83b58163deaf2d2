import { loadRealEmbedder } from './real-embedder.ts';

// A program of its own, for the test that such a program ends by itself.
const embedder = await loadRealEmbedder();
const vector = await embedder.embedQuery('This is an example sentence', 'ana');
console.log(vector[0]?.toFixed(6));
await embedder.close();
