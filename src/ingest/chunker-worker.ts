import { workerData } from 'piscina';
import { loadTokenizer, type TokenizerOptions } from '../embedding/tokenizer.ts';
import { outlineText, type TextStructure } from './chunker-outline.ts';
import { type ChunkSizes, type ChunkSpan, packUnits } from './chunker-packing.ts';
import { TableHeaders } from './chunker-tables.ts';
import { measureUnits } from './chunker-units.ts';

// Import this module only in the chunker's thread. Elsewhere, it would count tokens on the importer's thread.

/** A text to cut into chunks. */
export interface ChunkTask extends ChunkSizes {
  text: string;
  format: TextStructure;
}

/** A chunk, and the header of its table if it has rows of one. */
export interface CutChunk extends ChunkSpan {
  tableHeader?: string;
}

/** Distinct words whose counts are cached; about 10 MB. */
const rememberedWords = 100_000;
const tokensOfWord = new Map<string, number>();
const tokenizerLoaded = loadTokenizer(workerData as TokenizerOptions);

/** Cuts a text into chunks; see `Chunker.chunk`. */
export default async function chunk({ text, format, chunkSize, overlap }: ChunkTask): Promise<CutChunk[]> {
  const tokenizer = await tokenizerLoaded;
  const countTokens = (part: string) => tokenizer.countTokens(part);
  const countWordTokens = (word: string) => {
    const known = tokensOfWord.get(word);
    if (known !== undefined) return known;
    if (tokensOfWord.size >= rememberedWords) tokensOfWord.clear();
    const tokens = countTokens(word);
    tokensOfWord.set(word, tokens);
    return tokens;
  };
  const outline = outlineText(text, format);
  const tables = new TableHeaders(text, outline.tables, tokenizer);
  const chunkTokens = (offset: number) => tables.chunkTokens(offset, chunkSize);
  const unitTokens = tables.leastChunkTokens(chunkSize);
  const units = measureUnits(text, outline, countWordTokens, { unitTokens, chunkTokens });
  return packUnits(text, units, countTokens, { chunkSize, overlap }, chunkTokens).map((span) => {
    const tableHeader = tables.headerOf(span);
    return tableHeader === undefined ? span : { ...span, tableHeader };
  });
}
