import { type DirectiveNode, Kind, type OperationDefinitionNode, valueFromASTUntyped } from 'graphql';
import { FunesError, quote } from '../../errors.ts';
import { costs } from '../../input/limits.ts';
import type { RawArguments } from './cost-rules.ts';
import type { Conditions, OperationOutline, OutlineField } from './outline.ts';

/** What a part of an operation costs, and which field in it costs most by itself, over all objects that have it. */
interface Cost {
  total: number;
  dearest: { path: readonly string[]; cost: number };
}

/** Values of variables, as the client sent them or as the operation has them by default. */
type Variables = Record<string, unknown>;

/**
 * Refuses an operation that could cost more than `most`. Nothing was read yet: the cost follows from the arguments, and each
 * level multiplies what stands below it.
 * @throws FunesError LIMIT_EXCEEDED
 */
export function checkCost(outline: OperationOutline, given: Readonly<Variables>, most: number): void {
  const { total, dearest } = costOf(outline.fields, variablesOf(outline.operation, given));
  if (total <= most) return;
  throw new FunesError(
    'LIMIT_EXCEEDED',
    `The operation could cost ${total}; at most ${most} is allowed (FUNES_COST_LIMIT). Each row that could be read costs ` +
      `${costs.row}, each search ${costs.search}, each text to embed ${costs.text}. The dearest field is ` +
      `${quote(dearest.path.join('.'), 200)}: ${dearest.cost}. Lower k or first, or ask for less at a time.`,
  );
}

function costOf(fields: readonly OutlineField[], variables: Variables): Cost {
  let total = 0;
  let dearest: Cost['dearest'] = { path: [], cost: 0 };
  for (const { name, node, field, rule, conditions, below } of fields) {
    if (conditions.length > 0 && !conditions.some((list) => areMet(list, variables))) continue;
    const args: RawArguments = rule ? argumentsOf(node, field, variables) : {};
    const own = rule?.own(args) ?? 0;
    const times = rule?.times(args) ?? 1;
    // An object is of one type: the dearest of those that it can be of.
    const inner = below
      .map((list) => costOf(list, variables))
      .reduce<Cost | undefined>((most, one) => (most && most.total >= one.total ? most : one), undefined);
    total += own + times * (inner?.total ?? 0);
    if (own > dearest.cost) dearest = { path: [name], cost: own };
    const innerDearest = times * (inner?.dearest.cost ?? 0);
    if (inner && innerDearest > dearest.cost)
      dearest = { path: [name, ...inner.dearest.path], cost: innerDearest };
  }
  return { total, dearest };
}

function argumentsOf(
  { arguments: given = [] }: OutlineField['node'],
  field: OutlineField['field'],
  variables: Variables,
): RawArguments {
  const args: Record<string, unknown> = {};
  for (const { name, defaultValue } of field?.args ?? [])
    if (defaultValue !== undefined) args[name] = defaultValue;
  for (const { name, value } of given) {
    if (value.kind === Kind.VARIABLE) {
      const variable = variables[value.name.value];
      // A variable without a value leaves the argument's default.
      if (variable !== undefined) args[name.value] = variable;
    } else args[name.value] = valueFromASTUntyped(value, variables);
  }
  return args;
}

function variablesOf(
  { variableDefinitions = [] }: OperationDefinitionNode,
  given: Readonly<Variables>,
): Variables {
  const variables: Variables = {};
  for (const { variable, defaultValue } of variableDefinitions) {
    const name = variable.name.value;
    if (Object.hasOwn(given, name)) variables[name] = given[name];
    else if (defaultValue) variables[name] = valueFromASTUntyped(defaultValue);
  }
  return variables;
}

function areMet(conditions: Conditions, variables: Variables): boolean {
  for (let list: Conditions | undefined = conditions; list; list = list.outer)
    if (!isMet(list.directive, variables)) return false;
  return true;
}

/** Whether a directive `@skip` or `@include` lets its field stand. One that is wrong is refused later. */
function isMet(directive: DirectiveNode, variables: Variables): boolean {
  const value = directive.arguments?.find(({ name }) => name.value === 'if')?.value;
  const condition =
    value?.kind === Kind.BOOLEAN
      ? value.value
      : value?.kind === Kind.VARIABLE
        ? variables[value.name.value]
        : undefined;
  return directive.name.value === 'skip' ? condition !== true : condition !== false;
}
