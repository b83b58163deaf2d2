import { expect, test } from 'vitest';
import { outlineText } from '../../../src/ingest/chunker-outline.ts';
import { packUnits } from '../../../src/ingest/chunker-packing.ts';
import { measureUnits } from '../../../src/ingest/chunker-units.ts';

// With the bundled model, the token counts of words add up to the count of their text. With other vocabularies they may
// not.
test('chunks and overlaps fit when a text has more tokens than its words have together', () => {
  const countTokens = (text: string) => {
    const words = text.match(/\S+/g)?.length ?? 0;
    return words + Math.floor(words / 4);
  };
  const text = 'one two three. Four five six seven.\n'.repeat(40);
  const sizes = { chunkSize: 20, overlap: 7 };
  const chunkTokens = () => sizes.chunkSize;
  const limits = { unitTokens: sizes.chunkSize, chunkTokens };
  const units = measureUnits(text, outlineText(text, 'text'), countTokens, limits);
  const chunks = packUnits(text, units, countTokens, sizes, chunkTokens);
  let end = 0;
  for (const chunk of chunks) {
    expect(chunk.tokens).toBe(countTokens(text.slice(chunk.startOffset, chunk.endOffset)));
    expect(chunk.tokens).toBeLessThanOrEqual(sizes.chunkSize);
    expect(chunk.overlapTokens).toBe(countTokens(text.slice(chunk.startOffset, end)));
    expect(chunk.overlapTokens).toBeLessThanOrEqual(sizes.overlap);
    expect(chunk.startOffset).toBeLessThanOrEqual(end);
    end = chunk.endOffset;
  }
  expect(end).toBe(text.length);
  expect(Math.min(...chunks.slice(1).map((chunk) => chunk.overlapTokens))).toBeGreaterThan(0);
});
