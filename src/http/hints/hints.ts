import {
  type ASTNode,
  type DocumentNode,
  type GraphQLError,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  Kind,
  print,
  TypeInfo,
  type ValueNode,
  type VariableDefinitionNode,
  valueFromASTUntyped,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { argumentHint, fieldHint, rootHint, valueHint } from './input-hints.ts';
import { problemsOfVariables } from './variables.ts';
import { shortText, type WrittenValue } from './written.ts';

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
  if (isObjectType(parent) && (parent.name === 'Query' || parent.name === 'Mutation')) {
    const hint = rootHint(parent.getFields(), name);
    if (hint !== undefined) return hint;
  }
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

function variableHints({ schema, variables, errors }: RefusedOperation): Map<GraphQLError, string> {
  const definitions = new Set<VariableDefinitionNode>();
  for (const { nodes: [node] = [] } of errors)
    if (node?.kind === Kind.VARIABLE_DEFINITION) definitions.add(node);
  if (definitions.size === 0) return new Map();
  const problems = problemsOfVariables({
    schema,
    definitions: [...definitions],
    values: variables,
    suggest: true,
  });
  const found = new Map<GraphQLError, string>();
  for (const definition of definitions) {
    const hints = problems.filter((problem) => problem.definition === definition).values();
    for (const error of errors) {
      if (error.nodes?.[0] !== definition) continue;
      const hint = hints.next().value?.hint;
      if (hint !== undefined) found.set(error, hint);
    }
  }
  return found;
}

function writtenAs(node: ValueNode): WrittenValue {
  return {
    value: node.kind === Kind.VARIABLE ? undefined : valueFromASTUntyped(node),
    text: shortText(node.loc?.source.body.slice(node.loc.start, node.loc.end) ?? print(node)),
  };
}
