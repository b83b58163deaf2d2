import {
  type ASTNode,
  coerceInputValue,
  type DocumentNode,
  type GraphQLError,
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
  try {
    coerceInputValue(
      variables[definition.variable.name.value],
      type,
      (path, value, problem) => {
        hints.push(hintOfProblem(typeAt(type, path), value, problem));
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
  expected: ReturnType<typeof typeAt>,
  value: unknown,
  problem: GraphQLError,
): string | undefined {
  if (!expected) return undefined;
  const type = getNamedType(expected);
  if (!isInputObjectType(type) || typeof value !== 'object' || value === null || Array.isArray(value))
    return valueHint(expected, writtenValue(value));
  const fields = type.getFields();
  const unknown = Object.entries(value).find(
    ([name]) => !fields[name] && problem.message.startsWith(`Field "${name}" is not`),
  );
  return unknown && fieldHint(type, unknown[0], writtenValue(unknown[1]));
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
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '...';
  if (depth === deepestText) return '...';
  if (Array.isArray(value))
    return `[${value
      .slice(0, longestText)
      .map((element) => literalOf(element, depth + 1))
      .join(', ')}]`;
  const entries = Object.entries(value).slice(0, longestText);
  return `{ ${entries.map(([name, inner]) => `${name}: ${literalOf(inner, depth + 1)}`).join(', ')} }`;
}
