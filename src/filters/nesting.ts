import { and, or, type SQL } from 'drizzle-orm';
import { entries, opposite } from './comparisons.ts';
import type { InputPath } from './input-path.ts';
import { filterLimits } from './limits.ts';
import { parseList } from './operands.ts';

/** A field that a filter can put a condition on. */
export interface Field<Condition> {
  /**
   * Compiles a condition to SQL. A row must meet all parts. An empty condition has no parts.
   * @throws FunesError BAD_USER_INPUT, LIMIT_EXCEEDED.
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
 * Compiles a filter to SQL over unaliased tables. Returns undefined for a filter without conditions. Such filters
 * (`{}`, an empty or missing `and` or `or`, a `not` of such a filter) are ignored, inside `or` and `not` too.
 * @throws FunesError BAD_USER_INPUT, LIMIT_EXCEEDED.
 */
export function compileNesting(fields: Fields, filters: unknown, inputPath: InputPath): SQL | undefined {
  const before = inputPath.conditions;
  const parts = entries(filters, inputPath).flatMap(([name, value, here]): (SQL | undefined)[] => {
    switch (name) {
      case 'and':
        return compileEach(fields, value, here);
      case 'or':
        return [or(...compileEach(fields, value, here))];
      case 'not': {
        const inner = value === null ? undefined : compileNesting(fields, value, here.deeper());
        return [inner && opposite(inner)];
      }
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
  // Empty filters count too, so that a filter of many empty filters has a limit.
  if (inputPath.conditions === before) inputPath.count();
  return and(...parts);
}

function compileEach(fields: Fields, value: unknown, inputPath: InputPath): (SQL | undefined)[] {
  if (value === null) return [];
  const inner = inputPath.deeper();
  return parseList(value, inputPath, filterLimits.conditions).map((filters, i) =>
    compileNesting(fields, filters, inner.at(i)),
  );
}
