import { expect, test } from 'vitest';
import { FunesError } from '../../../src/errors.ts';
import {
  compileChunkFilters,
  compileMemoryFilters,
  compileToolFilters,
  type MemoryFilters,
} from '../../../src/filters/filters.ts';
import { filterLimits } from '../../../src/filters/limits.ts';

function refusal(filters: unknown, compile: (filters: never) => unknown = compileMemoryFilters) {
  try {
    compile(filters as never);
  } catch (error) {
    if (error instanceof FunesError) return { code: error.code, message: error.message };
    throw error;
  }
  return undefined;
}

const loneSurrogate = '\ud83d';

test.each<[what: string, filters: unknown, code: string, message: RegExp]>([
  ['an id that is no number', { id: { eq: 'abc' } }, 'BAD_USER_INPUT', /filters\.id\.eq .*"abc"/],
  [
    'an id beyond bigint',
    { id: { in: ['1', '9223372036854775808'] } },
    'BAD_USER_INPUT',
    /id\.in\[1\] .*"9223372036854775808"/,
  ],
  ['an id with blanks', { id: { gt: ' 1' } }, 'BAD_USER_INPUT', /" 1"/],
  ['NaN', { importanceScore: { gt: Number.NaN } }, 'BAD_USER_INPUT', /importanceScore\.gt .*NaN/],
  [
    'infinity in a list',
    { importanceScore: { in: [0, Number.POSITIVE_INFINITY] } },
    'BAD_USER_INPUT',
    /in\[1\] .*Infinity/,
  ],
  [
    'an invalid date',
    { createdAt: { eq: new Date(Number.NaN) } },
    'BAD_USER_INPUT',
    /createdAt\.eq .*invalid date/,
  ],
  ['the year 0', { createdAt: { eq: new Date('0000-12-31T23:59:59.999Z') } }, 'BAD_USER_INPUT', /0000-12-31/],
  ['the year 10000', { createdAt: { eq: new Date('+010000-01-01T00:00:00Z') } }, 'BAD_USER_INPUT', /010000/],
  ['a NUL character', { source: { startsWith: 'a\0b' } }, 'BAD_USER_INPUT', /NUL/],
  [
    'a lone surrogate',
    { source: { in: ['a', loneSurrogate] } },
    'BAD_USER_INPUT',
    /source\.in\[1\] .*surrogate/,
  ],
  ['an unknown field', { colour: { eq: 'red' } }, 'BAD_USER_INPUT', /filters\.colour/],
  [
    'a field that only objects have',
    { constructor: { eq: 'red' } },
    'BAD_USER_INPUT',
    /filters\.constructor/,
  ],
  ['an unknown operator', { source: { like: 'a%' } }, 'BAD_USER_INPUT', /filters\.source\.like/],
  [
    'an operator of another type',
    { importanceScore: { contains: 1 } },
    'BAD_USER_INPUT',
    /importanceScore\.contains/,
  ],
  ['a value of another type', { source: { eq: 5 } }, 'BAD_USER_INPUT', /source\.eq must be a string, not 5/],
  ['a list where a value belongs', { source: { eq: ['a'] } }, 'BAD_USER_INPUT', /not a list/],
  ['a value where a list belongs', { source: { in: 'a' } }, 'BAD_USER_INPUT', /must be a list/],
  [
    'a value where a condition belongs',
    { source: 'chat' },
    'BAD_USER_INPUT',
    /filters\.source must be an object, not "chat"/,
  ],
  ['null where a condition belongs', { sessionId: null }, 'BAD_USER_INPUT', /\{eq: null\}/],
  [
    'null where the field always has a value',
    { source: { eq: null } },
    'BAD_USER_INPUT',
    /source\.eq is null/,
  ],
  [
    'null for an operator that needs a value',
    { sessionId: { gt: null } },
    'BAD_USER_INPUT',
    /sessionId\.gt is null/,
  ],
  ['null in a list', { sessionId: { in: [null] } }, 'BAD_USER_INPUT', /sessionId\.in\[0\]/],
  [
    'an unknown status',
    { embeddingStatus: { eq: 'DONE' } },
    'BAD_USER_INPUT',
    /READY or STALE or PENDING or FAILED, not "DONE"/,
  ],
  ['null among filters', { and: [null] }, 'BAD_USER_INPUT', /filters\.and\[0\]/],
  [
    'an error deep inside',
    { or: [{ id: { eq: '1' } }, { not: { id: { eq: 'x' } } }] },
    'BAD_USER_INPUT',
    /filters\.or\[1\]\.not\.id\.eq/,
  ],
  [
    'an unknown metadata operator',
    { metadata: { like: 'x' } },
    'BAD_USER_INPUT',
    /metadata\.like .*contains or at\./,
  ],
  [
    'metadata that contains no object',
    { metadata: { contains: 'x' } },
    'BAD_USER_INPUT',
    /contains must be an object/,
  ],
  ['metadata that contains a list', { metadata: { contains: [1] } }, 'BAD_USER_INPUT', /not a list/],
  [
    'metadata with infinity',
    { metadata: { contains: { a: [Number.POSITIVE_INFINITY] } } },
    'BAD_USER_INPUT',
    /Infinity/,
  ],
  [
    'metadata with a variable left open',
    { metadata: { contains: { a: undefined } } },
    'BAD_USER_INPUT',
    /variable/,
  ],
  ['metadata with NUL in a key', { metadata: { contains: { 'a\0': 1 } } }, 'BAD_USER_INPUT', /NUL/],
  [
    'metadata with a lone surrogate',
    { metadata: { contains: { a: [loneSurrogate] } } },
    'BAD_USER_INPUT',
    /surrogate/,
  ],
  [
    'a path of nothing',
    { metadata: { at: [{ path: [], exists: true }] } },
    'BAD_USER_INPUT',
    /at\[0\]\.path is empty/,
  ],
  ['a condition without a path', { metadata: { at: [{ exists: true }] } }, 'BAD_USER_INPUT', /at\[0\]\.path/],
  ['a path with NUL', { metadata: { at: [{ path: ['a', '\0'] }] } }, 'BAD_USER_INPUT', /path\[1\] .*NUL/],
  [
    'an unknown condition on a path',
    { metadata: { at: [{ path: ['a'], like: 1 }] } },
    'BAD_USER_INPUT',
    /at\[0\]\.like/,
  ],
  [
    'null on a path',
    { metadata: { at: [{ path: ['a'], string: { eq: null } }] } },
    'BAD_USER_INPUT',
    /exists: false/,
  ],
  [
    'an unknown JSON type',
    { metadata: { at: [{ path: ['a'], type: 'DATE' }] } },
    'BAD_USER_INPUT',
    /STRING or .*"DATE"/,
  ],
  [
    'a string of 10,001',
    { content: { eq: 'x'.repeat(10_001) } },
    'LIMIT_EXCEEDED',
    /10001 characters.*10000/,
  ],
  [
    'a list of 1,001',
    { source: { in: Array(1001).fill('a') } },
    'LIMIT_EXCEEDED',
    /source\.in has 1001 .*1000/,
  ],
  ['101 filters in or', { or: Array(101).fill({}) }, 'LIMIT_EXCEEDED', /filters\.or has 101 .*100/],
  [
    'metadata of 1 MB',
    { metadata: { contains: { a: 'x'.repeat(1e6) } } },
    'LIMIT_EXCEEDED',
    /1000008 characters.*65536/,
  ],
  [
    'a path of 33 steps',
    { metadata: { at: [{ path: Array(33).fill('a') }] } },
    'LIMIT_EXCEEDED',
    /path has 33 .*32/,
  ],
])('%s is refused', (_, filters, code, message) => {
  const error = refusal(filters);
  expect(error?.code).toBe(code);
  expect(error?.message).toMatch(message);
  expect(error?.message.length).toBeLessThan(300);
});

test('a fraction is refused where the column holds whole numbers', () => {
  expect(refusal({ chunkIndex: { eq: 1.5 } }, compileChunkFilters)?.message).toMatch(
    /whole number, not 1\.5/,
  );
});

test('an error in the filter of a chunk’s document says so', () => {
  const filters = { document: { fileSize: { gt: Number.NaN } } };
  expect(refusal(filters, compileChunkFilters)?.message).toMatch(/^filters\.document\.fileSize\.gt /);
});

const nested = (levels: number): MemoryFilters =>
  levels === 0 ? { source: { eq: 'a' } } : { not: nested(levels - 1) };

test('nesting is accepted up to its limit and refused beyond', () => {
  expect(refusal(nested(filterLimits.depth))).toBeUndefined();
  expect(refusal(nested(filterLimits.depth + 1))).toMatchObject({
    code: 'LIMIT_EXCEEDED',
    message: expect.stringContaining(`${filterLimits.depth} levels`),
  });
  expect(refusal(nested(100_000 / 20))?.code).toBe('LIMIT_EXCEEDED');
});

test('conditions are accepted up to their limit and refused beyond, wherever they stand', () => {
  const pairs = (count: number) => ({ or: Array(count).fill({ source: { eq: 'a', ne: 'b' } }) });
  expect(refusal(pairs(filterLimits.conditions / 2))).toBeUndefined();
  expect(refusal(pairs(filterLimits.conditions / 2 + 1))).toMatchObject({
    code: 'LIMIT_EXCEEDED',
    message: expect.stringContaining(`${filterLimits.conditions} conditions`),
  });
});

test('conditions on paths count towards the limit too', () => {
  const paths = {
    metadata: { at: Array(filterLimits.conditions).fill({ path: ['a'], exists: true }) },
  };
  expect(refusal(paths)).toBeUndefined();
  expect(refusal({ and: [paths, paths] })?.code).toBe('LIMIT_EXCEEDED');
});

const a = { source: { eq: 'a' } };

test.each<[filters: object, start: string]>([
  [{ source: {} }, 'filters.source says nothing: send an operator'],
  [{ userId: { eq: undefined } }, 'filters.userId says nothing: '],
  [{ id: {}, ...a }, 'filters.id says nothing: '],
  [{ importanceScore: {} }, 'filters.importanceScore says nothing: '],
  [{ createdAt: {} }, 'filters.createdAt says nothing: '],
  [{ embeddingStatus: {} }, 'filters.embeddingStatus says nothing: '],
  [{ not: {} }, 'filters.not says nothing: send a condition, or leave it out.'],
  [{ not: { and: [] } }, 'filters.not says nothing: '],
  [{ not: { not: {} } }, 'filters.not.not says nothing: '],
  [{ not: null }, 'filters.not is null, which says nothing: send a condition, or leave it out.'],
  [{ and: null }, 'filters.and is null, which says nothing: '],
  [{ or: null, ...a }, 'filters.or is null, which says nothing: '],
  [{ and: [a, { or: null }] }, 'filters.and[1].or is null, which says nothing: '],
  [{ not: { not: null } }, 'filters.not.not is null, which says nothing: '],
  [{ not: { source: {} } }, 'filters.not.source says nothing: '],
  [{ and: [{}] }, 'filters.and[0] says nothing: '],
  [{ and: [a, {}] }, 'filters.and[1] says nothing: '],
  [{ or: [{}] }, 'filters.or[0] says nothing: '],
  [{ or: [a, {}] }, 'filters.or[1] says nothing: '],
  [{ or: [a, { or: [] }] }, 'filters.or[1] says nothing: '],
  [{ or: [a, { sessionId: undefined }] }, 'filters.or[1] says nothing: '],
  [{ or: [a, { and: [a, { sessionId: {} }] }] }, 'filters.or[1].and[1].sessionId says nothing: '],
  [{ metadata: {} }, 'filters.metadata says nothing: send contains or at'],
  [{ metadata: { contains: {} } }, 'filters.metadata.contains says nothing: name at least one key'],
  [{ metadata: { at: [] } }, 'filters.metadata.at says nothing: name at least one path'],
  [{ metadata: { contains: { a: 1 }, at: [] } }, 'filters.metadata.at says nothing: '],
  [
    { metadata: { at: [{ path: ['turn'] }] } },
    'filters.metadata.at[0] says nothing of its path: send exists',
  ],
  [
    {
      metadata: {
        at: [
          { path: ['turn'], exists: true },
          { path: ['turn'], number: undefined },
        ],
      },
    },
    'filters.metadata.at[1] says nothing of its path: ',
  ],
  [
    { metadata: { at: [{ path: ['turn'], exists: true, string: {} }] } },
    'filters.metadata.at[0].string says nothing: ',
  ],
  [{ metadata: { at: [{ path: ['turn'], number: {} }] } }, 'filters.metadata.at[0].number says nothing: '],
  [{ metadata: { at: [{ path: ['turn'], boolean: {} }] } }, 'filters.metadata.at[0].boolean says nothing: '],
])('%j is refused, because a part of it says nothing', (filters, start) => {
  const error = refusal(filters);
  expect(error?.code).toBe('BAD_USER_INPUT');
  expect(error?.message.slice(0, start.length)).toBe(start);
});

test('a document of a chunk of which nothing is said is refused', () => {
  expect(refusal({ document: {} }, compileChunkFilters)?.message).toMatch(
    /^filters\.document says nothing: /,
  );
  expect(refusal({ document: { and: [] } }, compileChunkFilters)?.message).toMatch(/^filters\.document says/);
  expect(refusal({ document: { filename: {} } }, compileChunkFilters)?.message).toMatch(
    /^filters\.document\.filename says nothing: /,
  );
});

test('parameters that contain an empty object say something, because a tool may have none', () => {
  expect(refusal({ toolParameters: { contains: {} } }, compileToolFilters)).toBeUndefined();
  expect(refusal({ toolParameters: {} }, compileToolFilters)?.message).toMatch(
    /^filters\.toolParameters says/,
  );
});

test('JSON is accepted up to its depth and refused beyond', () => {
  const deep = (levels: number): object => (levels === 1 ? {} : { a: deep(levels - 1) });
  expect(refusal({ metadata: { contains: deep(filterLimits.jsonDepth) } })).toBeUndefined();
  expect(refusal({ metadata: { contains: deep(filterLimits.jsonDepth + 1) } })?.code).toBe('LIMIT_EXCEEDED');
});
