import { expect } from 'vitest';
import type { TextTokenizer } from '../../../src/embedding/tokenizer.ts';
import type { ChunkPiece } from '../../../src/ingest/chunker.ts';

/** Expects what funes promises about the chunks of every text. */
export function expectSoundChunks(
  text: string,
  chunks: ChunkPiece[],
  tokenizer: TextTokenizer,
  { chunkSize, overlap }: { chunkSize: number; overlap: number },
): void {
  let rebuilt = '';
  let previous = { startOffset: -1, endOffset: 0 };
  for (const chunk of chunks) {
    expect(chunk.content).toBe(text.slice(chunk.startOffset, chunk.endOffset));
    expect(chunk.content).toMatch(/\S/);
    expect(chunk.tokens).toBe(tokenizer.countTokens(chunk.content));
    expect(chunk.tokens).toBeGreaterThan(0);
    expect(chunk.tokens).toBeLessThanOrEqual(chunkSize);
    expect(chunk.startOffset).toBeGreaterThan(previous.startOffset);
    expect(chunk.startOffset).toBeLessThanOrEqual(previous.endOffset);
    expect(chunk.endOffset).toBeGreaterThan(previous.endOffset);
    expect(cutsSurrogatePair(text, chunk.startOffset) || cutsSurrogatePair(text, chunk.endOffset)).toBe(
      false,
    );
    const shared = text.slice(chunk.startOffset, previous.endOffset);
    expect(chunk.overlapTokens).toBe(tokenizer.countTokens(shared));
    expect(chunk.overlapTokens).toBeLessThanOrEqual(overlap);
    expect(shared === '').toBe(chunk.overlapTokens === 0);
    rebuilt += text.slice(previous.endOffset, chunk.endOffset);
    previous = chunk;
  }
  expect(rebuilt).toBe(tokenizer.countTokens(text) === 0 ? '' : text);
}

function cutsSurrogatePair(text: string, offset: number): boolean {
  return /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(Math.max(0, offset - 1), offset + 1));
}
