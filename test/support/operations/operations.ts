import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql';
import type { Draw } from './draw.ts';
import { argumentOf, type Distances, type Member, type Members } from './members.ts';
import { settleArguments, settleInput } from './rules.ts';
import {
  EnumValue,
  JsonObject,
  type Known,
  type RowKind,
  rowKinds,
  scalarValue,
  type Value,
  Verbatim,
  wrongValue,
} from './values.ts';

/** A field that an operation selects. */
export interface SelectedField {
  member: Member;
  name: string;
  alias: string | undefined;
  args: Record<string, Value>;
  included: boolean;
  selections: Selection[];
}

/** Selections under a condition on the type, in the place or in a fragment with a name. */
export interface Fragment {
  on: string;
  named: boolean;
  selections: Selection[];
}

export type Selection = SelectedField | Fragment;

export interface Operation {
  query: string;
  variables: Record<string, unknown>;
  selections: Selection[];
  /** Everything of the schema that stands in it. */
  members: ReadonlySet<Member>;
}

/** What operations have more or less often. */
export interface Habits {
  /** The share of operations with wrong values in them. */
  wrong: number;
  /** Fields that are selected wherever there are any, so that later operations can name what is in them. */
  selected: readonly string[];
  /** How likely an argument of `field`, or an input field, is that an operation could leave out. Undefined: as likely as others. */
  chanceOf(name: string, field?: string): number | undefined;
  /** How often an object has all of its fields that return one value and take no arguments. */
  whole: number;
  /** Which fields stand at the root beside that for the goal, and how many. Undefined: rarely one, of any name. */
  otherRoots?: (kind: 'query' | 'mutation') => { count: number; from(name: string): boolean };
  /** Operations that may be made. A goal that stands in no query makes a mutation all the same. */
  roots: 'all' | 'queries';
}

const usualHabits: Habits = {
  wrong: 0.2,
  selected: ['id', 'toolName', 'cursor', 'edges'],
  chanceOf: () => undefined,
  whole: 0,
  roots: 'all',
};

/** Levels of fields, but for those on the way to the goal. */
const deepest = 5;
const deepestFilter = 3;

interface Situation {
  depth: number;
  kind: RowKind;
  goal: Distances | undefined;
}

/**
 * Makes one operation that has `goal` in it, as the schema allows, and much else at random. Most operations are right; some
 * have wrong values in them.
 */
export function makeOperation(
  schema: GraphQLSchema,
  members: Members,
  goal: Member,
  known: Known,
  draw: Draw,
  habits: Partial<Habits> = {},
): Operation {
  return new OperationMaker(schema, members, known, draw, { ...usualHabits, ...habits }).make(goal);
}

class OperationMaker {
  private readonly seen = new Set<Member>();
  private readonly definitions: string[] = [];
  private readonly variables: Record<string, unknown> = {};
  private readonly fragments: string[] = [];
  private readonly wrong: boolean;
  private aliases = 0;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly members: Members,
    private readonly known: Known,
    private readonly draw: Draw,
    private readonly habits: Habits,
  ) {
    this.wrong = draw.chance(habits.wrong);
  }

  make(goal: Member): Operation {
    const distances = this.members.distancesTo(goal);
    const query = this.schema.getQueryType() as GraphQLObjectType;
    const mutation = this.schema.getMutationType() as GraphQLObjectType;
    const reaches = [query, mutation].filter(({ name }) => distances.has(name));
    const roots = this.habits.roots === 'queries' && reaches.includes(query) ? [query] : reaches;
    const root = roots.length > 0 ? this.draw.pick(roots) : query;
    const selections = this.selectionsOf(root, { depth: 1, kind: 'Memory', goal: distances }, new Set());
    const directives = schemaDirectives(this.schema).filter(
      (name) => goal === `@${name}` || this.draw.chance(0.1),
    );
    for (const name of directives) this.seen.add(`@${name}`);
    const body = this.write(selections);
    const definitions = this.definitions.length > 0 ? `(${this.definitions.join(', ')})` : '';
    const head = `${root === query ? 'query' : 'mutation'} Fuzz${definitions}${directives.map((name) => ` @${name}`).join('')}`;
    return {
      query: [`${head} ${body}`, ...this.fragments].join('\n'),
      variables: this.variables,
      selections,
      members: this.seen,
    };
  }

  /** @param names the names in the answer that are taken. */
  private selectionsOf(type: GraphQLObjectType, at: Situation, names: Set<string>): Selection[] {
    const fields = Object.values(type.getFields());
    const toGoal = nearest(fields, at.goal, (field) => `${type.name}.${field.name}`);
    const chosen: { field: GraphQLField<unknown, unknown>; goal: Distances | undefined }[] = [];
    if (toGoal.length > 0) chosen.push({ field: this.draw.pick(toGoal), goal: at.goal });
    const useful = fields.filter(({ name }) => this.habits.selected.includes(name));
    for (const field of useful) if (this.draw.chance(0.7)) chosen.push({ field, goal: undefined });
    const isRoot = at.depth === 1;
    const kind = type === this.schema.getMutationType() ? 'mutation' : 'query';
    const others = isRoot ? this.habits.otherRoots?.(kind) : undefined;
    const more = isRoot ? (others?.count ?? Number(this.draw.chance(0.3))) : this.draw.below(4);
    const possibleFields = others ? fields.filter(({ name }) => others.from(name)) : fields;
    if (!isRoot && this.habits.whole > 0 && this.draw.chance(this.habits.whole)) {
      const left = fields.filter(
        (field) => isSingleValue(field) && !chosen.some((one) => one.field === field),
      );
      for (const field of left) chosen.push({ field, goal: undefined });
    }
    for (let i = 0; i < more; i++) {
      const field = this.draw.pick(possibleFields);
      if (isComposite(field.type) && (at.depth >= deepest || (!isRoot && this.draw.chance(0.5)))) continue;
      chosen.push({ field, goal: undefined });
    }
    const possible = chosen.filter(
      ({ field, goal }) => goal !== undefined || at.depth < deepest || !isComposite(field.type),
    );
    const selections: Selection[] = possible.map(({ field, goal }) =>
      this.field(type, field, { ...at, goal }, names),
    );
    if (selections.length === 0 || (!isRoot && this.draw.chance(0.1))) selections.push(this.typename(names));
    return this.inFragments(type, selections);
  }

  private typename(names: Set<string>): SelectedField {
    const alias = this.aliasFor('__typename', names);
    return { member: '', name: '__typename', alias, args: {}, included: false, selections: [] };
  }

  private inFragments(type: GraphQLObjectType, selections: Selection[]): Selection[] {
    if (selections.length < 2 || !this.draw.chance(0.2)) return selections;
    const cut = 1 + this.draw.below(selections.length - 1);
    const inner: Fragment = {
      on: type.name,
      named: this.draw.chance(0.5),
      selections: selections.slice(cut),
    };
    return [...selections.slice(0, cut), inner];
  }

  private field(
    type: GraphQLObjectType,
    field: GraphQLField<unknown, unknown>,
    at: Situation,
    names: Set<string>,
  ): SelectedField {
    const member = `${type.name}.${field.name}`;
    this.seen.add(member);
    const alias = this.aliasFor(field.name, names);
    const inside = { ...at, depth: at.depth + 1, kind: kindOf(field.name) ?? kindOf(type.name) ?? at.kind };
    const returned = getNamedType(field.type);
    const viaArgs = nearest(field.args, beyond(at.goal, member), (arg) => argumentOf(member, arg.name));
    const [argsDistance, typeDistance] = [
      Math.min(
        ...viaArgs.map((arg) => at.goal?.get(argumentOf(member, arg.name)) ?? Number.POSITIVE_INFINITY),
      ),
      at.goal?.get(returned.name) ?? Number.POSITIVE_INFINITY,
    ];
    const throughArgs = argsDistance < typeDistance;
    const args = this.args(member, field, inside, throughArgs ? this.draw.pick(viaArgs) : undefined);
    const isReached = throughArgs || typeDistance === Number.POSITIVE_INFINITY;
    const below = { ...inside, goal: isReached ? undefined : beyond(at.goal, member) };
    let selections: Selection[] = [];
    if (isObjectType(returned)) selections = this.selectionsOf(returned, below, new Set());
    else if (isUnionType(returned)) selections = this.union(returned.name, returned.getTypes(), below);
    return { member, name: field.name, alias, args, included: this.draw.chance(0.05), selections };
  }

  private union(name: string, types: readonly GraphQLObjectType[], at: Situation): Selection[] {
    const memberOf = (type: GraphQLObjectType) => `${name}|${type.name}`;
    const toGoal = nearest(types, at.goal, memberOf);
    const picked = toGoal.length > 0 ? this.draw.pick(toGoal) : undefined;
    const names = new Set<string>();
    const fragments = types
      .filter((type) => type === picked || this.draw.chance(0.6))
      .map((type): Fragment => {
        this.seen.add(memberOf(type));
        const goal = type === picked ? beyond(at.goal, memberOf(type)) : undefined;
        return {
          on: type.name,
          named: this.draw.chance(0.3),
          selections: this.selectionsOf(type, { ...at, goal }, names),
        };
      });
    return [this.typename(names), ...fragments];
  }

  /** Two fields of one name in one place must be the same, so the second one gets an alias. */
  private aliasFor(name: string, names: Set<string>): string | undefined {
    const alias = names.has(name) || this.draw.chance(0.1) ? `a${++this.aliases}` : undefined;
    names.add(alias ?? name);
    return alias;
  }

  private args(
    member: Member,
    field: GraphQLField<unknown, unknown>,
    at: Situation,
    wanted: GraphQLArgument | undefined,
  ): Record<string, Value> {
    const pages = this.known.cursors.get(member) ?? [];
    if (pages.length > 0 && (wanted?.name === 'after' || (wanted === undefined && this.draw.chance(0.15)))) {
      const { args, cursor } = this.draw.pick(pages);
      const next: Record<string, Value> = { ...args, after: cursor };
      for (const name of Object.keys(next)) this.seen.add(argumentOf(member, name));
      return next;
    }
    const args: Record<string, Value> = {};
    for (const arg of field.args) {
      const isNeeded = isNonNullType(arg.type) && arg.defaultValue === undefined;
      const isSmall = arg.name === 'first' || arg.name === 'k';
      const chance = this.habits.chanceOf(arg.name, field.name) ?? (arg.name === 'after' ? 0.01 : 0.3);
      if (arg !== wanted && !isNeeded && !isSmall && !this.draw.chance(chance)) continue;
      args[arg.name] = this.value(
        arg.type,
        arg.name,
        { ...at, goal: arg === wanted ? beyond(at.goal, argumentOf(member, arg.name)) : undefined },
        0,
      );
    }
    const settled = settleArguments(field, args, wanted?.name, this.draw, (arg) =>
      this.value(arg.type, arg.name, { ...at, goal: undefined }, 0),
    );
    for (const name of Object.keys(settled)) this.seen.add(argumentOf(member, name));
    // In the end, as the rules have taken away and added.
    for (const arg of field.args) noteValue(arg.type, settled[arg.name], this.seen);
    return settled;
  }

  private value(type: GraphQLInputType, name: string, at: Situation, level: number): Value {
    if (this.wrong && this.draw.chance(0.2)) return wrongValue(this.draw);
    if (isNonNullType(type)) return this.value(type.ofType, name, at, level);
    if (isListType(type)) {
      const length = name === 'vector' ? 384 : 1 + this.draw.below(2);
      return Array.from({ length }, (_, i) =>
        this.item(type.ofType, name, i === 0 ? at : { ...at, goal: undefined }, level),
      );
    }
    if (isEnumType(type)) {
      const toGoal = nearest(type.getValues(), at.goal, (value) => `${type.name}.${value.name}`);
      return new EnumValue(this.draw.pick(toGoal.length > 0 ? toGoal : type.getValues()).name);
    }
    if (isInputObjectType(type)) return this.input(type, name, at, level);
    return scalarValue(type.name, name, at.kind, this.draw, this.known);
  }

  /** An element of a list; the 384 numbers of a vector are not each drawn, which would take long. */
  private item(type: GraphQLInputType, name: string, at: Situation, level: number): Value {
    if (name === 'vector') return Math.sin(this.draw.below(100) * 7 + 1);
    return this.value(type, name, at, level);
  }

  private input(type: GraphQLInputObjectType, name: string, at: Situation, level: number): Value {
    const fields = Object.values(type.getFields());
    const toGoal = nearest(fields, at.goal, (field) => `${type.name}.${field.name}`);
    const wanted = toGoal.length > 0 ? this.draw.pick(toGoal) : undefined;
    const values: Record<string, Value> = {};
    const add = (field: GraphQLInputField) => {
      const kind = kindOf(field.name) ?? at.kind;
      const goal = field === wanted ? beyond(at.goal, `${type.name}.${field.name}`) : undefined;
      // A condition on a text is drawn as that text is.
      const called = isOperator(type) ? name : field.name;
      values[field.name] = this.value(field.type, called, { ...at, kind, goal }, level + 1);
    };
    for (const field of fields) {
      const isNeeded = isNonNullType(field.type) && field.defaultValue === undefined;
      const isDeep = ['and', 'or', 'not', 'document'].includes(field.name) && level >= deepestFilter;
      const usual = isOperator(type) ? 0.05 : type.name.endsWith('Filters') ? 0.08 : 0.25;
      const chance = this.habits.chanceOf(field.name) ?? usual;
      if (field === wanted || isNeeded || (!isDeep && this.draw.chance(chance))) add(field);
    }
    if (Object.keys(values).length === 0) {
      const simple = fields.filter((field) => !['and', 'or', 'not', 'document'].includes(field.name));
      add(this.draw.pick(simple));
    }
    return settleInput(type, values, wanted?.name, this.draw, (field) =>
      this.value(field.type, field.name, { ...at, goal: undefined }, level + 1),
    );
  }

  private write(selections: readonly Selection[]): string {
    return `{ ${selections.map((selection) => this.writeSelection(selection)).join(' ')} }`;
  }

  private writeSelection(selection: Selection): string {
    if (!('member' in selection)) {
      const body = this.write(selection.selections);
      if (!selection.named) return `... on ${selection.on} ${body}`;
      const name = `F${this.fragments.length + 1}`;
      this.fragments.push(`fragment ${name} on ${selection.on} ${body}`);
      return `...${name}`;
    }
    const { member, name, alias, args, included, selections } = selection;
    const types = new Map(this.argsOf(member).map((arg) => [arg.name, arg.type]));
    const given = Object.entries(args).map(
      ([arg, value]) => `${arg}: ${this.writeValue(value, types.get(arg), 0.3)}`,
    );
    return [
      alias === undefined ? name : `${alias}: ${name}`,
      given.length > 0 ? `(${given.join(', ')})` : '',
      included ? ' @include(if: true)' : '',
      selections.length > 0 ? ` ${this.write(selections)}` : '',
    ].join('');
  }

  private argsOf(member: Member): readonly GraphQLArgument[] {
    const [type = '', name = ''] = member.split('.');
    const parent = this.schema.getType(type);
    return isObjectType(parent) ? (parent.getFields()[name]?.args ?? []) : [];
  }

  /** The value in the text of the operation, or in a variable. */
  private writeValue(value: Value, type: GraphQLInputType | undefined, chance: number): string {
    const mustBeVariable = value instanceof JsonObject && !isLiteral(value.value);
    const isLong = Array.isArray(value) && value.length > 20;
    if (type !== undefined && (mustBeVariable || isLong || this.draw.chance(chance))) {
      const name = `v${this.definitions.length}`;
      this.definitions.push(`$${name}: ${type}`);
      this.variables[name] = plain(value);
      return `$${name}`;
    }
    if (value instanceof JsonObject) return literal(value.value as Value);
    if (Array.isArray(value)) {
      const item = type === undefined ? undefined : itemType(type);
      return `[${value.map((element) => this.writeValue(element, item, 0.03)).join(', ')}]`;
    }
    if (isPlain(value)) {
      const named = type === undefined ? undefined : getNamedType(type);
      const fields = isInputObjectType(named) ? named.getFields() : {};
      const entries = Object.entries(value).map(
        ([name, inner]) => `${name}: ${this.writeValue(inner, fields[name]?.type, 0.05)}`,
      );
      return `{ ${entries.join(', ')} }`;
    }
    return literal(value);
  }
}

/** Adds to `members` what a value has in it of the schema. */
function noteValue(type: GraphQLInputType, value: Value | undefined, members: Set<Member>): void {
  const named = getNamedType(type);
  if (Array.isArray(value)) for (const item of value) noteValue(type, item, members);
  else if (isEnumType(named) && value instanceof EnumValue && named.getValue(value.name))
    members.add(`${named.name}.${value.name}`);
  else if (isInputObjectType(named) && isPlain(value)) {
    for (const field of Object.values(named.getFields())) {
      if (!(field.name in value)) continue;
      members.add(`${named.name}.${field.name}`);
      noteValue(field.type, value[field.name], members);
    }
  }
}

function schemaDirectives(schema: GraphQLSchema): string[] {
  return schema
    .getDirectives()
    .map(({ name }) => name)
    .filter((name) => !['include', 'skip', 'deprecated', 'specifiedBy', 'oneOf'].includes(name));
}

/** The goal for what is inside of a member; undefined when the member is the goal. */
const beyond = (goal: Distances | undefined, member: Member): Distances | undefined =>
  goal?.get(member) === 0 ? undefined : goal;

/** Those that are nearest to the goal; none if none leads to it. */
function nearest<T>(from: readonly T[], goal: Distances | undefined, memberOf: (one: T) => Member): T[] {
  if (goal === undefined) return [];
  const distance = (one: T) => goal.get(memberOf(one)) ?? Number.POSITIVE_INFINITY;
  const least = Math.min(...from.map(distance));
  return least === Number.POSITIVE_INFINITY ? [] : from.filter((one) => distance(one) === least);
}

/** The kind of row that a name speaks of: `documentId`, `similarTools`, `MemoryFilters`, `revokeKey`. */
function kindOf(name: string): RowKind | undefined {
  return rowKinds.find((kind) => (spoken[kind] ?? new RegExp(kind, 'i')).test(name));
}

const spoken: Partial<Record<RowKind, RegExp>> = {
  Memory: /memor(y|ies)/i,
  // Not the keys of idempotency.
  ApiKey: /^(keys|(create|revoke|api)Key)/i,
};

const isComposite = (type: GraphQLOutputType): boolean => {
  const named = getNamedType(type);
  return isObjectType(named) || isUnionType(named);
};

/** Whether it returns one value, such as a text, and takes no arguments. */
const isSingleValue = ({ args, type }: GraphQLField<unknown, unknown>): boolean =>
  args.length === 0 && !isComposite(type) && !isListType(getNullableType(type));

/** Whether its fields are operators on one value, as those of StringFilter. */
const isOperator = (type: GraphQLInputObjectType): boolean => /[a-z]Filter$|^IDFilter$/.test(type.name);

function isPlain(value: Value | undefined): value is { [name: string]: Value } {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof EnumValue || value instanceof Verbatim || value instanceof JsonObject)
  );
}

function itemType(type: GraphQLInputType): GraphQLInputType | undefined {
  const inner = isNonNullType(type) ? type.ofType : type;
  return isListType(inner) ? inner.ofType : undefined;
}

/** The value as JSON has it, for variables. */
function plain(value: Value): unknown {
  if (value instanceof EnumValue) return value.name;
  if (value instanceof Verbatim) return Number(value.text) || value.text;
  if (value instanceof JsonObject) return value.value;
  if (Array.isArray(value)) return value.map(plain);
  if (isPlain(value))
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
  return value;
}

/** The value as it stands in the text of an operation. */
function literal(value: Value): string {
  if (value instanceof EnumValue) return value.name;
  if (value instanceof Verbatim) return value.text;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (isPlain(value))
    return `{ ${Object.entries(value)
      .map(([name, inner]) => `${name}: ${literal(inner)}`)
      .join(', ')} }`;
  return JSON.stringify(value);
}

/** Whether GraphQL's literals have words for it: keys that are names. */
function isLiteral(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isLiteral);
  return Object.entries(value).every(([key, inner]) => /^[_A-Za-z]\w*$/.test(key) && isLiteral(inner));
}
