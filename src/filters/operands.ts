import { quote } from '../errors.ts';
import { BIGINT_MAX, unstorable } from '../input/checks.ts';
import type { InputPath } from './input-path.ts';
import { filterLimits } from './limits.ts';

// Parsers of operands. Each returns its value if PostgreSQL can compare with it. Otherwise it throws a FunesError that
// says why not. GraphQL has checked the types already, but JavaScript that calls the compilers directly has not.

const BIGINT_MIN = -(2n ** 63n);
const FIRST_DATE = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_DATE = Date.parse('9999-12-31T23:59:59.999Z');

/** Parses a string that PostgreSQL can hold. */
export function parseString(value: unknown, inputPath: InputPath): string {
  if (typeof value !== 'string') throw inputPath.refusal(`must be a string, not ${describe(value)}.`);
  if (value.length > filterLimits.stringLength) {
    throw inputPath.excess(
      `has ${value.length} characters; a string in a filter may have at most ${filterLimits.stringLength}.`,
    );
  }
  const problem = unstorable(value);
  if (problem)
    throw inputPath.refusal(`contains ${problem}, which no stored text can contain: ${quote(value)}.`);
  return value;
}

/** Parses an id: decimal digits within the range of bigint. */
export function parseId(value: unknown, inputPath: InputPath): string {
  const text = typeof value === 'string' ? value : '';
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text) || BigInt(text) > BIGINT_MAX || BigInt(text) < BIGINT_MIN) {
    throw inputPath.refusal(`must be an id, a whole number like "42", not ${describe(value)}.`);
  }
  return text;
}

/** Parses a finite number. */
export function parseNumber(value: unknown, inputPath: InputPath): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw inputPath.refusal(`must be a finite number, not ${describe(value)}.`);
  }
  return value;
}

/** Parses a whole number that JavaScript holds exactly. */
export function parseInteger(value: unknown, inputPath: InputPath): number {
  if (!Number.isSafeInteger(value))
    throw inputPath.refusal(`must be a whole number, not ${describe(value)}.`);
  return Number(value);
}

/** Parses true or false. */
export function parseBoolean(value: unknown, inputPath: InputPath): boolean {
  if (typeof value !== 'boolean') throw inputPath.refusal(`must be true or false, not ${describe(value)}.`);
  return value;
}

/** Parses a valid Date of the years 1 to 9999. JavaScript and PostgreSQL write other years differently. */
export function parseDate(value: unknown, inputPath: InputPath): Date {
  const time = value instanceof Date ? value.getTime() : Number.NaN;
  if (!(time >= FIRST_DATE && time <= LAST_DATE)) {
    throw inputPath.refusal(`must be a point in time in the years 1 to 9999 (UTC), not ${describe(value)}.`);
  }
  return new Date(time);
}

/** Parses one of the names in `allowed`. */
export function parseEnum<T extends string>(value: unknown, inputPath: InputPath, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === value);
  if (found === undefined)
    throw inputPath.refusal(`must be ${allowed.join(' or ')}, not ${describe(value)}.`);
  return found;
}

/** Parses a list of at most `limit` elements. */
export function parseList(value: unknown, inputPath: InputPath, limit: number): readonly unknown[] {
  if (!Array.isArray(value)) throw inputPath.refusal(`must be a list, not ${describe(value)}.`);
  if (value.length > limit)
    throw inputPath.excess(`has ${value.length} elements; at most ${limit} are allowed.`);
  return value;
}

/** Parses an object. Refuses lists and scalars. */
export function parseObject(value: unknown, inputPath: InputPath): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw inputPath.refusal(`must be an object, not ${describe(value)}.`);
  }
  return value;
}

/**
 * Parses a JSON object and returns its JSON, which jsonb can store exactly. Refuses infinite numbers, text that
 * PostgreSQL cannot hold, and undefined: a variable without a value would silently widen the filter.
 */
export function parseJsonObject(value: unknown, inputPath: InputPath, maxLength: number): string {
  checkJson(parseObject(value, inputPath), inputPath, 1);
  const json = JSON.stringify(value);
  if (json.length > maxLength) {
    throw inputPath.excess(`has ${json.length} characters as JSON; at most ${maxLength} are allowed.`);
  }
  return json;
}

function checkJson(value: unknown, inputPath: InputPath, depth: number): void {
  switch (typeof value) {
    case 'boolean':
      return;
    case 'string': {
      const problem = unstorable(value);
      if (problem)
        throw inputPath.refusal(`contains ${problem}, which no JSON column can contain: ${quote(value)}.`);
      return;
    }
    case 'number':
      if (!Number.isFinite(value))
        throw inputPath.refusal(`contains ${value}, which is not a number in JSON.`);
      return;
    case 'object':
      if (value === null) return;
      if (depth > filterLimits.jsonDepth) {
        throw inputPath.excess(
          `is nested too deep: JSON in a filter may have at most ${filterLimits.jsonDepth} levels.`,
        );
      }
      for (const [key, element] of Object.entries(value)) {
        checkJson(key, inputPath, depth);
        checkJson(element, inputPath, depth + 1);
      }
      return;
    default:
      throw inputPath.refusal(
        value === undefined
          ? 'contains a variable that has no value.'
          : `contains ${describe(value)}, which is not JSON.`,
      );
  }
}

function describe(value: unknown): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid date' : value.toISOString();
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return typeof value === 'function' ? 'a function' : quote(value);
}
