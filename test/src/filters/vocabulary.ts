import fc from 'fast-check';
import type { JsonObject } from '../../../schema/columns/common.ts';

// Values that rows hold and filters ask for. Both draw mostly from one short list, so that random filters meet random rows,
// and sometimes from all values.

/** Texts that reveal mistakes with SQL, LIKE, arrays, JSON or order. */
const awkwardStrings = [
  'a',
  'A',
  'ab',
  'a%',
  'a_',
  '%',
  '_',
  '\\',
  'a\\b',
  "it's",
  '"q"',
  '{a,b}',
  'NULL',
  'null',
  '$1',
  "'; drop table memories; --",
  'ä',
  'a\u0308',
  // This is above every surrogate in UTF-16 units, and below every astral character in code points.
  '\uffff',
  '😀',
  ' a ',
  'a\nb',
  '\u0001',
  '9',
  '10',
  'true',
];

/** Any text of up to `maxLength` characters that PostgreSQL can store. */
export const storableString = (maxLength = 12) =>
  fc.string({ unit: 'binary', maxLength }).filter((text) => !text.includes('\0'));

export const someString = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('', ...awkwardStrings) },
  { weight: 1, arbitrary: storableString() },
);

/** Texts for columns that must not be blank. */
export const someWords = someString.map((text) => `x${text}`);

const instants = [
  '1969-12-31T23:59:59.999Z',
  '2024-02-29T12:00:00.000Z',
  '2024-02-29T12:00:00.001Z',
  '2024-02-29T12:00:00.002Z',
  '0001-01-01T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
];
export const someDate = fc.constantFrom(...instants).map((text) => new Date(text));

export const someInteger = fc.constantFrom(0, 1, 2, 3, 5, 100, 2_147_483_647);
export const someFraction = fc.oneof(
  fc.constantFrom(0, 0.1, 0.3, 0.1 + 0.2, 0.5, 1),
  fc.double({ min: 0, max: 1, noNaN: true }),
);
export const someFileSize = fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER);

const jsonNumber = fc.oneof(
  fc.constantFrom(0, -0, 1, 9, 10, -5, 0.1, 1e21, 1e-7, 2 ** 53, Number.MAX_VALUE, Number.MIN_VALUE),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Only a few keys, so that conditions on a path meet them. */
export const someJsonString = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('', 'a', 'ab', '10', 'true', '%', '"q"', '\uffff', '😀') },
  { weight: 1, arbitrary: someString },
);
export const someJsonNumber = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 9, 10) },
  { weight: 1, arbitrary: jsonNumber },
);
const jsonScalar = fc.oneof(someJsonString, someJsonNumber, fc.boolean(), fc.constant(null));

/** Steps of paths: keys, keys that look like an index, and indexes as PostgreSQL reads them. */
const jsonKey = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', '0') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'b',
      '1',
      '-1',
      '+0',
      ' 1',
      '01',
      '',
      'a.b',
      '__proto__',
      '"',
      '{',
      'NULL',
      'ä',
    ),
  },
);

const { value: someJson, object: jsonObject } = fc.letrec<{
  value: unknown;
  object: JsonObject;
  array: unknown[];
}>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    { weight: 2, arbitrary: jsonScalar },
    { weight: 1, arbitrary: tie('array') },
    { weight: 1, arbitrary: tie('object') },
  ),
  array: fc.array(tie('value'), { maxLength: 3 }),
  object: fc.array(fc.tuple(jsonKey, tie('value')), { maxLength: 4 }).map(objectOf),
}));

/** Makes an object in which even "__proto__" is an ordinary key. */
function objectOf(pairs: [string, unknown][]): JsonObject {
  const object: JsonObject = {};
  for (const [key, value] of pairs) {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return object;
}

export const someObject = jsonObject;

/** An object that other objects often contain. */
export const somePart = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(jsonKey, jsonScalar).map((pair) => objectOf([pair])) },
  { weight: 2, arbitrary: fc.tuple(jsonKey, someJson).map((pair) => objectOf([pair])) },
  { weight: 1, arbitrary: jsonObject },
);

export const somePath = fc.oneof(
  { weight: 2, arbitrary: fc.tuple(jsonKey) },
  { weight: 1, arbitrary: fc.array(jsonKey, { minLength: 1, maxLength: 3 }) },
);
