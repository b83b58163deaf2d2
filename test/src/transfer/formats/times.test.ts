import { assert, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import { parseTime } from '../../../../src/transfer/formats/times.ts';

test.each([
  [1714564800, '2024-05-01T12:00:00.000000Z'],
  [1714564800.123456, '2024-05-01T12:00:00.123456Z'],
  [-0.5, '1969-12-31T23:59:59.500000Z'],
  [1714564800123, '2024-05-01T12:00:00.123000Z'],
  ['1714564800.5', '2024-05-01T12:00:00.500000Z'],
  ['2024-05-01', '2024-05-01T00:00:00.000000Z'],
  ['2024-05-01 12:00', '2024-05-01T12:00:00.000000Z'],
  ['2024-05-01T12:00:00.1234567Z', '2024-05-01T12:00:00.123456Z'],
  ['2024-05-01T12:00:00,5+05:30', '2024-05-01T06:30:00.500000Z'],
  ['2024-05-01T12:00:00-0700', '2024-05-01T19:00:00.000000Z'],
  ['2024-05-01 12:00:00 UTC', '2024-05-01T12:00:00.000000Z'],
  ['2024-02-29T23:59:59-01', '2024-03-01T00:59:59.000000Z'],
  ['  ', undefined],
  [null, undefined],
])('%j is %s', (value, time) => {
  expect(parseTime(value, 'it')).toBe(time);
});

test.each([
  '03/04/2024',
  '2024-02-30',
  '2024-13-01',
  '2024-05-01T24:00:00Z',
  '2024-05-01T12:00:60Z',
  '0000-01-01',
  'yesterday',
  '12',
  1e300,
  Number.NaN,
  true,
  {},
])('%j is no time', (value) => {
  expect(() => parseTime(value, 'it')).toThrow(/^it is no time/);
});

test('seconds with six digits keep them', () => {
  assert(
    property(integer({ min: 0, max: 4e9 }), integer({ min: 0, max: 999_999 }), (seconds, fraction) => {
      const digits = String(fraction).padStart(6, '0');
      expect(parseTime(Number(`${seconds}.${digits}`), 'it')?.slice(-7, -1)).toBe(digits);
    }),
  );
});
