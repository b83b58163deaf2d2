import {
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedDirective,
  isUnionType,
} from 'graphql';

/**
 * Names what an operation can have in it, as GraphQL does in schema coordinates: `Type.field`, `Type.field(argument:)`,
 * `Input.field`, `Enum.VALUE`, `Union|Type`, `@directive`.
 */
export type Member = string;

/** A member, and what can only stand inside it: members of these types, or these members. */
interface Step {
  member: Member;
  types: readonly string[];
  members: readonly Member[];
}

export const argumentOf = (field: Member, argument: string): Member => `${field}(${argument}:)`;

function stepsOf(type: GraphQLNamedType): Step[] {
  if (isObjectType(type)) {
    return Object.values(type.getFields()).flatMap((field) => {
      const member = `${type.name}.${field.name}`;
      const args = field.args.map((arg) => ({
        member: argumentOf(member, arg.name),
        types: [getNamedType(arg.type).name],
        members: [],
      }));
      // An operation writes the value of an enum as input; where a field returns one, no value stands in the operation.
      const returned = getNamedType(field.type);
      return [
        {
          member,
          types: isEnumType(returned) ? [] : [returned.name],
          members: args.map((arg) => arg.member),
        },
        ...args,
      ];
    });
  }
  if (isInputObjectType(type)) {
    return Object.values(type.getFields()).map((field) => ({
      member: `${type.name}.${field.name}`,
      types: [getNamedType(field.type).name],
      members: [],
    }));
  }
  if (isEnumType(type))
    return type.getValues().map(({ name }) => ({ member: `${type.name}.${name}`, types: [], members: [] }));
  if (isUnionType(type))
    return type
      .getTypes()
      .map(({ name }) => ({ member: `${type.name}|${name}`, types: [name], members: [] }));
  return [];
}

/** The names of the types that arguments and input fields have. */
function inputTypes(types: readonly GraphQLNamedType[]): ReadonlySet<string> {
  const inputs = types.flatMap((type) => {
    if (isInputObjectType(type)) return Object.values(type.getFields());
    return isObjectType(type) ? Object.values(type.getFields()).flatMap(({ args }) => args) : [];
  });
  return new Set(inputs.map(({ type }) => getNamedType(type).name));
}

/** How far a member is from each type and member above it; what does not lead to it is missing. */
export type Distances = ReadonlyMap<string, number>;

/** The members of a schema, and the ways to them. */
export class Members {
  readonly all: readonly Member[];
  private readonly steps: ReadonlyMap<string, readonly Step[]>;
  private readonly known = new Map<Member, Distances>();

  constructor(schema: GraphQLSchema) {
    const known = Object.values(schema.getTypeMap()).filter((type) => !isIntrospectionType(type));
    // No operation has a value of an enum that is only returned.
    const inputs = inputTypes(known);
    const types = known.filter((type) => !isEnumType(type) || inputs.has(type.name));
    this.steps = new Map(types.map((type) => [type.name, stepsOf(type)]));
    const own = schema.getDirectives().filter((directive) => !isSpecifiedDirective(directive));
    this.all = [
      ...[...this.steps.values()].flat().map(({ member }) => member),
      ...own.map(({ name }) => `@${name}`),
    ];
  }

  /** The distances to `goal`, by type and by member. */
  distancesTo(goal: Member): Distances {
    const found = this.known.get(goal) ?? this.measure(goal);
    this.known.set(goal, found);
    return found;
  }

  private measure(goal: Member): Distances {
    const distances = new Map<string, number>([[goal, 0]]);
    const nearest = (names: readonly string[]) =>
      Math.min(...names.map((name) => distances.get(name) ?? Number.POSITIVE_INFINITY));
    const improve = (name: string, distance: number) => {
      if (!(distance < (distances.get(name) ?? Number.POSITIVE_INFINITY))) return false;
      distances.set(name, distance);
      return true;
    };
    for (let changed = true; changed; ) {
      changed = false;
      for (const [type, steps] of this.steps) {
        for (const { member, types, members } of steps)
          changed = improve(member, 1 + nearest([...types, ...members])) || changed;
        changed = improve(type, 1 + nearest(steps.map(({ member }) => member))) || changed;
      }
    }
    return distances;
  }
}
