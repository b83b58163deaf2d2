import { GraphQLFloat, GraphQLID, GraphQLInt, GraphQLString } from 'graphql';
import { GraphQLDateTime } from 'graphql-scalars';
import { InputType } from 'type-graphql';
import type {
  BooleanCondition,
  DateTimeCondition,
  IdCondition,
  NumberCondition,
  StringCondition,
} from '../../src/search/filters/conditions.ts';
import { filterLimits } from '../../src/search/filters/limits.ts';
import { OptionalField } from '../common/optional-field.ts';
import { orderedFilterOf } from './ordered-filter.ts';

const numbers = { less: 'Less', greater: 'Greater' };

@InputType({
  description:
    'Conditions on a text; all that are given must hold. Case, accents and blanks count. Order is that of Unicode code ' +
    `points, the same on every database. Up to ${filterLimits.stringLength} characters a string.`,
})
export class StringFilter
  extends orderedFilterOf<string>(GraphQLString, { less: 'Earlier in order', greater: 'Later in order' })
  implements StringCondition
{
  @OptionalField(() => GraphQLString, 'Begins with exactly this text; no character in it is a wildcard.')
  startsWith?: string | null;

  @OptionalField(
    () => GraphQLString,
    'Has exactly this text somewhere in it; no character in it is a wildcard.',
  )
  contains?: string | null;
}

@InputType({
  description:
    'Conditions on an id; all that are given must hold. Ids are ordered as numbers, and later rows have greater ones.',
})
export class IDFilter extends orderedFilterOf<string>(GraphQLID, numbers) implements IdCondition {}

@InputType({ description: 'Conditions on a whole number; all that are given must hold.' })
export class IntFilter extends orderedFilterOf<number>(GraphQLInt, numbers) implements NumberCondition {}

@InputType({ description: 'Conditions on a number; all that are given must hold.' })
export class FloatFilter extends orderedFilterOf<number>(GraphQLFloat, numbers) implements NumberCondition {}

@InputType({
  description:
    'Conditions on a point in time; all that are given must hold. Times are compared to the millisecond, which is how the ' +
    'API shows them, though the database keeps microseconds. Years 1 to 9999.',
})
export class DateTimeFilter
  extends orderedFilterOf<Date>(GraphQLDateTime, { less: 'Earlier', greater: 'Later' })
  implements DateTimeCondition {}

@InputType({ description: 'Conditions on true or false; all that are given must hold.' })
export class BooleanFilter implements BooleanCondition {
  @OptionalField(() => Boolean, 'Equal to this.')
  eq?: boolean | null;

  @OptionalField(() => Boolean, 'The exact opposite of `eq`: found too where there is no such value.')
  ne?: boolean | null;
}
