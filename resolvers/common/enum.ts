import { registerEnumType } from 'type-graphql';

/**
 * Makes a GraphQL enum, and returns it as the type for a field.
 * @param descriptions the values, each with its description.
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
