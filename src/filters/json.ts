import { or, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { makePgArray } from 'drizzle-orm/pg-core';
import { limits } from '../input/limits.ts';
import { compileComparisons, entries } from './comparisons.ts';
import { JsonType } from './conditions.ts';
import type { InputPath } from './input-path.ts';
import { filterLimits } from './limits.ts';
import { parseBoolean, parseEnum, parseJsonObject, parseList, parseObject, parseString } from './operands.ts';
import { boolean, numeric, type Scalar, text } from './operators.ts';
import { Containment } from './parts.ts';

const NO_NULL =
  'a condition on a path compares values: to find rows without a value use exists: false, to find a JSON null use type: NULL.';

/** The steps of a path that PostgreSQL's `#>` reads as an index if the value is an array. */
const ARRAY_INDEX = /^\s*[+-]?\d+$/;

/** Up to this many values, `in` is compiled to containments, which an index answers one by one. */
const INDEXED_LIST_LENGTH = 10;

/**
 * Compiles a JsonCondition on a jsonb column to SQL, at least one part. A row must meet all parts.
 * @param nullable whether the column is nullable. Then `contains: {}` finds the rows that have an object. In another column
 *   every row would pass, and a client whose only key is undefined sends `contains: {}`.
 * @throws FunesError BAD_USER_INPUT, LIMIT_EXCEEDED.
 */
export function compileJson(
  column: SQLWrapper,
  condition: unknown,
  nullable: boolean,
  inputPath: InputPath,
): SQL[] {
  const operators = entries(condition, inputPath);
  if (operators.length === 0)
    throw inputPath.refusal('says nothing: send contains or at, or leave the field out.');
  return operators.flatMap(([name, value, here]) => {
    switch (name) {
      case 'contains': {
        here.count();
        const json = parseJsonObject(value, here, limits.jsonLength);
        if (json === '{}' && !nullable)
          throw here.refusal('says nothing: name at least one key, or leave the field out.');
        return [contains(column, json)];
      }
      case 'at': {
        const paths = parseList(value, here, filterLimits.conditions);
        if (paths.length === 0)
          throw here.refusal('says nothing: name at least one path, or leave the field out.');
        return paths.flatMap((one, i) => compileAtPath(column, one, here.at(i)));
      }
      default:
        throw here.refusal('is not an operator of a JSON field: use contains or at.');
    }
  });
}

// The parameter is text, with a cast. Without Drizzle, postgres.js writes a parameter of type jsonb as JSON of the JSON.
const contains = (column: SQLWrapper, json: string) => new Containment(column, sql`${json}::text::jsonb`);

function compileAtPath(column: SQLWrapper, condition: unknown, inputPath: InputPath): SQL[] {
  const { path, ...rest } = { path: undefined, ...parseObject(condition, inputPath) };
  const steps = parseList(path, inputPath.at('path'), filterLimits.jsonDepth).map((step, i) =>
    parseString(step, inputPath.at('path').at(i)),
  );
  if (steps.length === 0) throw inputPath.at('path').refusal('is empty: name at least one key.');
  const found = sql`(${column} #> ${makePgArray(steps)}::text[])`;
  const type = sql`jsonb_typeof(${found})`;
  // Only CASE is sure to evaluate the test before the cast.
  const asText = sql`case ${type} when 'string' then ${found} #>> '{}' end`;
  const asNumber = sql`case ${type} when 'number' then ${found}::numeric end`;
  const asBoolean = sql`case ${type} when 'boolean' then ${found}::boolean end`;

  const conditions = entries(rest, inputPath);
  if (conditions.length === 0)
    throw inputPath.refusal('says nothing of its path: send exists, type, string, number or boolean.');
  return conditions.flatMap(([name, value, here]) => {
    switch (name) {
      case 'exists':
        here.count();
        return parseBoolean(value, here) ? sql`${found} is not null` : sql`${found} is null`;
      case 'type':
        here.count();
        return sql`${type} = ${parseEnum(value, here, Object.values(JsonType)).toLowerCase()}::text`;
      case 'string':
        return compileComparisons(sql`(${asText})`, indexed(text, column, steps), value, NO_NULL, here);
      case 'number':
        return compileComparisons(sql`(${asNumber})`, indexed(numeric, column, steps), value, NO_NULL, here);
      case 'boolean':
        return compileComparisons(sql`(${asBoolean})`, indexed(boolean, column, steps), value, NO_NULL, here);
      default:
        throw here.refusal('is not a condition on a path: use exists, type, string, number or boolean.');
    }
  });
}

/**
 * Returns a scalar whose `eq` and `in` can use the GIN index, if there is one for the path. Equality at a path of
 * object keys is containment of `{key: {key: value}}`, which the index answers. A path with a step that may be an index
 * of an array has no such form.
 */
function indexed<T>(scalar: Scalar<T>, column: SQLWrapper, steps: readonly string[]): Scalar<T> {
  if (steps.some((step) => ARRAY_INDEX.test(step))) return scalar;
  const equals = (value: T) =>
    contains(column, JSON.stringify(steps.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)));
  return {
    ...scalar,
    equals: (_, value) => equals(value),
    isAmong: (expression, values) =>
      (values.length <= INDEXED_LIST_LENGTH && or(...values.map(equals))) ||
      scalar.isAmong(expression, values),
  };
}
