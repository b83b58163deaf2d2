import { GraphQLJSONObject } from 'graphql-scalars';
import { Field, InputType, registerEnumType } from 'type-graphql';
import type { JsonObject } from '../../schema/columns/common.ts';
import { limits } from '../../src/limits.ts';
import { type JsonCondition, type JsonPathCondition, JsonType } from '../../src/search/filters/conditions.ts';
import { filterLimits } from '../../src/search/filters/limits.ts';
import { OptionalField } from '../common/optional-field.ts';
import { BooleanFilter, FloatFilter, StringFilter } from './scalar-filters.ts';

registerEnumType(JsonType, {
  name: 'JSONType',
  description: 'The type of a value in JSON.',
  valuesConfig: {
    STRING: { description: 'A text in quotes, also one of digits: "10".' },
    NUMBER: { description: 'A number, whole or not: 10, -2.5, 1e3.' },
    BOOLEAN: { description: 'true or false.' },
    OBJECT: { description: 'Keys with values, in braces; also without any: {}.' },
    ARRAY: { description: 'Values in order, in brackets; also without any: [].' },
    NULL: { description: 'A null that stands there; where nothing stands, there is no type.' },
  },
});

@InputType({
  description:
    'What is found at one place inside a JSON object; all that is given must hold. Values are compared in their own type ' +
    '(10 is greater than 9, and "10" is no number): a value of another type is as good as none, so only `ne` and `notIn` ' +
    'hold for it. Times kept as text in ISO 8601, all in UTC, can be compared with `string`.',
})
export class JSONPathFilter implements JsonPathCondition {
  @Field(() => [String], {
    description:
      'The keys that lead to the value, the outermost first: ["user", "age"]. In an array a step is a position, "0" the ' +
      `first and "-1" the last. At most ${filterLimits.jsonDepth} steps.`,
  })
  path!: string[];

  @OptionalField(() => Boolean, 'Whether there is anything at the path; a null in the JSON is something.')
  exists?: boolean | null;

  @OptionalField(() => JsonType, 'The value has this type.')
  type?: JsonType | null;

  @OptionalField(() => StringFilter, 'The value as a string.')
  string?: StringFilter | null;

  @OptionalField(() => FloatFilter, 'The value as a number.')
  number?: FloatFilter | null;

  @OptionalField(() => BooleanFilter, 'The value as true or false.')
  boolean?: BooleanFilter | null;
}

@InputType({ description: 'Conditions on a JSON object; all that are given must hold.' })
export class JSONFilter implements JsonCondition {
  @OptionalField(
    () => GraphQLJSONObject,
    'The object has all of this in it: each key with its value, objects inside objects likewise, and each element of an ' +
      `array somewhere in the array: {tags: ["a"]} is in {tags: ["b", "a"], x: 1}. At most ${limits.jsonLength} ` +
      `characters of JSON, ${filterLimits.jsonDepth} levels.`,
  )
  contains?: JsonObject | null;

  @OptionalField(
    () => [JSONPathFilter],
    'Typed conditions on places inside the object, all of which must hold: {at: {path: ["user", "age"], number: {gte: 18}}}.',
  )
  at?: JSONPathFilter[] | null;
}
