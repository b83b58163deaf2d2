import type { JsonObject } from '../../schema/columns/common.ts';

// The conditions that a client can put on a field. A row must meet all operators of a condition, and a condition must have
// one. An operator that is undefined does not count. Only `eq` and `ne` take `null` as operand, and only if the column is
// nullable.

/**
 * READY if a row has its embedding, STALE if that is of another model than the server's, PENDING if the row waits for one, FAILED if it
 * can never have one.
 */
export const EmbeddingStatus = {
  READY: 'READY',
  STALE: 'STALE',
  PENDING: 'PENDING',
  FAILED: 'FAILED',
} as const;
export type EmbeddingStatus = (typeof EmbeddingStatus)[keyof typeof EmbeddingStatus];

/** The types of a JSON value. */
export const JsonType = {
  STRING: 'STRING',
  NUMBER: 'NUMBER',
  BOOLEAN: 'BOOLEAN',
  OBJECT: 'OBJECT',
  ARRAY: 'ARRAY',
  NULL: 'NULL',
} as const;
export type JsonType = (typeof JsonType)[keyof typeof JsonType];

type Operand<T> = T | null | undefined;

/** `ne` is the opposite of `eq`, and `notIn` of `in`. So a row without a value meets `ne` and `notIn`. */
export interface EqualityCondition<T> {
  eq?: Operand<T>;
  ne?: Operand<T>;
  in?: Operand<readonly T[]>;
  notIn?: Operand<readonly T[]>;
}

/** A row without a value meets none of these operators. */
export interface OrderedCondition<T> extends EqualityCondition<T> {
  gt?: Operand<T>;
  gte?: Operand<T>;
  lt?: Operand<T>;
  lte?: Operand<T>;
}

/** Strings are ordered by Unicode code points. `startsWith` and `contains` compare literally, and case counts. */
export interface StringCondition extends OrderedCondition<string> {
  startsWith?: Operand<string>;
  contains?: Operand<string>;
}

export type NumberCondition = OrderedCondition<number>;

/** Points in time, to the millisecond. A stored 12:00:00.000900 is equal to 12:00:00.000, as the API shows it. */
export type DateTimeCondition = OrderedCondition<Date>;

/** Ids in decimal digits, ordered as numbers. */
export type IdCondition = OrderedCondition<string>;

export type EnumCondition<T extends string> = EqualityCondition<T>;

export interface BooleanCondition {
  eq?: Operand<boolean>;
  ne?: Operand<boolean>;
}

/**
 * A condition on the value at one path inside a JSON column. A value of another type than the condition's counts as
 * missing: it meets only `ne` and `notIn`.
 */
export interface JsonPathCondition {
  /** The keys, the outermost first. In an array a step is an index: "0" is the first element, "-1" the last. */
  path: readonly string[];
  /** Whether there is a value at the path. A JSON null is a value. */
  exists?: Operand<boolean>;
  type?: Operand<JsonType>;
  string?: Operand<StringCondition>;
  number?: Operand<NumberCondition>;
  boolean?: Operand<BooleanCondition>;
}

export interface JsonCondition {
  /** jsonb containment (`@>`): each key with its value, and each element of an array in any order. */
  contains?: Operand<JsonObject>;
  /** The value must meet all of these conditions. */
  at?: Operand<readonly JsonPathCondition[]>;
}
