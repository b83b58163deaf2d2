import { type GraphQLSchema, isIntrospectionType, isObjectType } from 'graphql';
import { argumentOf, type Member } from '../support/operations/members.ts';
import type { SelectedField, Selection } from '../support/operations/operations.ts';
import { leavesOf } from '../support/operations/values.ts';

/** Counts how often each field and argument of a schema was reached with something foreign. */
export class Reach {
  private readonly counts: Map<Member, number>;
  /** How many requests were for each. */
  private readonly asked = new Map<Member, number>();

  constructor(schema: GraphQLSchema) {
    const fields = Object.values(schema.getTypeMap())
      .filter((type) => isObjectType(type) && !isIntrospectionType(type))
      .flatMap((type) =>
        Object.values(isObjectType(type) ? type.getFields() : {}).flatMap((field) => {
          const member = `${type.name}.${field.name}`;
          return [member, ...field.args.map((arg) => argumentOf(member, arg.name))];
        }),
      );
    this.counts = new Map(fields.map((member) => [member, 0]));
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
    const worth = ([member, count]: [Member, number]) => count + (this.asked.get(member) ?? 0) / 4;
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
