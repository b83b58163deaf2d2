import {
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isIntrospectionType,
  isObjectType,
} from 'graphql';
import { argumentOf, type Member } from '../support/operations/members.ts';
import type { SelectedField, Selection } from '../support/operations/operations.ts';
import { leavesOf } from '../support/operations/values.ts';

/** Whether a field of the root is a query or a mutation. */
export type RootKind = 'query' | 'mutation';

/** How often other members are reached before those that come last, for the first time. */
const lead = 24;

/** The fields and arguments that other fields of the root lead to. */
function openMembers(
  schema: GraphQLSchema,
  comesLast: (root: string, kind: RootKind) => boolean,
): Set<Member> {
  const open = new Set<Member>();
  const seen = new Set<GraphQLObjectType>();
  const visit = (type: GraphQLObjectType, fields: readonly GraphQLField<unknown, unknown>[]): void => {
    for (const field of fields) {
      const member = `${type.name}.${field.name}`;
      open.add(member);
      for (const arg of field.args) open.add(argumentOf(member, arg.name));
      const below = getNamedType(field.type);
      const types = isAbstractType(below)
        ? schema.getPossibleTypes(below)
        : isObjectType(below)
          ? [below]
          : [];
      for (const one of types) {
        if (seen.has(one)) continue;
        seen.add(one);
        visit(one, Object.values(one.getFields()));
      }
    }
  };
  const roots = [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
  ] as const;
  for (const [kind, type] of roots)
    if (type)
      visit(
        type,
        Object.values(type.getFields()).filter(({ name }) => !comesLast(name, kind)),
      );
  return open;
}

/** Counts how often each field and argument of a schema was reached with something foreign. */
export class Reach {
  private readonly counts: Map<Member, number>;
  /** How many requests were for each. */
  private readonly asked = new Map<Member, number>();
  private readonly last: ReadonlySet<Member>;

  /** @param comesLast whether a field of the root is for later, with all that only it leads to. */
  constructor(schema: GraphQLSchema, comesLast: (root: string, kind: RootKind) => boolean = () => false) {
    const fields = Object.values(schema.getTypeMap())
      .filter((type) => isObjectType(type) && !isIntrospectionType(type))
      .flatMap((type) =>
        Object.values(isObjectType(type) ? type.getFields() : {}).flatMap((field) => {
          const member = `${type.name}.${field.name}`;
          return [member, ...field.args.map((arg) => argumentOf(member, arg.name))];
        }),
      );
    this.counts = new Map(fields.map((member) => [member, 0]));
    const open = openMembers(schema, comesLast);
    this.last = new Set(fields.filter((member) => !open.has(member)));
  }

  /** Counts the members in a field of the root once each. */
  count(root: SelectedField): void {
    for (const member of membersOf([root])) this.counts.set(member, (this.counts.get(member) ?? 0) + 1);
  }

  /**
   * The member that the next request is for: one that was reached least. Requests that did not reach it count a little, so that a
   * member that is hard to reach leaves requests for others.
   */
  next(): Member {
    const worth = ([member, count]: [Member, number]) =>
      count + (this.asked.get(member) ?? 0) / 4 + (this.last.has(member) ? lead : 0);
    const entries = [...this.counts];
    const least = Math.min(...entries.map(worth));
    const [member] = entries.find((entry) => worth(entry) === least) as [Member, number];
    this.asked.set(member, (this.asked.get(member) ?? 0) + 1);
    return member;
  }

  /** Lets a member wait longer for its next request, because its last one was refused, and a refused request cannot leak. */
  postpone(member: Member): void {
    this.asked.set(member, (this.asked.get(member) ?? 0) + 3);
  }

  /** The members that were reached less often. */
  below(count: number): Member[] {
    return [...this.counts].flatMap(([member, reached]) => (reached < count ? member : []));
  }

  /** A line for each type: its fields and their arguments, with how often each was reached. */
  table(): string {
    const lines = new Map<string, string[]>();
    for (const [member, count] of this.counts) {
      const [type = '', name = ''] = member.split(/\.(.*)/);
      lines.set(type, [...(lines.get(type) ?? []), `${name.replace(/^\w+(?=\()/, '')} ${count}`]);
    }
    return [...lines].map(([type, members]) => `${type}: ${members.join(', ')}`).join('\n');
  }
}

/** The fields and arguments that stand in selections. */
export function membersOf(selections: readonly Selection[]): Set<Member> {
  const found = new Set<Member>();
  const visit = (selection: Selection): void => {
    if ('member' in selection && selection.member !== '') {
      found.add(selection.member);
      for (const name of Object.keys(selection.args)) found.add(argumentOf(selection.member, name));
    }
    selection.selections.forEach(visit);
  };
  selections.forEach(visit);
  return found;
}

/** Every text in the arguments of selections. */
export function textsIn(selections: readonly Selection[]): Set<string> {
  const texts = new Set<string>();
  const visit = (selection: Selection): void => {
    if ('member' in selection)
      for (const value of Object.values(selection.args))
        for (const leaf of leavesOf(value)) if (typeof leaf === 'string') texts.add(leaf);
    selection.selections.forEach(visit);
  };
  selections.forEach(visit);
  return texts;
}

/** The fields at the root of an operation, those in fragments too. */
export const rootFields = (selections: readonly Selection[]): SelectedField[] =>
  selections.flatMap((selection) =>
    !('member' in selection) ? rootFields(selection.selections) : selection.member === '' ? [] : [selection],
  );
