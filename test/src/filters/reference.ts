import type { JsonObject } from '../../../schema/columns/common.ts';
import type { JsonPathCondition } from '../../../src/filters/conditions.ts';

// The filter language a second time, without SQL and for one row at a time, so that it is easy to see that it is right.

/** A row as a client sees it, by the names of the filter's fields. `document` is the row of a chunk's document. */
export interface Row {
  [field: string]: string | number | boolean | Date | JsonObject | Row | null;
}

type Json = string | number | boolean | null | undefined | readonly unknown[] | object;

interface Options {
  /** A mistake that a control test makes on purpose: `ne` and `notIn` as SQL's `<>`. */
  neSkipsNull?: boolean;
}

/** Returns whether a filter says something, says nothing (only a whole filter may), or is refused for a part that says nothing. */
export function sense(filters: object): 'something' | 'nothing' | 'refused' {
  const speaks = (says: boolean) => (says ? 'something' : 'refused');
  const parts = Object.entries(filters).map(([name, value]) => {
    if (value === undefined || value === null) return 'nothing';
    switch (name) {
      case 'and':
      case 'or':
        return value.length === 0
          ? 'nothing'
          : speaks(value.every((inner: object) => sense(inner) === 'something'));
      case 'not':
      case 'document':
        return speaks(sense(value) === 'something');
      case 'metadata':
        return speaks(!isEmpty(value) && !isEmpty(value.contains) && pathsSpeak(value.at));
      case 'toolParameters':
        return speaks(!isEmpty(value) && pathsSpeak(value.at));
      default:
        return speaks(!isEmpty(value));
    }
  });
  if (parts.includes('refused')) return 'refused';
  return parts.includes('something') ? 'something' : 'nothing';
}

const isEmpty = (value: object | undefined) => value !== undefined && Object.keys(value).length === 0;

function pathsSpeak(at: JsonPathCondition[] | undefined): boolean {
  if (at === undefined) return true;
  return (
    at.length > 0 &&
    at.every(({ path: _path, ...conditions }) => {
      const { string, number, boolean } = conditions;
      return ![conditions, string, number, boolean].some((part) => isEmpty(part ?? undefined));
    })
  );
}

/** Returns whether a row passes a filter that is not refused. */
export function passes(row: Row, filters: object, options: Options = {}): boolean {
  const verdicts = Object.entries(filters).flatMap(([name, value]) => {
    if (value === undefined || value === null) return [];
    switch (name) {
      case 'and':
        return (value as object[]).map((inner) => passes(row, inner, options));
      case 'or':
        return value.length === 0 ? [] : [(value as object[]).some((one) => passes(row, one, options))];
      case 'not':
        return [!passes(row, value, options)];
      case 'document':
        return [passes(row.document as Row, value, options)];
      case 'metadata':
      case 'toolParameters':
        return jsonVerdicts(row[name] as JsonObject | null, value, options);
      default:
        return fieldVerdicts(row[name] as Scalar | null, value, options);
    }
  });
  return !verdicts.includes(false);
}

type Scalar = string | number | boolean | Date;

function fieldVerdicts(value: Scalar | null, condition: object, options: Options): boolean[] {
  return Object.entries(condition).map(([operator, operand]) => holds(value, operator, operand, options));
}

function holds(
  value: Scalar | null,
  operator: string,
  operand: Scalar | Scalar[] | null,
  options: Options,
): boolean {
  const equal = (other: Scalar | null) =>
    value === null || other === null ? value === other : order(value, other) === 0;
  switch (operator) {
    case 'eq':
      return equal(operand as Scalar | null);
    case 'ne':
      return !equal(operand as Scalar | null) && !(options.neSkipsNull && value === null);
    case 'in':
      return (operand as Scalar[]).some(equal);
    case 'notIn':
      return !(operand as Scalar[]).some(equal) && !(options.neSkipsNull && value === null);
  }
  if (value === null) return false;
  switch (operator) {
    case 'gt':
      return order(value, operand as Scalar) > 0;
    case 'gte':
      return order(value, operand as Scalar) >= 0;
    case 'lt':
      return order(value, operand as Scalar) < 0;
    case 'lte':
      return order(value, operand as Scalar) <= 0;
    case 'startsWith':
      return String(value).startsWith(String(operand));
    case 'contains':
      return String(value).includes(String(operand));
    default:
      throw new Error(`The reference knows no ${operator}.`);
  }
}

/** Ids are small enough for numbers. Strings are ordered by code point, which is the order of their UTF-8 bytes. */
function order(a: Scalar, b: Scalar): number {
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(String(b)));
  return Number(a) - Number(b);
}

function jsonVerdicts(json: JsonObject | null, condition: object, options: Options): boolean[] {
  const { contains, at } = condition as { contains?: JsonObject; at?: JsonPathCondition[] };
  return [
    ...(contains === undefined ? [] : [json !== null && containsJson(json, contains)]),
    ...(at ?? []).flatMap((one) => pathVerdicts(json, one, options)),
  ];
}

function pathVerdicts(json: JsonObject | null, condition: JsonPathCondition, options: Options): boolean[] {
  const found = condition.path.reduce<Json>(step, json ?? undefined);
  const typed = (type: string, inner: object | null | undefined) =>
    inner ? fieldVerdicts(typeOf(found) === type ? (found as Scalar) : null, inner, options) : [];
  return [
    ...(typeof condition.exists === 'boolean' ? [(found !== undefined) === condition.exists] : []),
    ...(condition.type ? [typeOf(found) === condition.type] : []),
    ...typed('STRING', condition.string),
    ...typed('NUMBER', condition.number),
    ...typed('BOOLEAN', condition.boolean),
  ];
}

function step(json: Json, key: string): Json {
  if (Array.isArray(json)) return /^\s*[+-]?\d+$/.test(key) ? json.at(Number(key)) : undefined;
  if (typeof json !== 'object' || json === null || !Object.hasOwn(json, key)) return undefined;
  return (json as Record<string, Json>)[key];
}

function typeOf(json: Json): string | undefined {
  if (json === undefined) return undefined;
  if (json === null) return 'NULL';
  return Array.isArray(json) ? 'ARRAY' : (typeof json).toUpperCase();
}

/** Returns jsonb's `@>` for the values at one path. */
function containsJson(whole: Json, part: Json): boolean {
  if (typeOf(whole) !== typeOf(part)) return false;
  if (Array.isArray(part)) {
    return part.every((element) => (whole as Json[]).some((candidate) => containsJson(candidate, element)));
  }
  if (typeof part === 'object' && part !== null) {
    return Object.entries(part).every(
      ([key, value]) => Object.hasOwn(whole as object, key) && containsJson(step(whole, key), value),
    );
  }
  return whole === part;
}
