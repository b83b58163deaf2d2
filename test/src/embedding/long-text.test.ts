import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { meanOfWindows, segmentLength, segments } from '../../../src/embedding/long-text.ts';

describe('segments', () => {
  test('keep a text of ordinary length whole', () => {
    expect(segments('Funes remembers.')).toEqual(['Funes remembers.']);
    expect(segments('')).toEqual(['']);
  });

  test('end at white space where there is some', () => {
    const parts = segments('memory '.repeat(10_000));
    expect(parts.length).toBe(5);
    expect(parts.every((part) => part.trim().endsWith('memory'))).toBe(true);
  });

  test('join up to the text, are bounded, and never split a surrogate pair', () => {
    const run = fc.tuple(
      fc.constantFrom('x', '𝕏', ' ', '字'),
      fc.integer({ min: 1, max: 2 * segmentLength }),
    );
    fc.assert(
      fc.property(fc.array(run, { maxLength: 4 }), (runs) => {
        const text = runs.map(([unit, times]) => unit.repeat(times)).join('');
        const parts = segments(text);
        expect(parts.join('') === text).toBe(true);
        for (const part of parts) {
          expect(part.length).toBeLessThanOrEqual(segmentLength);
          expect(Buffer.from(part).toString() === part).toBe(true);
        }
      }),
      { seed: 3, numRuns: 50 },
    );
  });
});

describe('the mean of windows', () => {
  const x = Float32Array.of(1, 0);
  const y = Float32Array.of(0, 1);

  test('is weighted by tokens and scaled to length 1', () => {
    const mean = meanOfWindows([
      { tokens: 30, vector: x },
      { tokens: 40, vector: y },
    ]);
    expect(mean[0]).toBeCloseTo(0.6, 6);
    expect(mean[1]).toBeCloseTo(0.8, 6);
  });

  test('is the vector itself for one window', () => {
    expect(meanOfWindows([{ tokens: 5, vector: x }])).toBe(x);
  });

  test('leaves out windows without a token unless all are such', () => {
    expect(
      meanOfWindows([
        { tokens: 0, vector: x },
        { tokens: 3, vector: y },
      ]),
    ).toBe(y);
    expect(
      meanOfWindows([
        { tokens: 0, vector: x },
        { tokens: 0, vector: y },
      ]),
    ).toBe(x);
  });
});
