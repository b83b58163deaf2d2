import {
  type ASTNode,
  coerceInputValue,
  type DocumentNode,
  type GraphQLError,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isInputType,
  isInterfaceType,
  isObjectType,
  Kind,
  print,
  TypeInfo,
  typeFromAST,
  type ValueNode,
  type VariableDefinitionNode,
  valueFromASTUntyped,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { argumentHint, fieldHint, typeAt, valueHint, type WrittenValue } from './input-hints.ts';

// What graphql says of a wrong operation names what it does not know. A hint says what to write instead. It comes from the nodes
// of an error and the types of the schema, and from what people write in other products (`names.ts`). Only requests that are
// refused are looked through.

/** A request of which graphql refused something. */
export interface RefusedOperation {
  schema: GraphQLSchema;
  document: DocumentNode;
  variables: Readonly<Record<string, unknown>>;
  /** The operation was valid, so that only its variables can be wrong. */
  valid: boolean;
  errors: readonly GraphQLError[];
}

/** Returns what to write instead, for each error of which that is known. Never throws: without hints the errors are right, too. */
export function hintsOf(refused: RefusedOperation): Map<GraphQLError, string> {
  try {
    return refused.valid ? variableHints(refused) : documentHints(refused);
  } catch {
    return new Map();
  }
}

function documentHints({ schema, document, errors }: RefusedOperation): Map<GraphQLError, string> {
  const wrong = new Set(errors.flatMap(({ nodes }) => nodes ?? []));
  const hints = new Map<ASTNode, string>();
  const types = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(types, {
      enter(node) {
        const hint = wrong.has(node) ? nodeHint(node, types) : undefined;
        if (hint !== undefined) hints.set(node, hint);
      },
    }),
  );
  const found = new Map<GraphQLError, string>();
  for (const error of errors) {
    const node = error.nodes?.find((one) => hints.has(one));
    if (node) found.set(error, hints.get(node) ?? '');
  }
  return found;
}

function nodeHint(node: ASTNode, types: TypeInfo): string | undefined {
  switch (node.kind) {
    case Kind.FIELD:
      return types.getFieldDef() ? undefined : outputHint(types, node.name.value);
    case Kind.ARGUMENT:
      if (types.getArgument() || types.getDirective()) return undefined;
      return argumentHint(types.getFieldDef()?.args ?? [], node.name.value, writtenAs(node.value));
    case Kind.OBJECT_FIELD: {
      const parent = types.getParentInputType();
      const type = parent && getNamedType(parent);
      if (types.getInputType() || !isInputObjectType(type)) return undefined;
      return fieldHint(type, node.name.value, writtenAs(node.value));
    }
    case Kind.VARIABLE:
    case Kind.INT:
    case Kind.FLOAT:
    case Kind.STRING:
    case Kind.BOOLEAN:
    case Kind.ENUM:
    case Kind.LIST: {
      const type = types.getInputType();
      return type ? valueHint(type, writtenAs(node)) : undefined;
    }
    default:
      return undefined;
  }
}

/** Says where below a type a field is which the type itself does not have. */
function outputHint(types: TypeInfo, name: string): string | undefined {
  const parent = types.getParentType();
  if (!parent) return undefined;
  let level: { type: GraphQLNamedType; path: string[] }[] = [{ type: parent, path: [] }];
  for (let depth = 0; depth < 2; depth++) {
    level = level.flatMap(({ type, path }) =>
      isObjectType(type) || isInterfaceType(type)
        ? Object.values(type.getFields())
            .filter(({ args }) => args.length === 0)
            .map((field) => ({ type: getNamedType(field.type), path: [...path, field.name] }))
        : [],
    );
    const found = level.find(
      ({ type }) => (isObjectType(type) || isInterfaceType(type)) && type.getFields()[name],
    );
    if (found) return `Write ${found.path.reduceRight((inner, step) => `${step} { ${inner} }`, name)}.`;
  }
  return undefined;
}

function variableHints(refused: RefusedOperation): Map<GraphQLError, string> {
  const found = new Map<GraphQLError, string>();
  const byDefinition = new Map<VariableDefinitionNode, GraphQLError[]>();
  for (const error of refused.errors) {
    const [node] = error.nodes ?? [];
    if (node?.kind === Kind.VARIABLE_DEFINITION)
      byDefinition.set(node, [...(byDefinition.get(node) ?? []), error]);
  }
  for (const [definition, errors] of byDefinition) {
    const hints = hintsOfVariable(definition, refused, errors.length);
    for (const [i, error] of errors.entries()) {
      const hint = hints[i];
      if (hint !== undefined) found.set(error, hint);
    }
  }
  return found;
}

const enough = new Error('As many problems as errors.');

/** A hint or nothing for each of the first `count` problems of a variable, in the order in which graphql finds them. */
function hintsOfVariable(
  definition: VariableDefinitionNode,
  { schema, variables }: RefusedOperation,
  count: number,
): (string | undefined)[] {
  const hints: (string | undefined)[] = [];
  const type = typeFromAST(schema, definition.type);
  if (!isInputType(type)) return hints;
  const unknownNames = unknownNamesOf(count);
  try {
    coerceInputValue(
      variables[definition.variable.name.value],
      type,
      (path, value, problem) => {
        hints.push(hintOfProblem(typeAt(type, path), value, problem, unknownNames));
        if (hints.length >= count) throw enough;
      },
      true,
    );
  } catch (error) {
    if (error !== enough) throw error;
  }
  return hints;
}

function hintOfProblem(
  expected: GraphQLInputType | undefined,
  value: unknown,
  problem: GraphQLError,
  unknownNames: (type: GraphQLInputObjectType, value: object) => readonly string[],
): string | undefined {
  if (!expected) return undefined;
  const type = getNamedType(expected);
  if (!isInputObjectType(type) || typeof value !== 'object' || value === null || Array.isArray(value))
    return valueHint(expected, writtenValue(value));
  const unknown = unknownNames(type, value).find((name) =>
    problem.message.startsWith(`Field "${name}" is not`),
  );
  if (unknown === undefined) return undefined;
  return fieldHint(type, unknown, writtenValue((value as Record<string, unknown>)[unknown]));
}

/** Finds the first `count` names that an input object does not have, once for each object: it may have millions. */
function unknownNamesOf(count: number) {
  const known = new WeakMap<object, string[]>();
  return (type: GraphQLInputObjectType, value: object): readonly string[] => {
    let names = known.get(value);
    if (names === undefined) {
      const fields = type.getFields();
      names = Object.keys(value)
        .filter((name) => !fields[name])
        .slice(0, count);
      known.set(value, names);
    }
    return names;
  };
}

/** Longer values would hide what a hint says. */
const longestText = 80;

const textOf = (text: string) => (text.length > longestText || text.includes('\n') ? '...' : text);

function writtenAs(node: ValueNode): WrittenValue {
  return {
    value: node.kind === Kind.VARIABLE ? undefined : valueFromASTUntyped(node),
    text: textOf(node.loc?.source.body.slice(node.loc.start, node.loc.end) ?? print(node)),
  };
}

function writtenValue(value: unknown): WrittenValue {
  return { value, text: textOf(literalOf(value)) };
}

/** Deeper values, as wide ones, have more than the longest text. */
const deepestText = 8;

/** Writes a value of JSON in the syntax of GraphQL, which has no quotes around names. */
function literalOf(value: unknown, depth = 0): string {
  if (typeof value === 'string' && value.length > longestText) return '...';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '...';
  if (depth === deepestText) return '...';
  const parts: string[] = [];
  for (const name in value) {
    if (parts.length > longestText) break;
    const inner = literalOf((value as Record<string, unknown>)[name], depth + 1);
    parts.push(Array.isArray(value) ? inner : `${name}: ${inner}`);
  }
  return Array.isArray(value) ? `[${parts.join(', ')}]` : `{ ${parts.join(', ')} }`;
}
