import { GraphQLFloat, GraphQLID, GraphQLInt, GraphQLString } from 'graphql';
import { GraphQLDateTime } from 'graphql-scalars';
import { InputType } from 'type-graphql';
import type {
  BooleanCondition,
  DateTimeCondition,
  IdCondition,
  NumberCondition,
  StringCondition,
} from '../../src/filters/conditions.ts';
import { filterLimits } from '../../src/filters/limits.ts';
import { OptionalField } from '../common/optional-field.ts';
import { orderedFilterOf } from './ordered-filter.ts';

const numbers = { less: 'Less', greater: 'Greater' };

@InputType({
  description:
    'Conditions on a text; a row must meet all that are given. Case, accents and blanks count. Texts are ordered by Unicode ' +
    `code point, on every database alike. A string has up to ${filterLimits.stringLength} characters.`,
})
export class StringFilter
  extends orderedFilterOf<string>(GraphQLString, { less: 'Earlier in order', greater: 'Later in order' })
  implements StringCondition
{
  @OptionalField(() => GraphQLString, 'The value begins with exactly this text; no character is a wildcard.')
  startsWith?: string | null;

  @OptionalField(
    () => GraphQLString,
    'The value has exactly this text somewhere in it; no character is a wildcard.',
  )
  contains?: string | null;
}

@InputType({
  description:
    'Conditions on an id; a row must meet all that are given. Ids are ordered as numbers, and later rows have greater ids.',
})
export class IDFilter extends orderedFilterOf<string>(GraphQLID, numbers) implements IdCondition {}

@InputType({ description: 'Conditions on a whole number; a row must meet all that are given.' })
export class IntFilter extends orderedFilterOf<number>(GraphQLInt, numbers) implements NumberCondition {}

@InputType({ description: 'Conditions on a number; a row must meet all that are given.' })
export class FloatFilter extends orderedFilterOf<number>(GraphQLFloat, numbers) implements NumberCondition {}

@InputType({
  description:
    'Conditions on a point in time; a row must meet all that are given. Times are compared to the millisecond, as the API ' +
    'shows them, though the database keeps microseconds. Years 1 to 9999.',
})
export class DateTimeFilter
  extends orderedFilterOf<Date>(GraphQLDateTime, { less: 'Earlier', greater: 'Later' })
  implements DateTimeCondition {}

@InputType({ description: 'Conditions on true or false; a row must meet all that are given.' })
export class BooleanFilter implements BooleanCondition {
  @OptionalField(() => Boolean, 'Equal to this.')
  eq?: boolean | null;

  @OptionalField(() => Boolean, 'The exact opposite of `eq`: also finds rows where there is no such value.')
  ne?: boolean | null;
}
