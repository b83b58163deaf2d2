import { or, type SQL } from 'drizzle-orm';
import { entries, opposite } from './comparisons.ts';
import type { InputPath } from './input-path.ts';
import { filterLimits } from './limits.ts';
import { parseList } from './operands.ts';
import { allOf } from './parts.ts';

/** A field that a filter can put a condition on. */
export interface Field<Condition> {
  /**
   * Compiles a condition to SQL, at least one part. A row must meet all parts.
   * @throws FunesError BAD_USER_INPUT, also for a condition that says nothing; LIMIT_EXCEEDED.
   */
  compile(condition: Condition, inputPath: InputPath): SQL[];
}

/** The fields of one table, by their names in the API. */
export type Fields = Readonly<Record<string, Field<never>>>;

type ConditionOf<F> = F extends Field<infer Condition> ? Condition : never;

/** A condition for each of the fields. */
export type Conditions<F extends Fields> = {
  [Name in keyof F]?: ConditionOf<F[Name]> | null | undefined;
};

/** How filters are joined. A row must meet all of a filter: its conditions, `and`, `or` and `not`. */
export interface Nesting<Filters> {
  /** A row must pass all of these. */
  and?: readonly Filters[] | null | undefined;
  /** A row must pass at least one of these. */
  or?: readonly Filters[] | null | undefined;
  /** A row must not pass this. If the SQL of the inner filter is NULL, the row does not pass the inner filter. */
  not?: Filters | null | undefined;
}

/**
 * Compiles a whole filter to SQL over unaliased tables. Returns undefined for a filter without conditions: `{}`, or only
 * empty or missing `and`, `or` and `not`. Every part inside must say something. Otherwise a value that a client lost would
 * let every row pass.
 * @throws FunesError BAD_USER_INPUT, LIMIT_EXCEEDED.
 */
export function compileNesting(fields: Fields, filters: unknown, inputPath: InputPath): SQL | undefined {
  const parts = entries(filters, inputPath).flatMap(([name, value, here]): (SQL | undefined)[] => {
    if (value === null && (name === 'and' || name === 'or' || name === 'not'))
      throw here.refusal('is null, which says nothing: send a condition, or leave it out.');
    switch (name) {
      case 'and':
        return compileEach(fields, value, here);
      case 'or':
        return [or(...compileEach(fields, value, here))];
      case 'not':
        return [opposite(compileInner(fields, value, here.deeper()))];
      default: {
        const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
        if (!field) throw here.refusal('is not a field that you can filter by.');
        if (value === null) {
          throw here.refusal(
            'is null: leave the field out. To find rows without a value use {eq: null}, if the field can be null.',
          );
        }
        // `compile` parses its condition as unknown data, whatever its type says.
        return field.compile(value as never, here);
      }
    }
  });
  return allOf(...parts);
}

/**
 * Compiles a filter inside another one to SQL.
 * @throws FunesError BAD_USER_INPUT, also when it says nothing; LIMIT_EXCEEDED.
 */
export function compileInner(fields: Fields, filters: unknown, inputPath: InputPath): SQL {
  const condition = compileNesting(fields, filters, inputPath);
  if (!condition) throw inputPath.refusal('says nothing: send a condition, or leave it out.');
  return condition;
}

function compileEach(fields: Fields, value: unknown, inputPath: InputPath): SQL[] {
  const inner = inputPath.deeper();
  return parseList(value, inputPath, filterLimits.conditions).map((filters, i) =>
    compileInner(fields, filters, inner.at(i)),
  );
}
