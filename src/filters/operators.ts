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

// The SQL of each operator, by the type that it compares. A new operator goes here, into the conditions of its type (`conditions.ts`) and
// into the input types of the API (`resolvers/filters`). `comparisons.ts` needs no change.

type Comparison<T> = (expression: SQLWrapper, operand: T) => SQL;

/** How SQL compares values of one type. An SQL result of NULL counts as false. */
export interface Scalar<T> {
  /** Returns the operand when the column can hold it. @throws FunesError that starts with the input path. */
  parse(value: unknown, inputPath: InputPath): T;
  equals: Comparison<T>;
  isAmong: Comparison<readonly T[]>;
  /** The operators besides `eq`, `ne`, `in` and `notIn`. */
  operators: Partial<Record<'gt' | 'gte' | 'lt' | 'lte' | 'startsWith' | 'contains', Comparison<T>>>;
}

/**
 * Operands travel as text with a cast in the SQL, lists as one array each: what PostgreSQL sees then depends neither on
 * how the driver guesses types nor, beyond 65,535, on how many values there are.
 */
function ordered<T extends string | number>(
  sqlType: 'bigint' | 'double precision' | 'numeric' | 'text',
  parse: Scalar<T>['parse'],
): Scalar<T> {
  const type = sql.raw(sqlType);
  const operand = (value: T) => sql`${String(value)}::${type}`;
  // Only text has a collation. "C" is code point order, on every database; equality needs none and keeps its index.
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
    // Not LIKE: in it %, _ and \ have a meaning.
    startsWith: (expression, value) => sql`starts_with(${expression}, ${value}::text)`,
    contains: (expression, value) => sql`strpos(${expression}, ${value}::text) > 0`,
  },
};

/** `bigint` keys as decimal strings. */
export const id = ordered('bigint', parseId);

/** `integer` columns. */
export const integer = ordered('bigint', parseInteger);

/** Numbers that are compared exactly, fractions and all: jsonb's, and integers that GraphQL writes as Float. */
export const numeric = ordered('numeric', parseNumber);

/** `double precision` columns. */
export const double = ordered('double precision', parseNumber);

const instant = (date: Date) => sql`${date.toISOString()}::timestamptz`;
const nextInstant = (date: Date) => sql`(${instant(date)} + interval '1 millisecond')`;

/**
 * `timestamptz` columns, which hold microseconds where a Date and the API show milliseconds. An operand therefore stands
 * for its whole millisecond; ranges rather than date_trunc, so that an index on the column still serves.
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

export const boolean: Scalar<boolean> = {
  parse: parseBoolean,
  equals: (expression, value) => sql`${expression} = ${value}::boolean`,
  isAmong: (expression, values) => sql`${expression} = any(${makePgArray([...values])}::boolean[])`,
  operators: {},
};

/** Names that stand for a test of the row each; exactly one of the tests holds for any row. */
export function testedEnum<T extends string>(tests: Readonly<Record<T, SQL>>): Scalar<T> {
  const names = Object.keys(tests) as T[];
  return {
    parse: (value, inputPath) => parseEnum(value, inputPath, names),
    equals: (_, name) => tests[name],
    isAmong: (_, among) => sql`(${sql.join([sql`false`, ...among.map((name) => tests[name])], sql` or `)})`,
    operators: {},
  };
}
