import { Field, InputType, registerEnumType } from 'type-graphql';
import type { JsonObject } from '../../schema/columns/common.ts';
import { type JsonCondition, type JsonPathCondition, JsonType } from '../../src/filters/conditions.ts';
import { filterLimits } from '../../src/filters/limits.ts';
import { limits } from '../../src/input/limits.ts';
import { GraphQLJSONObject } from '../common/json-object.ts';
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
    NULL: { description: 'A null in the JSON; where there is no value, there is no type.' },
  },
});

@InputType({
  description:
    'Conditions on the value at one path inside a JSON object; the value must meet all that are given. Values are compared ' +
    'in their own type (10 is greater than 9, and "10" is no number). A value of another type counts as none: it meets ' +
    'only `ne` and `notIn`. Use `string` to compare times that are kept as text in ISO 8601, all in UTC.',
})
export class JSONPathFilter implements JsonPathCondition {
  @Field(() => [String], {
    description:
      'The keys that lead to the value, the outermost first: ["user", "age"]. In an array a step is an index: "0" is the ' +
      `first element and "-1" the last. At most ${filterLimits.jsonDepth} steps.`,
  })
  path!: string[];

  @OptionalField(() => Boolean, 'Whether there is a value at the path; a null in the JSON is a value.')
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

@InputType({ description: 'Conditions on a JSON object; the object must meet all that are given.' })
export class JSONFilter implements JsonCondition {
  @OptionalField(
    () => GraphQLJSONObject,
    'The object includes all of this: each key with its value, objects inside objects likewise, and each element of an ' +
      `array anywhere in the array: {tags: ["b", "a"], x: 1} includes {tags: ["a"]}. At most ${limits.jsonLength} ` +
      `characters of JSON, ${filterLimits.jsonDepth} levels. Empty ({}) only where the object may be missing: it finds the rows ` +
      'that have one.',
  )
  contains?: JsonObject | null;

  @OptionalField(
    () => [JSONPathFilter],
    'Typed conditions on paths inside the object, which must meet all of them: {at: {path: ["user", "age"], number: {gte: 18}}}.',
  )
  at?: JSONPathFilter[] | null;
}
