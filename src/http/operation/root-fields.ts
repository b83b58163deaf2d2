import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** Apollo keeps the documents of operations that are sent often. */
const known = new WeakMap<OperationDefinitionNode, readonly string[]>();

/**
 * Returns the names of the root fields that an operation asks for, each once and in their order. Only fields of the schema count,
 * so their number has a bound; fields about the schema itself, such as `__typename`, do not.
 */
export function rootFields(
  schema: GraphQLSchema,
  document: DocumentNode | undefined,
  operation: OperationDefinitionNode,
): readonly string[] {
  const found = known.get(operation);
  if (found !== undefined) return found;
  const fields = schema.getRootType(operation.operation)?.getFields() ?? {};
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document?.definitions ?? [])
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  const names = new Set<string>();
  const visit = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const name = selection.name.value;
        if (Object.hasOwn(fields, name)) names.add(name);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) visit(selection.selectionSet);
      else {
        const fragment = fragments.get(selection.name.value);
        fragments.delete(selection.name.value); // once is enough
        if (fragment) visit(fragment.selectionSet);
      }
    }
  };
  visit(operation.selectionSet);
  const list = [...names];
  known.set(operation, list);
  return list;
}
