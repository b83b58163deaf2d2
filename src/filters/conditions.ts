import type { JsonObject } from '../../schema/columns/common.ts';

// What a client may ask of one field. All operators of a condition must hold, and there must be one; one that is undefined
// is as if left out.
// `null` is an operand of `eq` and `ne` alone, and only where the column may be NULL.

/** Whether a row has its embedding, or still waits for it. */
export const EmbeddingStatus = { READY: 'READY', PENDING: 'PENDING' } as const;
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

/** `ne` is the opposite of `eq` and `notIn` of `in`, so that both hold for a row without a value. */
export interface EqualityCondition<T> {
  eq?: Operand<T>;
  ne?: Operand<T>;
  in?: Operand<readonly T[]>;
  notIn?: Operand<readonly T[]>;
}

/** Never true of a row without a value. */
export interface OrderedCondition<T> extends EqualityCondition<T> {
  gt?: Operand<T>;
  gte?: Operand<T>;
  lt?: Operand<T>;
  lte?: Operand<T>;
}

/** Order is that of Unicode code points; `startsWith` and `contains` are literal and tell case apart. */
export interface StringCondition extends OrderedCondition<string> {
  startsWith?: Operand<string>;
  contains?: Operand<string>;
}

export type NumberCondition = OrderedCondition<number>;

/** Points in time, to the millisecond: a stored 12:00:00.000900 is equal to 12:00:00.000, as clients see it. */
export type DateTimeCondition = OrderedCondition<Date>;

/** Ids in decimal digits, ordered as numbers. */
export type IdCondition = OrderedCondition<string>;

export type EnumCondition<T extends string> = EqualityCondition<T>;

export interface BooleanCondition {
  eq?: Operand<boolean>;
  ne?: Operand<boolean>;
}

/**
 * What must be found at one path inside a JSON column. A value of another type than the condition's is like a
 * missing one: only `ne` and `notIn` hold for it.
 */
export interface JsonPathCondition {
  /** Keys from the outermost object inwards; in an array a position, "0" the first and "-1" the last. */
  path: readonly string[];
  /** Whether there is anything at the path; a JSON null is something. */
  exists?: Operand<boolean>;
  type?: Operand<JsonType>;
  string?: Operand<StringCondition>;
  number?: Operand<NumberCondition>;
  boolean?: Operand<BooleanCondition>;
}

export interface JsonCondition {
  /** jsonb containment (`@>`): each key with its value, and each element of an array in any order. */
  contains?: Operand<JsonObject>;
  /** All of these must hold. */
  at?: Operand<readonly JsonPathCondition[]>;
}
