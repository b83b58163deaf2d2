import {
  type ConstDirectiveNode,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionNode,
  type SelectionSetNode,
  TypeMetaFieldDef,
} from 'graphql';
import { FunesError, quote } from '../../errors.ts';
import { limits } from '../../input/limits.ts';
import { type CostRule, costRuleOf } from './cost-rules.ts';

/**
 * One field of an operation, after its fragments were spread in and fields of one name were merged, as execution merges them.
 * Only fields that cost something, or that have such fields below them, are kept.
 */
export interface OutlineField {
  readonly name: string;
  readonly node: FieldNode;
  readonly field: GraphQLField<unknown, unknown> | undefined;
  readonly rule: CostRule | undefined;
  /** The field is there if all conditions of one of these lists are met. Without a list the field is always there. */
  readonly conditions: readonly Conditions[];
  /** The fields below it: one list for each type that the object can be of. */
  readonly below: readonly (readonly OutlineField[])[];
}

/** The directives `@skip` and `@include` at a field and around it, from the inside out. */
export interface Conditions {
  readonly directive: DirectiveNode;
  readonly outer: Conditions | undefined;
}

export interface OperationOutline {
  readonly operation: OperationDefinitionNode;
  readonly fields: readonly OutlineField[];
}

/** The fragments around a field, from the inside out. */
interface Within {
  readonly fragment: string;
  readonly outer: Within | undefined;
}

/** A field as it stands in the document once. */
interface Occurrence {
  readonly node: FieldNode;
  readonly conditions: Conditions | undefined;
  readonly within: Within | undefined;
}

/** What fragments and fields are collected for: an object of `type`, which is one of the types that it can be of. */
interface Holder {
  readonly type: GraphQLObjectType | undefined;
  readonly possible: readonly string[];
}

const unknownHolder: Holder = { type: undefined, possible: [] };

/**
 * Outlines the operations of a document that was parsed and not validated: validation alone takes seconds for some documents
 * that these limits refuse. What validation will refuse anyway (unknown fields, fragments within themselves) is left to it.
 * @throws FunesError LIMIT_EXCEEDED
 */
export function outlineDocument(document: DocumentNode, schema: GraphQLSchema): OperationOutline[] {
  const outliner = new Outliner(document, schema);
  return outliner.outline();
}

class Outliner {
  private readonly schema: GraphQLSchema;
  private readonly document: DocumentNode;
  private readonly fragments = new Map<string, FragmentDefinitionNode>();
  private readonly reached = new Set<string>();
  private selections = 0;
  private aliases = 0;
  private readonly aliasesOf = new Map<string, number>();
  private directives = 0;
  private readonly directivesOf = new Map<string, number>();
  /** The outermost field within which selections are counted now. Empty while these fields themselves are. */
  private root = '';
  private readonly selectionsOf = new Map<string, number>();

  constructor(document: DocumentNode, schema: GraphQLSchema) {
    this.document = document;
    this.schema = schema;
    for (const definition of document.definitions)
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.fragments.set(definition.name.value, definition);
  }

  outline(): OperationOutline[] {
    const outlines = this.document.definitions
      .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
      .map((operation) => {
        this.countDirectives(operation.directives, operation.operation);
        for (const { directives, variable } of operation.variableDefinitions ?? [])
          this.countDirectives(directives, `$${variable.name.value}`);
        this.root = '';
        const holder = this.holderOf(this.schema.getRootType(operation.operation)?.name);
        return { operation, fields: this.fieldsOf(holder, [rootOccurrence(operation)], []) };
      });
    // Validation compares the fields of fragments that no operation uses, too.
    for (const [name, fragment] of this.fragments) {
      this.countDirectives(fragment.directives, `fragment ${name}`);
      if (this.reached.has(name)) continue;
      this.root = '';
      const holder = this.holderOf(fragment.typeCondition.name.value);
      this.fieldsOf(holder, [rootOccurrence(fragment)], []);
    }
    this.check();
    return outlines;
  }

  private check(): void {
    if (this.aliases > limits.aliases) {
      const [name, times] = mostOf(this.aliasesOf);
      throw new FunesError(
        'LIMIT_EXCEEDED',
        `The operation has ${this.aliases} aliases; at most ${limits.aliases} are allowed. ` +
          `The field with the most is ${quote(name)}: ${times}. Send several requests.`,
      );
    }
    if (this.directives > limits.directives) {
      const [name, times] = mostOf(this.directivesOf);
      throw new FunesError(
        'LIMIT_EXCEEDED',
        `The operation has ${this.directives} directives; at most ${limits.directives} are allowed. ` +
          `Most stand at ${quote(name)}: ${times}. Put a directive on a fragment instead of each of its fields.`,
      );
    }
  }

  /** The kept fields of an object. `occurrences` are those of the field that has the object; they are merged. */
  private fieldsOf(
    holder: Holder,
    occurrences: readonly Pick<Occurrence, 'node' | 'conditions' | 'within'>[],
    path: readonly string[],
  ): OutlineField[] {
    const groups = new Map<string, Occurrence[]>();
    const spread = new Set<string>();
    for (const { node, conditions, within } of occurrences)
      if (node.selectionSet) this.collect(holder, node.selectionSet, conditions, within, spread, groups);

    const kept: OutlineField[] = [];
    for (const [name, merged] of groups) {
      const [{ node }] = merged as [Occurrence];
      const fieldPath = [...path, name];
      if (path.length === 0) this.root = node.name.value;
      if (merged.length > limits.repeats) {
        throw new FunesError(
          'LIMIT_EXCEEDED',
          `The field ${quote(fieldPath.join('.'), 300)} is selected ${merged.length} times; at most ${limits.repeats} ` +
            'times are allowed. Select it once.',
        );
      }
      if (fieldPath.length > limits.depth) {
        throw new FunesError(
          'LIMIT_EXCEEDED',
          `The operation has ${path.length + Math.max(...merged.map(levelsOf))} levels of fields; at most ` +
            `${limits.depth} are allowed. The level that is too much is ${quote(fieldPath.join('.'), 300)}. ` +
            'Ask for fewer levels at a time.',
        );
      }
      const field = fieldOf(holder.type, node.name.value);
      const rule = field && costRuleOf(holder.type?.name ?? '', field);
      const below = merged.some((occurrence) => occurrence.node.selectionSet)
        ? this.holdersBelow(field).map((inner) =>
            // A condition of the field itself does not count again for the fields below it.
            this.fieldsOf(inner, merged.map(withoutConditions), fieldPath),
          )
        : [];
      if (rule === undefined && below.every((fields) => fields.length === 0)) continue;
      const always = merged.some(({ conditions }) => conditions === undefined);
      kept.push({
        name,
        node,
        field,
        rule,
        conditions: always ? [] : merged.flatMap(({ conditions }) => conditions ?? []),
        below,
      });
    }
    return kept;
  }

  private collect(
    holder: Holder,
    set: SelectionSetNode,
    conditions: Conditions | undefined,
    within: Within | undefined,
    spread: Set<string>,
    groups: Map<string, Occurrence[]>,
  ): void {
    for (const selection of set.selections) {
      const root = this.root || nameOf(selection);
      this.selectionsOf.set(root, (this.selectionsOf.get(root) ?? 0) + 1);
      if (++this.selections > limits.selections) {
        const [name, times] = mostOf(this.selectionsOf);
        throw new FunesError(
          'LIMIT_EXCEEDED',
          `The operation has more than ${limits.selections} fields and fragments, where a fragment counts each time ` +
            `that it is used. Most of those that were counted are within ${quote(name)}: ${times}. ` +
            'Ask for fewer fields at a time.',
        );
      }
      this.countDirectives(selection.directives, nameOf(selection));
      const inner = conditionsOf(selection.directives, conditions);
      if (selection.kind === Kind.FIELD) {
        this.countAlias(selection);
        const name = (selection.alias ?? selection.name).value;
        const group = groups.get(name);
        const occurrence = { node: selection, conditions: inner, within };
        if (group) group.push(occurrence);
        else groups.set(name, [occurrence]);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        if (!appliesTo(holder, selection.typeCondition?.name.value)) continue;
        this.collect(holder, selection.selectionSet, inner, within, spread, groups);
      } else {
        const name = selection.name.value;
        const fragment = this.fragments.get(name);
        if (fragment === undefined || spread.has(name) || isWithin(within, name)) continue;
        this.reached.add(name);
        if (!appliesTo(holder, fragment.typeCondition.name.value)) continue;
        // A fragment that a condition may leave out counts again where it stands without one.
        if (inner === undefined) spread.add(name);
        const around = { fragment: name, outer: within };
        this.collect(holder, fragment.selectionSet, inner, around, spread, groups);
      }
    }
  }

  private countAlias({ alias, name }: FieldNode): void {
    if (alias === undefined) return;
    this.aliases++;
    this.aliasesOf.set(name.value, (this.aliasesOf.get(name.value) ?? 0) + 1);
  }

  private countDirectives(
    directives: readonly (DirectiveNode | ConstDirectiveNode)[] | undefined,
    at: string,
  ): void {
    if (directives === undefined || directives.length === 0) return;
    this.directives += directives.length;
    this.directivesOf.set(at, (this.directivesOf.get(at) ?? 0) + directives.length);
  }

  private holderOf(typeName: string | undefined): Holder {
    const type = typeName === undefined ? undefined : this.schema.getType(typeName);
    return isObjectType(type) ? { type, possible: [type.name] } : unknownHolder;
  }

  /** What an object below a field can be. */
  private holdersBelow(field: GraphQLField<unknown, unknown> | undefined): readonly Holder[] {
    const type = field && getNamedType(field.type);
    if (!isCompositeType(type)) return [unknownHolder];
    if (!isAbstractType(type)) return [{ type, possible: [type.name] }];
    const types = this.schema.getPossibleTypes(type);
    const possible = types.map(({ name }) => name);
    return types.map((one) => ({ type: one, possible }));
  }
}

function mostOf(counts: ReadonlyMap<string, number>): [name: string, times: number] {
  return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most));
}

/** A selection as it is written. */
function nameOf(selection: SelectionNode): string {
  if (selection.kind === Kind.FIELD) return selection.name.value;
  if (selection.kind === Kind.FRAGMENT_SPREAD) return `...${selection.name.value}`;
  return selection.typeCondition === undefined ? '...' : `... on ${selection.typeCondition.name.value}`;
}

function rootOccurrence(definition: OperationDefinitionNode | FragmentDefinitionNode) {
  // Only the selection set of a field around other fields is read.
  const node = { kind: Kind.FIELD, selectionSet: definition.selectionSet } as FieldNode;
  const within =
    definition.kind === Kind.FRAGMENT_DEFINITION
      ? { fragment: definition.name.value, outer: undefined }
      : undefined;
  return { node, conditions: undefined, within };
}

/** The levels of a field and the fields below it, without what fragments add. A loop, because any depth may come here. */
function levelsOf({ node }: Occurrence): number {
  let levels = 0;
  let nodes: readonly FieldNode[] = [node];
  for (; nodes.length > 0; levels++) nodes = nodes.flatMap(({ selectionSet }) => fieldsIn(selectionSet));
  return levels;
}

function fieldsIn(set: SelectionSetNode | undefined): FieldNode[] {
  return (set?.selections ?? []).flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection];
    return selection.kind === Kind.INLINE_FRAGMENT ? fieldsIn(selection.selectionSet) : [];
  });
}

/** Whether a fragment on `condition` adds fields. A fragment on a type that cannot be here is left to validation. */
function appliesTo({ type, possible }: Holder, condition: string | undefined): boolean {
  return condition === undefined || condition === type?.name || !possible.includes(condition);
}

function isWithin(within: Within | undefined, fragment: string): boolean {
  for (let around = within; around; around = around.outer) if (around.fragment === fragment) return true;
  return false;
}

function withoutConditions({ node, within }: Occurrence): Occurrence {
  return { node, within, conditions: undefined };
}

function conditionsOf(
  directives: readonly DirectiveNode[] | undefined,
  around: Conditions | undefined,
): Conditions | undefined {
  let conditions = around;
  for (const directive of directives ?? [])
    if (directive.name.value === 'skip' || directive.name.value === 'include')
      conditions = { directive, outer: conditions };
  return conditions;
}

function fieldOf(
  type: GraphQLObjectType | undefined,
  name: string,
): GraphQLField<unknown, unknown> | undefined {
  if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
  if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  return type?.getFields()[name];
}
