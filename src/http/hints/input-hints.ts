import {
  type GraphQLArgument,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
} from 'graphql';
import { argumentNames, inputNames, operatorNames, plainName, type Replacement, rootNames } from './names.ts';
import { completeTime, dayOf } from './times.ts';
import type { WrittenValue } from './written.ts';

/** Says what to write instead of an argument that the field does not have. */
export function argumentHint(
  args: readonly GraphQLArgument[],
  name: string,
  written: WrittenValue,
): string | undefined {
  const replacement = argumentNames.get(plainName(name));
  const known = replacement?.names.filter((ours) => args.some((arg) => arg.name === ours)) ?? [];
  if (replacement && known.length > 0) return use(known, replacement);
  for (const arg of args) {
    const type = getNullableType(arg.type);
    if (!isInputObjectType(type)) continue;
    const other = inputNames.get(plainName(name))?.names.find((ours) => type.getFields()[ours]);
    const field =
      type.getFields()[name] ?? type.getFields()[camelCase(name)] ?? type.getFields()[other ?? ''];
    if (!field) continue;
    const inner = corrected(field.type, written) ?? written.text;
    return `Write it inside ${arg.name}: ${arg.name}: { ${field.name}: ${inner} }.`;
  }
  return undefined;
}

/** Says what to write instead of a field that the input object does not have. */
export function fieldHint(
  type: GraphQLInputObjectType,
  name: string,
  written: WrittenValue,
): string | undefined {
  if (isJsonFilter(type)) return `Write ${jsonCondition(type, name, written)}.`;
  if (!isOperators(type)) return orderHint(type, name, written) ?? namedAs(type, name);
  const operators = Object.keys(type.getFields());
  const replacement = operatorNames.get(plainName(name));
  const known = replacement?.names.filter((ours) => operators.includes(ours)) ?? [];
  if (replacement && known.length > 0) return use(known, replacement);
  const same = operators.find((operator) => plainName(operator) === plainName(name));
  return same === undefined ? `The operators are ${operators.join(', ')}.` : use([same], {});
}

/** The name that the API has for what a field of an input object is called elsewhere. */
function namedAs(type: GraphQLInputObjectType, name: string): string | undefined {
  const replacement = inputNames.get(plainName(name));
  const known = replacement?.names.filter((ours) => type.getFields()[ours]) ?? [];
  return replacement && known.length > 0 ? use(known, replacement) : undefined;
}

/** Says how to write `{ createdAt: ASC }`. */
function orderHint(type: GraphQLInputObjectType, name: string, { text }: WrittenValue): string | undefined {
  const { field, direction } = type.getFields();
  const choices = field && getNamedType(field.type);
  const directions = direction && getNamedType(direction.type);
  if (!isEnumType(choices) || !isEnumType(directions)) return undefined;
  const chosen = choices.getValues().find((choice) => plainName(choice.name) === plainName(name));
  const turned = directions.getValue(text.replaceAll('"', '').toUpperCase());
  return chosen && `Write { field: ${chosen.name}${turned ? `, direction: ${turned.name}` : ''} }.`;
}

/** Says what to write instead of a value that does not have the type. */
export function valueHint(type: GraphQLInputType, written: WrittenValue): string | undefined {
  const { value } = written;
  const { name } = getNamedType(type);
  const instead = corrected(type, written);
  if (instead !== undefined) return `Write ${instead}.`;
  const choices = getNamedType(type);
  if (isEnumType(choices) && typeof value === 'string' && choices.getValue(value))
    return `Write ${value} without quotes.`;
  if (isInputObjectType(type) && isJsonFilter(type))
    return 'Write a condition such as { contains: { topic: "tea" } }.';
  if (name === 'DateTime') return 'Write a point in time such as "2026-01-31T09:30:00Z".';
  if (name !== 'JSONObject' || value === undefined) return undefined;
  return typeof value === 'string' && /^\s*\{/.test(value)
    ? 'Send the object itself, not its text.'
    : 'Send an object, such as { topic: "tea" }.';
}

/** The value in the form that its type has, if it is clear how that is meant. */
function corrected(type: GraphQLInputType, { value, text }: WrittenValue): string | undefined {
  const expected = getNullableType(type);
  if (getNamedType(type).name === 'DateTime') {
    const time = completeTime(value);
    return time && JSON.stringify(time);
  }
  if (!isInputObjectType(expected) || value === null) return undefined;
  const fields = expected.getFields();
  const isObject = typeof value === 'object' && !Array.isArray(value);
  if (isJsonFilter(expected)) {
    const isPlain = isObject && !Object.keys(value).some((name) => name in fields);
    return isPlain || value === undefined ? `{ contains: ${text} }` : undefined;
  }
  if (isObject) return undefined;
  if (isOperators(expected)) {
    if (Array.isArray(value)) return fields.in && `{ in: ${text} }`;
    if (fields.eq && getNamedType(fields.eq.type).name === 'DateTime' && value !== undefined) {
      const day = dayOf(value);
      if (day) return `{ gte: "${day.begin}", lt: "${day.end}" }`;
      const time = completeTime(value);
      return `{ eq: ${time ? JSON.stringify(time) : text} }`;
    }
    return `{ eq: ${text} }`;
  }
  for (const field of Object.values(fields)) {
    const choice = getNamedType(field.type);
    if (isEnumType(choice) && typeof value === 'string' && choice.getValue(value))
      return `{ ${field.name}: ${text} }`;
  }
  return undefined;
}

/** The condition on JSON which somebody may mean who wrote the key itself. */
function jsonCondition(type: GraphQLInputObjectType, name: string, { value, text }: WrittenValue): string {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const operators = Object.entries(value);
    // Equality with a whole object is containment.
    if (operatorOf(name)) return `{ contains: ${text} }`;
    const kind = kindOf(operators[0]?.[1]);
    const conditions = getNamedType(type.getFields().at?.type);
    const typed = isInputObjectType(conditions) ? conditions.getFields()[kind]?.type : undefined;
    const known = typed && getNamedType(typed);
    if (
      operators.length > 0 &&
      isInputObjectType(known) &&
      operators.every(([operator]) => operator in known.getFields())
    )
      return `{ at: [{ path: [${JSON.stringify(name)}], ${kind}: ${text} }] }`;
  }
  return `{ contains: { ${name}: ${text} } }`;
}

const operatorOf = (name: string) => name === 'eq' || operatorNames.get(plainName(name))?.names[0] === 'eq';

function kindOf(operand: unknown): 'string' | 'number' | 'boolean' {
  const one: unknown = Array.isArray(operand) ? operand[0] : operand;
  if (typeof one === 'number') return 'number';
  return typeof one === 'boolean' ? 'boolean' : 'string';
}

/** Says what a field of a query or mutation is called here. */
export function rootHint(fields: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const replacement = rootNames.get(plainName(name));
  const known = replacement?.names.filter((ours) => fields[ours]) ?? [];
  return replacement && known.length > 0 ? use(known, replacement) : undefined;
}

/** Whether a type has the operators of a filter on one value. */
function isOperators(type: GraphQLInputObjectType): boolean {
  return 'eq' in type.getFields();
}

function isJsonFilter(type: GraphQLInputObjectType): boolean {
  const { contains } = type.getFields();
  return contains !== undefined && getNamedType(contains.type).name === 'JSONObject';
}

function use(names: readonly string[], { remark }: Pick<Replacement, 'remark'>): string {
  const quoted = names.map((name) => `"${name}"`).join(' or ');
  return `Use ${quoted}${remark === undefined ? '' : `, ${remark}`}.`;
}

function camelCase(name: string): string {
  return name.replace(/_+([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
