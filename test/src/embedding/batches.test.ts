import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planBatches } from '../../../src/embedding/batches.ts';

const lengths = (...tokens: number[]) => tokens.map((n) => ({ tokens: n }));
const plan = (...tokens: number[]) =>
  planBatches(lengths(...tokens)).map((batch) => batch.map((item) => item.tokens));
const cost = (batches: number[][]) =>
  batches.reduce((sum, batch) => sum + 16 + Math.max(...batch) * batch.length, 0);

test('texts of about one length are one batch', () => {
  expect(plan(12, 10, 11, 10)).toEqual([[10, 10, 11, 12]]);
});

test('a short text is not padded to a long one’s length', () => {
  expect(plan(250, 8, 254, 9)).toEqual([
    [8, 9],
    [250, 254],
  ]);
});

test('nothing gives no batches', () => {
  expect(plan()).toEqual([]);
});

test('every item is in exactly one batch, and neither one batch nor single batches would cost less', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 254 }), { minLength: 1, maxLength: 60 }), (tokens) => {
      const batches = plan(...tokens);
      expect(batches.flat().sort((a, b) => a - b)).toEqual([...tokens].sort((a, b) => a - b));
      expect(cost(batches)).toBeLessThanOrEqual(cost([tokens]));
      expect(cost(batches)).toBeLessThanOrEqual(cost(tokens.map((n) => [n])));
    }),
    { seed: 2 },
  );
});
