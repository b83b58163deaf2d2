import { registerEnumType } from 'type-graphql';

/**
 * A GraphQL enum whose values stand for themselves, to be named as the type of a field.
 * @param descriptions what each value means.
 */
export function enumOf<Value extends string>(
  name: string,
  description: string,
  descriptions: Record<Value, string>,
): { [Name in Value]: Name } {
  const values = Object.keys(descriptions) as Value[];
  const members = Object.fromEntries(values.map((value) => [value, value])) as { [Name in Value]: Name };
  const valuesConfig = Object.fromEntries(
    values.map((value) => [value, { description: descriptions[value] }]),
  ) as Record<Value, { description: string }>;
  registerEnumType(members, { name, description, valuesConfig });
  return members;
}
