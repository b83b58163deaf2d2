import { and, or, type SQL } from 'drizzle-orm';
import { entries, opposite } from './comparisons.ts';
import type { InputPath } from './input-path.ts';
import { filterLimits } from './limits.ts';
import { parseList } from './operands.ts';

/** A field that a filter can put a condition on. */
export interface Field<Condition> {
  /**
   * SQL of the condition, in parts that must all hold; none when the condition says nothing.
   * @throws FunesError BAD_USER_INPUT, LIMIT_EXCEEDED.
   */
  compile(condition: Condition, inputPath: InputPath): SQL[];
}

/** The fields of one table by the names that clients know. */
export type Fields = Readonly<Record<string, Field<never>>>;

type ConditionOf<F> = F extends Field<infer Condition> ? Condition : never;

/** A condition for each of the fields. */
export type Conditions<F extends Fields> = {
  [Name in keyof F]?: ConditionOf<F[Name]> | null | undefined;
};

/** How filters are joined. All that a filter says must hold: its conditions, `and`, `or` and `not` together. */
export interface Nesting<Filters> {
  /** All of these. */
  and?: readonly Filters[] | null | undefined;
  /** At least one of these. */
  or?: readonly Filters[] | null | undefined;
  /** Exactly the rows that the inner filter leaves out, those where it compares with NULL among them. */
  not?: Filters | null | undefined;
}

/**
 * SQL of a filter over unaliased tables, or undefined when it says nothing. What says nothing (`{}`, an empty or missing
 * `and` or `or`, a `not` of nothing) is left out wherever it stands, inside `or` and `not` too.
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
        // The field reads its condition as unknown data, whatever its type promises.
        return field.compile(value as never, here);
      }
    }
  });
  // So that filters of nothing but empty filters have a bound as well.
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
