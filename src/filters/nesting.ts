import { and, or, type SQL } from 'drizzle-orm';
import { entries, opposite } from './comparisons.ts';
import { filterLimits } from './limits.ts';
import { readList } from './operands.ts';
import type { Place } from './place.ts';

/** A field that a filter can put a condition on. */
export interface Field<Condition> {
  /**
   * SQL of the condition, in parts that must all hold; none when the condition says nothing.
   * @throws FunesError BAD_USER_INPUT, LIMIT_EXCEEDED.
   */
  compile(condition: Condition, place: Place): SQL[];
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
export function compileNesting(fields: Fields, filters: unknown, place: Place): SQL | undefined {
  const before = place.conditions;
  const parts = entries(filters, place).flatMap(([name, value, here]): (SQL | undefined)[] => {
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
        if (!field) throw here.refusal('is not a field that can be filtered by.');
        if (value === null) {
          throw here.refusal(
            'is null: leave it out. Rows without a value are found by {eq: null}, in fields that may have none.',
          );
        }
        // The field reads its condition as unknown data, whatever its type promises.
        return field.compile(value as never, here);
      }
    }
  });
  // So that filters of nothing but empty filters have a bound as well.
  if (place.conditions === before) place.count();
  return and(...parts);
}

function compileEach(fields: Fields, value: unknown, place: Place): (SQL | undefined)[] {
  if (value === null) return [];
  const inner = place.deeper();
  return readList(value, place, filterLimits.conditions).map((filters, i) =>
    compileNesting(fields, filters, inner.at(i)),
  );
}
