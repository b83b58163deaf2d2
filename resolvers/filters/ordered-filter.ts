import type { GraphQLScalarType } from 'graphql';
import { InputType } from 'type-graphql';
import type { OrderedCondition } from '../../src/filters/conditions.ts';
import { filterLimits } from '../../src/filters/limits.ts';
import { OptionalField } from '../common/optional-field.ts';

/** Descriptions of `in` and `notIn`. */
export const membership = {
  in: `Equal to one of these (at most ${filterLimits.listLength}); an empty list finds no row.`,
  notIn: `The exact opposite of \`in\`: also finds rows without a value. At most ${filterLimits.listLength} values.`,
};

/**
 * Makes the base class of a filter on an ordered type: the operators that all of them have.
 * @param scalar the type of the operands.
 * @param words how the descriptions say "less" and "greater".
 */
export function orderedFilterOf<T>(scalar: GraphQLScalarType, words: { less: string; greater: string }) {
  // Without a name: the schema shows the fields in the types that extend this class, not the class.
  @InputType()
  abstract class Ordered implements OrderedCondition<T> {
    @OptionalField(
      () => scalar,
      'Equal to this; null finds rows without a value, where the column may lack one.',
    )
    eq?: T | null;

    @OptionalField(
      () => scalar,
      'The exact opposite of `eq`: also finds rows without a value; null leaves those out.',
    )
    ne?: T | null;

    @OptionalField(() => [scalar], membership.in)
    in?: T[] | null;

    @OptionalField(() => [scalar], membership.notIn)
    notIn?: T[] | null;

    @OptionalField(() => scalar, `${words.greater} than this.`)
    gt?: T | null;

    @OptionalField(() => scalar, `${words.greater} than this, or equal.`)
    gte?: T | null;

    @OptionalField(() => scalar, `${words.less} than this.`)
    lt?: T | null;

    @OptionalField(() => scalar, `${words.less} than this, or equal.`)
    lte?: T | null;
  }
  return Ordered;
}
