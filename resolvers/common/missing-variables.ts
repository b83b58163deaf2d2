import {
  type FieldNode,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  isObjectType,
  Kind,
  type ValueNode,
} from 'graphql';
import { FunesError } from '../../src/errors.ts';

// GraphQL leaves a field of an input object out when its variable has no value: `{userId: {eq: $user}}` becomes
// `{userId: {}}`, and `{userId: $user}` becomes `{}`, which is no filter and finds the rows of everybody. The value that a
// resolver gets does not show this any more. Only the query does.

/** A variable inside a filter that a query writes out. */
interface FilterVariable {
  name: string;
  inputPath: string;
}

/**
 * Makes each field of the schema refuse a filter in which the query names a field whose variable has no value. A default value
 * and null are values. `filters: $filters` may be left open as a whole, as an argument always may.
 *
 * The check is part of resolving a field. So fields that `@skip` and `@include` leave out are not checked, and a refusal has
 * the form of any other error in a filter.
 */
export function refuseMissingVariables(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      if (field.args.some((arg) => isInputObjectType(getNamedType(arg.type)))) checkFirst(field);
    }
  }
}

function checkFirst(field: GraphQLField<unknown, unknown>): void {
  const { resolve } = field;
  if (!resolve) throw new Error(`The field ${field.name} has arguments and no resolver.`);
  // Apollo keeps the documents of queries, so that one query is looked through once.
  const known = new WeakMap<FieldNode, readonly FilterVariable[]>();
  field.resolve = (source, args, context, info) => {
    // Fields that are merged into one have the same arguments.
    const [node] = info.fieldNodes as [FieldNode];
    let variables = known.get(node);
    if (!variables) {
      variables = variablesOf(node, field);
      known.set(node, variables);
    }
    for (const { name, inputPath } of variables) {
      if (!Object.hasOwn(info.variableValues, name)) {
        throw new FunesError(
          'BAD_USER_INPUT',
          `${inputPath} is the variable $${name}, which has no value: send one, or leave ${inputPath} out.`,
        );
      }
    }
    return resolve(source, args, context, info);
  };
}

function variablesOf(node: FieldNode, field: GraphQLField<unknown, unknown>): FilterVariable[] {
  return (node.arguments ?? []).flatMap(({ name: { value: name }, value }) => {
    if (value.kind === Kind.VARIABLE) return [];
    const type = field.args.find((arg) => arg.name === name)?.type;
    return variablesIn(value, type, name, isFilters(name, type));
  });
}

/** The variables of the filters in a value. `type` is undefined inside JSON. */
function variablesIn(
  value: ValueNode,
  type: GraphQLInputType | undefined,
  inputPath: string,
  inFilters: boolean,
): FilterVariable[] {
  if (value.kind === Kind.VARIABLE) return inFilters ? [{ name: value.name.value, inputPath }] : [];
  const nullable = type && getNullableType(type);
  // One value stands for a list of one.
  if (value.kind === Kind.LIST || isListType(nullable)) {
    const elements = value.kind === Kind.LIST ? value.values : [value];
    const elementType = isListType(nullable) ? nullable.ofType : undefined;
    return elements.flatMap((element, i) =>
      variablesIn(element, elementType, `${inputPath}[${i}]`, inFilters),
    );
  }
  if (value.kind !== Kind.OBJECT) return [];
  const fields = isInputObjectType(nullable) ? nullable.getFields() : {};
  return value.fields.flatMap(({ name: { value: name }, value: inner }) => {
    const innerType = fields[name]?.type;
    return variablesIn(inner, innerType, `${inputPath}.${name}`, inFilters || isFilters(name, innerType));
  });
}

/** Inputs that are filters as a whole: each field of them narrows what a mutation changes. */
const narrowingInputs: ReadonlySet<string> = new Set(['ArchiveMemoriesInput']);

function isFilters(name: string, type: GraphQLInputType | undefined): boolean {
  const input = type && getNullableType(type);
  return isInputObjectType(input) && (name === 'filters' || narrowingInputs.has(input.name));
}
