import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { makePgArray } from 'drizzle-orm/pg-core';
import type { InputPath } from './input-path.ts';
import {
  parseBoolean,
  parseDate,
  parseEnum,
  parseId,
  parseInteger,
  parseNumber,
  parseString,
} from './operands.ts';

type Comparison<T> = (expression: SQLWrapper, operand: T) => SQL;

/** How SQL compares values of one type. If SQL returns NULL, the row does not pass. */
export interface Scalar<T> {
  /** Returns the operand if the column can hold it. @throws FunesError with a message that begins with the input path. */
  parse(value: unknown, inputPath: InputPath): T;
  equals: Comparison<T>;
  isAmong: Comparison<readonly T[]>;
  /** The operators besides `eq`, `ne`, `in` and `notIn`. */
  operators: Partial<Record<'gt' | 'gte' | 'lt' | 'lte' | 'startsWith' | 'contains', Comparison<T>>>;
}

/**
 * Makes a scalar whose values have an order. The SQL takes an operand as text with a cast, and a list as one array. So
 * the SQL does not depend on the types that the driver guesses, and a list may have more values than the 65,535
 * parameters of a statement.
 */
function ordered<T extends string | number>(
  sqlType: 'bigint' | 'double precision' | 'numeric' | 'text',
  parse: Scalar<T>['parse'],
): Scalar<T> {
  const type = sql.raw(sqlType);
  const operand = (value: T) => sql`${String(value)}::${type}`;
  // Only text has a collation. "C" is the order of code points on every database. Equality does without it, so that an
  // index serves.
  const order = sql.raw(sqlType === 'text' ? ' collate "C"' : '');
  return {
    parse,
    equals: (expression, value) => sql`${expression} = ${operand(value)}`,
    isAmong: (expression, values) => sql`${expression} = any(${makePgArray([...values])}::${type}[])`,
    operators: {
      gt: (expression, value) => sql`${expression}${order} > ${operand(value)}`,
      gte: (expression, value) => sql`${expression}${order} >= ${operand(value)}`,
      lt: (expression, value) => sql`${expression}${order} < ${operand(value)}`,
      lte: (expression, value) => sql`${expression}${order} <= ${operand(value)}`,
    },
  };
}

const plainText = ordered('text', parseString);

/** `text` and `varchar`. */
export const text: Scalar<string> = {
  ...plainText,
  operators: {
    ...plainText.operators,
    // LIKE would read %, _ and \ as more than characters.
    startsWith: (expression, value) => sql`starts_with(${expression}, ${value}::text)`,
    contains: (expression, value) => sql`strpos(${expression}, ${value}::text) > 0`,
  },
};

/** `bigint` keys as decimal strings. */
export const id = ordered('bigint', parseId);

/** `integer` columns. */
export const integer = ordered('bigint', parseInteger);

/** Numbers that are compared exactly, with their fractions: those of jsonb, and integers that GraphQL writes as Float. */
export const numeric = ordered('numeric', parseNumber);

/** `double precision` columns. */
export const double = ordered('double precision', parseNumber);

const instant = (date: Date) => sql`${date.toISOString()}::timestamptz`;
const nextInstant = (date: Date) => sql`(${instant(date)} + interval '1 millisecond')`;

/**
 * `timestamptz` columns. They hold microseconds, but a Date and the API have only milliseconds. So an operand stands
 * for its whole millisecond. The SQL compares with ranges instead of date_trunc, so that an index on the column serves.
 */
export const dateTime: Scalar<Date> = {
  parse: parseDate,
  equals: (column, date) => sql`(${column} >= ${instant(date)} and ${column} < ${nextInstant(date)})`,
  isAmong: (column, dates) =>
    sql`date_trunc('milliseconds', ${column}) = any(${makePgArray(dates.map((date) => date.toISOString()))}::timestamptz[])`,
  operators: {
    gt: (column, date) => sql`${column} >= ${nextInstant(date)}`,
    gte: (column, date) => sql`${column} >= ${instant(date)}`,
    lt: (column, date) => sql`${column} < ${instant(date)}`,
    lte: (column, date) => sql`${column} < ${nextInstant(date)}`,
  },
};

/** `boolean` values. */
export const boolean: Scalar<boolean> = {
  parse: parseBoolean,
  equals: (expression, value) => sql`${expression} = ${value}::boolean`,
  isAmong: (expression, values) => sql`${expression} = any(${makePgArray([...values])}::boolean[])`,
  operators: {},
};

/** Makes a scalar of names, each with a test. Every row must meet exactly one of the tests. */
export function testedEnum<T extends string>(tests: Readonly<Record<T, SQL>>): Scalar<T> {
  const names = Object.keys(tests) as T[];
  return {
    parse: (value, inputPath) => parseEnum(value, inputPath, names),
    equals: (_, name) => tests[name],
    isAmong: (_, among) => sql`(${sql.join([sql`false`, ...among.map((name) => tests[name])], sql` or `)})`,
    operators: {},
  };
}
